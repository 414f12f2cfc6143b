import { Address, type Bytes, Hash, utf8 } from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  type RlpItem,
  readRlpBytes,
  readRlpCount,
  readRlpList,
  rlpListLength,
  rlpStringLength,
  rlpUint,
  rlpUintLength,
  writeRlpListHeader,
  writeRlpString,
  writeRlpUint,
} from "@ostrom/codec";
import {
  decodeHeader,
  decodeStoredReceipts,
  decodeTransaction,
  encodeHeader,
  type Header,
  type Receipt,
  type SignedTransaction,
  type Skipped,
  type SkipReason,
} from "@ostrom/execution";
import { StorageError } from "./errors.ts";

/** Version of the records below; the first field of `ChainMeta`, and checked when a chain is opened. */
export const CHAIN_FORMAT_VERSION = 1;

/** Which chain this is, and what its formats are made with. */
export type ChainMeta = {
  readonly genesisHash: Hash;
  /** Hash function of headers, tries and digests, by its id in core/crypto (`HASH_KECCAK256`). */
  readonly hashId: number;
  /** Signature scheme of certificates, by its id in core/crypto (`SCHEME_BLS12381`). */
  readonly schemeId: number;
};

/** What consensus said about an executed block; genesis has zeros. */
export type BlockOrigin = {
  readonly epoch: number;
  readonly view: number;
  readonly timestampMs: number;
  readonly orderDigest: Hash;
  /** Hash of the validator set after this block. */
  readonly nextSetHash: Hash;
};

export type StoredHeader = {
  readonly header: Header;
  readonly hash: Hash;
  /** Hash function that made `hash` and the header's roots. */
  readonly hashId: number;
  readonly origin: BlockOrigin;
};

/** The newest executed block. */
export type ChainHead = { readonly height: number; readonly blockHash: Hash; readonly origin: BlockOrigin };

/** An ordered block and the certificate that finalized it or a block after it, as consensus encodes them. */
export type OrderedRecord = { readonly block: Bytes; readonly finalization: Bytes };

export type TransactionLocation = { readonly blockNumber: number; readonly index: number };

export type StoredSkip = { readonly height: number; readonly reason: SkipReason };

type Read<T> = (fields: readonly RlpItem[]) => T;

/** Decodes a record of our own. Its checksum was right, so what cannot be read is none of this program's.
 * @param fieldCount undefined: any number. Throws StorageError `storage/damaged`. */
export function decodeRecord<T>(
  bytes: Bytes,
  what: string,
  fieldCount: number | undefined,
  read: Read<T>,
): T {
  // The decoder's results share memory with its input, and records may lie in the store's own memory.
  const decoded = decodeRlpWith(bytes.slice(), (item) => read(readRlpList(item, what, fieldCount)));
  if (decoded.ok) return decoded.value;
  throw unreadable(what, decoded.error.message);
}

function unreadable(what: string, detail: string): StorageError {
  return new StorageError(
    "storage/damaged",
    `the stored ${what} cannot be read (${detail}): in the data folder, remove chain (never log): the node fetches it from the others`,
  );
}

export function encodeMeta(meta: ChainMeta): Bytes {
  return encodeRlp([
    rlpUint(CHAIN_FORMAT_VERSION),
    meta.genesisHash,
    rlpUint(meta.hashId),
    rlpUint(meta.schemeId),
  ]);
}

/** Throws StorageError `storage/unknown-version`, `storage/damaged`. */
export function decodeMeta(bytes: Bytes): ChainMeta {
  const version = decodeRlpWith(bytes, (item) =>
    readRlpCount(readRlpList(item, "chain description")[0], "version"),
  );
  if (version.ok && version.value !== CHAIN_FORMAT_VERSION) {
    throw new StorageError(
      "storage/unknown-version",
      `the chain is stored in format ${version.value}, this program reads format ${CHAIN_FORMAT_VERSION}`,
    );
  }
  return decodeRecord(bytes, "chain description", 4, (fields) => ({
    genesisHash: readHash(fields[1], "genesis hash"),
    hashId: readRlpCount(fields[2], "hash id"),
    schemeId: readRlpCount(fields[3], "scheme id"),
  }));
}

/** [epoch, view, milliseconds, order digest, hash of the next set]. */
function originItems(origin: BlockOrigin): RlpItem[] {
  return [
    rlpUint(origin.epoch),
    rlpUint(origin.view),
    rlpUint(origin.timestampMs),
    origin.orderDigest,
    origin.nextSetHash,
  ];
}

function readOrigin(item: RlpItem | undefined): BlockOrigin {
  const fields = readRlpList(item, "origin", 5);
  return {
    epoch: readRlpCount(fields[0], "epoch"),
    view: readRlpCount(fields[1], "view"),
    timestampMs: readRlpCount(fields[2], "time"),
    orderDigest: readHash(fields[3], "order digest"),
    nextSetHash: readHash(fields[4], "next set"),
  };
}

function readHash(item: RlpItem | undefined, what: string): Hash {
  return Hash(readRlpBytes(item, what, 32));
}

/** [hash id, hash, header, origin]. */
export function encodeStoredHeader(stored: StoredHeader): Bytes {
  return encodeRlp([
    rlpUint(stored.hashId),
    stored.hash,
    encodeHeader(stored.header),
    originItems(stored.origin),
  ]);
}

