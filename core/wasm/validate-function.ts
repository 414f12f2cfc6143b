import { readLocals } from "./function-locals.ts";
import { EMPTY_BLOCK_TYPE, type InstructionReader } from "./instruction-reader.ts";
import {
  FIRST_OPERAND,
  HAS_SIGNATURE,
  NEEDS_MEMORY,
  RESULT,
  SECOND_OPERAND,
  THIRD_OPERAND,
} from "./instruction-table.ts";
import { OPCODE } from "./opcodes.ts";
import { OperandStack, UNKNOWN } from "./operand-stack.ts";
import type { Subset } from "./subset.ts";
import { type FunctionType, I32, I64, V128, type ValueType } from "./types.ts";
import type { WasmModule } from "./wasm-module.ts";

/** What a function takes at most while it runs. */
export type FunctionExtent = {
  /** Parameters and locals. */
  readonly locals: number;
  /** Values on the operand stack at one time. */
  readonly operands: number;
  /** Blocks inside each other, the function itself counted. */
  readonly nesting: number;
};

const NO_VALUES: FunctionType = { parameters: [], results: [] };
/** Types of blocks with one result, by the negative numbers that stand for them. */
const ONE_RESULT: Readonly<Record<number, FunctionType>> = Object.fromEntries(
  ([I32, I64, V128] as const).map((type) => [type - 0x80, { parameters: [], results: [type] }]),
);

/** Checks function bodies of one module, one after another, with the stacks that it keeps.
 *
 * The switches spell opcodes as numbers because V8 jumps by table over literals only: that is worth 60% of the speed.
 * Source: WebAssembly core specification, appendix "Validation Algorithm". */
export class FunctionValidator {
  readonly #module: WasmModule;
  readonly #subset: Subset;
  readonly #reader: InstructionReader;
  readonly #operands: OperandStack;
  readonly #locals: Uint8Array;
  #localCount = 0;
  #results: readonly ValueType[] = [];

  /** The blocks that are open, the function first: what opened each, its type, and what the operand stack goes back to. */
  readonly #blockOpcodes: number[] = [];
  readonly #blockTypes: FunctionType[] = [];
  readonly #outerFloors: number[] = [];
  readonly #outerUnreachable: boolean[] = [];
  #depth = 0;
  #deepest = 0;

  constructor(module: WasmModule, subset: Subset, reader: InstructionReader) {
    this.#module = module;
    this.#subset = subset;
    this.#reader = reader;
    this.#operands = new OperandStack(reader, subset.maxOperands);
    this.#locals = new Uint8Array(subset.maxLocals);
  }

