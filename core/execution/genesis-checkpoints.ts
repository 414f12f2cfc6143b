import { Hash, toHexDigits } from "@ostrom/base";
import type { Genesis } from "./genesis.ts";
import { type CryptographicSuite, isPostQuantumSuite } from "./genesis-suites.ts";
import { duplicate, inconsistent, type Place, readHex, readList } from "./json-reader.ts";

const HASH_BYTES = 32;

/** Whether a new chain gets epoch checkpoints: if its validators vote by elliptic curves, and contracts can verify ML-DSA there. State certificates
 * of a post-quantum suite are themselves what checkpoints are for; a mined chain has no validators. */
export function hasCheckpoints(chain: {
  readonly suite: Pick<CryptographicSuite, "consensus">;
  readonly hasKeySets: boolean;
  readonly isMined: boolean;
}): boolean {
  return !chain.isMined && chain.hasKeySets && !isPostQuantumSuite(chain.suite);
}

/** Reads `checkpointKeys`: keccak256 of each validator's key, in the order of `validators`. Hashes, because every vote for a checkpoint carries its
 * key. Absent: the chain has no checkpoints. Throws JsonReadError. */
export function readCheckpoints(
  place: Place | undefined,
  {
    suite,
    keys,
    isMined,
    validatorSet: { validators },
  }: Pick<Genesis, "suite" | "keys" | "validatorSet"> & { readonly isMined: boolean },
): { readonly checkpointKeys?: readonly Hash[] } {
  if (place === undefined) return {};
  if (!hasCheckpoints({ suite, hasKeySets: keys !== undefined, isMined })) {
    throw inconsistent(
      place,
      "must be left out where blocks are mined, where validators vote by a post-quantum scheme, and where keys is null",
    );
  }
  const seen = new Set<string>();
  const hashes = readList(place).map((entry) => {
    const hash = Hash(readHex(entry, { min: HASH_BYTES, max: HASH_BYTES }));
    const digits = toHexDigits(hash);
    if (seen.has(digits))
      throw duplicate(entry, "another validator has this checkpoint key; each needs its own");
    seen.add(digits);
    return hash;
  });
  if (hashes.length !== validators.length)
    throw inconsistent(
      place,
      `must name ${validators.length} keys, one for each validator; found ${hashes.length}`,
    );
  return { checkpointKeys: hashes };
}
