import { ripemd160 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import type { HashEngine } from "./engine.ts";
import { plainSm3 } from "./plain-sm3.ts";

/** The reference engine of hash functions. */
export const nobleHash: HashEngine = {
  name: "noble",
  keccak256: (data) => keccak_256(data),
  sha256: (data) => sha256(data),
  ripemd160: (data) => ripemd160(data),
  sm3: plainSm3,
};
