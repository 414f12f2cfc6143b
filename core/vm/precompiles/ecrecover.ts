import { type Bytes, bytesToBigint, EMPTY_BYTES, Hash, padLeft } from "@ostrom/base";
import { recoverAddress } from "@ostrom/crypto";
import { type Precompile, readPadded } from "./precompile.ts";

const GAS = 3000n;

/** 0x01: hash, v, r, s, a word each, to the signer's address in a word; nothing where there is no signer. v is 27 or 28,
 * and high s is fine. Source: Yellow Paper, appendix E. */
export const ecrecover: Precompile = { gas: () => GAS, run };

function run(input: Bytes): Bytes {
  const words = readPadded(input, 0, 128);
  const v = bytesToBigint(words.subarray(32, 64));
  if (v !== 27n && v !== 28n) return EMPTY_BYTES;
  const signer = recoverAddress(Hash(words.slice(0, 32)), words.slice(64), v === 27n ? 0 : 1);
  return signer === undefined ? EMPTY_BYTES : padLeft(signer, 32);
}
