import { assert, type Bytes } from "@ostrom/base";
import { PADDED_LEB_LENGTH } from "./byte-buffer.ts";
import { MemoryInstructions } from "./memory-instructions.ts";
import type { Label, Patch, ValueType } from "./types.ts";

const EMPTY_BLOCK = 0x40;
const I32_CONST = 0x41;
const I64_CONST = 0x42;

/** The function itself: a branch to it returns. */
export const FUNCTION_LABEL: Label = 0 as Label;

/** Where a finished body lies in its builder, and where its locals' declaration lies, behind it. */
export type BodyRange = {
  readonly from: number;
  readonly codeEnd: number;
  readonly end: number;
};

/** Emits functions, one after another, into one growing buffer. A `ModuleBuilder` hands it out with a function begun; every
 * method appends one instruction and returns the builder, except those that open a block: these return its label.
 *
 * Nothing is checked here but what the builder itself needs: validate what it emits in tests.
 * Source: WebAssembly core specification, "Binary Format", "Instructions". */
export class CodeBuilder extends MemoryInstructions {
  #functionIndex = 0;
  #from = 0;
  #depth = -1;
  #nextLocal = 0;
  readonly #localCounts: number[] = [];
  readonly #localTypes: ValueType[] = [];

  /** Begins a function; `ModuleBuilder` does this. */
  begin(functionIndex: number, parameterCount: number): void {
    assert(this.#depth === -1, "the function before must be finished");
    this.#functionIndex = functionIndex;
    this.#from = this.at;
    this.#depth = 0;
    this.#nextLocal = parameterCount;
    this.#localCounts.length = 0;
    this.#localTypes.length = 0;
  }

  /** Ends the function and writes its locals behind it; `ModuleBuilder` does this. */
  complete(): BodyRange {
    assert(this.#depth === 0, "every block must be ended before its function");
    this.u8(0x0b);
    const codeEnd = this.at;
    this.u32(this.#localCounts.length);
    for (let group = 0; group < this.#localCounts.length; group++) {
      this.u32(this.#localCounts[group]!).u8(this.#localTypes[group]!);
    }
    this.#depth = -1;
    return { from: this.#from, codeEnd, end: this.at };
  }

  /** The function being written. */
  get functionIndex(): number {
    return this.#functionIndex;
  }

  /** Declares a local, which begins as zero.
   * @returns its index: parameters come first, then locals in the order of declaration. */
  local(type: ValueType): number {
    return this.locals(type, 1);
  }

  /** Declares `count` locals of one type.
   * @returns the index of the first; the others follow it. */
  locals(type: ValueType, count: number): number {
    assert(this.#depth >= 0, "a local belongs to a function that was begun");
    const first = this.#nextLocal;
    const last = this.#localTypes.length - 1;
    if (this.#localTypes[last] === type) this.#localCounts[last]! += count;
    else if (count > 0) {
      this.#localTypes.push(type);
      this.#localCounts.push(count);
    }
    this.#nextLocal += count;
    return first;
  }

  /** How many parameters and locals the function has so far. */
  get localCount(): number {
    return this.#nextLocal;
  }

  /** How many blocks are open. */
  get depth(): number {
    return this.#depth;
  }

  /** Appends one instruction without immediates by its opcode, for tables of instructions. */
  op(opcode: number): this {
    return this.u8(opcode);
  }

  unreachable(): this {
    return this.u8(0x00);
  }
  nop(): this {
    return this.u8(0x01);
  }

  /** Opens a block; a branch to its label leaves it.
   * @param result the type of the value that it leaves on the stack, if any. */
  block(result?: ValueType): Label {
    return this.#open(0x02, result);
  }
  /** Opens a loop; a branch to its label begins it again. */
  loop(result?: ValueType): Label {
    return this.#open(0x03, result);
  }
  /** Pops an i32 and opens a block that runs if it is not zero, else what follows `else`, if anything. */
  if(result?: ValueType): Label {
    return this.#open(0x04, result);
  }
  /** As `block`, `loop` and `if`, with the parameters and results of a type of the module. */
  blockOfType(typeIndex: number): Label {
    return this.#openTyped(0x02, typeIndex);
  }
  loopOfType(typeIndex: number): Label {
    return this.#openTyped(0x03, typeIndex);
  }
  ifOfType(typeIndex: number): Label {
    return this.#openTyped(0x04, typeIndex);
  }
  else(): this {
    return this.u8(0x05);
  }
  /** Ends the innermost open block. */
  end(): this {
    assert(this.#depth > 0, "an end needs an open block");
    this.#depth--;
    return this.u8(0x0b);
  }

  br(label: Label): this {
    return this.indexed(0x0c, this.#distance(label));
  }
  brIf(label: Label): this {
    return this.indexed(0x0d, this.#distance(label));
  }
  /** Pops an i32 index and branches to that label, or to `fallback` if the index lies beyond them. */
  brTable(labels: ArrayLike<Label>, fallback: Label): this {
    this.u8(0x0e).u32(labels.length);
    for (let index = 0; index < labels.length; index++) this.u32(this.#distance(labels[index]!));
    return this.u32(this.#distance(fallback));
  }
  return(): this {
    return this.u8(0x0f);
  }
  call(functionIndex: number): this {
    return this.indexed(0x10, functionIndex);
  }
  /** Pops an i32 index into the table, then the arguments. Traps if the entry is empty or of another type. */
  callIndirect(typeIndex: number, tableIndex = 0): this {
    return this.u8(0x11).u32(typeIndex).u32(tableIndex);
  }
  /** A tail call: the frame of this function is gone before the other begins. */
  returnCall(functionIndex: number): this {
    return this.indexed(0x12, functionIndex);
  }
  returnCallIndirect(typeIndex: number, tableIndex = 0): this {
    return this.u8(0x13).u32(typeIndex).u32(tableIndex);
  }

  drop(): this {
    return this.u8(0x1a);
  }
  /** Pops an i32, then two values: the first pushed of them stays if the i32 is not zero, else the second. */
  select(): this {
    return this.u8(0x1b);
  }
  /** As `select`, with the type said: for tools that want it so. */
  selectTyped(type: ValueType): this {
    return this.u8(0x1c).u8(1).u8(type);
  }
  localGet(index: number): this {
    return this.indexed(0x20, index);
  }
  localSet(index: number): this {
    return this.indexed(0x21, index);
  }
  localTee(index: number): this {
    return this.indexed(0x22, index);
  }
  globalGet(index: number): this {
    return this.indexed(0x23, index);
  }
  globalSet(index: number): this {
    return this.indexed(0x24, index);
  }

  /** @param value any 32-bit integer, signed or not. */
  i32Const(value: number): this {
    this.reserve(6);
    this.bytes[this.at++] = I32_CONST;
    this.putS32(value);
    return this;
  }
  /** @param value any 64-bit integer, signed or not: a bigint, or a safe integer. */
  i64Const(value: bigint | number): this {
    this.reserve(11);
    this.bytes[this.at++] = I64_CONST;
    this.putS64Value(value);
    return this;
  }
  /** A 64-bit constant from its halves, so that no bigint is needed. */
  i64ConstHalves(low: number, high: number): this {
    return this.u8(I64_CONST).s64Halves(low, high);
  }
  /** A 32-bit constant that `patch` fills in later: zero until then. */
  i32ConstLater(): Patch {
    return this.#constLater(I32_CONST);
  }
  /** A 64-bit constant in [-2^34, 2^34) that `patch` fills in later: zero until then. */
  i64ConstLater(): Patch {
    return this.#constLater(I64_CONST);
  }
  patch(place: Patch, value: number): void {
    this.putPaddedSigned(place, value);
  }

  /** Appends instructions that were encoded elsewhere, such as those of another module. The blocks that they open they must
   * end; branches in them count blocks as they stand here. */
  append(instructions: Bytes): this {
    return this.raw(instructions);
  }

  #open(opcode: number, result: ValueType | undefined): Label {
    this.u8(opcode).u8(result ?? EMPTY_BLOCK);
    return ++this.#depth as Label;
  }

  #openTyped(opcode: number, typeIndex: number): Label {
    this.u8(opcode).s32(typeIndex);
    return ++this.#depth as Label;
  }

  #distance(label: Label): number {
    const distance = this.#depth - label;
    assert(distance >= 0, "a branch goes to a block that is open");
    return distance;
  }

  #constLater(opcode: number): Patch {
    this.u8(opcode);
    this.reserve(PADDED_LEB_LENGTH);
    const place = this.at;
    this.at += PADDED_LEB_LENGTH;
    this.putPaddedSigned(place, 0);
    return place as Patch;
  }
}
