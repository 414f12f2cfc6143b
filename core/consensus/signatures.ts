import { assert, type Hash, must } from "@ostrom/base";
import {
  HASH_KECCAK256,
  hashFunction,
  SCHEME_BLS12381,
  VALIDATOR_SCHEME_IDS,
  validatorScheme,
} from "@ostrom/crypto";
import type { ConsensusDomain, Signatures, ValidatorSet } from "./types.ts";

/** Through core/crypto's engine slots, which are looked up at each call, so that they may be filled later. */
const SIGNATURES: ReadonlyMap<number, Signatures> = new Map(
  VALIDATOR_SCHEME_IDS.map((id) => [id, schemeSignatures(id)]),
);

/** @returns undefined for a scheme that validators cannot vote with. */
export function signaturesOf(schemeId: number): Signatures | undefined {
  return SIGNATURES.get(schemeId);
}

/** The domain of a chain whose digests a hash function makes, in epochs of one scheme; functions that take a set besides take the set's scheme.
 * @param schemeId, hashId known ones; asserted. */
export function consensusDomain(genesisHash: Hash, hashId: number, schemeId: number): ConsensusDomain {
  const hash = hashFunction(hashId);
  const signatures = signaturesOf(schemeId);
  assert(hash !== undefined && signatures !== undefined, "a chain's cryptography must be known");
  return { genesisHash, hashId, hash, signatures, signaturesOf };
}

/** The domain of a chain of suite `ethereum`: keccak-256 digests, BLS12-381 certificates. */
export function ethereumDomain(genesisHash: Hash): ConsensusDomain {
  return consensusDomain(genesisHash, HASH_KECCAK256, SCHEME_BLS12381);
}

/** The same chain in an epoch whose validators vote by another scheme.
 * @returns undefined for a scheme that this version does not know. */
export function domainOfScheme(domain: ConsensusDomain, schemeId: number): ConsensusDomain | undefined {
  if (schemeId === domain.signatures.schemeId) return domain;
  const signatures = domain.signaturesOf(schemeId);
  return signatures === undefined ? undefined : { ...domain, signatures };
}

/** What the votes of a set's epoch are signed and checked with: the scheme that the set names. A set of an unknown scheme is refused where it is
 * read, so it is a broken invariant here. */
export function domainOfSet(domain: ConsensusDomain, set: Pick<ValidatorSet, "schemeId">): ConsensusDomain {
  return must(domainOfScheme(domain, set.schemeId), "the scheme of a set in force is known");
}

/** What an epoch's engines sign with is its set's scheme. */
export function assertSchemeOfSet(domain: ConsensusDomain, set: Pick<ValidatorSet, "schemeId">): void {
  assert(domain.signatures.schemeId === set.schemeId, "an epoch's domain must be of its set's scheme");
}

function schemeSignatures(schemeId: number): Signatures {
  const scheme = must(validatorScheme(schemeId), "the scheme is one of validators");
  return {
    schemeId,
    aggregates: scheme.aggregates,
    verifyOne: scheme.verify,
    aggregate: scheme.join,
    verifyAggregate: scheme.verifyJoined,
  };
}
