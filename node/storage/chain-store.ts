import {
  assert,
  type Bytes,
  bytesToUint64,
  equalBytes,
  type Failure,
  fail,
  type Hash,
  must,
  ok,
  type Result,
  uint64ToBytes,
} from "@ostrom/base";
import {
  type ExecutedBlock,
  encodeStoredReceipts,
  type Receipt,
  type SignedTransaction,
} from "@ostrom/execution";
import type { KeyValueReader, WriteOperation } from "@ostrom/state";
import { CHAIN_TABLES, chainKey, hashKey, heightKey } from "./chain-keys.ts";
import {
  type BlockOrigin,
  type ChainHead,
  type ChainMeta,
  decodeBody,
  decodeBodyTransaction,
  decodeHead,
  decodeLocation,
  decodeMeta,
  decodeOrdered,
  decodeReceipts,
  decodeSkip,
  decodeSkippedHashes,
  decodeStoredHeader,
  encodeBody,
  encodeHead,
  encodeLocation,
  encodeMeta,
  encodeOrdered,
  encodeSkip,
  encodeSkippedHashes,
  encodeStoredHeader,
  type OrderedRecord,
  type StoredHeader,
  type StoredSkip,
  type TransactionLocation,
} from "./chain-records.ts";
import { logIndexOperations, logIndexRemovals } from "./log-index.ts";

/** Blocks for which the reasons of skipped transactions are remembered. */
export const SKIP_HISTORY_BLOCKS = 4_096;

/** All that is stored of a block besides state. */
export type BlockToStore = {
  readonly block: ExecutedBlock;
  readonly origin: BlockOrigin;
  /** Hash function of the header, by its id in core/crypto. */
  readonly hashId: number;
  /** undefined for genesis, which nobody ordered. */
  readonly ordered: OrderedRecord | undefined;
  /** Of a mined block, whose `ordered.block` is the payload alone: what else the engine keeps of it. */
  readonly mined?: Bytes | undefined;
};

/** The writes that append an executed block and make it the head. They belong into one synced batch with the block's state.
 * @param store the store as it is before the batch: what is too old to be remembered is looked up there. */
export function blockOperations(store: KeyValueReader, input: BlockToStore): WriteOperation[] {
  const { block, origin, hashId, ordered } = input;
  const { header, hash } = block;
  const height = header.number;
  const operations: WriteOperation[] = [
    {
      key: heightKey(CHAIN_TABLES.header, height),
      value: encodeStoredHeader({ header, hash, hashId, origin }),
    },
    { key: heightKey(CHAIN_TABLES.body, height), value: encodeBody(block.transactions) },
    { key: heightKey(CHAIN_TABLES.receipts, height), value: encodeStoredReceipts(block.receipts) },
    { key: hashKey(CHAIN_TABLES.numberOfHash, hash), value: uint64ToBytes(height) },
    { key: chainKey(CHAIN_TABLES.head), value: encodeHead({ height, blockHash: hash, origin }) },
  ];
  block.transactions.forEach((transaction, index) => {
    const value = encodeLocation({ blockNumber: height, index });
    operations.push({ key: hashKey(CHAIN_TABLES.transactionLocation, transaction.hash), value });
  });
  if (ordered !== undefined) {
    operations.push({ key: heightKey(CHAIN_TABLES.ordered, height), value: encodeOrdered(ordered) });
  }
  if (input.mined !== undefined) {
    operations.push({ key: heightKey(CHAIN_TABLES.mined, height), value: input.mined });
  }
  return [
    ...operations,
    ...logIndexOperations(store, block.receipts, height),
    ...forgetSkipped(store, height - SKIP_HISTORY_BLOCKS),
    ...rememberSkipped(block),
  ];
}

function rememberSkipped({ header, skipped }: ExecutedBlock): WriteOperation[] {
  if (skipped.length === 0) return [];
  const hashes = encodeSkippedHashes(skipped);
  return [
    { key: heightKey(CHAIN_TABLES.skippedAtHeight, header.number), value: hashes },
    ...skipped.map(({ hash, reason }) => ({
      key: hashKey(CHAIN_TABLES.skipped, hash),
      value: encodeSkip(header.number, reason),
    })),
  ];
}

