import { must } from "@ostrom/base";
import {
  type CodeBuilder,
  type FunctionExtent,
  I32,
  I64,
  InstructionReader,
  type ModuleBuilder,
  OPCODE,
  readLocals,
  type ValueType,
  type WasmModule,
} from "@ostrom/wasm";
import { BULK_BYTES_PER_FUEL, FRAME_SLOTS } from "../contract-host/program-gas.ts";
import type { FuelBlock, FunctionFuel } from "./block-fuel.ts";
import { PROGRAM_SUBSET } from "./contract-limits.ts";

/** What a metered function finds in its module. */
export type MeteredSurroundings = {
  /** Types of the contract's own in the metered module, by index: as they are, for blocks, and for metered functions. */
  readonly plainTypes: readonly number[];
  readonly meteredTypes: readonly number[];
  /** What is added to the index of a function. */
  readonly functionShift: number;
  /** Takes the fuel that is left where metering ends the message: negative if that is why, or else the stack is. */
  readonly fuelAtFault: number;
  readonly growFunction: number;
};

/** Writes a function of a contract with metering.
 *
 * It takes two parameters more, behind its own: the fuel that is left and the slots of static stack that are left, both i64,
 * and returns the fuel that is left behind its own results: so both stay in registers. Fuel is subtracted in every block; it is
 * looked at where a function or a loop begins and before the host is called, because what runs between is bounded by the
 * length of the function and cannot be observed. */
export class FunctionMeter {
  readonly #module: WasmModule;
  readonly #reader: InstructionReader;
  readonly #around: MeteredSurroundings;
  readonly #locals = new Uint8Array(PROGRAM_SUBSET.maxLocals);
  #parameterCount = 0;
  #fuel = 0;
  #stack = 0;
  /** An i32 local for an operand that is on top, and must wait; undefined until it is needed. */
  #waiting: number | undefined;

  constructor(module: WasmModule, around: MeteredSurroundings) {
    this.#module = module;
    this.#reader = new InstructionReader(module, PROGRAM_SUBSET);
    this.#around = around;
  }

