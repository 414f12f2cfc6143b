import { type Address, addressToWord, bigintToMinimalBytes, type Random } from "@ostrom/base";
import { OP } from "@ostrom/vm";

export type ProgramSource = {
  readonly random: Random;
  /** Accounts that programs look at, call and give to. */
  readonly addresses: readonly Address[];
  /** Opcodes that the fork lacks are left out. */
  readonly hasCountLeadingZeros: boolean;
};

/** A program that is being written. */
export type Writer = ProgramSource & {
  readonly code: number[];
  /** How many programs this one is inside of, as init code. */
  readonly nesting: number;
};

/** Where a program keeps the address of the last contract it created. */
export const CREATED_AT = 0x1e0;

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)]!;
}

export function emit(writer: Writer, ...opcodes: readonly number[]): void {
  writer.code.push(...opcodes);
}

/** Pushes a word in as few bytes as it needs. */
export function push(writer: Writer, word: bigint): void {
  const bytes = bigintToMinimalBytes(word);
  emit(writer, OP.PUSH0 + bytes.length, ...bytes);
}

const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  31n,
  32n,
  33n,
  64n,
  255n,
  256n,
  2n ** 64n - 1n,
  2n ** 255n,
  2n ** 256n - 1n,
];

export function anyWord({ random }: Writer): bigint {
  switch (random.below(5)) {
    case 0:
      return pick(random, EDGES);
    case 1:
      return (2n ** BigInt(random.below(256)) - BigInt(random.below(2))) & (2n ** 256n - 1n);
    case 2:
      return BigInt(`0x${Buffer.from(random.bytes(32)).toString("hex")}`);
    default:
      return BigInt(random.below(1000));
  }
}

/** Mostly small: a large one costs all gas. */
export function pushOffset(writer: Writer): void {
  const { random } = writer;
  if (random.chance(1, 500)) push(writer, pick(random, [0x10000n, 2n ** 32n, 2n ** 64n, 2n ** 256n - 1n]));
  else push(writer, BigInt(random.below(300)));
}

/** Mostly small, often 0. */
export function pushSize(writer: Writer): void {
  const { random } = writer;
  push(writer, random.chance(1, 500) ? 2n ** 40n : BigInt(pick(random, [0, 0, 1, 31, 32, 33, 64, 100])));
}

/** One that programs know, or that of the last contract created. */
export function pushAddress(writer: Writer): void {
  const { random } = writer;
  if (random.chance(1, 5)) {
    push(writer, BigInt(CREATED_AT));
    emit(writer, OP.MLOAD);
  } else push(writer, addressToWord(pick(random, writer.addresses)));
}

export function pushSlot(writer: Writer): void {
  push(writer, BigInt(writer.random.below(4)));
}