function forgetSkipped(store: KeyValueReader, height: number): WriteOperation[] {
  if (height < 0) return [];
  const key = heightKey(CHAIN_TABLES.skippedAtHeight, height);
  const hashes = store.get(key);
  if (hashes === undefined) return [];
  const operations: WriteOperation[] = [{ key, value: undefined }];
  for (const hash of decodeSkippedHashes(hashes)) {
    // It may have been skipped again later, and then has a newer record.
    if (readSkipped(store, hash)?.height !== height) continue;
    operations.push({ key: hashKey(CHAIN_TABLES.skipped, hash), value: undefined });
  }
  return operations;
}

/** The writes that take the newest block off again: all that `blockOperations` wrote of it, and its parent as the head. They belong
 * into one synced batch with the way back of the block's state. Asserts that there is a block above genesis. */
export function unwindOperations(store: KeyValueReader): WriteOperation[] {
  const { height, blockHash } = must(readHead(store), "a chain that is unwound has a head");
  assert(height > 0, "genesis is never taken off");
  const parent = must(readHeader(store, height - 1), "the parent of the head is stored");
  const gone = (key: Bytes): WriteOperation => ({ key, value: undefined });
  const byHeight = [
    CHAIN_TABLES.header,
    CHAIN_TABLES.body,
    CHAIN_TABLES.receipts,
    CHAIN_TABLES.ordered,
    CHAIN_TABLES.mined,
    CHAIN_TABLES.stateCertificate,
  ];
  const head = { height: height - 1, blockHash: parent.hash, origin: parent.origin };
  return [
    ...byHeight.map((table) => gone(heightKey(table, height))),
    gone(hashKey(CHAIN_TABLES.numberOfHash, blockHash)),
    ...(readBody(store, height) ?? []).map(({ hash }) =>
      gone(hashKey(CHAIN_TABLES.transactionLocation, hash)),
    ),
    ...logIndexRemovals(readReceipts(store, height) ?? [], height),
    ...forgetSkipped(store, height),
    { key: chainKey(CHAIN_TABLES.head), value: encodeHead(head) },
  ];
}

/** The write that says which chain the store holds; it goes with genesis. */
export function metaOperation(meta: ChainMeta): WriteOperation {
  return { key: chainKey(CHAIN_TABLES.meta), value: encodeMeta(meta) };
}

/** The writes that keep a state certificate. The newest height moves forward only.
 * @param certificate as consensus encodes it. */
export function stateCertificateOperations(
  store: KeyValueReader,
  height: number,
  certificate: Bytes,
): WriteOperation[] {
  const operations = [{ key: heightKey(CHAIN_TABLES.stateCertificate, height), value: certificate }];
  const before = readCertifiedHeight(store);
  if (before !== undefined && before >= height) return operations;
  return [...operations, { key: chainKey(CHAIN_TABLES.certifiedHead), value: uint64ToBytes(height) }];
}

/** The write that makes a height the newest final one, where no state certificate says so. It moves forward only. */
export function finalizedHeightOperations(store: KeyValueReader, height: number): WriteOperation[] {
  const before = readCertifiedHeight(store);
  if (before !== undefined && before >= height) return [];
  return [{ key: chainKey(CHAIN_TABLES.certifiedHead), value: uint64ToBytes(height) }];
}

/** Which chain the store holds; undefined for an empty store.
 * This and all readers below throw StorageError `storage/damaged`; this one also `storage/unknown-version`. */
export function readMeta(store: KeyValueReader): ChainMeta | undefined {
  return read(store, chainKey(CHAIN_TABLES.meta), decodeMeta);
}

/** The newest executed block. */
export function readHead(store: KeyValueReader): ChainHead | undefined {
  return read(store, chainKey(CHAIN_TABLES.head), decodeHead);
}

/** The height of the newest state certificate; undefined before the first. */
export function readCertifiedHeight(store: KeyValueReader): number | undefined {
  return read(store, chainKey(CHAIN_TABLES.certifiedHead), readHeight);
}

