import { type Bytes, equalBytes, type Failure, fail, ok, type Result, ZERO_HASH } from "@ostrom/base";
import { domainOfScheme, domainOfSet } from "./signatures.ts";
import { executedSigningBytes, voteKindOf, voteSigningBytes } from "./signing.ts";
import type {
  Certificate,
  ConsensusDomain,
  SignedExecuted,
  SignedVote,
  StateCertificate,
  ValidatorIndex,
  ValidatorSet,
  Vote,
} from "./types.ts";
import { quorumWeight, readSignerBitmap, weightOf } from "./validator-set.ts";

export type CertificateErrorCode =
  | "certificate/scheme"
  | "certificate/epoch"
  | "certificate/digest"
  | "certificate/bitmap"
  | "certificate/weight"
  | "certificate/signature";

type Verified = Result<readonly ValidatorIndex[], Failure<CertificateErrorCode>>;

/** The vote that all signers of a certificate made. */
export function voteOfCertificate(certificate: Certificate): Vote {
  const { kind, epoch, view, digest } = certificate;
  return { kind: voteKindOf(kind), epoch, view, digest };
}

/** Checks that validators of weight >= q signed.
 * @returns the signers. Errors: `certificate/scheme`, `certificate/epoch` (made by another set or another scheme),
 * `certificate/digest` (a nullification about a block), `certificate/bitmap`, `certificate/weight`,
 * `certificate/signature`. */
export function verifyCertificate(
  domain: ConsensusDomain,
  set: ValidatorSet,
  certificate: Certificate,
): Verified {
  if (certificate.epoch !== set.epoch)
    return fail("certificate/epoch", "the certificate is of another epoch");
  if ((certificate.kind === "nullification") !== equalBytes(certificate.digest, ZERO_HASH)) {
    return fail("certificate/digest", "a nullification, and nothing else, is about no block");
  }
  const vote = voteOfCertificate(certificate);
  return verifyQuorum(domain, set, certificate, (bound) => voteSigningBytes(bound, vote));
}

/** Checks a state certificate against the set of its epoch.
 * @returns the signers. Errors: as verifyCertificate, without `certificate/digest`. */
export function verifyStateCertificate(
  domain: ConsensusDomain,
  set: ValidatorSet,
  certificate: StateCertificate,
): Verified {
  if (certificate.executed.epoch !== set.epoch) {
    return fail("certificate/epoch", "the state certificate is of another epoch");
  }
  return verifyQuorum(domain, set, certificate, (bound) => executedSigningBytes(bound, certificate.executed));
}

/** Whether a vote was signed by whom it names. */
export function verifyVote(domain: ConsensusDomain, set: ValidatorSet, signed: SignedVote): boolean {
  const key = set.validators[signed.signer]?.consensusKey;
  if (key === undefined || signed.vote.epoch !== set.epoch) return false;
  const bound = domainOfSet(domain, set);
  return bound.signatures.verifyOne(key, voteSigningBytes(bound, signed.vote), signed.signature);
}

/** Whether an execution result was signed by whom it names. */
export function verifyExecuted(domain: ConsensusDomain, set: ValidatorSet, signed: SignedExecuted): boolean {
  const key = set.validators[signed.signer]?.consensusKey;
  if (key === undefined || signed.executed.epoch !== set.epoch) return false;
  const bound = domainOfSet(domain, set);
  return bound.signatures.verifyOne(key, executedSigningBytes(bound, signed.executed), signed.signature);
}

function verifyQuorum(
  domain: ConsensusDomain,
  set: ValidatorSet,
  certificate: { readonly schemeId: number; readonly signers: Bytes; readonly signature: Bytes },
  messageOf: (bound: ConsensusDomain) => Bytes,
): Verified {
  const bound = domainOfScheme(domain, set.schemeId);
  if (certificate.schemeId !== set.schemeId || bound === undefined) {
    return fail("certificate/scheme", "the certificate is of another signature scheme than its set");
  }
  const signers = readSignerBitmap(set, certificate.signers);
  if (!signers.ok) return signers;
  if (weightOf(set, signers.value) < quorumWeight(set)) {
    return fail("certificate/weight", "the signers' weight is below the quorum");
  }
  const keys = signers.value.map((signer) => set.validators[signer]!.consensusKey);
  if (!bound.signatures.verifyAggregate(keys, messageOf(bound), certificate.signature)) {
    return fail("certificate/signature", "the joined signatures are wrong");
  }
  return ok(signers.value);
}
