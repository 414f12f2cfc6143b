import type { Bytes } from "@ostrom/base";
import { blake2 } from "@ostrom/crypto";
import type { Precompile } from "./precompile.ts";

const INPUT_LENGTH = 213;
const BLOCK_OFFSET = 4;
const FINAL_FLAG_OFFSET = 212;

/** 0x09: the compression function F of BLAKE2b with a number of rounds of the caller's choice, each of which costs one
 * gas. rounds (4 bytes, big-endian), h (64), m (128), t (16, all little-endian), final flag (1) to the new h.
 * Fails on another length or another flag than 0 and 1. Sources: EIP-152, RFC 7693. */
export const blake2fPrecompile: Precompile = { gas, run };

function gas(input: Bytes): bigint {
  return input.length === INPUT_LENGTH ? BigInt(roundsOf(input)) : 0n;
}

function roundsOf(input: Bytes): number {
  return new DataView(input.buffer, input.byteOffset).getUint32(0);
}

function run(input: Bytes): Bytes | undefined {
  const finalFlag = input[FINAL_FLAG_OFFSET];
  if (input.length !== INPUT_LENGTH || finalFlag === undefined || finalFlag > 1) return undefined;
  return blake2().compress(roundsOf(input), input.subarray(BLOCK_OFFSET, FINAL_FLAG_OFFSET), finalFlag === 1);
}