export function readHeader(store: KeyValueReader, height: number): StoredHeader | undefined {
  return read(store, heightKey(CHAIN_TABLES.header, height), decodeStoredHeader);
}

export function readBlockNumber(store: KeyValueReader, blockHash: Hash): number | undefined {
  return read(store, hashKey(CHAIN_TABLES.numberOfHash, blockHash), readHeight);
}

/** The transactions of a block with their senders, which nobody has to recover again. */
export function readBody(store: KeyValueReader, height: number): readonly SignedTransaction[] | undefined {
  return read(store, heightKey(CHAIN_TABLES.body, height), decodeBody);
}

/** One transaction: cheaper than a whole body. */
export function readTransaction(
  store: KeyValueReader,
  location: TransactionLocation,
): SignedTransaction | undefined {
  return read(store, heightKey(CHAIN_TABLES.body, location.blockNumber), (body) =>
    decodeBodyTransaction(body, location.index),
  );
}

export function readReceipts(store: KeyValueReader, height: number): readonly Receipt[] | undefined {
  return read(store, heightKey(CHAIN_TABLES.receipts, height), decodeReceipts);
}

export function readTransactionLocation(store: KeyValueReader, hash: Hash): TransactionLocation | undefined {
  return read(store, hashKey(CHAIN_TABLES.transactionLocation, hash), decodeLocation);
}

/** Ordered block and finalization certificate, for peers that sync. */
export function readOrdered(store: KeyValueReader, height: number): OrderedRecord | undefined {
  return read(store, heightKey(CHAIN_TABLES.ordered, height), decodeOrdered);
}

/** What the engine of a mined chain keeps of a block besides its payload. */
export function readMined(store: KeyValueReader, height: number): Bytes | undefined {
  return read(store, heightKey(CHAIN_TABLES.mined, height), (bytes) => bytes.slice());
}

export function readStateCertificate(store: KeyValueReader, height: number): Bytes | undefined {
  return read(store, heightKey(CHAIN_TABLES.stateCertificate, height), (bytes) => bytes.slice());
}

/** Why a transaction was skipped the last time, for SKIP_HISTORY_BLOCKS blocks. It may have been included since: look for its
 * location first. */
export function readSkipped(store: KeyValueReader, hash: Hash): StoredSkip | undefined {
  return read(store, hashKey(CHAIN_TABLES.skipped, hash), decodeSkip);
}

function read<T>(store: KeyValueReader, key: Bytes, decode: (bytes: Bytes) => T): T | undefined {
  const bytes = store.get(key);
  return bytes === undefined ? undefined : decode(bytes);
}

function readHeight(bytes: Bytes): number {
  return bytesToUint64(bytes);
}

/** Newest blocks that `checkChain` looks at: more than LevelDB keeps in its log between two tables, where it passes over
 * damaged parts in silence. */
export const CHECKED_BLOCKS = 8_192;

/** Checks, when a node starts, that the newest blocks are all there and linked by their hashes: LevelDB may have lost batches
 * without saying so. Were they the very last, what is left is the chain as it was before them, which is sound: the node is
 * merely behind, and catches up. @returns how many blocks were checked. Errors: `chain/damaged`. */
export function checkChain(
  store: KeyValueReader,
  depth: number = CHECKED_BLOCKS,
): Result<number, Failure<"chain/damaged">> {
  const head = readHead(store);
  if (head === undefined) return ok(0);
  let expected = head.blockHash;
  const lowest = Math.max(0, head.height - depth + 1);
  for (let height = head.height; height >= lowest; height--) {
    const stored = readHeader(store, height);
    if (stored === undefined)
      return fail(
        "chain/damaged",
        `block ${height} is gone: in the data folder, remove chain (never log): the node fetches it from the others`,
      );
    if (!equalBytes(stored.hash, expected) || stored.header.number !== height) {
      return fail(
        "chain/damaged",
        `block ${height} is not the parent of the next: in the data folder, remove chain (never log): the node fetches it from the others`,
      );
    }
    expected = stored.header.parentHash;
  }
  return ok(head.height - lowest + 1);
}
