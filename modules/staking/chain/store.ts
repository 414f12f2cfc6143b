import { type Bytes, wordToBytes } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { arraySlot, mappingSlot, type ReadWord, STAKING_ADDRESS } from "@ostrom/execution";
import type { JournaledState, StateReader } from "@ostrom/state";
import { type Field, partOf, SLOT, SLOTS_OF_A_STAKER, withPart } from "./layout.ts";

/** The storage of the contract, for those who change it. */
export type StakingStore = {
  readonly read: ReadWord;
  readonly write: (slot: bigint, value: bigint) => void;
};

type Fields = Readonly<Record<string, Field>>;
export type Values<F extends Fields> = { readonly [Name in keyof F]: bigint };

export function stakingStore(state: JournaledState): StakingStore {
  return {
    read: (slot) => state.storage(STAKING_ADDRESS, slot),
    write: (slot, value) => state.setStorage(STAKING_ADDRESS, slot, value),
  };
}

export function stakingReader(state: Pick<StateReader, "storage">): ReadWord {
  return (slot) => state.storage(STAKING_ADDRESS, slot);
}

/** Reads fields of one structure; each of its words once. @param base slot of the structure. */
export function readFields<F extends Fields>(read: ReadWord, base: bigint, fields: F): Values<F> {
  const words = new Map<bigint, bigint>();
  const values: Record<string, bigint> = {};
  for (const [name, field] of Object.entries(fields)) {
    let word = words.get(field.slot);
    if (word === undefined) {
      word = read(base + field.slot);
      words.set(field.slot, word);
    }
    values[name] = partOf(word, field);
  }
  return values as Values<F>;
}

/** Writes some fields of one structure, and leaves the others as they are. */
export function writeFields<F extends Fields>(
  store: StakingStore,
  base: bigint,
  fields: F,
  values: Partial<Values<F>>,
): void {
  const words = new Map<bigint, bigint>();
  for (const [name, value] of Object.entries<bigint | undefined>(values)) {
    const field = fields[name];
    if (field === undefined || value === undefined) continue;
    const word = words.get(field.slot) ?? store.read(base + field.slot);
    words.set(field.slot, withPart(word, field, value));
  }
  for (const [slot, word] of words) store.write(base + slot, word);
}

const STAKERS_START = arraySlot(SLOT.stakers);

/** Slot of a staker. @param id from 1. */
export function stakerSlot(id: number): bigint {
  return STAKERS_START + SLOTS_OF_A_STAKER * BigInt(id - 1);
}

/** Whose a consensus, transport or VRF key is. @returns 0 if it was never handed in. */
export function holderOfKey(read: ReadWord, key: Bytes): number {
  return Number(read(mappingSlot(keccak256(key), SLOT.holderOf)));
}

/** Slot of an entry of a mapping from numbers. */
export function numberedSlot(key: number, slot: bigint): bigint {
  return mappingSlot(wordToBytes(BigInt(key)), slot);
}

/** A Solidity array of small numbers, packed into words. */
export type PackedArray = { readonly slot: bigint; readonly bits: number };

export const CANDIDATES: PackedArray = { slot: SLOT.candidates, bits: 32 };
export const PROPOSALS: PackedArray = { slot: SLOT.proposals, bits: 16 };
export const SIGNATURES: PackedArray = { slot: SLOT.signatures, bits: 16 };

const WORD_BITS = 256;

export function readPacked(read: ReadWord, { slot, bits }: PackedArray): number[] {
  const count = Number(read(slot));
  const start = arraySlot(slot);
  const inAWord = WORD_BITS / bits;
  const values: number[] = [];
  for (let first = 0; first < count; first += inAWord) {
    const word = read(start + BigInt(first / inAWord));
    for (let i = 0; i < inAWord && first + i < count; i++) {
      values.push(Number(BigInt.asUintN(bits, word >> BigInt(i * bits))));
    }
  }
  return values;
}

/** Writes a whole array in place of the one before; the words that it needs no longer become zero. */
export function writePacked(
  store: StakingStore,
  { slot, bits }: PackedArray,
  values: readonly number[],
): void {
  const start = arraySlot(slot);
  const inAWord = WORD_BITS / bits;
  const before = Number(store.read(slot));
  store.write(slot, BigInt(values.length));
  for (let first = 0; first < Math.max(before, values.length); first += inAWord) {
    let word = 0n;
    values.slice(first, first + inAWord).forEach((value, i) => {
      word |= BigInt(value) << BigInt(i * bits);
    });
    store.write(start + BigInt(first / inAWord), word);
  }
}

/** Adds one to entries of an array, up to the largest that fits. Writes each word that changes once.
 * @param indices ascending, below the array's length. */
export function countUp(store: StakingStore, { slot, bits }: PackedArray, indices: readonly number[]): void {
  const start = arraySlot(slot);
  const inAWord = WORD_BITS / bits;
  const most = (1n << BigInt(bits)) - 1n;
  for (let next = 0; next < indices.length; ) {
    const place = Math.floor(indices[next]! / inAWord);
    let word = store.read(start + BigInt(place));
    for (; next < indices.length && Math.floor(indices[next]! / inAWord) === place; next++) {
      const shift = BigInt((indices[next]! % inAWord) * bits);
      if (((word >> shift) & most) !== most) word += 1n << shift;
    }
    store.write(start + BigInt(place), word);
  }
}
