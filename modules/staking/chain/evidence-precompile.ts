import { type Bytes, concatBytes, Hash, wordToBytes } from "@ostrom/base";
import {
  consensusDomain,
  decodeEvidence,
  type Evidence,
  epochOfEvidence,
  placeOfEvidence,
  verifyEvidenceByKey,
} from "@ostrom/consensus";
import { HASH_KECCAK256, HASH_SM3, SCHEME_BLS12381 } from "@ostrom/crypto";
import type { ModulePrecompile } from "@ostrom/execution";
import { EVIDENCE_PRECOMPILE_ADDRESS } from "./addresses.ts";

const CONSENSUS_KEY_LENGTH = 48;
const HASH_LENGTH = 32;
const HEAD_LENGTH: number = CONSENSUS_KEY_LENGTH + HASH_LENGTH;
/** Two results with BLS signatures and the largest numbers take 480 bytes. */
const MAX_EVIDENCE_LENGTH = 512;

/** Measured with the native engine: two signatures under a key that was not seen before, 2.3 ms, or 15 ns a gas. */
const VERIFY_GAS = 150_000n;
/** What is refused by its length alone costs the call. */
const REFUSE_GAS = 100n;

/** Codes of what contradicts what, in the order of core/consensus. */
const KIND_CODES: Readonly<Record<Evidence["kind"], bigint>> = { votes: 0n, results: 1n };

/** consensusKey (48) || genesisHash (32) || evidence, as core/consensus encodes it -> abi.encode(uint64 epoch, uint8 kind, uint64 place), or
 * refused. `kind` is 0 for votes, whose place is their view, and 1 for results, whose place is their height. It is verified that the key
 * signed two statements, on the chain of that genesis, that no honest validator makes both. Whether the key was a validator's in that
 * epoch is not known here, and whoever has a key may sign statements about any epoch, also one that has not come. */
export const evidencePrecompile: ModulePrecompile = {
  address: EVIDENCE_PRECOMPILE_ADDRESS,
  gas: (input) => (hasLength(input) ? VERIFY_GAS : REFUSE_GAS),
  run: (input) => {
    if (!hasLength(input)) return undefined;
    const evidence = decodeEvidence(input.subarray(HEAD_LENGTH));
    if (!evidence.ok) return undefined;
    const key = input.subarray(0, CONSENSUS_KEY_LENGTH);
    const genesisHash = Hash(input.slice(CONSENSUS_KEY_LENGTH, HEAD_LENGTH));
    if (!isEvidence(genesisHash, key, evidence.value)) return undefined;
    return concatBytes(
      wordToBytes(BigInt(epochOfEvidence(evidence.value))),
      wordToBytes(KIND_CODES[evidence.value.kind]),
      wordToBytes(BigInt(placeOfEvidence(evidence.value))),
    );
  },
};

/** Stakers vote by BLS12-381. By which hash function digests are made, signed statements name too, and the genesis hash names one chain: evidence
 * of the one kind never is evidence of the other. */
function isEvidence(genesisHash: Hash, key: Bytes, evidence: Evidence): boolean {
  return [HASH_KECCAK256, HASH_SM3].some(
    (hashId) => verifyEvidenceByKey(consensusDomain(genesisHash, hashId, SCHEME_BLS12381), key, evidence).ok,
  );
}

function hasLength(input: Bytes): boolean {
  return input.length > HEAD_LENGTH && input.length <= HEAD_LENGTH + MAX_EVIDENCE_LENGTH;
}
