import type { Bytes } from "@ostrom/base";
import { readSigners } from "@ostrom/crypto";
import {
  type Attestation,
  type BatchHeader,
  type CertifiedBatch,
  designatedCheckers,
} from "@ostrom/dissemination";
import type { BatchFailure, CheckedBatch } from "./batch-check.ts";
import type { BatchEpoch } from "./batch-ports.ts";

/** What is wrong with a batch whoever looks at it and whenever: it is not what its header says, or a transaction is not what it claims. */
export function falsehoodOf(header: BatchHeader, bytes: Bytes, checked: CheckedBatch): string | undefined {
  const { count, gasLimit, lie } = checked;
  if (header.byteLength !== bytes.length) return "the header names another length";
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

/** The author's own attestation, which every certificate holds. */
export function attestationOfAuthor(
  { header, signers, signatures }: CertifiedBatch,
  validators: number,
): Attestation | undefined {
  const read = readSigners(validators, signers);
  const signature = read.ok ? signatures[read.value.indexOf(header.author)] : undefined;
  return signature === undefined ? undefined : { header, signer: header.author, signature };
}
