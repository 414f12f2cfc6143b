import { type Bytes, utf8 } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import type { CertificateKind, ConsensusDomain, Executed, Vote, VoteKind } from "./types.ts";

/** First entry of everything that consensus keys sign, so that no signature means anything elsewhere. */
const SIGNING_DOMAIN = utf8("ostrom/consensus/1");

const VOTE_CODES: Readonly<Record<VoteKind, number>> = { notarize: 1, nullify: 2, finalize: 3 };
const EXECUTED_CODE = 4;

const VOTE_OF_CERTIFICATE: Readonly<Record<CertificateKind, VoteKind>> = {
  notarization: "notarize",
  nullification: "nullify",
  finalization: "finalize",
};

const CERTIFICATE_OF_VOTE: Readonly<Record<VoteKind, CertificateKind>> = {
  notarize: "notarization",
  nullify: "nullification",
  finalize: "finalization",
};

/** The kind of certificate that votes of this kind add up to. */
export function certificateKindOf(kind: VoteKind): CertificateKind {
  return CERTIFICATE_OF_VOTE[kind];
}

/** The kind of vote that a certificate is made of. */
export function voteKindOf(kind: CertificateKind): VoteKind {
  return VOTE_OF_CERTIFICATE[kind];
}

/** The bytes that a vote's signature is over: chain, cryptography, epoch, kind, view and digest.
 * A nullify's digest is ZERO_HASH. */
export function voteSigningBytes(domain: ConsensusDomain, vote: Vote): Bytes {
  return encodeRlp([
    ...domainEntries(domain, VOTE_CODES[vote.kind]),
    rlpUint(vote.epoch),
    rlpUint(vote.view),
    vote.digest,
  ]);
}

/** The bytes that the signature of an execution result is over. */
export function executedSigningBytes(domain: ConsensusDomain, executed: Executed): Bytes {
  return encodeRlp([
    ...domainEntries(domain, EXECUTED_CODE),
    rlpUint(executed.epoch),
    rlpUint(executed.height),
    executed.orderDigest,
    executed.executedHash,
    executed.nextSetHash,
  ]);
}

function domainEntries(domain: ConsensusDomain, code: number): readonly Bytes[] {
  return [
    SIGNING_DOMAIN,
    rlpUint(domain.signatures.schemeId),
    rlpUint(domain.hashId),
    domain.genesisHash,
    rlpUint(code),
  ];
}
