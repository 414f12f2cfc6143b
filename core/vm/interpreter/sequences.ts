import { assert, must } from "@ostrom/base";
import { FORKS } from "../fork-rules.ts";
import type { Instruction } from "../instruction.ts";
import { instructionsOf } from "../instruction-set.ts";
import { OP } from "../opcodes.ts";

// Going from one instruction to the next costs more than most instructions do. So sequences of them that are frequent count
// as one: the image of code (code-image.ts) has an opcode of the sequence's own in place of that of its first instruction.
// No JUMPDEST is in a sequence, so that none can be entered in its middle. Which sequences there are shows in nothing but time.

const { ADD, AND, DUP1, EQ, GT, ISZERO, JUMP, JUMPI, LT, MLOAD, MSTORE } = OP;
const { MUL, NOT, OR, POP, SGT, SHL, SHR, SLT, SUB, SWAP1, XOR } = OP;
const PUSH1 = OP.PUSH0 + 1;
const PUSH2 = OP.PUSH0 + 2;
const PUSH4 = OP.PUSH0 + 4;
const dup = (position: number): number => DUP1 + position - 1;
const swap = (distance: number): number => SWAP1 + distance - 1;

/** Found by counting in contracts that Solidity compiled. */
const PATTERNS: readonly (readonly number[])[] = [
  [PUSH2, JUMPI],
  [PUSH2, JUMP],
  [PUSH1, JUMPI],
  [PUSH1, JUMP],
  ...[ISZERO, EQ, LT, GT, SLT, SGT].map((compare) => [compare, PUSH2, JUMPI]),
  ...[EQ, LT, GT, SLT, SGT].map((compare) => [compare, ISZERO, PUSH2, JUMPI]),
  [DUP1, PUSH4, EQ, PUSH2, JUMPI],
  ...[ADD, SUB, MUL, AND, SHL, SHR, MLOAD, MSTORE, PUSH1].map((next) => [PUSH1, next]),
  ...[dup(1), dup(2), dup(3), swap(1)].map((next) => [PUSH1, next]),
  ...[1, 2, 3, 4, 5, 6].map((distance) => [swap(distance), POP]),
  [POP, POP],
  [POP, POP, POP],
  [POP, SWAP1],
  [POP, JUMP],
  [DUP1, PUSH1],
  [dup(2), MSTORE],
  [dup(2), ADD],
  [dup(2), LT],
  [dup(2), dup(2)],
  [ADD, swap(1)],
  [ADD, MLOAD],
  [ADD, MSTORE],
  [ADD, swap(1), POP],
  [AND, OR],
  [SHR, AND],
  [MLOAD, swap(1)],
  [swap(1), swap(2)],
  [swap(2), swap(1)],
  [swap(1), SUB],
  [ISZERO, ISZERO],
  [XOR, AND],
  [NOT, AND],
];

/** Instructions that follow each other and run as one. */
export type Sequence = {
  /** Stands in the image in place of the first instruction's opcode: one that no fork gives a meaning. */
  readonly opcode: number;
  readonly instructions: readonly Instruction[];
};

const OPCODES = 256;

export const SEQUENCES: readonly Sequence[] = makeSequences();

function makeSequences(): readonly Sequence[] {
  const newest = instructionsOf(must(FORKS[FORKS.length - 1], "there is a fork"));
  const free = Array.from({ length: OPCODES }, (_, opcode) => opcode).filter(
    (opcode) => newest[opcode] === undefined,
  );
  assert(PATTERNS.length <= free.length, "each sequence needs an opcode");
  return PATTERNS.map((opcodes, place) => ({
    opcode: free[place]!,
    instructions: opcodes.map((opcode) => must(newest[opcode], "sequences are of instructions of all forks")),
  }));
}

/** Bytes of data behind an opcode. */
export function dataSize(opcode: number): number {
  return opcode > OP.PUSH0 && opcode <= OP.PUSH32 ? opcode - OP.PUSH0 : 0;
}

/** How many words must be on the stack, and how many more there will be at its highest. */
export type StackNeeds = { readonly words: number; readonly room: number };

export function stackNeeds(instructions: readonly Instruction[]): StackNeeds {
  let height = 0;
  let words = 0;
  let room = 0;
  for (const { pops, pushes } of instructions) {
    words = Math.max(words, pops - height);
    height += pushes - pops;
    room = Math.max(room, height);
  }
  return { words, room };
}
