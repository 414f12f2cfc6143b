import type { Instruction } from "../instruction.ts";
import { OP } from "../opcodes.ts";
import { STATUS } from "../runtime/exit-status.ts";
import { FRAME, LIMB_BYTES, OPERANDS, STACK_BYTES, WORD_BYTES } from "../runtime/memory-layout.ts";
import { type Emission, pushLimb, writeBackStack } from "./emission.ts";
import { loadLimbs } from "./emit-environment.ts";
import { claimRange } from "./emit-memory.ts";
import { heightOf, pop, push } from "./symbolic-stack.ts";
import type { Word } from "./word-value.ts";

/** Instructions that the host runs, by the reference's own code: they need the state, or are seldom. Their operands go
 * through OPERANDS. The parts of memory that they touch are claimed before, so that the host finds them there and charges
 * nothing for them. */

/** Operands that name a part of memory: the places of its offset and size, the top of the stack being 0. */
type Ranges = readonly (readonly [number, number])[];
export const RANGES: ReadonlyMap<number, Ranges> = new Map<number, Ranges>([
  [OP.CODECOPY, [[0, 2]]],
  [OP.EXTCODECOPY, [[1, 3]]],
  [OP.RETURNDATACOPY, [[0, 2]]],
  [OP.CREATE, [[1, 2]]],
  [OP.CREATE2, [[1, 2]]],
  ...[0, 1, 2, 3, 4].map((topics) => [OP.LOG0 + topics, [[0, 1]]] as const),
  ...[OP.CALL, OP.CALLCODE].map(
    (opcode) =>
      [
        opcode,
        [
          [3, 4],
          [5, 6],
        ],
      ] as const,
  ),
  ...[OP.DELEGATECALL, OP.STATICCALL].map(
    (opcode) =>
      [
        opcode,
        [
          [2, 3],
          [4, 5],
        ],
      ] as const,
  ),
]);

const WORD_LIMBS = [64, 64, 64, 64] as const;
/** What is known of results. */
const RESULT_BITS: ReadonlyMap<number, readonly number[]> = new Map([[OP.EXTCODESIZE, [32, 0, 0, 0]]]);

/** Whether the host's part of an instruction reads or writes the frame's memory. */
export function touchesMemory(opcode: number): boolean {
  return RANGES.has(opcode);
}

/** An instruction that the host runs while the contract waits. */
export function emitHostCall(emission: Emission, { opcode, pops, pushes }: Instruction): void {
  const { code, stack } = emission;
  passOperands(emission, opcode, pops);
  callHost(emission, opcode);
  if (pushes === 0) return;
  push(
    stack,
    loadLimbs(emission, () => code.i32Const(0), OPERANDS, RESULT_BITS.get(opcode) ?? WORD_LIMBS),
  );
}

/** By the host the first time, and again after a call: it leaves the balance in the frame's header. */
export function emitSelfBalance(emission: Emission): void {
  const { code, locals, stack } = emission;
  code.localGet(locals.frame).i32Load(FRAME.balanceIsKnown).i32Eqz().if();
  callHost(emission, OP.SELFBALANCE);
  code.end();
  push(
    stack,
    loadLimbs(emission, () => code.localGet(locals.frame), FRAME.balance, WORD_LIMBS),
  );
}

/** Has the host run an instruction whose operands it has been passed. */
function callHost(emission: Emission, opcode: number): void {
  const { code, locals, faults } = emission;
  storeGas(emission);
  code.i32Const(opcode).call(emission.host).brIf(faults.endedByHost);
  code.localGet(locals.frame).i64Load(FRAME.gas).localSet(locals.gas);
}

/** CALL and CREATE: the function returns, and is called again when the other frame has ended, so that calls do not nest on
 * V8's stack. The result is on the EVM's stack then. */
export function emitCall(emission: Emission, { opcode, pops }: Instruction, resumeEntry: number): void {
  const { code, locals } = emission;
  passOperands(emission, opcode, pops);
  writeBackStack(emission);
  storeGas(emission);
  code.localGet(locals.frame).i32Const(resumeEntry).i32Store(FRAME.resumeEntry);
  code.localGet(locals.frame).localGet(locals.stackBase);
  code.i32Const(STACK_BYTES + WORD_BYTES * heightOf(emission.stack)).i32Add();
  code.i32Store(FRAME.stackTop);
  code.i32Const(STATUS.call + opcode).return();
}

function passOperands(emission: Emission, opcode: number, pops: number): void {
  const operands: Word[] = Array.from({ length: pops }, () => pop(emission.stack));
  for (const [offset, size] of RANGES.get(opcode) ?? [])
    claimRange(emission, operands[offset]!, operands[size]!);
  passWords(emission, operands);
}

/** @param words the top of the stack first. */
function passWords(emission: Emission, words: readonly Word[]): void {
  for (const [position, word] of words.entries()) {
    for (const [place, limb] of word.entries()) {
      emission.code.i32Const(0);
      pushLimb(emission, limb);
      emission.code.i64Store(OPERANDS + WORD_BYTES * position + LIMB_BYTES * place);
    }
  }
}

/** Tells the host how much gas is left. */
export function storeGas({ code, locals }: Emission): void {
  code.localGet(locals.frame).localGet(locals.gas).i64Store(FRAME.gas);
}
