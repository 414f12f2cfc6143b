import { Address, type Bytes, bytesToBigint } from "@ostrom/base";
import type { Transaction } from "./types.ts";

/** Reads the usual form of a transaction of type 2 in one pass over its bytes: without an access list, which most have none of. It refuses
 * nothing: for whatever is not that form exactly the general decoder says what it is. */

type Fields = Omit<Transaction, "raw" | "hash">;

const EMPTY_LIST = 0xc0;
const SHORT_STRING = 0x80;
const LONG_STRING = 0xb7;
const LIST_OF_ONE_LENGTH_BYTE = 0xf8;
const LIST_OF_TWO_LENGTH_BYTES = 0xf9;
const MAX_SHORT_LENGTH = 55;
const ADDRESS_LENGTH = 20;
const WORD_BYTES = 32;
const UINT64_BYTES = 8;

/** A place in the bytes; -1 once something is not as usual. */
type Cursor = { readonly bytes: Bytes; at: number };

/** @param raw with the type in front. @returns undefined if it has another form, or is malformed. What it gives shares memory with `raw`. */
export function readPlainFeeMarket(raw: Bytes): Fields | undefined {
  const cursor = { bytes: raw, at: startOfList(raw) };
  if (cursor.at < 0) return undefined;
  const chainId = readUint(cursor, WORD_BYTES);
  const nonce = readUint(cursor, UINT64_BYTES);
  const maxPriorityFeePerGas = readUint(cursor, WORD_BYTES);
  const maxFeePerGas = readUint(cursor, WORD_BYTES);
  const gasLimit = readUint(cursor, UINT64_BYTES);
  const to = readString(cursor);
  const value = readUint(cursor, WORD_BYTES);
  const data = readString(cursor);
  if (cursor.at < 0 || raw[cursor.at] !== EMPTY_LIST) return undefined;
  cursor.at++;
  const parity = readUint(cursor, 1);
  const r = readUint(cursor, WORD_BYTES);
  const s = readUint(cursor, WORD_BYTES);
  if (cursor.at !== raw.length || to.length !== ADDRESS_LENGTH || parity > 1n) return undefined;
  return {
    type: 2,
    chainId,
    nonce,
    maxFeePerGas,
    maxPriorityFeePerGas,
    gasLimit,
    to: Address(to),
    value,
    data,
    accessList: NONE,
    maxFeePerBlobGas: 0n,
    blobVersionedHashes: NONE,
    authorizations: NONE,
    yParity: parity === 1n ? 1 : 0,
    r,
    s,
  };
}

const NONE: readonly never[] = [];

/** Where the entries of the list behind the type begin, if it ends where the bytes do. */
function startOfList(raw: Bytes): number {
  if (raw[1] === LIST_OF_ONE_LENGTH_BYTE) {
    const length = raw[2] ?? 0;
    return length > MAX_SHORT_LENGTH && length === raw.length - 3 ? 3 : -1;
  }
  if (raw[1] !== LIST_OF_TWO_LENGTH_BYTES) return -1;
  const length = ((raw[2] ?? 0) << 8) | (raw[3] ?? 0);
  return length > 0xff && length === raw.length - 4 ? 4 : -1;
}

const NOTHING: Bytes = new Uint8Array(0);

/** Reads a byte string of at most 255 bytes. */
function readString(cursor: Cursor): Bytes {
  const { bytes, at } = cursor;
  const prefix = at < 0 ? EMPTY_LIST : bytes[at]!;
  if (prefix < SHORT_STRING) {
    cursor.at = at + 1;
    return bytes.subarray(at, at + 1);
  }
  if (prefix === SHORT_STRING) {
    cursor.at = at + 1;
    return NOTHING;
  }
  const isLong = prefix === LONG_STRING + 1;
  const length = isLong ? (bytes[at + 1] ?? 0) : prefix - SHORT_STRING;
  const start = at + (isLong ? 2 : 1);
  const isUsual = isLong
    ? length > MAX_SHORT_LENGTH
    : prefix <= LONG_STRING && !(length === 1 && bytes[start]! < SHORT_STRING);
  if (!isUsual || start + length > bytes.length) {
    cursor.at = -1;
    return NOTHING;
  }
  cursor.at = start + length;
  return bytes.subarray(start, cursor.at);
}

/** Reads an unsigned integer without leading zeros. */
function readUint(cursor: Cursor, maxBytes: number): bigint {
  const { bytes, at } = cursor;
  const prefix = at < 0 ? EMPTY_LIST : bytes[at]!;
  if (prefix < SHORT_STRING && prefix > 0) {
    cursor.at = at + 1;
    return BigInt(prefix);
  }
  if (prefix === SHORT_STRING) {
    cursor.at = at + 1;
    return 0n;
  }
  const length = prefix - SHORT_STRING;
  const first = bytes[at + 1] ?? 0;
  const isUsual = prefix > SHORT_STRING && length <= maxBytes && first > 0 && at + length < bytes.length;
  if (!isUsual || (length === 1 && first < SHORT_STRING)) {
    cursor.at = -1;
    return 0n;
  }
  cursor.at = at + 1 + length;
  if (length > NUMBER_BYTES) return bytesToBigint(bytes.subarray(at + 1, cursor.at));
  let value = 0;
  for (let i = at + 1; i < cursor.at; i++) value = value * 256 + bytes[i]!;
  return BigInt(value);
}

/** What a number holds exactly. */
const NUMBER_BYTES = 6;
