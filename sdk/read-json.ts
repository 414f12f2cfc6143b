import { Address, type Bytes, fromHex, Hash } from "@ostrom/base";
import { refuse } from "./failure.ts";

/** Reads what a server answered: nothing is known of it. Every function here refuses with `light/malformed`. */

const QUANTITY = /^0x(?:0|[1-9a-f][0-9a-f]{0,63})$/;
const WORD = /^0x[0-9a-fA-F]{1,64}$/;
const HASH_BYTES = 32;
const ADDRESS_BYTES = 20;
/** Longest list in one answer. */
const MAX_LIST = 65_536;

export type JsonFields = { readonly [key: string]: unknown };

export function readFields(value: unknown, what: string): JsonFields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    refuse("light/malformed", `${what}: no object`);
  }
  return value as JsonFields;
}

export function readArray(value: unknown, what: string, limit: number = MAX_LIST): readonly unknown[] {
  if (!Array.isArray(value)) refuse("light/malformed", `${what}: no list`);
  if (value.length > limit) refuse("light/malformed", `${what}: longer than ${limit}`);
  // A server that is no JSON text may leave places empty, which `map` would pass over.
  return [...value];
}

export function readText(value: unknown, what: string, limit: number): string {
  if (typeof value !== "string" || value.length > limit) refuse("light/malformed", `${what}: no text`);
  return value;
}

export function readData(value: unknown, what: string): Bytes {
  const bytes = typeof value === "string" && value.startsWith("0x") ? fromHex(value) : undefined;
  if (bytes?.ok !== true) return refuse("light/malformed", `${what}: no hex data`);
  return bytes.value;
}

export function readHash(value: unknown, what: string): Hash {
  const bytes = readData(value, what);
  if (bytes.length !== HASH_BYTES) refuse("light/malformed", `${what}: no hash`);
  return Hash(bytes);
}

export function readAddress(value: unknown, what: string): Address {
  const bytes = readData(value, what);
  if (bytes.length !== ADDRESS_BYTES) refuse("light/malformed", `${what}: no address`);
  return Address(bytes);
}

export function readQuantity(value: unknown, what: string): bigint {
  if (typeof value !== "string" || !QUANTITY.test(value.toLowerCase())) {
    refuse("light/malformed", `${what}: no quantity`);
  }
  return BigInt(value);
}

/** A 256-bit number with or without its leading zeros: servers repeat keys as they were asked. */
export function readWord(value: unknown, what: string): bigint {
  if (typeof value !== "string" || !WORD.test(value)) refuse("light/malformed", `${what}: no word`);
  return BigInt(value);
}

/** A quantity below 2^53. */
export function readCount(value: unknown, what: string): number {
  const number = Number(readQuantity(value, what));
  if (!Number.isSafeInteger(number)) refuse("light/malformed", `${what}: 2^53 or more`);
  return number;
}

export function readDataList(value: unknown, what: string, limit?: number): readonly Bytes[] {
  return readArray(value, what, limit).map((entry) => readData(entry, what));
}
