import { Hash, toHexDigits } from "@ostrom/base";
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
 * key. Throws JsonReadError. */
export function readCheckpointKeyHashes(
  place: Place,
  chain: Parameters<typeof hasCheckpoints>[0] & { readonly validators: number },
): readonly Hash[] {
  if (!hasCheckpoints(chain)) {
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
  if (hashes.length !== chain.validators)
    throw inconsistent(
      place,
      `must name ${chain.validators} keys, one for each validator; found ${hashes.length}`,
    );
  return hashes;
}
