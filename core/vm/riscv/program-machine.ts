import { type Bytes, must } from "@ostrom/base";
import { MAX_PROGRAM_PAGES, PAGE_SIZE } from "../contract-host/program-gas.ts";
import type { ProgramMemory } from "../contract-host/types.ts";
import {
  createWasmMemory,
  instantiateWasm,
  NodeFault,
  type WasmExports,
  type WasmFunction,
  type WasmMemory,
  type WasmModule,
} from "../runtime/webassembly.ts";
import type { CompiledProgram } from "./compile-program.ts";
import type { RiscvImage } from "./elf.ts";
import type { GrowingMemory } from "./host-bridge.ts";
import { INTERPRETER_EXPORT } from "./interpreter-module.ts";
import { loadSegments, memoryOver } from "./program-memory.ts";
import { DECODE_IMPORT, HOST_IMPORT, MEMORY_IMPORT, PROGRAM_MODULE, WORK_MODULE } from "./work-area.ts";

/** Instances of compiled programs that a memory keeps. */
const MAX_INSTANCES = 4;

/** What all machines share. */
export type MachineParts = {
  readonly work: WasmMemory;
  readonly interpreter: WasmModule;
  /** () -> whether the frame has ended. */
  readonly host: WasmFunction;
  /** (address of a record) -> nothing. */
  readonly decode: WasmFunction;
};

/** A memory for programs, with the instances that run on it: one frame's at a time. */
export class ProgramMachine implements GrowingMemory {
  readonly interpret: WasmFunction;
  /** At the beginning of each message. */
  readonly initialPages: number;
  readonly #parts: MachineParts;
  readonly #memory: WasmMemory;
  readonly #access: ProgramMemory;
  readonly #instances = new Map<CompiledProgram, WasmExports>();
  #bytes: Bytes;
  #isClean = true;

  /** Throws NodeFault if V8 has no memory. */
  constructor(parts: MachineParts, pages: number) {
    this.#parts = parts;
    this.initialPages = pages;
    this.#memory = orNodeFault(() => createWasmMemory(pages, MAX_PROGRAM_PAGES));
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#access = memoryOver(() => this.#view());
    this.interpret = must(this.#instantiate(parts.interpreter)[INTERPRETER_EXPORT], "the interpreter runs");
  }

  #instantiate(module: WasmModule): WasmExports {
    const { work, host, decode } = this.#parts;
    return orNodeFault(() =>
      instantiateWasm(module, {
        [WORK_MODULE]: { [MEMORY_IMPORT]: work, [HOST_IMPORT]: host, [DECODE_IMPORT]: decode },
        [PROGRAM_MODULE]: { [MEMORY_IMPORT]: this.#memory },
      }),
    );
  }

  /** Makes the memory what it is when the program begins. */
  load(image: RiscvImage): void {
    if (!this.#isClean) this.#view().fill(0);
    this.#isClean = false;
    loadSegments(image, this.#view());
  }

  /** A memory that grew cannot shrink. */
  get isReusable(): boolean {
    return this.pages === this.initialPages;
  }

  has(compiled: CompiledProgram): boolean {
    return this.#instances.has(compiled);
  }

  forget(compiled: CompiledProgram): void {
    this.#instances.delete(compiled);
  }

  instanceOf(compiled: CompiledProgram): WasmExports {
    let instance = this.#instances.get(compiled);
    if (instance === undefined) {
      instance = this.#instantiate(compiled.module);
      this.#instances.set(compiled, instance);
      for (const old of this.#instances.keys()) {
        if (this.#instances.size <= MAX_INSTANCES) break;
        this.#instances.delete(old);
      }
    }
    return instance;
  }

  get pages(): number {
    return this.#view().length / PAGE_SIZE;
  }

  grow(pages: number): void {
    orNodeFault(() => this.#memory.grow(pages));
  }

  readonly read: ProgramMemory["read"] = (from, size) => this.#access.read(from, size);
  readonly write: ProgramMemory["write"] = (to, bytes) => this.#access.write(to, bytes);

  #view(): Bytes {
    // A memory that grows leaves its old buffer behind, empty.
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }
}

/** What V8 has no memory for is a fault of the node. */
function orNodeFault<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw new NodeFault(error.message, { cause: error });
    throw error;
  }
}
