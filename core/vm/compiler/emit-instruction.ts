import { OP } from "../opcodes.ts";
import { STATUS } from "../runtime/exit-status.ts";
import type { PlacedInstruction } from "./control-flow-graph.ts";
import type { Emission } from "./emission.ts";
import {
  emitAdd,
  emitDivide,
  emitDivideSigned,
  emitModular,
  emitMultiply,
  emitPower,
  emitSignExtend,
  emitSubtract,
} from "./emit-arithmetic.ts";
import {
  emitByte,
  emitCombine,
  emitCountLeadingZeros,
  emitEqual,
  emitIsZero,
  emitLess,
  emitNot,
} from "./emit-bitwise.ts";
import { emitReturn, emitStop } from "./emit-control.ts";
import {
  emitBlobHash,
  emitCodeSize,
  emitGas,
  emitLoadInput,
  emitMemorySize,
  emitReading,
} from "./emit-environment.ts";
import { emitHostCall, emitSelfBalance } from "./emit-host.ts";
import {
  emitCopyCode,
  emitCopyInput,
  emitCopyWithin,
  emitKeccak,
  emitLoad,
  emitStore,
  emitStoreByte,
} from "./emit-memory.ts";
import { emitShift } from "./emit-shift.ts";
import { emitLoadSlot, emitStoreSlot } from "./emit-storage.ts";
import { duplicate, pop, push, swap } from "./symbolic-stack.ts";
import { constantWord } from "./word-value.ts";

type Emit = (emission: Emission) => void;

const EMITTERS: ReadonlyMap<number, Emit> = new Map<number, Emit>([
  [OP.STOP, emitStop],
  [OP.ADD, emitAdd],
  [OP.MUL, emitMultiply],
  [OP.SUB, emitSubtract],
  [OP.DIV, (emission) => emitDivide(emission, "quotient")],
  [OP.SDIV, (emission) => emitDivideSigned(emission, "quotient")],
  [OP.MOD, (emission) => emitDivide(emission, "remainder")],
  [OP.SMOD, (emission) => emitDivideSigned(emission, "remainder")],
  [OP.ADDMOD, (emission) => emitModular(emission, "addModulo")],
  [OP.MULMOD, (emission) => emitModular(emission, "multiplyModulo")],
  [OP.EXP, emitPower],
  [OP.SIGNEXTEND, emitSignExtend],
  [OP.LT, (emission) => emitLess(emission, false, false)],
  [OP.GT, (emission) => emitLess(emission, false, true)],
  [OP.SLT, (emission) => emitLess(emission, true, false)],
  [OP.SGT, (emission) => emitLess(emission, true, true)],
  [OP.EQ, emitEqual],
  [OP.ISZERO, emitIsZero],
  [OP.AND, (emission) => emitCombine(emission, "and")],
  [OP.OR, (emission) => emitCombine(emission, "or")],
  [OP.XOR, (emission) => emitCombine(emission, "xor")],
  [OP.NOT, emitNot],
  [OP.BYTE, emitByte],
  [OP.SHL, (emission) => emitShift(emission, "left")],
  [OP.SHR, (emission) => emitShift(emission, "right")],
  [OP.SAR, (emission) => emitShift(emission, "signed")],
  [OP.CLZ, emitCountLeadingZeros],
  [OP.KECCAK256, emitKeccak],
  [OP.CALLDATALOAD, emitLoadInput],
  [OP.SELFBALANCE, emitSelfBalance],
  [OP.BLOBHASH, emitBlobHash],
  [OP.CALLDATACOPY, emitCopyInput],
  [OP.CODESIZE, emitCodeSize],
  [OP.POP, ({ stack }) => void pop(stack)],
  [OP.MLOAD, emitLoad],
  [OP.MSTORE, emitStore],
  [OP.MSTORE8, emitStoreByte],
  // In the middle of a node: it goes to what follows.
  [OP.JUMP, ({ stack }) => void pop(stack)],
  [OP.MSIZE, emitMemorySize],
  [OP.GAS, emitGas],
  [OP.JUMPDEST, () => {}],
  [OP.MCOPY, emitCopyWithin],
  [OP.RETURN, (emission) => emitReturn(emission, STATUS.return)],
  [OP.REVERT, (emission) => emitReturn(emission, STATUS.revert)],
]);

/** Emits any instruction but those that end their block and not the frame: CALL and CREATE (emit-host.ts), JUMP and JUMPI
 * (emit-edges.ts). Stack and constant gas were seen to at
 * the block's beginning. */
export function emitInstruction(emission: Emission, placed: PlacedInstruction): void {
  const { instruction, programCounter, pushed } = placed;
  const { opcode } = instruction;
  const { stack } = emission;
  if (pushed !== undefined) push(stack, constantWord(pushed));
  else if (opcode >= OP.DUP1 && opcode <= OP.DUP16) duplicate(stack, opcode - OP.DUP1 + 1);
  else if (opcode >= OP.SWAP1 && opcode <= OP.SWAP16) swap(stack, opcode - OP.SWAP1 + 1);
  else if (opcode === OP.PC) push(stack, constantWord(BigInt(programCounter)));
  else if (!emitReading(emission, opcode)) {
    const emit = EMITTERS.get(opcode);
    if (opcode === OP.SLOAD) emitLoadSlot(emission);
    else if (opcode === OP.SSTORE) emitStoreSlot(emission);
    else if (emit !== undefined) emit(emission);
    else if (opcode !== OP.CODECOPY || !emitCopyCode(emission)) emitHostCall(emission, instruction);
  }
}