export function decodeStoredHeader(bytes: Bytes): StoredHeader {
  return decodeRecord(bytes, "header", 4, (fields) => {
    const header = decodeHeader(readRlpBytes(fields[2], "header"));
    if (!header.ok) throw unreadable("header", header.error.message);
    return {
      hashId: readRlpCount(fields[0], "hash id"),
      hash: readHash(fields[1], "hash"),
      header: header.value,
      origin: readOrigin(fields[3]),
    };
  });
}

/** [height, hash, origin]. */
export function encodeHead(head: ChainHead): Bytes {
  return encodeRlp([rlpUint(head.height), head.blockHash, originItems(head.origin)]);
}

export function decodeHead(bytes: Bytes): ChainHead {
  return decodeRecord(bytes, "head", 3, (fields) => ({
    height: readRlpCount(fields[0], "height"),
    blockHash: readHash(fields[1], "hash"),
    origin: readOrigin(fields[2]),
  }));
}

/** A list of [raw transaction, sender]: nobody recovers a sender twice. */
export function encodeBody(transactions: readonly Pick<SignedTransaction, "raw" | "sender">[]): Bytes {
  const entryPayload = ({ raw, sender }: Pick<SignedTransaction, "raw" | "sender">): number =>
    rlpStringLength(raw) + rlpStringLength(sender);
  let payload = 0;
  for (const transaction of transactions) payload += rlpListLength(entryPayload(transaction));
  const out = new Uint8Array(rlpListLength(payload));
  let at = writeRlpListHeader(out, 0, payload);
  for (const transaction of transactions) {
    at = writeRlpListHeader(out, at, entryPayload(transaction));
    at = writeRlpString(out, at, transaction.raw);
    at = writeRlpString(out, at, transaction.sender);
  }
  return out;
}

export function decodeBody(bytes: Bytes): readonly SignedTransaction[] {
  return bodyItems(bytes).map(readTransaction);
}

/** Decodes one transaction of a body; undefined where it has none of this index. */
export function decodeBodyTransaction(bytes: Bytes, index: number): SignedTransaction | undefined {
  const item = bodyItems(bytes)[index];
  return item === undefined ? undefined : readTransaction(item);
}

function bodyItems(bytes: Bytes): readonly RlpItem[] {
  const decoded = decodeRlpWith(bytes.slice(), (item) => readRlpList(item, "body"));
  if (decoded.ok) return decoded.value;
  throw unreadable("body", decoded.error.message);
}

function readTransaction(item: RlpItem): SignedTransaction {
  const fields = item instanceof Uint8Array ? [] : item;
  const [raw, sender] = fields;
  if (fields.length !== 2 || !(raw instanceof Uint8Array) || !(sender instanceof Uint8Array)) {
    throw unreadable("body", "an entry is no pair");
  }
  const transaction = decodeTransaction(raw);
  if (!transaction.ok) throw unreadable("transaction", transaction.error.message);
  return { ...transaction.value, sender: Address(sender.slice()) };
}

export function decodeReceipts(bytes: Bytes): readonly Receipt[] {
  const receipts = decodeStoredReceipts(bytes);
  if (receipts.ok) return receipts.value;
  throw unreadable("receipts", receipts.error.message);
}

/** [height, index]. */
export function encodeLocation({ blockNumber, index }: TransactionLocation): Bytes {
  const height = BigInt(blockNumber);
  const place = BigInt(index);
  const payload = rlpUintLength(height) + rlpUintLength(place);
  const out = new Uint8Array(rlpListLength(payload));
  writeRlpUint(out, writeRlpUint(out, writeRlpListHeader(out, 0, payload), height), place);
  return out;
}

export function decodeLocation(bytes: Bytes): TransactionLocation {
  return decodeRecord(bytes, "transaction location", 2, (fields) => ({
    blockNumber: readRlpCount(fields[0], "height"),
    index: readRlpCount(fields[1], "index"),
  }));
}

/** [ordered block, finalization certificate]. */
export function encodeOrdered(ordered: OrderedRecord): Bytes {
  return encodeRlp([ordered.block, ordered.finalization]);
}

export function decodeOrdered(bytes: Bytes): OrderedRecord {
  return decodeRecord(bytes, "ordered block", 2, (fields) => ({
    block: readRlpBytes(fields[0], "ordered block"),
    finalization: readRlpBytes(fields[1], "finalization"),
  }));
}

/** [height, retry, code, message]. */
export function encodeSkip(height: number, reason: SkipReason): Bytes {
  return encodeRlp([rlpUint(height), rlpUint(reason.retry ? 1 : 0), utf8(reason.code), utf8(reason.message)]);
}

export function decodeSkip(bytes: Bytes): StoredSkip {
  return decodeRecord(bytes, "skipped transaction", 4, (fields) => ({
    height: readRlpCount(fields[0], "height"),
    reason: {
      retry: readRlpCount(fields[1], "retry") === 1,
      // Only `encodeSkip` writes these records, so the code is one of SkipReason's.
      code: readText(fields[2], "code") as SkipReason["code"],
      message: readText(fields[3], "message"),
    },
  }));
}

const textDecoder = new TextDecoder();

export function readText(item: RlpItem | undefined, what: string): string {
  return textDecoder.decode(readRlpBytes(item, what));
}

export function encodeSkippedHashes(skipped: readonly Skipped[]): Bytes {
  return encodeRlp(skipped.map(({ hash }) => hash));
}

export function decodeSkippedHashes(bytes: Bytes): readonly Hash[] {
  const decoded = decodeRlpWith(bytes.slice(), (item) =>
    readRlpList(item, "skipped transactions").map((hash) => readHash(hash, "hash")),
  );
  if (decoded.ok) return decoded.value;
  throw unreadable("skipped transactions", decoded.error.message);
}
