import { type Bytes, type Hash, toHex, toHexDigits } from "@ostrom/base";
import { decodeRlp, type RlpItem } from "@ostrom/codec";
import type { PathNode } from "./proof-model.ts";

const BRANCH_ITEMS = 17;
const LEAF_FLAG = 2;
const ODD_FLAG = 1;

/** Retells a Merkle proof that has been verified: which digits of the key each node takes. Nodes that stand within their parents are
 * told of as their parents' part. Source: Yellow Paper, appendices C and D.
 * @param key hex digits. */
export function retracePath(
  key: string,
  proof: readonly Bytes[],
  hash: (data: Bytes) => Hash,
): readonly PathNode[] {
  let at = 0;
  return proof.map((encoded) => {
    const before = key.slice(0, at);
    const decoded = decodeRlp(encoded);
    const { kind, end } = decoded.ok ? descend(decoded.value, key, at) : { kind: "leaf" as const, end: at };
    at = end;
    const taken = key.slice(before.length, end);
    return { hash: toHex(hash(encoded)), kind, before, taken, bytes: encoded.length };
  });
}

type Descent = { readonly kind: PathNode["kind"]; readonly end: number };

function descend(item: RlpItem, key: string, from: number): Descent {
  if (item instanceof Uint8Array) return { kind: "leaf", end: from };
  if (item.length === BRANCH_ITEMS) {
    const child = from < key.length ? item[Number.parseInt(key[from] ?? "0", 16)] : undefined;
    if (child === undefined || child.length === 0) return { kind: "branch", end: from };
    // A child that is a list is a short node within this one.
    const end = child instanceof Uint8Array ? from + 1 : descend(child, key, from + 1).end;
    return { kind: "branch", end };
  }
  const [packed] = item;
  const digits = packed instanceof Uint8Array ? toHexDigits(packed) : "";
  const flags = Number.parseInt(digits[0] ?? "0", 16);
  const path = (flags & ODD_FLAG) === 0 ? digits.slice(2) : digits.slice(1);
  const isHere = key.startsWith(path, from);
  return { kind: (flags & LEAF_FLAG) === 0 ? "extension" : "leaf", end: isHere ? from + path.length : from };
}
