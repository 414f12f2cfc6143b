import type { Hash } from "@ostrom/base";
import {
  count,
  type Decoder,
  flag,
  hash,
  optionalField,
  requiredField,
  shown,
  ValueError,
} from "./decode.ts";
import { isGiven, isParsedObject, own } from "./json.ts";

export type BlockTag = "latest" | "safe" | "finalized" | "earliest" | "pending";

/** Which block a method is asked about. */
export type BlockParameter =
  | { readonly kind: "tag"; readonly tag: BlockTag }
  | { readonly kind: "number"; readonly number: number }
  | { readonly kind: "hash"; readonly hash: Hash };

export const LATEST: BlockParameter = { kind: "tag", tag: "latest" };

const TAGS: ReadonlyMap<string, BlockParameter> = new Map(
  (["latest", "safe", "finalized", "earliest", "pending"] as const).map((tag) => [tag, { kind: "tag", tag }]),
);

/** "0x" and 64 digits. */
const HASH_TEXT_LENGTH = 66;

/** A tag or a number. */
export const blockNumberOrTag: Decoder<BlockParameter> = {
  type: "block number or tag (latest, safe, finalized, earliest, pending)",
  decode: (value) => {
    const tag = typeof value === "string" ? TAGS.get(value) : undefined;
    return tag ?? { kind: "number", number: count.decode(value) };
  },
};

/** A tag, a number, a hash, or EIP-1898's object {blockNumber} or {blockHash, requireCanonical}. */
export const blockParameter: Decoder<BlockParameter> = {
  type: "block number, tag, hash, {blockNumber} or {blockHash, requireCanonical}",
  decode: (value) => {
    if (isParsedObject(value)) return decodeBlockObject(value);
    if (typeof value === "string" && value.length === HASH_TEXT_LENGTH) {
      return { kind: "hash", hash: hash.decode(value) };
    }
    return blockNumberOrTag.decode(value);
  },
};

function decodeBlockObject(object: { readonly [key: string]: unknown }): BlockParameter {
  const hasNumber = isGiven(own(object, "blockNumber"));
  const hasHash = isGiven(own(object, "blockHash"));
  if (hasNumber && hasHash) {
    throw new ValueError("cannot specify both BlockHash and BlockNumber, choose one or the other");
  }
  if (hasNumber) return requiredField(object, "blockNumber", blockNumberOrTag);
  // Every block that this chain serves is canonical, so that requireCanonical asks nothing more.
  optionalField(object, "requireCanonical", flag);
  if (hasHash) return { kind: "hash", hash: requiredField(object, "blockHash", hash) };
  throw new ValueError(`expected blockNumber or blockHash in ${shown(object)}`);
}
