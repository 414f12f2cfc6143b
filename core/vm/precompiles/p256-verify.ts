import { p256 } from "@noble/curves/nist.js";
import { type Bytes, concatBytes, EMPTY_BYTES, wordToBytes } from "@ostrom/base";
import type { Precompile } from "./precompile.ts";

const GAS = 6900n;
const INPUT_LENGTH = 160;
const UNCOMPRESSED = Uint8Array.of(4);

/** 0x100: hash, r, s, x and y of the public key, a word each, to the word 1 if the ECDSA signature over P-256 is valid,
 * else to nothing. High s is fine. Never fails. Source: EIP-7951. */
export const p256Verify: Precompile = { gas: () => GAS, run };

function run(input: Bytes): Bytes {
  if (input.length !== INPUT_LENGTH) return EMPTY_BYTES;
  const hash = input.subarray(0, 32);
  const signature = input.subarray(32, 96);
  const publicKey = concatBytes(UNCOMPRESSED, input.subarray(96));
  const valid = p256.verify(signature, hash, publicKey, { prehash: false, lowS: false, format: "compact" });
  return valid ? wordToBytes(1n) : EMPTY_BYTES;
}
