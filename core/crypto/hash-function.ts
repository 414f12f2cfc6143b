import type { Bytes, Hash } from "@ostrom/base";
import { keccak256, sha256, sm3 } from "./engine.ts";
import { HASH_KECCAK256, HASH_SHA256, HASH_SM3 } from "./schemes.ts";

/** A hash function by its id in schemes.ts. One id gives one and the same function as long as the process lives, so that it may be a key of
 * what is remembered; it computes by whatever engine sits in the slot when it is called.
 * @returns undefined for an id that this version does not know. */
export function hashFunction(hashId: number): ((data: Bytes) => Hash) | undefined {
  switch (hashId) {
    case HASH_KECCAK256:
      return keccak256;
    case HASH_SHA256:
      return sha256;
    case HASH_SM3:
      return sm3;
    default:
      return undefined;
  }
}
