import { type CodeBuilder, I64 } from "@ostrom/wasm";
import type { Operation } from "./instruction.ts";

const LOW_HALF = 0xffff_ffff;
const HALF_BITS = 32;

/** Locals for what is computed on the way. */
export type MultiplyLocals = { readonly first: number; readonly second: number; readonly middle: number };

export function multiplyLocals(code: CodeBuilder): MultiplyLocals {
  return { first: code.local(I64), second: code.local(I64), middle: code.local(I64) };
}

const SIGNS: Readonly<Partial<Record<Operation, readonly [first: boolean, second: boolean]>>> = {
  mulh: [true, true],
  mulhsu: [true, false],
  mulhu: [false, false],
};

export function isMultiplyHigh(operation: Operation): boolean {
  return SIGNS[operation] !== undefined;
}

/** Pushes the upper half of a product of two locals, made of products of their halves.
 * Source: Warren, "Hacker's Delight", 8-2. */
export function emitMultiplyHigh(
  code: CodeBuilder,
  operation: Operation,
  left: number,
  right: number,
  { first, second, middle }: MultiplyLocals,
): void {
  const [isLeftSigned, isRightSigned] = SIGNS[operation]!;
  const upper = (isSigned: boolean): void => {
    code.i64Const(HALF_BITS);
    if (isSigned) code.i64ShrS();
    else code.i64ShrU();
  };
  code.localGet(left).i64Const(LOW_HALF).i64And().localSet(first);
  code.localGet(right).i64Const(LOW_HALF).i64And().localSet(second);
  code.localGet(left);
  upper(isLeftSigned);
  code.localGet(second).i64Mul();
  code.localGet(first).localGet(second).i64Mul().i64Const(HALF_BITS).i64ShrU().i64Add().localSet(middle);
  code.localGet(left);
  upper(isLeftSigned);
  code.localGet(right);
  upper(isRightSigned);
  code.i64Mul().localGet(middle);
  upper(isLeftSigned);
  code.i64Add().localGet(first).localGet(right);
  upper(isRightSigned);
  code.i64Mul().localGet(middle).i64Const(LOW_HALF).i64And().i64Add();
  upper(isRightSigned);
  code.i64Add();
}

type Division = { readonly isWord: boolean; readonly isSigned: boolean; readonly isRemainder: boolean };

const DIVISIONS: Readonly<Partial<Record<Operation, Division>>> = {
  div: { isWord: false, isSigned: true, isRemainder: false },
  divu: { isWord: false, isSigned: false, isRemainder: false },
  rem: { isWord: false, isSigned: true, isRemainder: true },
  remu: { isWord: false, isSigned: false, isRemainder: true },
  divw: { isWord: true, isSigned: true, isRemainder: false },
  divuw: { isWord: true, isSigned: false, isRemainder: false },
  remw: { isWord: true, isSigned: true, isRemainder: true },
  remuw: { isWord: true, isSigned: false, isRemainder: true },
};

export function isDivision(operation: Operation): boolean {
  return DIVISIONS[operation] !== undefined;
}

/** Pushes what a division of two locals gives. WebAssembly's traps where RISC-V's does not: those cases come first. */
export function emitDivision(code: CodeBuilder, operation: Operation, left: number, right: number): void {
  const division = DIVISIONS[operation]!;
  const { isWord, isSigned, isRemainder } = division;
  const get = (local: number): void => {
    code.localGet(local);
    if (isWord) code.i32WrapI64();
  };
  const pushResult = (): void => {
    get(left);
    get(right);
    emitDivide(code, division);
    if (isWord) code.i64ExtendI32S();
  };
  get(right);
  if (isWord) code.i32Eqz();
  else code.i64Eqz();
  code.if(I64);
  if (!isRemainder) code.i64Const(-1);
  else if (isWord) code.localGet(left).i64Extend32S();
  else code.localGet(left);
  code.else();
  if (isSigned && !isRemainder) {
    // The least number has no opposite: its quotient by -1 is itself, as a subtraction gives it.
    get(right);
    if (isWord) code.i32Const(-1).i32Eq();
    else code.i64Const(-1).i64Eq();
    code.if(I64);
    code.i64Const(0).localGet(left).i64Sub();
    if (isWord) code.i64Extend32S();
    code.else();
    pushResult();
    code.end();
  } else pushResult();
  code.end();
}

function emitDivide(code: CodeBuilder, { isWord, isSigned, isRemainder }: Division): void {
  if (isWord) {
    if (isRemainder) isSigned ? code.i32RemS() : code.i32RemU();
    else isSigned ? code.i32DivS() : code.i32DivU();
  } else if (isRemainder) isSigned ? code.i64RemS() : code.i64RemU();
  else isSigned ? code.i64DivS() : code.i64DivU();
}
