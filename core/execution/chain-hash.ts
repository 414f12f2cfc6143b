import { type Bytes, type Hash, must } from "@ostrom/base";
import { hashFunction } from "@ostrom/crypto";
import type { ChainRules } from "./types.ts";

/** The hash function of a chain's headers, trie nodes and keys, and of consensus' digests. The same function for the same id. */
export function chainHash({ hashId }: Pick<ChainRules, "hashId">): (data: Bytes) => Hash {
  return must(hashFunction(hashId), "a chain's hash function is in the registry");
}
