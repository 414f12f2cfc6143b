import type { FaultCode } from "../types.ts";

/** What a compiled contract returns to the host. */
export const STATUS = {
  stop: 0,
  return: 1,
  revert: 2,
  /** The host has ended the frame itself. */
  endedByHost: 3,
  outOfGas: 4,
  stackUnderflow: 5,
  stackOverflow: 6,
  invalidJump: 7,
  invalidOpcode: 8,
  /** And above: the host is to run the CALL or CREATE with opcode `status - call`, whose operands are in OPERANDS, and
   * then to go on at FRAME.resumeEntry. */
  call: 256,
} as const;

/** Why a frame failed, by status; for messages to people. */
export const FAULT_OF_STATUS: Readonly<Record<number, FaultCode>> = {
  [STATUS.outOfGas]: "vm/out-of-gas",
  [STATUS.stackUnderflow]: "vm/stack-underflow",
  [STATUS.stackOverflow]: "vm/stack-overflow",
  [STATUS.invalidJump]: "vm/invalid-jump",
  [STATUS.invalidOpcode]: "vm/invalid-opcode",
};
