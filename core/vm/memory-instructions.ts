import { keccak256 } from "@ostrom/crypto";
import { charge, claimMemory, type Frame } from "./frame.ts";
import { GAS } from "./gas-schedule.ts";
import { type Instruction, reading } from "./instruction.ts";
import { readMemoryWord, writeMemoryWord } from "./memory.ts";
import { readWord, WORD_SIZE, wordCount } from "./word.ts";

const WORD_SIZE_BIGINT = BigInt(WORD_SIZE);

/** Reading, writing, copying and hashing memory.
 * Sources: Yellow Paper, appendix H.2; EIP-5656 (MCOPY). */
export const MEMORY: readonly Instruction[] = [
  {
    opcode: 0x20,
    name: "KECCAK256",
    gas: GAS.keccak,
    pops: 2,
    pushes: 1,
    run: (_, frame) => hashMemory(frame),
  },
  {
    opcode: 0x51,
    name: "MLOAD",
    gas: GAS.veryLow,
    pops: 1,
    pushes: 1,
    run: (_, frame) => {
      const offset = frame.stack.pop()!;
      if (!claimMemory(frame, offset, WORD_SIZE_BIGINT)) return;
      frame.stack.push(readMemoryWord(frame.memory, Number(offset)));
    },
  },
  {
    opcode: 0x52,
    name: "MSTORE",
    gas: GAS.veryLow,
    pops: 2,
    pushes: 0,
    run: (_, frame) => {
      const offset = frame.stack.pop()!;
      const word = frame.stack.pop()!;
      if (!claimMemory(frame, offset, WORD_SIZE_BIGINT)) return;
      writeMemoryWord(frame.memory, Number(offset), word);
    },
  },
  {
    opcode: 0x53,
    name: "MSTORE8",
    gas: GAS.veryLow,
    pops: 2,
    pushes: 0,
    run: (_, frame) => {
      const offset = frame.stack.pop()!;
      const word = frame.stack.pop()!;
      if (!claimMemory(frame, offset, 1n)) return;
      frame.memory.bytes[Number(offset)] = Number(word & 0xffn);
    },
  },
  reading(0x59, "MSIZE", GAS.base, (_, frame) => BigInt(frame.memory.size)),
  { opcode: 0x5e, name: "MCOPY", gas: GAS.veryLow, pops: 3, pushes: 0, run: (_, frame) => copyWithin(frame) },
];

function hashMemory(frame: Frame): void {
  const offset = frame.stack.pop()!;
  const size = frame.stack.pop()!;
  if (!claimMemory(frame, offset, size)) return;
  if (!charge(frame, GAS.keccakWord * wordCount(Number(size)))) return;
  const start = Number(offset);
  // Not copied: the hash function keeps nothing of what it reads.
  const hash = keccak256(frame.memory.bytes.subarray(start, start + Number(size)));
  frame.stack.push(readWord(hash, 0, WORD_SIZE));
}

function copyWithin(frame: Frame): void {
  const to = frame.stack.pop()!;
  const from = frame.stack.pop()!;
  const size = frame.stack.pop()!;
  if (!claimMemory(frame, to, size) || !claimMemory(frame, from, size)) return;
  if (!charge(frame, GAS.copyWord * wordCount(Number(size)))) return;
  if (size > 0n) frame.memory.bytes.copyWithin(Number(to), Number(from), Number(from + size));
}
