import { must } from "@ostrom/base";
import { InstructionReader, OPCODE, readLocals, type WasmModule } from "@ostrom/wasm";
import { PROGRAM_SUBSET } from "./contract-limits.ts";
import { FUEL_OF_OPCODE } from "./instruction-fuel.ts";

/** A stretch of a function that is paid for as a whole, before its first instruction runs. */
export type FuelBlock = {
  /** Of its first instruction, in bytes of the module. */
  readonly at: number;
  readonly fuel: number;
  /** Whether a loop begins with it. */
  readonly isLoopHead: boolean;
};

/** A function cut into blocks of instructions that run one after another, up to the first that may go elsewhere.
 *
 * A block begins with the function, behind `loop`, `if`, `else`, `br_if`, calls, and behind an `end` that is reached in more ways
 * than from the instruction before it. What follows a branch up to the next `else` or `end` of the same block cannot be
 * reached, belongs to no block and costs nothing.
 * @property calls whether the function calls any.
 * @property merges places where compilers bring together what locals and operands hold: blocks, and labels of `br_table`. */
export type FunctionFuel = {
  readonly blocks: readonly FuelBlock[];
  readonly calls: boolean;
  readonly loops: number;
  readonly merges: number;
};

/** One block of the function that is open. */
type OpenBlock = {
  readonly opcode: number;
  /** Whether its end is reached by a branch, or by an `if` whose condition is false. */
  targeted: boolean;
};

/** Cuts functions of one module into blocks. */
export class FuelAnalyst {
  readonly #module: WasmModule;
  readonly #reader: InstructionReader;
  readonly #locals = new Uint8Array(PROGRAM_SUBSET.maxLocals);

  readonly #open: OpenBlock[] = [];
  #blocks: FuelBlock[] = [];
  #calls = false;
  #loops = 0;
  #labels = 0;
  /** The block that is being added up: where it begins, its fuel so far, whether a loop begins with it. */
  #at = 0;
  #fuel = 0;
  #isLoopHead = false;
  /** undefined: code that is reached; else how many blocks were opened in code that is not. */
  #unreachable: number | undefined;

  constructor(module: WasmModule) {
    this.#module = module;
    this.#reader = new InstructionReader(module, PROGRAM_SUBSET);
  }

  /** @param place among the functions with a body. */
  analyse(place: number): FunctionFuel {
    const { bodies, functionTypes, importedFunctionCount, types } = this.#module;
    const reader = this.#reader;
    reader.seek(bodies[2 * place]!, bodies[2 * place + 1]!);
    readLocals(reader, types[functionTypes[importedFunctionCount + place]!]!, PROGRAM_SUBSET, this.#locals);
    this.#begin();
    while (this.#open.length > 0) {
      reader.next();
      const { opcode } = reader;
      if (this.#unreachable !== undefined) {
        this.#pass(opcode, this.#unreachable);
        continue;
      }
      this.#fuel += FUEL_OF_OPCODE[opcode]!;
      this.#read(opcode);
    }
    const blocks = this.#blocks;
    return { blocks, calls: this.#calls, loops: this.#loops, merges: blocks.length + this.#labels };
  }

  #begin(): void {
    this.#open.push({ opcode: OPCODE.block, targeted: true });
    this.#blocks = [];
    this.#calls = false;
    this.#loops = 0;
    this.#labels = 0;
    this.#at = this.#reader.at;
    this.#fuel = 0;
    this.#isLoopHead = false;
    this.#unreachable = undefined;
  }

  /** Passes over an instruction that cannot be reached. */
  #pass(opcode: number, depth: number): void {
    if (opcode === OPCODE.block || opcode === OPCODE.loop || opcode === OPCODE.if) {
      this.#unreachable = depth + 1;
    } else if (opcode === OPCODE.end && depth > 0) {
      this.#unreachable = depth - 1;
    } else if (depth === 0 && (opcode === OPCODE.end || opcode === OPCODE.else)) {
      this.#unreachable = undefined;
      if (opcode === OPCODE.end) this.#open.pop();
      this.#at = this.#reader.at;
    }
  }

  #read(opcode: number): void {
    const open = this.#open;
    const reader = this.#reader;
    switch (opcode) {
      case OPCODE.block:
        open.push({ opcode, targeted: false });
        return;
      case OPCODE.loop:
        this.#loops++;
        open.push({ opcode, targeted: false });
        this.#finish(true);
        return;
      case OPCODE.if:
        open.push({ opcode, targeted: true });
        this.#finish(false);
        return;
      case OPCODE.end: {
        const ended = must(open.pop(), "a valid function ends the blocks that it opens");
        // Branches to a loop go to its beginning.
        if (ended.targeted && ended.opcode !== OPCODE.loop) this.#finish(false);
        return;
      }
      case OPCODE.brIf:
        this.#target(reader.index);
        this.#finish(false);
        return;
      case OPCODE.call:
      case OPCODE.callIndirect:
        this.#calls = true;
        this.#finish(false);
        return;
      case OPCODE.else:
        this.#finish(false);
        return;
      default:
        this.#readLeaving(opcode);
    }
  }

  /** What never goes on with the instruction behind it. */
  #readLeaving(opcode: number): void {
    const { index, targets, targetCount } = this.#reader;
    if (opcode === OPCODE.br) this.#target(index);
    else if (opcode === OPCODE.brTable) {
      this.#labels += targetCount;
      for (let place = 0; place < targetCount; place++) this.#target(targets[place]!);
    } else if (opcode !== OPCODE.return && opcode !== OPCODE.unreachable) return;
    this.#finish(false);
    this.#unreachable = 0;
  }

  #target(label: number): void {
    must(this.#open[this.#open.length - 1 - label], "a valid branch goes to an open block").targeted = true;
  }

  /** The block that is being added up ends, and another begins. */
  #finish(loopFollows: boolean): void {
    if (this.#fuel > 0 || this.#isLoopHead) {
      this.#blocks.push({ at: this.#at, fuel: this.#fuel, isLoopHead: this.#isLoopHead });
    }
    this.#at = this.#reader.at;
    this.#fuel = 0;
    this.#isLoopHead = loopFollows;
  }
}
