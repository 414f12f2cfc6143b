import { type Bytes, EMPTY_BYTES } from "@ostrom/base";
import {
  rlpListLength,
  rlpStringLength,
  rlpUintLength,
  writeRlpListHeader,
  writeRlpString,
  writeRlpUint,
} from "@ostrom/codec";
import type { Log } from "@ostrom/state";
import { BLOOM_LENGTH } from "./bloom.ts";
import type { Receipt } from "./types.ts";

/** The two encodings of receipts, written in one go: a block has as many receipts as transactions. */

const BLOOM_ITEM_LENGTH: number = rlpListLength(BLOOM_LENGTH);
const STATUS_LENGTH = 1;

/** The receipt as the receipts trie has it: an EIP-2718 envelope of [status, cumulative gas, bloom, logs].
 * Sources: Yellow Paper 4.3.1, EIP-658, EIP-2718. */
export function encodeReceipt(receipt: Receipt): Bytes {
  const { type, cumulativeGasUsed, bloom, logs } = receipt;
  const logsLength = logsPayload(logs);
  const payload =
    STATUS_LENGTH + rlpUintLength(cumulativeGasUsed) + BLOOM_ITEM_LENGTH + rlpListLength(logsLength);
  const start = type === 0 ? 0 : 1;
  const out = new Uint8Array(start + rlpListLength(payload));
  if (type !== 0) out[0] = type;
  let at = writeRlpListHeader(out, start, payload);
  at = writeRlpUint(out, at, receipt.succeeded ? 1n : 0n);
  at = writeRlpUint(out, at, cumulativeGasUsed);
  at = writeRlpString(out, at, bloom);
  writeLogs(out, at, logs, logsLength);
  return out;
}

/** All receipts of a block as the database keeps them: RLP of a list, each [type, status, cumulative gas, logs, gas used,
 * effective gas price, contract address or empty]. The bloom is left out, because the logs give it. */
export function encodeStoredReceipts(receipts: readonly Receipt[]): Bytes {
  let payload = 0;
  for (const receipt of receipts) payload += rlpListLength(storedPayload(receipt));
  const out = new Uint8Array(rlpListLength(payload));
  let at = writeRlpListHeader(out, 0, payload);
  for (const receipt of receipts) at = writeStored(out, at, receipt);
  return out;
}

function storedPayload(receipt: Receipt): number {
  return (
    rlpUintLength(BigInt(receipt.type)) +
    STATUS_LENGTH +
    rlpUintLength(receipt.cumulativeGasUsed) +
    rlpListLength(logsPayload(receipt.logs)) +
    rlpUintLength(receipt.gasUsed) +
    rlpUintLength(receipt.effectiveGasPrice) +
    rlpStringLength(receipt.contractAddress ?? EMPTY_BYTES)
  );
}

function writeStored(out: Bytes, start: number, receipt: Receipt): number {
  let at = writeRlpListHeader(out, start, storedPayload(receipt));
  at = writeRlpUint(out, at, BigInt(receipt.type));
  at = writeRlpUint(out, at, receipt.succeeded ? 1n : 0n);
  at = writeRlpUint(out, at, receipt.cumulativeGasUsed);
  at = writeLogs(out, at, receipt.logs, logsPayload(receipt.logs));
  at = writeRlpUint(out, at, receipt.gasUsed);
  at = writeRlpUint(out, at, receipt.effectiveGasPrice);
  return writeRlpString(out, at, receipt.contractAddress ?? EMPTY_BYTES);
}

function logsPayload(logs: readonly Log[]): number {
  let payload = 0;
  for (const log of logs) payload += rlpListLength(logPayload(log));
  return payload;
}

function logPayload({ address, topics, data }: Log): number {
  return rlpStringLength(address) + rlpListLength(topicsPayload(topics)) + rlpStringLength(data);
}

function topicsPayload(topics: Log["topics"]): number {
  let payload = 0;
  for (const topic of topics) payload += rlpStringLength(topic);
  return payload;
}

/** @param payload what `logsPayload` says. @returns where it ends. */
function writeLogs(out: Bytes, start: number, logs: readonly Log[], payload: number): number {
  let at = writeRlpListHeader(out, start, payload);
  for (const log of logs) {
    at = writeRlpListHeader(out, at, logPayload(log));
    at = writeRlpString(out, at, log.address);
    at = writeRlpListHeader(out, at, topicsPayload(log.topics));
    for (const topic of log.topics) at = writeRlpString(out, at, topic);
    at = writeRlpString(out, at, log.data);
  }
  return at;
}
