import type { Instruction } from "../instruction.ts";
import { OP } from "../opcodes.ts";
import { emitAdd, emitSubtract, storeAt } from "./emit-arithmetic.ts";
import { type Comparison, comparedWords, pushCombined, pushComparison } from "./emit-bitwise.ts";
import { goTo } from "./emit-control.ts";
import { emitLoad, emitStore } from "./emit-memory.ts";
import { emitShiftByCount } from "./emit-shift.ts";
import {
  advance,
  goOn,
  type Loop,
  limbOffset,
  moveTop,
  pushLimb,
  pushOrOfLimbs,
  pushPlace,
  storeLimb,
} from "./interpreter-loop.ts";
import { dataSize } from "./sequences.ts";

/** Sequences that are worth more than their instructions one after the other: what one of them would write to the stack and
 * the next read again is not written. Like all emitters of instructions that leave, these move the stack's top and go on. */

const PUSH1 = OP.PUSH0 + 1;
const PUSH2 = OP.PUSH0 + 2;
const PUSH4 = OP.PUSH0 + 4;
const { SWAP1 } = OP;
const SWAP2 = SWAP1 + 1;
const DUP2 = OP.DUP1 + 1;

type EmitWhole = (loop: Loop) => void;

const COMPARISONS: readonly (readonly [number, Comparison])[] = [
  [OP.LT, "less"],
  [OP.GT, "greater"],
  [OP.SLT, "lessSigned"],
  [OP.SGT, "greaterSigned"],
  [OP.EQ, "equal"],
  [OP.ISZERO, "isZero"],
];

const EMITTERS: ReadonlyMap<string, EmitWhole> = new Map<string, EmitWhole>([
  whole([PUSH1, OP.JUMP], (loop) => emitPushJump(loop, 1)),
  whole([PUSH2, OP.JUMP], (loop) => emitPushJump(loop, 2)),
  whole([PUSH1, OP.JUMPI], (loop) => emitPushJumpIf(loop, 1)),
  whole([PUSH2, OP.JUMPI], (loop) => emitPushJumpIf(loop, 2)),
  ...COMPARISONS.flatMap(([opcode, comparison]) => [
    whole([opcode, PUSH2, OP.JUMPI], (loop) => emitCompareJump(loop, comparison, true)),
    whole([opcode, OP.ISZERO, PUSH2, OP.JUMPI], (loop) => emitCompareJump(loop, comparison, false)),
  ]),
  whole([OP.DUP1, PUSH4, OP.EQ, PUSH2, OP.JUMPI], emitSelectorJump),
  inPlace([PUSH1, OP.ADD], emitAddByte),
  inPlace([PUSH1, OP.AND], emitAndByte),
  inPlace([PUSH1, OP.SHL], (loop) => emitShiftByByte(loop, "left")),
  inPlace([PUSH1, OP.SHR], (loop) => emitShiftByByte(loop, "right")),
  inPlace([PUSH1, OP.MLOAD], (loop) => emitLoad(loop, "data", -1), 1),
  inPlace([PUSH1, OP.MSTORE], (loop) => emitStore(loop, "data", 0), -1),
  inPlace([DUP2, OP.MSTORE], (loop) => emitStore(loop, 1, 0), -1),
  inPlace([DUP2, OP.ADD], (loop) => emitAdd(loop, 0, 1, storeAt(loop, 0))),
  inPlace([OP.ADD, SWAP1], emitAddSwap, -1),
  inPlace([OP.ADD, SWAP1, OP.POP], (loop) => emitAdd(loop, 0, 1, storeAt(loop, 2)), -2),
  inPlace([OP.AND, OP.OR], emitAndOr, -2),
  inPlace([SWAP1, OP.SUB], (loop) => emitSubtract(loop, 1, 0), -1),
  inPlace([SWAP1, SWAP2], (loop) => permute(loop, [2, 0, 1])),
  inPlace([SWAP2, SWAP1], (loop) => permute(loop, [1, 2, 0])),
  ...[1, 2, 3, 4, 5, 6].map((distance) =>
    inPlace([SWAP1 + distance - 1, OP.POP], (loop) => emitSwapPop(loop, distance), -1),
  ),
]);

function whole(opcodes: readonly number[], emit: EmitWhole): [string, EmitWhole] {
  return [opcodes.join(), emit];
}

/** A sequence that goes on behind itself.
 * @param growth words by which it moves the stack's top. */
function inPlace(opcodes: readonly number[], emit: EmitWhole, growth = 0): [string, EmitWhole] {
  const size = opcodes.reduce((sum, opcode) => sum + 1 + dataSize(opcode), 0);
  return whole(opcodes, (loop) => {
    emit(loop);
    moveTop(loop, growth);
    advance(loop, size);
    goOn(loop);
  });
}

