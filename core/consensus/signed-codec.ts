import {
  type Bytes,
  Epoch,
  equalBytes,
  type Failure,
  type Hash,
  type Result,
  View,
  ZERO_HASH,
} from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  RlpError,
  type RlpErrorCode,
  type RlpItem,
  readRlpCount,
  readRlpList,
  rlpUint,
} from "@ostrom/codec";
import {
  executedEntries,
  executedFromEntries,
  MAX_BITMAP_BYTES,
  MAX_SIGNATURE_BYTES,
  readHash,
  readLimited,
  readValidatorIndex,
} from "./block.ts";
import type { Certificate, CertificateKind, SignedExecuted, SignedVote, VoteKind } from "./types.ts";

/** Longest signature of one validator in any scheme. */
const MAX_SINGLE_SIGNATURE_BYTES = 5 * 1024;
const SIGNED_VOTE_FIELDS = 6;
const CERTIFICATE_FIELDS = 7;
const SIGNED_EXECUTED_FIELDS = 7;

/** Wire codes of the kinds, in votes and certificates alike; they are part of the format. */
const VOTE_KINDS: readonly VoteKind[] = ["notarize", "nullify", "finalize"];
const CERTIFICATE_KINDS: readonly CertificateKind[] = ["notarization", "nullification", "finalization"];

/** [kind, epoch, view, digest, signer, signature]. */
export function signedVoteToRlp({ vote, signer, signature }: SignedVote): RlpItem {
  return [
    rlpUint(VOTE_KINDS.indexOf(vote.kind)),
    rlpUint(vote.epoch),
    rlpUint(vote.view),
    vote.digest,
    rlpUint(signer),
    signature,
  ];
}

/** Throws RlpError. */
export function signedVoteFromRlp(item: RlpItem | undefined): SignedVote {
  const fields = readRlpList(item, "vote", SIGNED_VOTE_FIELDS);
  const kind = readKind(fields[0], "vote.kind", VOTE_KINDS);
  return {
    vote: {
      kind,
      epoch: Epoch(readRlpCount(fields[1], "vote.epoch")),
      view: View(readRlpCount(fields[2], "vote.view")),
      digest: readSubject(fields[3], "vote.digest", kind === "nullify"),
    },
    signer: readValidatorIndex(fields[4], "vote.signer"),
    signature: readSignature(fields[5], "vote.signature"),
  };
}

/** [kind, schemeId, epoch, view, digest, signers, signature]. */
export function certificateToRlp(certificate: Certificate): RlpItem {
  return [
    rlpUint(CERTIFICATE_KINDS.indexOf(certificate.kind)),
    rlpUint(certificate.schemeId),
    rlpUint(certificate.epoch),
    rlpUint(certificate.view),
    certificate.digest,
    certificate.signers,
    certificate.signature,
  ];
}

/** Throws RlpError. */
export function certificateFromRlp(item: RlpItem | undefined): Certificate {
  const fields = readRlpList(item, "certificate", CERTIFICATE_FIELDS);
  const kind = readKind(fields[0], "certificate.kind", CERTIFICATE_KINDS);
  return {
    kind,
    schemeId: readRlpCount(fields[1], "certificate.schemeId"),
    epoch: Epoch(readRlpCount(fields[2], "certificate.epoch")),
    view: View(readRlpCount(fields[3], "certificate.view")),
    digest: readSubject(fields[4], "certificate.digest", kind === "nullification"),
    signers: readLimited(fields[5], "certificate.signers", MAX_BITMAP_BYTES),
    signature: readLimited(fields[6], "certificate.signature", MAX_SIGNATURE_BYTES),
  };
}

/** The bytes a store keeps. */
export function encodeCertificate(certificate: Certificate): Bytes {
  return encodeRlp(certificateToRlp(certificate));
}

/** Errors: those of decodeRlpWith. Shares memory. */
export function decodeCertificate(bytes: Bytes): Result<Certificate, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, certificateFromRlp);
}

/** [epoch, height, orderDigest, executedHash, nextSetHash, signer, signature]. */
export function signedExecutedToRlp({ executed, signer, signature }: SignedExecuted): RlpItem {
  return [...executedEntries(executed), rlpUint(signer), signature];
}

/** Throws RlpError. */
export function signedExecutedFromRlp(item: RlpItem | undefined): SignedExecuted {
  const fields = readRlpList(item, "executed", SIGNED_EXECUTED_FIELDS);
  return {
    executed: executedFromEntries(fields),
    signer: readValidatorIndex(fields[5], "executed.signer"),
    signature: readSignature(fields[6], "executed.signature"),
  };
}

/** The bytes that a signer's own record keeps. */
export function encodeSignedExecuted(signed: SignedExecuted): Bytes {
  return encodeRlp(signedExecutedToRlp(signed));
}

/** Errors: those of decodeRlpWith. Shares memory. */
export function decodeSignedExecuted(bytes: Bytes): Result<SignedExecuted, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, signedExecutedFromRlp);
}

/** A signature of one validator. Throws RlpError. */
export function readSignature(item: RlpItem | undefined, what: string): Bytes {
  return readLimited(item, what, MAX_SINGLE_SIGNATURE_BYTES);
}

/** Reads a code as the entry of `kinds` at that position. Throws RlpError. */
export function readKind<Kind>(item: RlpItem | undefined, what: string, kinds: readonly Kind[]): Kind {
  const kind = kinds[readRlpCount(item, what)];
  if (kind === undefined) throw new RlpError("rlp/wrong-shape", `${what}: unknown code`);
  return kind;
}

/** A digest; ZERO_HASH exactly where the statement is about no block. */
function readSubject(item: RlpItem | undefined, what: string, isNullify: boolean): Hash {
  const digest = readHash(item, what);
  if (isNullify === equalBytes(digest, ZERO_HASH)) return digest;
  throw new RlpError("rlp/wrong-shape", `${what}: zero exactly where a view is given up`);
}
