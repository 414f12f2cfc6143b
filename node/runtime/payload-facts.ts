import { keccak256 } from "@ostrom/crypto";
import { type CertifiedBatch, decodeOrderedPayload } from "@ostrom/dissemination";
import { decodeTransaction, type SignedTransaction, type Transaction } from "@ostrom/execution";
import type { TransactionPool } from "@ostrom/txpool";
import type { BatchDesk } from "./batch-desk.ts";

/** What this node knows of an ordered block that is not executed yet. */
export type PayloadFacts = {
  readonly height: number;
  readonly view: number;
  /** Those whose signatures this node has checked. */
  readonly transactions: readonly SignedTransaction[];
  /** Of this node's own batches, among those that the payload refers to. */
  readonly own: readonly SignedTransaction[];
  /** Sum of the gas limits of all of them, those of batches included. */
  readonly gas: bigint;
};

/** Where it knows them from. */
export type PayloadFactsPorts = {
  readonly pool: Pick<TransactionPool, "get">;
  readonly batches?: Pick<BatchDesk, "ownOf"> | undefined;
};

/** Reads a payload that others have checked: this node's own, or one that came finalized. */
export function readPayload(
  payload: Uint8Array,
  { pool, batches: desk }: PayloadFactsPorts,
): Omit<PayloadFacts, "height" | "view"> {
  const read = decodeOrderedPayload(payload);
  const { inline, batches } = read.ok ? read.value : { inline: [], batches: [] };
  let { gas } = sumOf(batches);
  const transactions: SignedTransaction[] = [];
  for (const raw of inline) {
    const known = pool.get(keccak256(raw));
    if (known !== undefined) transactions.push(known);
    const transaction = known ?? decodedOrUndefined(raw);
    gas += transaction?.gasLimit ?? 0n;
  }
  return { transactions, own: desk?.ownOf(batches) ?? [], gas };
}

/** What batches bring with them, as their headers say. */
export function sumOf(batches: readonly CertifiedBatch[]): { readonly gas: bigint; readonly bytes: number } {
  let gas = 0n;
  let bytes = 0;
  for (const { header } of batches) {
    gas += header.gasLimit;
    bytes += header.byteLength;
  }
  return { gas, bytes };
}

function decodedOrUndefined(raw: Uint8Array): Transaction | undefined {
  const decoded = decodeTransaction(raw);
  return decoded.ok ? decoded.value : undefined;
}
