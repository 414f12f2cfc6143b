import { padLeft } from "@ostrom/base";
import { ripemd160, sha256 } from "@ostrom/crypto";
import { gasPerWord, type Precompile } from "./precompile.ts";

/** 0x02: SHA-256 of the input. Source: Yellow Paper, appendix E. */
export const sha256Precompile: Precompile = { gas: gasPerWord(60, 12), run: (input) => sha256(input) };

/** 0x03: RIPEMD-160 of the input, padded on the left to 32 bytes. Source: Yellow Paper, appendix E. */
export const ripemd160Precompile: Precompile = {
  gas: gasPerWord(600, 120),
  run: (input) => padLeft(ripemd160(input), 32),
};

/** 0x04: the input. Source: Yellow Paper, appendix E. */
export const identity: Precompile = { gas: gasPerWord(15, 3), run: (input) => new Uint8Array(input) };
