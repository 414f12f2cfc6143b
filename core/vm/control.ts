import { EMPTY_BYTES } from "@ostrom/base";
import { analysisOf, claimMemory, endWith, endWithFault, type Frame, gasLeft } from "./frame.ts";
import { GAS } from "./gas-schedule.ts";
import { type Instruction, reading } from "./instruction.ts";
import { readMemory } from "./memory.ts";

/** Where execution goes on and where it ends. */
export const CONTROL: readonly Instruction[] = [
  {
    opcode: 0x00,
    name: "STOP",
    gas: GAS.zero,
    pops: 0,
    pushes: 0,
    run: (_, frame) => endWith(frame, "success", EMPTY_BYTES),
  },
  {
    opcode: 0x56,
    name: "JUMP",
    gas: GAS.mid,
    pops: 1,
    pushes: 0,
    run: (_, frame) => jump(frame, frame.stack.pop()!),
  },
  {
    opcode: 0x57,
    name: "JUMPI",
    gas: GAS.high,
    pops: 2,
    pushes: 0,
    run: (_, frame) => {
      const destination = frame.stack.pop()!;
      const condition = frame.stack.pop()!;
      if (condition !== 0n) jump(frame, destination);
    },
  },
  // The program counter stands behind the instruction that runs.
  reading(0x58, "PC", GAS.base, (_, frame) => BigInt(frame.programCounter - 1)),
  reading(0x5a, "GAS", GAS.base, (_, frame) => gasLeft(frame)),
  {
    opcode: 0x5b,
    name: "JUMPDEST",
    gas: GAS.jumpDestination,
    pops: 0,
    pushes: 0,
    run: () => {},
  },
  {
    opcode: 0xf3,
    name: "RETURN",
    gas: GAS.zero,
    pops: 2,
    pushes: 0,
    run: (_, frame) => endWithOutput(frame, "success"),
  },
  {
    opcode: 0xfd,
    name: "REVERT",
    gas: GAS.zero,
    pops: 2,
    pushes: 0,
    run: (_, frame) => endWithOutput(frame, "revert"),
  },
  {
    opcode: 0xfe,
    name: "INVALID",
    gas: GAS.zero,
    pops: 0,
    pushes: 0,
    run: (_, frame) => {
      endWithFault(frame, "vm/invalid-opcode");
    },
  },
];

function jump(frame: Frame, destination: bigint): void {
  const target = Number(destination);
  // Above 2^53 the number is inexact, but still far beyond any code.
  if (analysisOf(frame).jumpDestinations[target] !== 1) {
    endWithFault(frame, "vm/invalid-jump");
    return;
  }
  frame.programCounter = target;
}

function endWithOutput(frame: Frame, status: "success" | "revert"): void {
  const offset = frame.stack.pop()!;
  const size = frame.stack.pop()!;
  if (!claimMemory(frame, offset, size)) return;
  endWith(frame, status, readMemory(frame.memory, offset, size));
}
