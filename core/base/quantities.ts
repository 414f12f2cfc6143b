import { assert } from "./assert.ts";
import { type Bytes, bigintToBytes, bytesToBigint, hex, padLeft } from "./bytes.ts";

declare const brand: unique symbol;

/** A value that only its constructor below can make, so that a view cannot be passed where a height is meant. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** 20 bytes. */
export type Address = Brand<Bytes, "Address">;
/** 32 bytes. Which hash function made it is said by the format that carries it. */
export type Hash = Brand<Bytes, "Hash">;
/** Number of a block; genesis is 0. A safe integer. */
export type Height = Brand<number, "Height">;
/** A round of consensus; starts at 1 in each epoch. A safe integer. */
export type View = Brand<number, "View">;
/** A period with one validator set. A safe integer. */
export type Epoch = Brand<number, "Epoch">;
/** Voting weight (stake) of a validator. A safe integer: weights of a set sum below 2^53. */
export type Weight = Brand<number, "Weight">;
/** The smallest unit of the native coin. */
export type Wei = Brand<bigint, "Wei">;
export type Gas = Brand<bigint, "Gas">;

const ADDRESS_LENGTH = 20;
const HASH_LENGTH = 32;

export function Address(bytes: Bytes): Address {
  assert(bytes.length === ADDRESS_LENGTH, "an address must have 20 bytes");
  return bytes as Address;
}

export function Hash(bytes: Bytes): Hash {
  assert(bytes.length === HASH_LENGTH, "a hash must have 32 bytes");
  return bytes as Hash;
}

export function Height(value: number): Height {
  return checkedCount(value, "a height") as Height;
}

export function View(value: number): View {
  return checkedCount(value, "a view") as View;
}

export function Epoch(value: number): Epoch {
  return checkedCount(value, "an epoch") as Epoch;
}

export function Weight(value: number): Weight {
  return checkedCount(value, "a weight") as Weight;
}

export function Wei(value: bigint): Wei {
  assert(value >= 0n, "an amount must not be negative");
  return value as Wei;
}

export function Gas(value: bigint): Gas {
  assert(value >= 0n, "an amount of gas must not be negative");
  return value as Gas;
}

function checkedCount(value: number, what: string): number {
  assert(Number.isSafeInteger(value) && value >= 0, `${what} must be a safe non-negative integer`);
  return value;
}

export const ZERO_ADDRESS: Address = Address(new Uint8Array(ADDRESS_LENGTH));
export const ZERO_HASH: Hash = Hash(new Uint8Array(HASH_LENGTH));

/** Reads an address constant that the program itself wrote. */
export function addressFromHex(text: string): Address {
  return Address(hex(text));
}

/** Reads a hash constant that the program itself wrote. */
export function hashFromHex(text: string): Hash {
  return Hash(hex(text));
}

const ADDRESS_MASK = (1n << 160n) - 1n;

/** The low 160 bits of a word, as the EVM reads addresses. */
export function addressFromWord(word: bigint): Address {
  return bigintToBytes(word & ADDRESS_MASK, ADDRESS_LENGTH) as Address;
}

export function addressToWord(address: Address): bigint {
  return bytesToBigint(address);
}

/** A 256-bit word as 32 bytes, big-endian. */
export function wordToBytes(word: bigint): Bytes {
  return bigintToBytes(word, 32);
}

/** A 32-byte hash of a shorter or equal big-endian number, zero-padded on the left. */
export function hashFromWord(word: bigint): Hash {
  return padLeft(bigintToBytes(word, 32), 32) as Hash;
}
