import { pushedWord } from "./code-analysis.ts";
import { analysisOf } from "./frame.ts";
import { GAS } from "./gas-schedule.ts";
import type { Instruction } from "./instruction.ts";

const MAX_PUSH = 32;
const MAX_DUP = 16;
const MAX_SWAP = 16;

const POP: Instruction = {
  opcode: 0x50,
  name: "POP",
  gas: GAS.base,
  pops: 1,
  pushes: 0,
  run: (_, { stack }) => {
    stack.pop();
  },
};

/** EIP-3855. */
const PUSH0: Instruction = {
  opcode: 0x5f,
  name: "PUSH0",
  gas: GAS.base,
  pops: 0,
  pushes: 1,
  run: (_, { stack }) => {
    stack.push(0n);
  },
};

/** Pushes the `length` bytes that follow the opcode. */
function push(length: number): Instruction {
  return {
    opcode: 0x5f + length,
    name: `PUSH${length}`,
    gas: GAS.veryLow,
    pops: 0,
    pushes: 1,
    run: (_, frame) => {
      frame.stack.push(pushedWord(frame.code, analysisOf(frame), frame.programCounter, length));
      frame.programCounter += length;
    },
  };
}

/** Copies the word at `position` (1 is the top). */
function duplicate(position: number): Instruction {
  return {
    opcode: 0x7f + position,
    name: `DUP${position}`,
    gas: GAS.veryLow,
    pops: position,
    pushes: position + 1,
    run: (_, { stack }) => {
      stack.push(stack[stack.length - position]!);
    },
  };
}

/** Exchanges the top with the word `distance` below it. */
function swap(distance: number): Instruction {
  return {
    opcode: 0x8f + distance,
    name: `SWAP${distance}`,
    gas: GAS.veryLow,
    pops: distance + 1,
    pushes: distance + 1,
    run: (_, { stack }) => {
      const top = stack.length - 1;
      const word = stack[top]!;
      stack[top] = stack[top - distance]!;
      stack[top - distance] = word;
    },
  };
}

function series(count: number, make: (number: number) => Instruction): Instruction[] {
  return Array.from({ length: count }, (_, index) => make(index + 1));
}

/** 0x50, 0x5f to 0x9f. */
export const STACK: readonly Instruction[] = [
  POP,
  PUSH0,
  ...series(MAX_PUSH, push),
  ...series(MAX_DUP, duplicate),
  ...series(MAX_SWAP, swap),
];