/** @returns undefined if the instructions are emitted one by one. */
export function wholeEmitter(instructions: readonly Instruction[]): EmitWhole | undefined {
  return EMITTERS.get(instructions.map(({ opcode }) => opcode).join());
}

function emitPushJump(loop: Loop, size: number): void {
  pushData(loop, size, 1);
  goTo(loop);
}

/** Puts data of a PUSH on WebAssembly's stack, as an i32.
 * @param offset from the sequence's opcode. */
function pushData({ code, locals }: Loop, size: number, offset: number): void {
  code.localGet(locals.counter);
  if (size === 1) code.i32Load8U(offset);
  else if (size === 2) code.i32Load16U(offset, 0);
  else code.i32Load(offset, 0);
}

function emitPushJumpIf(loop: Loop, size: number): void {
  pushOrOfLimbs(loop, 0, 0).i64Eqz().if();
  moveTop(loop, -1);
  advance(loop, 2 + size);
  goOn(loop);
  loop.code.end();
  moveTop(loop, -1);
  pushData(loop, size, 1);
  goTo(loop);
}

/** @param jumpsIf what the comparison has to be; if not, there is an ISZERO in the sequence. */
function emitCompareJump(loop: Loop, comparison: Comparison, jumpsIf: boolean): void {
  const { code } = loop;
  const size = jumpsIf ? 1 : 2;
  pushComparison(loop, comparison);
  if (jumpsIf) code.i32Eqz();
  code.if();
  moveTop(loop, -comparedWords(comparison));
  advance(loop, size + 4);
  goOn(loop);
  code.end();
  moveTop(loop, -comparedWords(comparison));
  pushData(loop, 2, size + 1);
  goTo(loop);
}

/** How a contract finds the function that is called. */
function emitSelectorJump(loop: Loop): void {
  const { code, locals } = loop;
  pushOrOfLimbs(loop, 0, 1);
  pushLimb(loop, 0, 0);
  code.localGet(locals.counter).i64Load32U(2, 0).i64Xor().i64Or().i64Eqz().i32Eqz().if();
  advance(loop, 11);
  goOn(loop);
  code.end();
  pushData(loop, 2, 8);
  goTo(loop);
}

/** Most sums do not carry. */
function emitAddByte(loop: Loop): void {
  const { code, locals } = loop;
  const { a: sum, b: byte } = locals;
  pushLimb(loop, 0, 0);
  code.localGet(locals.counter).i64Load8U(1).localTee(byte).i64Add().localSet(sum);
  storeLimb(loop, 0, 0, () => code.localGet(sum));
  code.localGet(sum).localGet(byte).i64LtU().if();
  for (let limb = 1; limb < 4; limb++) {
    pushLimb(loop, 0, limb).i64Const(1).i64Add().localSet(sum);
    storeLimb(loop, 0, limb, () => code.localGet(sum));
    if (limb < 3) code.localGet(sum).i64Eqz().if();
  }
  code.end().end().end();
}

function emitAndByte(loop: Loop): void {
  const { code, locals } = loop;
  storeLimb(loop, 0, 0, () => {
    pushLimb(loop, 0, 0);
    code.localGet(locals.counter).i64Load8U(1).i64And();
  });
  for (let limb = 1; limb < 4; limb++) storeLimb(loop, 0, limb, () => code.i64Const(0));
}

function emitShiftByByte(loop: Loop, kind: "left" | "right"): void {
  const { code, locals } = loop;
  code.localGet(locals.counter).i64Load8U(1).localSet(locals.a);
  emitShiftByCount(loop, kind, 0);
}

/** The sum takes the place of the word below, and that the sum's. */
function emitAddSwap(loop: Loop): void {
  const { code } = loop;
  emitAdd(loop, 0, 1, (limb, sum) => {
    pushPlace(loop, 1);
    pushLimb(loop, 2, limb);
    storeLimb(loop, 2, limb, () => code.localGet(sum));
    code.i64Store(limbOffset(1, limb));
  });
}

function emitAndOr(loop: Loop): void {
  for (let limb = 0; limb < 4; limb++) {
    storeLimb(loop, 2, limb, () => {
      pushCombined(loop, "and", 0, 1, limb);
      pushLimb(loop, 2, limb).i64Or();
    });
  }
}

/** Moves words at the top of the stack.
 * @param from which depth each of them comes from. */
function permute(loop: Loop, from: readonly number[]): void {
  const { code } = loop;
  for (let limb = 0; limb < 4; limb++) {
    for (const [to, depth] of from.entries()) {
      pushPlace(loop, to);
      pushLimb(loop, depth, limb);
    }
    for (const to of [...from.keys()].reverse()) code.i64Store(limbOffset(to, limb));
  }
}

function emitSwapPop(loop: Loop, distance: number): void {
  for (let limb = 0; limb < 4; limb++) storeLimb(loop, distance, limb, () => pushLimb(loop, 0, limb));
}
