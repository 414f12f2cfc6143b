import type { Bytes } from "@ostrom/base";
import { readSigners } from "@ostrom/crypto";
import {
  type Attestation,
  type BatchEvidence,
  type BatchHeader,
  type CertifiedBatch,
  designatedCheckers,
  firstFalseClaim,
  isBatchOf,
} from "@ostrom/dissemination";
import type { BatchFailure, CheckedBatch } from "./batch-check.ts";
import type { BatchEpoch } from "./batch-ports.ts";

/** What is wrong with a batch whoever looks at it and whenever: it is not what its header says, or a transaction is not what it claims. */
export function falsehoodOf(header: BatchHeader, bytes: Bytes, checked: CheckedBatch): string | undefined {
  const { count, gasLimit, lie } = checked;
  if (!isBatchOf(header, bytes)) return "the header names another place or length than the batch";
  if (header.count !== count || header.gasLimit !== gasLimit)
    return `the header names ${header.count} transactions of ${header.gasLimit} gas, the batch has ${count} of ${gasLimit}`;
  return lie === undefined ? undefined : textOf(lie);
}

export function textOf({ index, code, message }: BatchFailure): string {
  return `transaction ${index}: ${code}: ${message}`;
}

/** Whether this node is one of those that check a batch before the others (rule D3). */
export function isDesignated({ authors, own }: BatchEpoch, header: BatchHeader): boolean {
  return own !== undefined && designatedCheckers(authors, header).includes(own);
}

/** Evidence against each who has signed the certificate of a batch that is false (rule D8); none if it is not.
 * @param validators in the set of its epoch. */
export function accusationsOf(
  { header, signers, signatures }: CertifiedBatch,
  batch: Bytes,
  validators: number,
): readonly Extract<BatchEvidence, { kind: "false-attestation" }>[] {
  const read = readSigners(validators, signers);
  const index = read.ok ? firstFalseClaim(batch, header) : undefined;
  if (!read.ok || index === undefined) return [];
  return read.value.flatMap((signer, place) => {
    const signature = signatures[place];
    if (signature === undefined) return [];
    return [{ kind: "false-attestation", attestation: { header, signer, signature }, batch, index }];
  });
}

/** The author's own attestation, which every certificate holds. */
export function attestationOfAuthor(
  { header, signers, signatures }: CertifiedBatch,
  validators: number,
): Attestation | undefined {
  const read = readSigners(validators, signers);
  const signature = read.ok ? signatures[read.value.indexOf(header.author)] : undefined;
  return signature === undefined ? undefined : { header, signer: header.author, signature };
}
