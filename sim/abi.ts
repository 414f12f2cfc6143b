import { type Bytes, bigintToBytes, concatBytes, utf8 } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";

export const WORD = 32;
const SELECTOR_BYTES = 4;

export function selectorOf(signature: string): Bytes {
  return keccak256(utf8(signature)).slice(0, SELECTOR_BYTES);
}

/** A call of a function that takes numbers and `bytes`. */
export function encodeCall(signature: string, fields: readonly (bigint | Bytes)[]): Bytes {
  return concatBytes(selectorOf(signature), encodeFields(fields));
}

/** Source: Solidity, "Contract ABI Specification": heads, then the tails of dynamic fields. */
export function encodeFields(fields: readonly (bigint | Bytes)[]): Bytes {
  const heads: Bytes[] = [];
  const tails: Bytes[] = [];
  let offset = WORD * fields.length;
  for (const field of fields) {
    if (typeof field === "bigint") {
      heads.push(word(field));
      continue;
    }
    const padded = new Uint8Array(Math.ceil(field.length / WORD) * WORD);
    padded.set(field);
    const tail = concatBytes(word(BigInt(field.length)), padded);
    heads.push(word(BigInt(offset)));
    tails.push(tail);
    offset += tail.length;
  }
  return concatBytes(...heads, ...tails);
}

export function word(value: bigint): Bytes {
  return bigintToBytes(value, WORD);
}
