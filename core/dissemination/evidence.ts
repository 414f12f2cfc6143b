import { type Bytes, equalBytes, type Failure, fail, ok, type Result } from "@ostrom/base";
import { decodeRlpWith, encodeRlp, RlpError, readRlpCount, readRlpList, rlpUint } from "@ostrom/codec";
import { decodeTransaction, recoverSender } from "@ostrom/execution";
import { sameHeader, verifyAttestation } from "./attestation.ts";
import {
  ATTESTATION_ITEMS,
  attestationFromRlp,
  attestationToRlp,
  decodeBatch,
  isBatchOf,
  readBatchBytes,
} from "./batch-codec.ts";
import type { Attestation, Batch, BatchAuthors, BatchDomain, BatchEvidence, BatchHeader } from "./types.ts";

const ADDRESS_LENGTH = 20;
const TWO_BATCHES = 1;
const FALSE_ATTESTATION = 2;
const MAX_EVIDENCE_ITEMS = 2 * ATTESTATION_ITEMS + 4;

export type BatchEvidenceErrorCode =
  | "evidence/no-contradiction"
  | "evidence/signer"
  | "evidence/signature"
  | "evidence/wrong-batch";

/** Whom a piece of evidence is against. */
export function accusedOf(
  evidence: BatchEvidence,
): Pick<Attestation["header"], "epoch"> & { readonly validator: number } {
  const { header, signer } = evidence.kind === "two-batches" ? evidence.first : evidence.attestation;
  return { epoch: header.epoch, validator: signer };
}

/** Whether two attestations of a batch's author contradict each other: two headers, so two batches or two readings of one, for one sequence number
 * (rule D7). */
export function contradicts(first: Attestation, second: Attestation): boolean {
  const [one, other] = [first.header, second.header];
  return (
    first.signer === one.author &&
    second.signer === other.author &&
    one.author === other.author &&
    one.epoch === other.epoch &&
    one.sequence === other.sequence &&
    !sameHeader(one, other)
  );
}

/** The first transaction of a batch that is not what the batch claims: unreadable, signed by nobody, or by another (rule D8). Where the batch as a
 * whole is false (unreadable, or not of the place, bytes, transactions or gas that its header says), that is 0. undefined if all is true.
 * @param header that was attested to; without it only the batch itself is judged. */
export function firstFalseClaim(batch: Bytes, header?: BatchHeader): number | undefined {
  const read = decodeBatch(batch);
  if (!read.ok || (header !== undefined && isMisdescribed(batch, read.value, header))) return 0;
  const index = read.value.transactions.findIndex((_, place) => isFalseTransaction(read.value, place));
  return index < 0 ? undefined : index;
}

function isMisdescribed(bytes: Bytes, { transactions }: Batch, header: BatchHeader): boolean {
  if (!isBatchOf(header, bytes) || transactions.length !== header.count) return true;
  let gasLimit = 0n;
  for (const raw of transactions) {
    const transaction = decodeTransaction(raw);
    if (transaction.ok) gasLimit += transaction.value.gasLimit;
  }
  return gasLimit !== header.gasLimit;
}

/** What signs by keys in state has its sender in it, and is what it says: execution checks those keys. */
function isFalseTransaction({ transactions, claims }: Batch, index: number): boolean {
  const raw = transactions[index];
  if (raw === undefined) return false;
  const transaction = decodeTransaction(raw);
  if (!transaction.ok) return true;
  const sender = recoverSender(transaction.value);
  if (!sender.ok) return true;
  const claimed = claims.subarray(index * ADDRESS_LENGTH, (index + 1) * ADDRESS_LENGTH);
  return claims.length > 0 && !equalBytes(sender.value, claimed);
}

/** Proves to anybody who knows the set of the epoch that a validator has broken its word.
 * Errors: `evidence/no-contradiction`, `evidence/signer`, `evidence/signature`, `evidence/wrong-batch` (not the one that was attested to). */
export function verifyBatchEvidence(
  domain: BatchDomain,
  authors: BatchAuthors,
  evidence: BatchEvidence,
): Result<undefined, Failure<BatchEvidenceErrorCode>> {
  if (evidence.kind === "two-batches") {
    const { first, second } = evidence;
    if (!contradicts(first, second))
      return fail("evidence/no-contradiction", "an honest author may send both");
    const isSigned = verifyAttestation(domain, authors, first) && verifyAttestation(domain, authors, second);
    return isSigned ? ok(undefined) : fail("evidence/signature", "a statement is not signed by the accused");
  }
  const { attestation, batch, index } = evidence;
  if (!equalBytes(domain.hash(batch), attestation.header.digest))
    return fail("evidence/wrong-batch", "it is not the batch that was attested to");
  if (!verifyAttestation(domain, authors, attestation))
    return fail("evidence/signature", "the attestation is not signed by the accused");
  return isFalseAt(batch, attestation.header, index)
    ? ok(undefined)
    : fail("evidence/no-contradiction", "that transaction is what the batch claims");
}

function isFalseAt(bytes: Bytes, header: BatchHeader, index: number): boolean {
  const read = decodeBatch(bytes);
  if (!read.ok) return index === 0;
  return (index === 0 && isMisdescribed(bytes, read.value, header)) || isFalseTransaction(read.value, index);
}

/** [kind, first, second] or [kind, attestation, batch, index]. */
export function encodeBatchEvidence(evidence: BatchEvidence): Bytes {
  return evidence.kind === "two-batches"
    ? encodeRlp([rlpUint(TWO_BATCHES), attestationToRlp(evidence.first), attestationToRlp(evidence.second)])
    : encodeRlp([
        rlpUint(FALSE_ATTESTATION),
        attestationToRlp(evidence.attestation),
        evidence.batch,
        rlpUint(evidence.index),
      ]);
}

/** Errors: those of decodeRlpWith. What it says is not checked: `verifyBatchEvidence` does that. */
export function decodeBatchEvidence(bytes: Bytes): Result<BatchEvidence, Failure> {
  return decodeRlpWith(
    bytes,
    (item): BatchEvidence => {
      const fields = readRlpList(item, "evidence");
      const kind = readRlpCount(fields[0], "kind");
      if (kind === TWO_BATCHES && fields.length === 3) {
        return {
          kind: "two-batches",
          first: attestationFromRlp(fields[1]),
          second: attestationFromRlp(fields[2]),
        };
      }
      if (kind === FALSE_ATTESTATION && fields.length === 4) {
        return {
          kind: "false-attestation",
          attestation: attestationFromRlp(fields[1]),
          batch: readBatchBytes(fields[2]),
          index: readRlpCount(fields[3], "index"),
        };
      }
      throw new RlpError("rlp/wrong-shape", "evidence of an unknown kind");
    },
    MAX_EVIDENCE_ITEMS,
  );
}
