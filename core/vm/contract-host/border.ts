import { Address, type Bytes, type Hash, hashFromWord } from "@ostrom/base";
import { charge, endWithFault, type Frame, type Machine } from "../frame.ts";
import { WORD_SIZE, wordCount } from "../word.ts";
import type { HostCallName } from "./host-calls.ts";
import { MAX_PROGRAM_PAGES, PAGE_SIZE } from "./program-gas.ts";
import type { HostOperands, ProgramMemory } from "./types.ts";

/** A host call as it crosses the border: what it works on, and what it was given. */
export type Crossing = {
  readonly machine: Machine;
  readonly frame: Frame;
  readonly memory: ProgramMemory;
  readonly operands: HostOperands;
};

/** What answers a host call.
 * @property gas besides PROGRAM_GAS.hostCall; charged before it runs, and what depends on operands or state, `run`
 * charges.
 * @property run returns the result, or 0; whether the frame goes on, `frame.exit` says. */
export type HostFunction = {
  readonly gas: number;
  readonly run: (crossing: Crossing) => number | bigint;
};

export type HostFunctions = Readonly<Partial<Record<HostCallName, HostFunction>>>;

const ADDRESS_BYTES = 20;
const MAX_MEMORY_BYTES = MAX_PROGRAM_PAGES * PAGE_SIZE;

/** A trap ends the frame. @returns undefined, so that a check can return it. */
function trap(frame: Frame): undefined {
  endWithFault(frame, "vm/trap");
  return undefined;
}

/** An i32 operand: a pointer, a size or a number, unsigned. */
export function numberOperand({ operands }: Crossing, index: number): number {
  return Number(operands[index]) >>> 0;
}

/** An i64 operand, unsigned. */
export function longOperand({ operands }: Crossing, index: number): bigint {
  return BigInt.asUintN(64, BigInt(operands[index]!));
}

/** A copy of what lies in the program's memory; undefined: it does not, and that was a trap. */
export function readBytes({ memory, frame }: Crossing, from: number, size: number): Bytes | undefined {
  return memory.read(from, size)?.slice() ?? trap(frame);
}

/** The address that the operand points to. undefined: see readBytes. */
export function readAddress(crossing: Crossing, index: number): Address | undefined {
  const bytes = readBytes(crossing, numberOperand(crossing, index), ADDRESS_BYTES);
  return bytes === undefined ? undefined : Address(bytes);
}

/** The word that the operand points to. undefined: see readBytes. */
export function readWordOperand(crossing: Crossing, index: number): bigint | undefined {
  return readWordFrom(crossing, numberOperand(crossing, index));
}

function readWordFrom({ memory, frame }: Crossing, from: number): bigint | undefined {
  const bytes = memory.read(from, WORD_SIZE);
  if (bytes === undefined) return trap(frame);
  const view = new DataView(bytes.buffer, bytes.byteOffset, WORD_SIZE);
  const high = (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
  const low = (view.getBigUint64(16) << 64n) | view.getBigUint64(24);
  return high === 0n ? low : (high << 128n) | low;
}

/** The topics of a log, one after the other. undefined: see readBytes. */
export function readTopics(crossing: Crossing, from: number, count: number): Hash[] | undefined {
  const topics: Hash[] = [];
  for (let i = 0; i < count; i++) {
    const word = readWordFrom(crossing, from + i * WORD_SIZE);
    if (word === undefined) return undefined;
    topics.push(hashFromWord(word));
  }
  return topics;
}

/** Whether the program's memory holds so much there. False: that was a trap. */
export function reaches({ memory, frame }: Crossing, from: number, size: number): boolean {
  return memory.read(from, size) !== undefined || trap(frame) !== undefined;
}

/** Writes to where the operand points. False: that was a trap. */
export function writeBytes(crossing: Crossing, index: number, bytes: Bytes): boolean {
  const { memory, frame } = crossing;
  return memory.write(numberOperand(crossing, index), bytes) || trap(frame) !== undefined;
}

// Reused, because whoever has memory copies what is written there.
const answer = new Uint8Array(WORD_SIZE);
const answerView = new DataView(answer.buffer);

/** As writeBytes. @returns 0, the result of a host call that has none. */
export function answerWord(crossing: Crossing, index: number, word: bigint): 0 {
  answerView.setBigUint64(0, word >> 192n);
  answerView.setBigUint64(8, BigInt.asUintN(64, word >> 128n));
  answerView.setBigUint64(16, BigInt.asUintN(64, word >> 64n));
  answerView.setBigUint64(24, BigInt.asUintN(64, word));
  writeBytes(crossing, index, answer);
  return 0;
}

/** As writeBytes. @returns 0, the result of a host call that has none. */
export function answerBytes(crossing: Crossing, index: number, bytes: Bytes): 0 {
  writeBytes(crossing, index, bytes);
  return 0;
}

/** Copies source[offset, + size) to where the operand points, zeros beyond the end of the source; charges for each word. */
export function copyOut(
  crossing: Crossing,
  target: { readonly to: number; readonly offset: number; readonly size: number },
  source: Bytes,
  wordGas: number,
): 0 {
  const { frame, memory } = crossing;
  const { to, offset, size } = target;
  if (!charge(frame, wordGas * wordCount(size))) return 0;
  // No memory holds more, and it would be allocated below.
  if (size > MAX_MEMORY_BYTES) {
    trap(frame);
    return 0;
  }
  const copy = new Uint8Array(size);
  copy.set(source.subarray(offset, offset + size));
  if (!memory.write(to, copy)) trap(frame);
  return 0;
}

/** Ends the frame by a trap. @returns 0, the result of a host call that has none. */
export function trapWith({ frame }: Crossing): 0 {
  trap(frame);
  return 0;
}
