import type { Instruction } from "../instruction.ts";
import { OP } from "../opcodes.ts";
import { STATUS } from "../runtime/exit-status.ts";
import { FRAME, TRANSACTION_WORDS } from "../runtime/memory-layout.ts";
import {
  emitAdd,
  emitAddModulo,
  emitDivide,
  emitDivideSigned,
  emitMultiply,
  emitMultiplyModulo,
  emitPower,
  emitSignExtend,
  emitSubtract,
  storeAt,
} from "./emit-arithmetic.ts";
import { emitByte, emitCombine, emitComparison, emitCountLeadingZeros, emitNot } from "./emit-bitwise.ts";
import { emitJump, emitJumpIf, emitReturn, emitStop } from "./emit-control.ts";
import {
  emitBlobHash,
  emitCounter,
  emitFrameSize,
  emitFrameWord,
  emitGas,
  emitLoadInput,
  emitSelfBalance,
  emitSharedWord,
} from "./emit-environment.ts";
import { emitCall, emitHostCall } from "./emit-host.ts";
import {
  emitCopyCode,
  emitCopyInput,
  emitCopyWithin,
  emitKeccak,
  emitLoad,
  emitStore,
  emitStoreByte,
} from "./emit-memory.ts";
import { wholeEmitter } from "./emit-sequence.ts";
import { emitShift } from "./emit-shift.ts";
import { emitDuplicate, emitPush, emitSwap } from "./emit-stack.ts";
import { emitLoadSlot, emitStoreSlot } from "./emit-storage.ts";
import { advance, charge, checkStack, goOn, type Loop, moveTop } from "./interpreter-loop.ts";
import { dataSize, stackNeeds } from "./sequences.ts";

/** Writes what an instruction does. Its stack was checked and its constant gas taken; the stack's top is moved behind it. */
type Emit = (loop: Loop, instruction: Instruction) => void;

const CALM: ReadonlyMap<number, Emit> = new Map<number, Emit>([
  [OP.ADD, (loop) => emitAdd(loop, 0, 1, storeAt(loop, 1))],
  [OP.MUL, emitMultiply],
  [OP.SUB, (loop) => emitSubtract(loop, 0, 1)],
  [OP.DIV, (loop) => emitDivide(loop, "divide")],
  [OP.SDIV, (loop) => emitDivideSigned(loop, "divideSigned")],
  [OP.MOD, (loop) => emitDivide(loop, "modulo")],
  [OP.SMOD, (loop) => emitDivideSigned(loop, "moduloSigned")],
  [OP.ADDMOD, emitAddModulo],
  [OP.MULMOD, emitMultiplyModulo],
  [OP.EXP, emitPower],
  [OP.SIGNEXTEND, emitSignExtend],
  [OP.LT, (loop) => emitComparison(loop, "less")],
  [OP.GT, (loop) => emitComparison(loop, "greater")],
  [OP.SLT, (loop) => emitComparison(loop, "lessSigned")],
  [OP.SGT, (loop) => emitComparison(loop, "greaterSigned")],
  [OP.EQ, (loop) => emitComparison(loop, "equal")],
  [OP.ISZERO, (loop) => emitComparison(loop, "isZero")],
  [OP.AND, (loop) => emitCombine(loop, "and")],
  [OP.OR, (loop) => emitCombine(loop, "or")],
  [OP.XOR, (loop) => emitCombine(loop, "xor")],
  [OP.NOT, emitNot],
  [OP.BYTE, emitByte],
  [OP.SHL, (loop) => emitShift(loop, "left")],
  [OP.SHR, (loop) => emitShift(loop, "right")],
  [OP.SAR, (loop) => emitShift(loop, "signed")],
  [OP.CLZ, emitCountLeadingZeros],
  [OP.KECCAK256, emitKeccak],
  [OP.ADDRESS, (loop) => emitFrameWord(loop, FRAME.address)],
  [OP.ORIGIN, (loop) => emitSharedWord(loop, TRANSACTION_WORDS.origin)],
  [OP.CALLER, (loop) => emitFrameWord(loop, FRAME.caller)],
  [OP.CALLVALUE, (loop) => emitFrameWord(loop, FRAME.value)],
  [OP.CALLDATALOAD, emitLoadInput],
  [OP.CALLDATASIZE, (loop) => emitFrameSize(loop, FRAME.inputSize)],
  [OP.CALLDATACOPY, emitCopyInput],
  [OP.CODESIZE, (loop) => emitFrameSize(loop, FRAME.codeSize)],
  [OP.CODECOPY, emitCopyCode],
  [OP.GASPRICE, (loop) => emitSharedWord(loop, TRANSACTION_WORDS.gasPrice)],
  [OP.RETURNDATASIZE, (loop) => emitFrameSize(loop, FRAME.returnDataSize)],
  [OP.COINBASE, (loop) => emitSharedWord(loop, TRANSACTION_WORDS.coinbase)],
  [OP.TIMESTAMP, (loop) => emitSharedWord(loop, TRANSACTION_WORDS.timestamp)],
  [OP.NUMBER, (loop) => emitSharedWord(loop, TRANSACTION_WORDS.number)],
  [OP.PREVRANDAO, (loop) => emitSharedWord(loop, TRANSACTION_WORDS.prevRandao)],
  [OP.GASLIMIT, (loop) => emitSharedWord(loop, TRANSACTION_WORDS.gasLimit)],
  [OP.CHAINID, (loop) => emitSharedWord(loop, TRANSACTION_WORDS.chainId)],
  [OP.BASEFEE, (loop) => emitSharedWord(loop, TRANSACTION_WORDS.baseFee)],
  [OP.BLOBBASEFEE, (loop) => emitSharedWord(loop, TRANSACTION_WORDS.blobBaseFee)],
  [OP.SELFBALANCE, emitSelfBalance],
  [OP.BLOBHASH, emitBlobHash],
  [OP.POP, () => {}],
  [OP.MLOAD, (loop) => emitLoad(loop, 0, 0)],
  [OP.MSTORE, (loop) => emitStore(loop, 0, 1)],
  [OP.MSTORE8, emitStoreByte],
  [OP.SLOAD, emitLoadSlot],
  [OP.SSTORE, emitStoreSlot],
  [OP.PC, emitCounter],
  [OP.MSIZE, (loop) => emitFrameSize(loop, FRAME.memorySize)],
  [OP.GAS, emitGas],
  [OP.JUMPDEST, () => {}],
  [OP.MCOPY, emitCopyWithin],
]);

