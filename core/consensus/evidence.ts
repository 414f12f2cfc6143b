import { type Bytes, equalBytes, type Failure, fail, ok, type Result } from "@ostrom/base";
import { decodeRlpWith, encodeRlp, type RlpErrorCode, readRlpList, rlpUint } from "@ostrom/codec";
import { readValidatorIndex } from "./block.ts";
import { domainOfSet } from "./signatures.ts";
import {
  readKind,
  signedExecutedFromRlp,
  signedExecutedToRlp,
  signedVoteFromRlp,
  signedVoteToRlp,
} from "./signed-codec.ts";
import { executedSigningBytes, voteSigningBytes } from "./signing.ts";
import type { ConsensusDomain, Evidence, Executed, ValidatorSet, Vote } from "./types.ts";

const EVIDENCE_FIELDS = 4;

/** The position is the code in the format. */
const EVIDENCE_KINDS: readonly Evidence["kind"][] = ["votes", "results"];

export type EvidenceErrorCode =
  | "evidence/epoch"
  | "evidence/signer"
  | "evidence/no-contradiction"
  | "evidence/signature";

/** [kind, validator, first, second]: all that a third party needs beside the validator set of its epoch. */
export function encodeEvidence(evidence: Evidence): Bytes {
  const { kind, validator, first, second } = evidence;
  const code = rlpUint(EVIDENCE_KINDS.indexOf(kind));
  return kind === "votes"
    ? encodeRlp([code, rlpUint(validator), signedVoteToRlp(first), signedVoteToRlp(second)])
    : encodeRlp([code, rlpUint(validator), signedExecutedToRlp(first), signedExecutedToRlp(second)]);
}

/** Errors: those of decodeRlpWith. Shares memory. What it says is not checked: `verifyEvidence` does that. */
export function decodeEvidence(bytes: Bytes): Result<Evidence, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, (item) => {
    const [code, signer, first, second] = readRlpList(item, "evidence", EVIDENCE_FIELDS);
    const validator = readValidatorIndex(signer, "evidence.validator");
    const kind = readKind(code, "evidence.kind", EVIDENCE_KINDS);
    return kind === "votes"
      ? { kind, validator, first: signedVoteFromRlp(first), second: signedVoteFromRlp(second) }
      : { kind, validator, first: signedExecutedFromRlp(first), second: signedExecutedFromRlp(second) };
  });
}

/** The epoch whose set the accused was in when it made the first statement. */
export function epochOfEvidence({ kind, first }: Evidence): number {
  return kind === "votes" ? first.vote.epoch : first.executed.epoch;
}

/** The view or the height that the two statements are about. */
export function placeOfEvidence({ kind, first }: Evidence): number {
  return kind === "votes" ? first.vote.view : first.executed.height;
}

/** Proves to anybody who knows the set of the epoch that a validator has broken its word (rule S15).
 * Errors: `evidence/epoch` (not of this set), `evidence/signer` (not two statements of the validator it names, or the set has no such
 * one), and those of `verifyEvidenceByKey`. */
export function verifyEvidence(
  domain: ConsensusDomain,
  set: ValidatorSet,
  evidence: Evidence,
): Result<undefined, Failure<EvidenceErrorCode>> {
  if (epochOfEvidence(evidence) !== set.epoch)
    return fail("evidence/epoch", `the set of epoch ${set.epoch} cannot tell about it`);
  const accused = set.validators[evidence.validator];
  if (accused === undefined) return fail("evidence/signer", "the set has no such validator");
  return verifyEvidenceByKey(domainOfSet(domain, set), accused.consensusKey, evidence);
}

/** Proves to anybody who has just the accused's consensus key that its holder has broken its word. It takes no set, so the index that
 * the evidence names is not checked against one: signed statements hold no index, the key alone accuses.
 * @param domain of the key's scheme.
 * Errors: `evidence/signer` (the evidence and its statements name different indices), `evidence/no-contradiction` (an honest validator
 * may say both), `evidence/signature` (not both signed by the key, on this chain). */
export function verifyEvidenceByKey(
  domain: ConsensusDomain,
  consensusKey: Bytes,
  evidence: Evidence,
): Result<undefined, Failure<EvidenceErrorCode>> {
  const { validator, first, second } = evidence;
  if (first.signer !== validator || second.signer !== validator)
    return fail("evidence/signer", "it accuses another than the signer");
  const contradicts =
    evidence.kind === "votes"
      ? votesContradict(evidence.first.vote, evidence.second.vote)
      : resultsContradict(evidence.first.executed, evidence.second.executed);
  if (!contradicts) return fail("evidence/no-contradiction", "an honest validator may say both");
  const statements =
    evidence.kind === "votes"
      ? [evidence.first, evidence.second].map(({ vote }) => voteSigningBytes(domain, vote))
      : [evidence.first, evidence.second].map(({ executed }) => executedSigningBytes(domain, executed));
  const areSigned = [first, second].every(({ signature }, index) =>
    domain.signatures.verifyOne(consensusKey, statements[index]!, signature),
  );
  return areSigned ? ok(undefined) : fail("evidence/signature", "a statement is not signed by the accused");
}

/** Two Notarizes or two Finalizes about different blocks, or Nullify and Finalize, of one view. */
function votesContradict(first: Vote, second: Vote): boolean {
  if (first.epoch !== second.epoch || first.view !== second.view) return false;
  if (first.kind === second.kind) return !equalBytes(first.digest, second.digest);
  return first.kind !== "notarize" && second.kind !== "notarize";
}

/** Two results for one height. Which epoch they name does not matter: a height belongs to one only. */
function resultsContradict(first: Executed, second: Executed): boolean {
  return (
    first.epoch === second.epoch &&
    first.height === second.height &&
    !(
      equalBytes(first.orderDigest, second.orderDigest) &&
      equalBytes(first.executedHash, second.executedHash) &&
      equalBytes(first.nextSetHash, second.nextSetHash)
    )
  );
}
