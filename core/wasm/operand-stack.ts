import type { InstructionReader } from "./instruction-reader.ts";
import { I32, I64, V128, type ValueType } from "./types.ts";

/** Type of an operand in code that cannot be reached: it fits every type. */
export const UNKNOWN = 0;

const FIRST_CAPACITY = 256;

const NAMES: Readonly<Record<number, string>> = { [I32]: "i32", [I64]: "i64", [V128]: "v128" };

/** The types of the values that are on the operand stack where the validator stands. Those below `floor` belong to outer
 * blocks. Source: WebAssembly core specification, "Validation Algorithm". */
export class OperandStack {
  readonly #reader: InstructionReader;
  readonly #limit: number;
  #types: Uint8Array;
  height = 0;
  /** The height at which the innermost block began. */
  floor = 0;
  /** Whether the rest of the innermost block cannot be reached: then values of any type may be popped. */
  unreachable = false;
  /** The greatest height so far. */
  greatest = 0;

  constructor(reader: InstructionReader, limit: number) {
    this.#reader = reader;
    this.#limit = limit;
    this.#types = new Uint8Array(Math.min(FIRST_CAPACITY, limit));
  }

  reset(): void {
    this.height = 0;
    this.floor = 0;
    this.unreachable = false;
    this.greatest = 0;
  }

  push(type: number): void {
    if (this.height === this.#types.length) this.#grow();
    this.#types[this.height++] = type;
    if (this.height > this.greatest) this.greatest = this.height;
  }

  pushAll(types: readonly ValueType[]): void {
    for (let index = 0; index < types.length; index++) this.push(types[index]!);
  }

  /** Pops a value of any type. */
  popAny(): number {
    if (this.height === this.floor) {
      if (this.unreachable) return UNKNOWN;
      this.#reader.refuse("wasm/type-mismatch", "a value is missing on the stack", this.#reader.start);
    }
    return this.#types[--this.height]!;
  }

  /** Pops a value of type `expected`. */
  pop(expected: number): number {
    const actual = this.popAny();
    if (actual !== expected && actual !== UNKNOWN && expected !== UNKNOWN) this.#refuse(actual, expected);
    return actual;
  }

  popAll(types: readonly ValueType[]): void {
    for (let index = types.length - 1; index >= 0; index--) this.pop(types[index]!);
  }

  /** Checks that values of these types are on top, and leaves them. */
  checkTop(types: readonly ValueType[]): void {
    let at = this.height;
    for (let index = types.length - 1; index >= 0; index--) {
      if (at === this.floor) {
        if (this.unreachable) return;
        this.#reader.refuse("wasm/type-mismatch", "a value is missing on the stack", this.#reader.start);
      }
      const actual = this.#types[--at]!;
      if (actual !== types[index]! && actual !== UNKNOWN) this.#refuse(actual, types[index]!);
    }
  }

  /** What follows in the innermost block cannot be reached. */
  markUnreachable(): void {
    this.height = this.floor;
    this.unreachable = true;
  }

  #refuse(actual: number, expected: number): never {
    this.#reader.refuse(
      "wasm/type-mismatch",
      `${NAMES[expected]} is needed, and ${NAMES[actual]} is on the stack`,
      this.#reader.start,
    );
  }

  #grow(): void {
    if (this.height >= this.#limit)
      this.#reader.refuse("wasm/limit", `over ${this.#limit} values on the operand stack`);
    const grown = new Uint8Array(Math.min(this.#types.length * 2, this.#limit));
    grown.set(this.#types);
    this.#types = grown;
  }
}