/** These go elsewhere than to the instruction behind them, and move the stack's top themselves. */
const LEAVING: ReadonlyMap<number, Emit> = new Map<number, Emit>([
  [OP.INVALID, ({ code, exits }) => code.br(exits.invalidOpcode)],
  [OP.STOP, emitStop],
  [OP.JUMP, emitJump],
  [OP.JUMPI, emitJumpIf],
  [OP.RETURN, (loop) => emitReturn(loop, STATUS.return)],
  [OP.REVERT, (loop) => emitReturn(loop, STATUS.revert)],
  ...[OP.CREATE, OP.CALL, OP.CALLCODE, OP.DELEGATECALL, OP.CREATE2, OP.STATICCALL].map(
    (opcode) => [opcode, emitCall] as const,
  ),
]);

/** Writes all that happens at an instruction, or at a sequence of them. */
export function emitInstructions(loop: Loop, instructions: readonly Instruction[]): void {
  checkStack(loop, stackNeeds(instructions));
  charge(
    loop,
    instructions.reduce((sum, { gas }) => sum + gas, 0),
  );
  const whole = wholeEmitter(instructions);
  if (whole !== undefined) {
    whole(loop);
    return;
  }
  for (const instruction of instructions) {
    const { opcode, pops, pushes } = instruction;
    const leave = LEAVING.get(opcode);
    if (leave !== undefined) {
      leave(loop, instruction);
      return;
    }
    emitCalm(loop, instruction);
    moveTop(loop, pushes - pops);
    advance(loop, 1 + dataSize(opcode));
  }
  goOn(loop);
}

function emitCalm(loop: Loop, instruction: Instruction): void {
  const { opcode } = instruction;
  const emit = CALM.get(opcode);
  if (emit !== undefined) emit(loop, instruction);
  else if (opcode >= OP.PUSH0 && opcode <= OP.PUSH32) emitPush(loop, opcode - OP.PUSH0);
  else if (opcode >= OP.DUP1 && opcode <= OP.DUP16) emitDuplicate(loop, opcode - OP.DUP1 + 1);
  else if (opcode >= OP.SWAP1 && opcode <= OP.SWAP16) emitSwap(loop, opcode - OP.SWAP1 + 1);
  else emitHostCall(loop, instruction);
}