  /** @param place among the functions with a body.
   * Errors (thrown): all codes of code. */
  validate(place: number): FunctionExtent {
    const { bodies, functionTypes, importedFunctionCount, types } = this.#module;
    const type = types[functionTypes[importedFunctionCount + place]!]!;
    const reader = this.#reader;
    reader.seek(bodies[2 * place]!, bodies[2 * place + 1]!);
    this.#localCount = readLocals(reader, type, this.#subset, this.#locals);
    this.#results = type.results;
    this.#operands.reset();
    this.#depth = 0;
    this.#deepest = 0;
    this.#open(OPCODE.block, { parameters: [], results: type.results });
    while (this.#depth > 0) {
      reader.next();
      const opcode = reader.opcode;
      if (HAS_SIGNATURE[opcode] === 1) this.#fixed(opcode);
      else this.#variable(opcode);
    }
    if (reader.at !== reader.end) reader.refuse("wasm/malformed", "bytes after the end of a function");
    return { locals: this.#localCount, operands: this.#operands.greatest, nesting: this.#deepest };
  }

  /** Instructions that always have the same operands and result. */
  #fixed(opcode: number): void {
    const operands = this.#operands;
    if (NEEDS_MEMORY[opcode] === 1 && this.#module.memory === undefined)
      this.#refuse("wasm/unknown-index", "there is no memory");
    const third = THIRD_OPERAND[opcode]!;
    if (third !== 0) operands.pop(third);
    const second = SECOND_OPERAND[opcode]!;
    if (second !== 0) operands.pop(second);
    const first = FIRST_OPERAND[opcode]!;
    if (first !== 0) operands.pop(first);
    const result = RESULT[opcode]!;
    if (result !== 0) operands.push(result);
  }

  #variable(opcode: number): void {
    const operands = this.#operands;
    const index = this.#reader.index;
    switch (opcode) {
      case 0x20: // local.get
        operands.push(this.#local(index));
        return;
      case 0x21: // local.set
        operands.pop(this.#local(index));
        return;
      case 0x22: // local.tee
        operands.pop(this.#local(index));
        operands.push(this.#local(index));
        return;
      case 0x23: // global.get
        operands.push(this.#global(index).type);
        return;
      case 0x24: // global.set
        if (!this.#global(index).mutable) this.#refuse("wasm/invalid", `global ${index} is immutable`);
        operands.pop(this.#global(index).type);
        return;
      case 0x1a: // drop
        operands.popAny();
        return;
      case 0x1b: // select
        this.#select();
        return;
      case 0x1c: // select of a type
        operands.pop(I32);
        operands.pop(index);
        operands.pop(index);
        operands.push(index);
        return;
      default:
        this.#control(opcode, index);
    }
  }

  #select(): void {
    const operands = this.#operands;
    operands.pop(I32);
    const second = operands.popAny();
    const first = operands.pop(second);
    operands.push(first === UNKNOWN ? second : first);
  }

  #control(opcode: number, index: number): void {
    const operands = this.#operands;
    switch (opcode) {
      case 0x04: // if
        operands.pop(I32);
        this.#openTyped(opcode);
        return;
      case 0x02: // block
      case 0x03: // loop
        this.#openTyped(opcode);
        return;
      case 0x05: {
        // else
        if (this.#blockOpcodes[this.#depth - 1] !== OPCODE.if)
          this.#refuse("wasm/invalid", "an else needs an if");
        const type = this.#close();
        this.#open(OPCODE.else, type);
        return;
      }
      case 0x0b: // end
        this.#end();
        return;
      case 0x0c: // br
        operands.popAll(this.#labelTypes(index));
        operands.markUnreachable();
        return;
      case 0x0d: {
        // br_if
        operands.pop(I32);
        const types = this.#labelTypes(index);
        operands.popAll(types);
        operands.pushAll(types);
        return;
      }
      case 0x0e: // br_table
        this.#branchTable();
        return;
      case 0x0f: // return
        operands.popAll(this.#results);
        operands.markUnreachable();
        return;
      case 0x00: // unreachable
        operands.markUnreachable();
        return;
      default:
        this.#call(opcode, index);
    }
  }

  #call(opcode: number, index: number): void {
    const direct = opcode === OPCODE.call || opcode === OPCODE.returnCall;
    if (!direct) {
      if (this.#module.table === undefined) this.#refuse("wasm/unknown-index", "there is no table");
      this.#operands.pop(I32);
    }
    const typeIndex = direct ? this.#module.functionTypes[index] : index;
    if (typeIndex === undefined) this.#refuse("wasm/unknown-index", `there is no function ${index}`);
    const type = this.#module.types[typeIndex];
    if (type === undefined) this.#refuse("wasm/unknown-index", `there is no type ${index}`);
    this.#operands.popAll(type.parameters);
    if (opcode === OPCODE.call || opcode === OPCODE.callIndirect) {
      this.#operands.pushAll(type.results);
      return;
    }
    if (!sameTypes(type.results, this.#results))
      this.#refuse("wasm/type-mismatch", "a tail call has other results than its function");
    this.#operands.markUnreachable();
  }

  #branchTable(): void {
    const { targets, targetCount } = this.#reader;
    this.#operands.pop(I32);
    const arity = this.#labelTypes(targets[targetCount - 1]!).length;
    for (let place = 0; place < targetCount; place++) {
      // Tables name few labels many times: what was checked just before need not be checked again.
      if (place > 0 && targets[place] === targets[place - 1]) continue;
      const types = this.#labelTypes(targets[place]!);
      if (types.length !== arity)
        this.#refuse("wasm/type-mismatch", "the labels of a br_table take different counts of values");
      this.#operands.checkTop(types);
    }
    this.#operands.markUnreachable();
  }

  #local(index: number): number {
    if (index >= this.#localCount) this.#refuse("wasm/unknown-index", `there is no local ${index}`);
    return this.#locals[index]!;
  }

  #global(index: number): { readonly type: ValueType; readonly mutable: boolean } {
    const global = this.#module.globals[index];
    if (global === undefined) this.#refuse("wasm/unknown-index", `there is no global ${index}`);
    return global;
  }

  /** The values that a branch takes along: what a loop begins with, what any other block leaves. */
  #labelTypes(index: number): readonly ValueType[] {
    if (index >= this.#depth) this.#refuse("wasm/unknown-index", `there is no label ${index}`);
    const place = this.#depth - 1 - index;
    const type = this.#blockTypes[place]!;
    return this.#blockOpcodes[place] === OPCODE.loop ? type.parameters : type.results;
  }

  #openTyped(opcode: number): void {
    const index = this.#reader.index;
    const type =
      index === EMPTY_BLOCK_TYPE ? NO_VALUES : index < 0 ? ONE_RESULT[index] : this.#module.types[index];
    if (type === undefined) this.#refuse("wasm/unknown-index", `there is no type ${index}`);
    this.#operands.popAll(type.parameters);
    this.#open(opcode, type);
  }

  #open(opcode: number, type: FunctionType): void {
    const place = this.#depth;
    if (place === this.#subset.maxNesting) this.#refuse("wasm/limit", `blocks nested over ${place} deep`);
    const operands = this.#operands;
    this.#blockOpcodes[place] = opcode;
    this.#blockTypes[place] = type;
    this.#outerFloors[place] = operands.floor;
    this.#outerUnreachable[place] = operands.unreachable;
    operands.floor = operands.height;
    operands.unreachable = false;
    operands.pushAll(type.parameters);
    this.#depth = place + 1;
    if (this.#depth > this.#deepest) this.#deepest = this.#depth;
  }

  /** Checks that the innermost block leaves what its type says, and goes back to the one around it. */
  #close(): FunctionType {
    const operands = this.#operands;
    const place = this.#depth - 1;
    const type = this.#blockTypes[place]!;
    operands.popAll(type.results);
    if (operands.height !== operands.floor)
      this.#refuse("wasm/type-mismatch", "a block leaves more values than its type says");
    operands.floor = this.#outerFloors[place]!;
    operands.unreachable = this.#outerUnreachable[place]!;
    this.#depth = place;
    return type;
  }

  #end(): void {
    const opcode = this.#blockOpcodes[this.#depth - 1];
    const type = this.#close();
    if (opcode === OPCODE.if && !sameTypes(type.parameters, type.results))
      this.#refuse("wasm/type-mismatch", "an if without else leaves what it began with");
    this.#operands.pushAll(type.results);
  }

  #refuse(
    code: "wasm/invalid" | "wasm/limit" | "wasm/type-mismatch" | "wasm/unknown-index",
    message: string,
  ): never {
    this.#reader.refuse(code, message, this.#reader.start);
  }
}

function sameTypes(left: readonly ValueType[], right: readonly ValueType[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}
