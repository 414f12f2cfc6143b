import { type Bytes, type Failure, fail, Hash, Height, type Result } from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  RlpError,
  type RlpErrorCode,
  type RlpItem,
  readRlpBytes,
  readRlpCount,
  readRlpList,
  readRlpUint,
  rlpUint,
} from "@ostrom/codec";
import { MAX_MESSAGE_BYTES, MAX_PAYLOAD_BYTES } from "../types.ts";
import { headerFromRlp, headerToRlp } from "./header.ts";
import {
  type BlockRef,
  MAX_HEADERS_PER_MESSAGE,
  MAX_LOCATOR_ENTRIES,
  type PowBlock,
  type PowHeader,
  type PowMessage,
  type PowMessageKind,
} from "./types.ts";

/** First entry of every message. */
export const POW_MESSAGE_VERSION = 1;
/** Second entry: the position is the wire code, apart from those of engines with validators. */
const POW_MESSAGE_KINDS: readonly PowMessageKind[] = [
  "inventory",
  "announce",
  "get-headers",
  "headers",
  "get-block",
  "block",
];
const HASH_BYTES = 32;
/** Eight fields a header, and what surrounds them. */
const MAX_MESSAGE_ITEMS: number = 10 * MAX_HEADERS_PER_MESSAGE;

/** [version, kind, ...fields]. */
export function encodePowMessage(message: PowMessage): Bytes {
  return encodeRlp([
    rlpUint(POW_MESSAGE_VERSION),
    rlpUint(POW_MESSAGE_KINDS.indexOf(message.kind)),
    ...fieldsOf(message),
  ]);
}

/** Reads one message; payloads and hashes in it share memory with `bytes`.
 * Errors: `message/too-long`; `rlp/too-many-items`; those of decodeRlpWith, `rlp/wrong-shape` also for unknown versions, kinds
 * and where a limit is exceeded. */
export function decodePowMessage(
  bytes: Bytes,
): Result<PowMessage, Failure<RlpErrorCode | "message/too-long">> {
  if (bytes.length > MAX_MESSAGE_BYTES) return fail("message/too-long", `a message of ${bytes.length} bytes`);
  const read = (item: RlpItem): PowMessage => {
    const entries = readRlpList(item, "message");
    if (readRlpCount(entries[0], "message.version") !== POW_MESSAGE_VERSION) {
      throw new RlpError("rlp/wrong-shape", "message.version: unknown");
    }
    const kind = POW_MESSAGE_KINDS[readRlpCount(entries[1], "message.kind")];
    if (kind === undefined) throw new RlpError("rlp/wrong-shape", "message.kind: unknown");
    return messageFrom(kind, entries.slice(2));
  };
  return decodeRlpWith(bytes, read, MAX_MESSAGE_ITEMS);
}

/** [header, payload]: the bytes a store keeps. */
export function encodePowBlock(block: PowBlock): Bytes {
  return encodeRlp(blockToRlp(block));
}

/** Errors: those of decodeRlpWith; `rlp/wrong-shape` also where a limit is exceeded. The payload shares memory. */
export function decodePowBlock(bytes: Bytes): Result<PowBlock, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, blockFromRlp);
}

function fieldsOf(message: PowMessage): readonly RlpItem[] {
  switch (message.kind) {
    case "inventory":
      return [refToRlp(message.tip), rlpUint(message.totalWork)];
    case "announce":
    case "headers":
      return [message.headers.map(headerToRlp)];
    case "get-headers":
      return [message.locator.map(refToRlp)];
    case "get-block":
      return [refToRlp(message.block)];
    case "block":
      return [blockToRlp(message.block)];
    default:
      return message satisfies never;
  }
}

function messageFrom(kind: PowMessageKind, fields: readonly RlpItem[]): PowMessage {
  readRlpList(fields, "message", kind === "inventory" ? 2 : 1);
  switch (kind) {
    case "inventory":
      return { kind, tip: refFromRlp(fields[0]), totalWork: readRlpUint(fields[1], "totalWork", HASH_BYTES) };
    case "announce":
    case "headers":
      return { kind, headers: readHeaders(fields[0]) };
    case "get-headers":
      return { kind, locator: readAtMost(fields[0], "locator", MAX_LOCATOR_ENTRIES).map(refFromRlp) };
    case "get-block":
      return { kind, block: refFromRlp(fields[0]) };
    case "block":
      return { kind, block: blockFromRlp(fields[0]) };
    default:
      return kind satisfies never;
  }
}

function readHeaders(item: RlpItem | undefined): readonly PowHeader[] {
  return readAtMost(item, "headers", MAX_HEADERS_PER_MESSAGE).map(headerFromRlp);
}

function readAtMost(item: RlpItem | undefined, what: string, count: number): readonly RlpItem[] {
  const items = readRlpList(item, what);
  if (items.length > count) throw new RlpError("rlp/wrong-shape", `${what}: more than ${count}`);
  return items;
}

function refToRlp(ref: BlockRef): RlpItem {
  return [rlpUint(ref.height), ref.id];
}

function refFromRlp(item: RlpItem | undefined): BlockRef {
  const fields = readRlpList(item, "block", 2);
  return {
    height: Height(readRlpCount(fields[0], "block.height")),
    id: Hash(readRlpBytes(fields[1], "block.id", HASH_BYTES)),
  };
}

function blockToRlp(block: PowBlock): RlpItem {
  return [headerToRlp(block.header), block.payload];
}

function blockFromRlp(item: RlpItem | undefined): PowBlock {
  const fields = readRlpList(item, "block", 2);
  const payload = readRlpBytes(fields[1], "block.payload");
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new RlpError("rlp/wrong-shape", `block.payload: longer than ${MAX_PAYLOAD_BYTES} bytes`);
  }
  return { header: headerFromRlp(fields[0]), payload };
}
