import { Address, type Bytes, bytesToBigint, EMPTY_BYTES, fromHex, Hash, padLeft } from "@ostrom/base";
import { isParsedObject, own, type ParsedObject } from "./json.ts";
import { invalidParams, RpcError } from "./rpc-error.ts";

/** Reads one value of a client's parameters. `decode` throws a `ValueError` whose message says what was wrong; who calls
 * it says where. */
export type Decoder<T> = {
  /** What is expected, for the method list and for messages: "address", "quantity". */
  readonly type: string;
  readonly decode: (value: unknown) => T;
};

/** A value that is not what was expected. It becomes -32602 with the argument's place in front. */
export class ValueError extends Error {
  override readonly name = "ValueError";
}

const MAX_SHOWN_CHARACTERS = 80;

/** A client's value in a message, cut short. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "string" ? `"${value.slice(0, MAX_SHOWN_CHARACTERS)}"` : describeOther(value);
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}...` : text;
}

function describeOther(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}

/** Calls a decoder for a part of a larger value and puts the part's name in front of what it complains of. */
export function decodePart<T>(decoder: Decoder<T>, value: unknown, path: string): T {
  try {
    return decoder.decode(value);
  } catch (error) {
    if (error instanceof ValueError) throw new ValueError(`${path}: ${error.message}`);
    throw error;
  }
}

/** An object's field; undefined where it is absent or null. */
export function optionalField<T>(object: ParsedObject, key: string, decoder: Decoder<T>): T | undefined {
  const value = own(object, key);
  return value === undefined || value === null ? undefined : decodePart(decoder, value, key);
}

export function requiredField<T>(object: ParsedObject, key: string, decoder: Decoder<T>): T {
  const value = optionalField(object, key, decoder);
  if (value === undefined) throw new ValueError(`missing "${key}"`);
  return value;
}

/** Calls a decoder for argument `index` of a method. Throws -32602 in geth's words: "invalid argument 0: ...". */
export function decodeArgument<T>(decoder: Decoder<T>, value: unknown, index: number): T {
  try {
    return decoder.decode(value);
  } catch (error) {
    if (error instanceof ValueError) throw invalidParams(`invalid argument ${index}: ${error.message}`);
    if (error instanceof RpcError) throw error;
    throw error;
  }
}

const QUANTITY_PATTERN = /^0x(?:0|[1-9a-fA-F][0-9a-fA-F]*)$/;
const HEX_PATTERN = /^0x[0-9a-fA-F]*$/;
const WORD_DIGITS = 64;
const COUNT_DIGITS = 16;

function hexText(value: unknown): string {
  if (typeof value !== "string") throw new ValueError(`expected a hex string, got ${shown(value)}`);
  if (!value.startsWith("0x") && !value.startsWith("0X")) {
    throw new ValueError(value === "" ? "empty hex string" : "hex string without 0x prefix");
  }
  return value;
}

/** An unsigned integer of at most 256 bits: "0x" and hex digits without leading zeros, as geth's hexutil.Big. */
export const quantity256: Decoder<bigint> = {
  type: "quantity (up to 256 bits)",
  decode: (value) => BigInt(quantityText(value, WORD_DIGITS)),
};

/** An unsigned integer of at most 64 bits. */
export const quantity64: Decoder<bigint> = {
  type: "quantity (up to 64 bits)",
  decode: (value) => BigInt(quantityText(value, COUNT_DIGITS)),
};

function quantityText(value: unknown, maxDigits: number): string {
  const text = hexText(value);
  if (text.length === 2) throw new ValueError('hex string "0x"');
  if (!QUANTITY_PATTERN.test(text)) {
    throw new ValueError(
      HEX_PATTERN.test(text)
        ? `hex number with leading zero digits: ${shown(text)}`
        : `invalid hex string: ${shown(text)}`,
    );
  }
  if (text.length - 2 > maxDigits) throw new ValueError(`hex number > ${maxDigits * 4} bits`);
  return text;
}

/** A count that is a safe integer: block numbers, indices. */
export const count: Decoder<number> = {
  type: "quantity (below 2^53)",
  decode: (value) => {
    const number = Number(quantity64.decode(value));
    if (!Number.isSafeInteger(number)) throw new ValueError(`${shown(value)} is 2^53 or more`);
    return number;
  },
};

