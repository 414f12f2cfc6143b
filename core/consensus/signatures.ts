import type { Hash } from "@ostrom/base";
import { bls, HASH_KECCAK256, keccak256, SCHEME_BLS12381 } from "@ostrom/crypto";
import type { ConsensusDomain, Signatures } from "./types.ts";

/** BLS12-381 through core/crypto's engine slot; the slot is looked up at each call, so that it may be filled later. */
export const blsSignatures: Signatures = {
  schemeId: SCHEME_BLS12381,
  verifyOne: (publicKey, message, signature) => bls().verify(publicKey, message, signature),
  aggregate: (signatures) => bls().aggregate(signatures),
  verifyAggregate: (publicKeys, message, aggregate) => bls().verifyAggregate(publicKeys, message, aggregate),
};

/** The domain of a chain of suite `ethereum`: keccak-256 digests, BLS12-381 certificates. */
export function ethereumDomain(genesisHash: Hash): ConsensusDomain {
  return { genesisHash, hashId: HASH_KECCAK256, hash: keccak256, signatures: blsSignatures };
}
