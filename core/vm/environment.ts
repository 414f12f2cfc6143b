import { type Address, addressFromWord, addressToWord, type Bytes } from "@ostrom/base";
import { chargeAccountAccess } from "./access.ts";
import { charge, claimMemory, endWithFault, type Frame, type Machine } from "./frame.ts";
import { GAS } from "./gas-schedule.ts";
import { type Instruction, reading } from "./instruction.ts";
import { copyToMemory } from "./memory.ts";
import type { ExecutionContext } from "./types.ts";
import { readWord, WORD_SIZE, wordCount } from "./word.ts";

/** 0x30 to 0x3f, 0x47 and 0x49: the message, its code, other accounts, the transaction.
 * Sources: Yellow Paper, appendix H.2; EIP-211 (return data), 1052 (EXTCODEHASH), 1884 (SELFBALANCE), 2929, 4844
 * (BLOBHASH). Of an account that delegates, EXTCODE* see the designator, not the code it leads to (EIP-7702). */
export const ENVIRONMENT: readonly Instruction[] = [
  reading(0x30, "ADDRESS", GAS.base, (_, frame) => addressToWord(frame.address)),
  account(0x31, "BALANCE", ({ state }, address) => state.balance(address)),
  reading(0x32, "ORIGIN", GAS.base, ({ context }) => addressToWord(context.transaction.origin)),
  reading(0x33, "CALLER", GAS.base, (_, frame) => addressToWord(frame.caller)),
  reading(0x34, "CALLVALUE", GAS.base, (_, frame) => frame.value),
  {
    opcode: 0x35,
    name: "CALLDATALOAD",
    gas: GAS.veryLow,
    pops: 1,
    pushes: 1,
    run: (_, frame) => loadInput(frame),
  },
  reading(0x36, "CALLDATASIZE", GAS.base, (_, frame) => BigInt(frame.input.length)),
  copying(0x37, "CALLDATACOPY", (frame) => frame.input),
  reading(0x38, "CODESIZE", GAS.base, (_, frame) => BigInt(frame.code.length)),
  copying(0x39, "CODECOPY", (frame) => frame.code),
  reading(0x3a, "GASPRICE", GAS.base, ({ context }) => context.transaction.gasPrice),
  account(0x3b, "EXTCODESIZE", ({ state }, address) => BigInt(state.code(address).length)),
  { opcode: 0x3c, name: "EXTCODECOPY", gas: GAS.zero, pops: 4, pushes: 0, run: copyAccountCode },
  reading(0x3d, "RETURNDATASIZE", GAS.base, (_, frame) => BigInt(frame.returnData.length)),
  {
    opcode: 0x3e,
    name: "RETURNDATACOPY",
    gas: GAS.veryLow,
    pops: 3,
    pushes: 0,
    run: (_, frame) => copyReturnData(frame),
  },
  account(0x3f, "EXTCODEHASH", codeHashOf),
  reading(0x47, "SELFBALANCE", GAS.low, ({ context }, frame) => context.state.balance(frame.address)),
  {
    opcode: 0x49,
    name: "BLOBHASH",
    gas: GAS.blobHash,
    pops: 1,
    pushes: 1,
    run: ({ context }, { stack }) => {
      stack.push(blobHash(context, Number(stack.pop()!)));
    },
  },
];

/** 0 for an empty account. Source: EIP-1052. */
export function codeHashOf({ state }: ExecutionContext, address: Address): bigint {
  const hash = state.isEmpty(address) ? undefined : state.codeHash(address);
  return hash === undefined ? 0n : readWord(hash, 0, WORD_SIZE);
}

/** 0 where the transaction has no such blob. */
export function blobHash({ transaction }: ExecutionContext, index: number): bigint {
  const hash = transaction.blobVersionedHashes[index];
  return hash === undefined ? 0n : readWord(hash, 0, WORD_SIZE);
}

/** An instruction that pushes something of the account whose address it pops. */
function account(
  opcode: number,
  name: string,
  read: (context: ExecutionContext, address: Address) => bigint,
): Instruction {
  const run = (machine: Machine, frame: Frame): void => {
    const address = addressFromWord(frame.stack.pop()!);
    if (!chargeAccountAccess(machine, frame, address)) return;
    frame.stack.push(read(machine.context, address));
  };
  // The whole charge depends on whether the account is warm.
  return { opcode, name, gas: GAS.zero, pops: 1, pushes: 1, run };
}

/** An instruction that copies to memory; beyond the end of the source there are zeros. */
function copying(opcode: number, name: string, source: (frame: Frame) => Bytes): Instruction {
  const run = (_: Machine, frame: Frame): void => copyFrom(frame, source(frame));
  return { opcode, name, gas: GAS.veryLow, pops: 3, pushes: 0, run };
}

function copyFrom(frame: Frame, source: Bytes): void {
  const offset = frame.stack.pop()!;
  const sourceOffset = frame.stack.pop()!;
  const size = frame.stack.pop()!;
  if (!claimMemory(frame, offset, size)) return;
  if (!charge(frame, GAS.copyWord * wordCount(Number(size)))) return;
  copyToMemory(frame.memory, offset, source, sourceOffset, size);
}

function loadInput(frame: Frame): void {
  const offset = frame.stack.pop()!;
  const isInside = offset < BigInt(frame.input.length);
  frame.stack.push(isInside ? readWord(frame.input, Number(offset), WORD_SIZE) : 0n);
}

function copyAccountCode(machine: Machine, frame: Frame): void {
  const address = addressFromWord(frame.stack.pop()!);
  if (!chargeAccountAccess(machine, frame, address)) return;
  copyFrom(frame, machine.context.state.code(address));
}

/** Unlike the other copies, one beyond the end of its source fails. */
function copyReturnData(frame: Frame): void {
  const { stack, returnData } = frame;
  const sourceOffset = stack[stack.length - 2]!;
  const size = stack[stack.length - 3]!;
  if (sourceOffset + size > BigInt(returnData.length)) {
    endWithFault(frame, "vm/return-data-out-of-bounds");
    return;
  }
  copyFrom(frame, returnData);
}
