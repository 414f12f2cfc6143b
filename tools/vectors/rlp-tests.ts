import { equalBytes, hex, toHex, utf8 } from "@ostrom/base";
import { decodeRlp, encodeRlp, type RlpItem, rlpUint } from "@ostrom/codec";
import { readVectors, type VectorRun, VectorTally } from "./vector-run.ts";

/** Text, a number (large ones as "#" and decimal digits), or a list; or what is expected of a decoder. */
type JsonItem = string | number | readonly JsonItem[];
type RlpVector = { readonly in: JsonItem; readonly out: string };

/** RLPTests of ethereum/tests: items and their encodings, and bytes that a decoder must take or refuse. */
export function runRlpTests(paths: readonly string[]): VectorRun {
  const tally = new VectorTally();
  for (const { file, name, vector } of readVectors<RlpVector>(paths)) {
    tally.add(`${file} ${name}`, checkRlp(vector));
  }
  return tally.result();
}

function checkRlp(vector: RlpVector): string | undefined {
  const bytes = hex(vector.out);
  const decoded = decodeRlp(bytes);
  if (vector.in === "INVALID") return decoded.ok ? "decoded, but is invalid" : undefined;
  if (!decoded.ok) return `${decoded.error.code}: ${decoded.error.message}`;
  if (!equalBytes(encodeRlp(decoded.value), bytes)) return "encodes to other bytes than it was decoded from";
  if (vector.in === "VALID") return undefined;
  const encoded = encodeRlp(toItem(vector.in));
  return equalBytes(encoded, bytes) ? undefined : `encodes to ${toHex(encoded)}`;
}

function toItem(json: JsonItem): RlpItem {
  if (typeof json === "number") return rlpUint(json);
  if (typeof json !== "string") return json.map(toItem);
  return json.startsWith("#") ? rlpUint(BigInt(json.slice(1))) : utf8(json);
}