/** A count, as a quantity or as a plain JSON number (eth_feeHistory's block count, EIP-7966's timeout: clients differ). */
export const countOrNumber: Decoder<number> = {
  type: "quantity or number",
  decode: (value) => {
    if (typeof value !== "number") return count.decode(value);
    if (!Number.isSafeInteger(value) || value < 0) throw new ValueError(`${value} is no count`);
    return value;
  },
};

/** Bytes of any length: "0x" and two digits for each. */
export const data: Decoder<Bytes> = { type: "data", decode: decodeData };

function decodeData(value: unknown): Bytes {
  const text = hexText(value);
  if (text.length === 2) return EMPTY_BYTES;
  if (text.length % 2 !== 0) throw new ValueError("hex string of odd length");
  const read = fromHex(text);
  if (!read.ok) throw new ValueError(`invalid hex string: ${shown(text)}`);
  return read.value;
}

function fixedData(value: unknown, length: number, what: string): Bytes {
  const bytes = decodeData(value);
  if (bytes.length !== length) {
    throw new ValueError(`hex string has length ${2 * bytes.length}, want ${2 * length} for ${what}`);
  }
  return bytes;
}

const ADDRESS_BYTES = 20;
const HASH_BYTES = 32;

export const address: Decoder<Address> = {
  type: "address (20 bytes)",
  decode: (value) => Address(fixedData(value, ADDRESS_BYTES, "an address")),
};

export const hash: Decoder<Hash> = {
  type: "hash (32 bytes)",
  decode: (value) => Hash(fixedData(value, HASH_BYTES, "a hash")),
};

/** A slot of storage: hex digits, at most 32 bytes of them, padded or not (clients send both "0x0" and all 64 digits). */
export const storageKey: Decoder<bigint> = {
  type: "storage key (up to 32 bytes)",
  decode: (value) => {
    const text = hexText(value);
    // Asked before the length, because it is what a person wants to know of a wrong key first.
    if (!HEX_PATTERN.test(text)) throw invalidParams(`invalid hex in storage key: ${shown(text)}`);
    if (text.length - 2 > WORD_DIGITS) {
      throw invalidParams(`storage key too long (want at most 32 bytes): ${shown(text)}`);
    }
    return text.length === 2 ? 0n : BigInt(text);
  },
};

/** A value of storage in an override: 32 bytes, shorter ones padded on the left. */
export const storageWord: Decoder<bigint> = {
  type: "storage value (up to 32 bytes)",
  decode: (value) => bytesToBigint(padLeft(shortData(value), HASH_BYTES)),
};

function shortData(value: unknown): Bytes {
  const bytes = decodeData(value);
  if (bytes.length > HASH_BYTES) throw new ValueError(`longer than ${HASH_BYTES} bytes`);
  return bytes;
}

export const flag: Decoder<boolean> = {
  type: "boolean",
  decode: (value) => {
    if (typeof value !== "boolean") throw new ValueError(`expected true or false, got ${shown(value)}`);
    return value;
  },
};

export const text: Decoder<string> = {
  type: "string",
  decode: (value) => {
    if (typeof value !== "string") throw new ValueError(`expected a string, got ${shown(value)}`);
    return value;
  },
};

/** @param limit of entries. */
export function listOf<T>(entry: Decoder<T>, limit: number): Decoder<readonly T[]> {
  return {
    type: `array of ${entry.type}`,
    decode: (value) => {
      if (!Array.isArray(value)) throw new ValueError(`expected an array, got ${shown(value)}`);
      if (value.length > limit) throw new ValueError(`${value.length} entries, the limit is ${limit}`);
      return value.map((item, i) => decodePart(entry, item, `[${i}]`));
    },
  };
}

export function objectOf<T>(type: string, read: (object: ParsedObject) => T): Decoder<T> {
  return {
    type,
    decode: (value) => {
      if (!isParsedObject(value)) throw new ValueError(`expected an object, got ${shown(value)}`);
      return read(value);
    },
  };
}
