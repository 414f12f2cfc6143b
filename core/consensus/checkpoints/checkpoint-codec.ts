import { type Bytes, Epoch, type Failure, Height, type Result, utf8 } from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  type RlpErrorCode,
  type RlpItem,
  readRlpCount,
  readRlpList,
  readRlpListUpTo,
  rlpUint,
} from "@ostrom/codec";
import { MAX_BITMAP_BYTES, readHash, readLimited } from "../block.ts";
import { type ConsensusDomain, MAX_VALIDATORS } from "../types.ts";
import type {
  CheckpointCertificate,
  CheckpointEvidence,
  CheckpointSignature,
  CheckpointStatement,
  CheckpointVote,
  CheckpointVotes,
} from "./types.ts";

/** First entry of what checkpoint keys sign: no vote and no result begins like this, also where one key signs all three. */
const SIGNING_DOMAIN = utf8("ostrom/checkpoint/1");
/** A public key of ML-DSA-65, and its signature: no checkpoint key and no signature is longer. */
const MAX_KEY_BYTES = 1952;
const MAX_SIGNATURE_BYTES = 3309;
const STATEMENT_FIELDS = 5;

/** The bytes that a checkpoint's signatures are over. */
export function checkpointSigningBytes(
  domain: Pick<ConsensusDomain, "hashId" | "genesisHash">,
  statement: CheckpointStatement,
): Bytes {
  return encodeRlp([
    SIGNING_DOMAIN,
    rlpUint(domain.hashId),
    domain.genesisHash,
    ...statementEntries(statement),
  ]);
}

/** [statement, [[public key, signature], ...]]. */
export function checkpointVotesToRlp({ statement, signatures }: CheckpointVotes): RlpItem[] {
  return [statementEntries(statement), signaturesToRlp(signatures)];
}

/** Throws RlpError: call it inside `decodeRlpWith`. Shares memory. */
export function checkpointVotesFromRlp(fields: readonly RlpItem[]): CheckpointVotes {
  const [statement, signatures] = readRlpList(fields, "checkpoint votes", 2);
  return { statement: statementFromRlp(statement), signatures: signaturesFromRlp(signatures) };
}

/** The bytes a store keeps and servers show. */
export function encodeCheckpointCertificate(certificate: CheckpointCertificate): Bytes {
  const { statement, setEpoch, signers, signatures } = certificate;
  return encodeRlp([statementEntries(statement), rlpUint(setEpoch), signers, signaturesToRlp(signatures)]);
}

/** Errors: those of decodeRlpWith; `rlp/wrong-shape` also where a limit is exceeded. Shares memory. */
export function decodeCheckpointCertificate(
  bytes: Bytes,
): Result<CheckpointCertificate, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, (item) => {
    const fields = readRlpList(item, "checkpoint certificate", 4);
    return {
      statement: statementFromRlp(fields[0]),
      setEpoch: Epoch(readRlpCount(fields[1], "setEpoch")),
      signers: readLimited(fields[2], "signers", MAX_BITMAP_BYTES),
      signatures: signaturesFromRlp(fields[3]),
    };
  });
}

/** The bytes a store keeps of two contradicting statements. */
export function encodeCheckpointEvidence({ first, second }: CheckpointEvidence): Bytes {
  return encodeRlp([first, second].map(voteToRlp));
}

/** Errors: those of decodeRlpWith. Shares memory. */
export function decodeCheckpointEvidence(bytes: Bytes): Result<CheckpointEvidence, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, (item) => {
    const [first, second] = readRlpList(item, "checkpoint evidence", 2);
    return { first: voteFromRlp(first), second: voteFromRlp(second) };
  });
}

function voteToRlp({ statement, publicKey, signature }: CheckpointVote): RlpItem {
  return [statementEntries(statement), publicKey, signature];
}

function voteFromRlp(item: RlpItem | undefined): CheckpointVote {
  const fields = readRlpList(item, "checkpoint vote", 3);
  return { statement: statementFromRlp(fields[0]), ...signatureFromRlp([fields[1]!, fields[2]!]) };
}

/** [epoch, height, executedHash, nextSetHash, nextCheckpointSetHash]. */
function statementEntries(statement: CheckpointStatement): Bytes[] {
  return [
    rlpUint(statement.epoch),
    rlpUint(statement.height),
    statement.executedHash,
    statement.nextSetHash,
    statement.nextCheckpointSetHash,
  ];
}

function statementFromRlp(item: RlpItem | undefined): CheckpointStatement {
  const fields = readRlpList(item, "checkpoint", STATEMENT_FIELDS);
  return {
    epoch: Epoch(readRlpCount(fields[0], "checkpoint.epoch")),
    height: Height(readRlpCount(fields[1], "checkpoint.height")),
    executedHash: readHash(fields[2], "checkpoint.executedHash"),
    nextSetHash: readHash(fields[3], "checkpoint.nextSetHash"),
    nextCheckpointSetHash: readHash(fields[4], "checkpoint.nextCheckpointSetHash"),
  };
}

function signaturesToRlp(signatures: readonly CheckpointSignature[]): RlpItem {
  return signatures.map(({ publicKey, signature }) => [publicKey, signature]);
}

function signaturesFromRlp(item: RlpItem | undefined): readonly CheckpointSignature[] {
  return readRlpListUpTo(item, "checkpoint signatures", MAX_VALIDATORS).map(signatureFromRlp);
}

function signatureFromRlp(item: RlpItem): CheckpointSignature {
  const fields = readRlpList(item, "checkpoint signature", 2);
  return {
    publicKey: readLimited(fields[0], "checkpoint key", MAX_KEY_BYTES),
    signature: readLimited(fields[1], "checkpoint signature", MAX_SIGNATURE_BYTES),
  };
}