  /** @param place among the functions with a body. */
  write(builder: ModuleBuilder, place: number, extent: FunctionExtent, fuel: FunctionFuel): void {
    const { bodies, functionTypes, importedFunctionCount, types, bytes } = this.#module;
    const index = importedFunctionCount + place;
    const type = must(types[functionTypes[index]!], "a valid module has the types of its functions");
    const reader = this.#reader;
    reader.seek(bodies[2 * place]!, bodies[2 * place + 1]!);
    const localCount = readLocals(reader, type, PROGRAM_SUBSET, this.#locals);
    this.#parameterCount = type.parameters.length;
    this.#fuel = this.#parameterCount;
    this.#stack = this.#parameterCount + 1;
    this.#waiting = undefined;

    const code = builder.begin(index + this.#around.functionShift);
    this.#declareLocals(code, localCount);
    const first = fuel.blocks[0];
    const firstFuel = first !== undefined && first.at === reader.at ? first.fuel : 0;
    this.#writeEntry(code, firstFuel, extent.locals + extent.operands + FRAME_SLOTS, fuel.calls);
    code.u8(OPCODE.block);
    if (type.results.length === 0) code.u8(0x40);
    else if (type.results.length === 1) code.u8(type.results[0]!);
    else code.s32(builder.type([], type.results));
    this.#writeBody(code, bytes, fuel.blocks, firstFuel > 0 ? 1 : 0);
    code.localGet(this.#fuel);
    builder.finish(code);
  }

  #declareLocals(code: CodeBuilder, count: number): void {
    for (let from = this.#parameterCount; from < count; ) {
      const type = this.#locals[from]!;
      let to = from + 1;
      while (to < count && this.#locals[to] === type) to++;
      code.locals(type === I64 ? I64 : I32, to - from);
      from = to;
    }
  }

  #writeEntry(code: CodeBuilder, fuel: number, slots: number, calls: boolean): void {
    if (fuel > 0) code.localGet(this.#fuel).i64Const(fuel).i64Sub().localTee(this.#fuel);
    else code.localGet(this.#fuel);
    code.localGet(this.#stack).i64Const(slots).i64Sub();
    if (calls) code.localTee(this.#stack);
    // One of both is negative.
    code.i64Or().i64Const(0).i64LtS();
    this.#trapIf(code);
  }

  /** Ends the message if the i32 on top is not zero. To look at the fuel once more here would cost a tenth of the speed. */
  #trapIf(code: CodeBuilder): void {
    code.if();
    code.localGet(this.#fuel).globalSet(this.#around.fuelAtFault).unreachable().end();
  }

  #charge(code: CodeBuilder, { fuel, isLoopHead }: FuelBlock): void {
    if (fuel > 0) {
      code.localGet(this.#fuel).i64Const(fuel).i64Sub();
      if (isLoopHead) code.localTee(this.#fuel);
      else code.localSet(this.#fuel);
    } else code.localGet(this.#fuel);
    if (!isLoopHead) return;
    code.i64Const(0).i64LtS();
    this.#trapIf(code);
  }

  /** Copies instructions up to the function's end, but those that cannot be reached. */
  #writeBody(code: CodeBuilder, bytes: Uint8Array, blocks: readonly FuelBlock[], firstBlock: number): void {
    const reader = this.#reader;
    let next = firstBlock;
    /** What lies from here to the reader has not been copied yet. */
    let copyFrom = reader.at;
    const copyUpTo = (at: number): void => {
      code.append(bytes.subarray(copyFrom, at));
      copyFrom = reader.at;
    };
    for (let depth = 1; depth > 0; ) {
      const block = blocks[next];
      if (block?.at === reader.at) {
        copyUpTo(reader.at);
        this.#charge(code, block);
        next++;
      }
      reader.next();
      const { opcode } = reader;
      if (opcode === OPCODE.block || opcode === OPCODE.loop || opcode === OPCODE.if) depth++;
      else if (opcode === OPCODE.end) depth--;
      if (this.#mustRewrite(opcode)) {
        copyUpTo(reader.start);
        this.#rewrite(code, opcode);
      }
      if (isLeaving(opcode)) {
        copyUpTo(reader.at);
        if (this.#skipUnreachable() === OPCODE.end) depth--;
        copyFrom = reader.start;
      }
    }
    copyUpTo(reader.at);
  }

  /** Reads up to the `end` or `else` of the block that can no longer be reached. @returns which it is. */
  #skipUnreachable(): number {
    const reader = this.#reader;
    for (let depth = 0; ; ) {
      reader.next();
      const { opcode } = reader;
      if (opcode === OPCODE.block || opcode === OPCODE.loop || opcode === OPCODE.if) depth++;
      else if (depth > 0 && opcode === OPCODE.end) depth--;
      else if (depth === 0 && (opcode === OPCODE.end || opcode === OPCODE.else)) return opcode;
    }
  }

  #mustRewrite(opcode: number): boolean {
    const { index } = this.#reader;
    switch (opcode) {
      case OPCODE.block:
      case OPCODE.loop:
      case OPCODE.if:
        // A type of the module; all others are written in the instruction.
        return index >= 0;
      case OPCODE.localGet:
      case OPCODE.localSet:
      case OPCODE.localTee:
        return index >= this.#parameterCount;
      case OPCODE.return:
      case OPCODE.call:
      case OPCODE.callIndirect:
      case OPCODE.memoryGrow:
      case OPCODE.memoryCopy:
      case OPCODE.memoryFill:
        return true;
      default:
        return false;
    }
  }

  #rewrite(code: CodeBuilder, opcode: number): void {
    const { index } = this.#reader;
    const around = this.#around;
    switch (opcode) {
      case OPCODE.localGet:
        code.localGet(index + 2);
        return;
      case OPCODE.localSet:
        code.localSet(index + 2);
        return;
      case OPCODE.localTee:
        code.localTee(index + 2);
        return;
      case OPCODE.return:
        code.localGet(this.#fuel).return();
        return;
      case OPCODE.call:
        code
          .localGet(this.#fuel)
          .localGet(this.#stack)
          .call(index + around.functionShift)
          .localSet(this.#fuel);
        return;
      case OPCODE.callIndirect: {
        const waiting = this.#waitingLocal(code);
        code.localSet(waiting).localGet(this.#fuel).localGet(this.#stack).localGet(waiting);
        code.callIndirect(around.meteredTypes[index]!).localSet(this.#fuel);
        return;
      }
      case OPCODE.memoryGrow:
        code.localGet(this.#fuel).call(around.growFunction).localSet(this.#fuel);
        return;
      case OPCODE.memoryCopy:
      case OPCODE.memoryFill:
        this.#chargeBulk(code);
        if (opcode === OPCODE.memoryCopy) code.memoryCopy();
        else code.memoryFill();
        return;
      default:
        code.u8(opcode).s32(around.plainTypes[index]!);
    }
  }

  /** Charges for the count of bytes that is on top, and leaves it there. */
  #chargeBulk(code: CodeBuilder): void {
    const waiting = this.#waitingLocal(code);
    code.localSet(waiting);
    code.localGet(this.#fuel);
    code
      .localGet(waiting)
      .i64ExtendI32U()
      .i64Const(BULK_BYTES_PER_FUEL - 1)
      .i64Add();
    code.i64Const(BULK_BYTES_PER_FUEL).i64DivU();
    code.i64Sub().localTee(this.#fuel).i64Const(0).i64LtS();
    this.#trapIf(code);
    code.localGet(waiting);
  }

  #waitingLocal(code: CodeBuilder): number {
    this.#waiting ??= code.local(I32);
    return this.#waiting;
  }
}

/** Whether an instruction never goes on with the one behind it. */
function isLeaving(opcode: number): boolean {
  return (
    opcode === OPCODE.br ||
    opcode === OPCODE.brTable ||
    opcode === OPCODE.return ||
    opcode === OPCODE.unreachable
  );
}

/** The type of a metered function. */
export function meteredType(
  parameters: readonly ValueType[],
  results: readonly ValueType[],
): readonly [readonly ValueType[], readonly ValueType[]] {
  return [
    [...parameters, I64, I64],
    [...results, I64],
  ];
}
