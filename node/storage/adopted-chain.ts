import { type Hash, uint64ToBytes } from "@ostrom/base";
import { encodeStoredReceipts, type Receipt, type SignedTransaction } from "@ostrom/execution";
import type { WriteOperation } from "@ostrom/state";
import { CHAIN_TABLES, chainKey, hashKey, heightKey } from "./chain-keys.ts";
import {
  type ChainHead,
  encodeBody,
  encodeHead,
  encodeLocation,
  encodeOrdered,
  encodeStoredHeader,
  type OrderedRecord,
  type StoredHeader,
} from "./chain-records.ts";
import { logIndexRecords } from "./log-index.ts";

/** The writes that keep a header without its block, as a node has them that began with a snapshot. */
export function adoptHeaderOperations(stored: StoredHeader): WriteOperation[] {
  const height = stored.header.number;
  const hash: Hash = stored.hash;
  return [
    { key: heightKey(CHAIN_TABLES.header, height), value: encodeStoredHeader(stored) },
    { key: hashKey(CHAIN_TABLES.numberOfHash, hash), value: uint64ToBytes(height) },
  ];
}

/** The writes that keep the transactions and receipts of a block which was not executed here. */
export function adoptBodyOperations(
  height: number,
  transactions: readonly SignedTransaction[],
  receipts: readonly Receipt[],
): WriteOperation[] {
  return [
    { key: heightKey(CHAIN_TABLES.body, height), value: encodeBody(transactions) },
    { key: heightKey(CHAIN_TABLES.receipts, height), value: encodeStoredReceipts(receipts) },
    ...transactions.map(({ hash }, index) => ({
      key: hashKey(CHAIN_TABLES.transactionLocation, hash),
      value: encodeLocation({ blockNumber: height, index }),
    })),
    ...logIndexRecords(receipts, height),
  ];
}

/** The write that says from which height on all logs are in the index. */
export function adoptLogIndexOperation(height: number): WriteOperation {
  return { key: chainKey(CHAIN_TABLES.logIndexStart), value: uint64ToBytes(height) };
}

/** The write that keeps an ordered block which was not executed here. */
export function adoptOrderedOperation(height: number, record: OrderedRecord): WriteOperation {
  return { key: heightKey(CHAIN_TABLES.ordered, height), value: encodeOrdered(record) };
}

/** The write that makes a block the newest one, whose state was fetched. */
export function adoptHeadOperation(head: ChainHead): WriteOperation {
  return { key: chainKey(CHAIN_TABLES.head), value: encodeHead(head) };
}
