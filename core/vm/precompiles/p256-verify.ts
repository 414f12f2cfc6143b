import { type Bytes, EMPTY_BYTES, wordToBytes } from "@ostrom/base";
import { p256 } from "@ostrom/crypto";
import type { Precompile } from "./precompile.ts";

const GAS = 6900n;
const INPUT_LENGTH = 160;

/** 0x100: hash, r, s, x and y of the public key, a word each, to the word 1 if the ECDSA signature over P-256 is valid,
 * else to nothing. High s is fine. Never fails. Source: EIP-7951. */
export const p256Verify: Precompile = { gas: () => GAS, run };

function run(input: Bytes): Bytes {
  if (input.length !== INPUT_LENGTH) return EMPTY_BYTES;
  const valid = p256().verify(input.subarray(0, 32), input.subarray(32, 96), input.subarray(96));
  return valid ? wordToBytes(1n) : EMPTY_BYTES;
}
