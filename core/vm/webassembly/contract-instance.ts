import { type Bytes, must } from "@ostrom/base";
import type { HostCall } from "../contract-host/host-calls.ts";
import type { HostOperands, ProgramMemory } from "../contract-host/types.ts";
import {
  compileWasm,
  exportedMemory,
  instantiateWasm,
  isCompileError,
  NodeFault,
  WASM_PAGE_SIZE,
  type WasmFunction,
  type WasmMemory,
  type WasmModule,
} from "../runtime/webassembly.ts";
import { contractEntryGas } from "./contract-entry.ts";
import { GROW_FAILED, HOST_IMPORT, METERED_EXPORT, meterContract } from "./meter-contract.ts";
import type { Contract } from "./read-contract.ts";

const TWO_TO_THE_32 = 2 ** 32;

/** Answers an instance's host calls: takes the fuel that is left and the operands, returns the result. */
export type AnswerHostCall = (call: HostCall, fuel: number, operands: HostOperands) => number | bigint;

/** A contract that V8 has compiled, with what its messages need: what else was found of it takes many times its bytes. */
export type CompiledContract = Pick<Contract, "hostCalls" | "initialPages" | "data"> & {
  /** See contractEntryGas. */
  readonly entryGas: number;
  readonly hasDeploy: boolean;
  readonly module: WasmModule;
  /** Of the module, before V8 compiled it. */
  readonly meteredBytes: number;
};

/** Throws NodeFault if V8 does not take it. */
export function compileContract(contract: Contract): CompiledContract {
  try {
    const metered = meterContract(contract);
    const { hostCalls, initialPages, data, deploy } = contract;
    return {
      hostCalls,
      initialPages,
      data,
      entryGas: contractEntryGas(contract),
      hasDeploy: deploy !== undefined,
      module: compileWasm(metered),
      meteredBytes: metered.length,
    };
  } catch (error) {
    throw asNodeFault(error);
  }
}

/** What V8 refuses or has no memory for is a fault of the node. */
function asNodeFault(error: unknown): unknown {
  if (isCompileError(error) || error instanceof RangeError) return new NodeFault(String(error));
  return error;
}

/** One instance of a contract with its memory, for one message after another. */
export class ContractInstance {
  readonly compiled: CompiledContract;
  /** Who answers host calls while a message runs. */
  answer: AnswerHostCall | undefined = undefined;
  readonly memory: ProgramMemory;

  readonly #memory: WasmMemory;
  #bytes: Uint8Array;
  readonly #call: WasmFunction;
  readonly #deploy: WasmFunction | undefined;
  readonly #reset: WasmFunction;
  readonly #setFuel: WasmFunction;
  readonly #fuelLow: WasmFunction;
  readonly #fuelHigh: WasmFunction;
  readonly #ranOut: WasmFunction;

  /** Throws NodeFault if there is no memory for it. */
  constructor(compiled: CompiledContract) {
    this.compiled = compiled;
    const exports = this.#instantiate();
    const exported = (name: string): WasmFunction => must(exports[name], "a metered module exports it");
    this.#call = exported(METERED_EXPORT.call);
    this.#deploy = exports[METERED_EXPORT.deploy];
    this.#reset = exported(METERED_EXPORT.reset);
    this.#setFuel = exported(METERED_EXPORT.setFuel);
    this.#fuelLow = exported(METERED_EXPORT.fuelLow);
    this.#fuelHigh = exported(METERED_EXPORT.fuelHigh);
    this.#ranOut = exported(METERED_EXPORT.ranOut);
    this.#memory = exportedMemory(exports, METERED_EXPORT.memory);
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.memory = {
      read: (from, size) => this.#read(from >>> 0, size >>> 0),
      write: (to, bytes) => this.#write(to >>> 0, bytes),
    };
    this.#writeData();
  }

  #instantiate(): ReturnType<typeof instantiateWasm> {
    const { hostCalls, module } = this.compiled;
    const host: Record<string, WasmFunction> = {
      [GROW_FAILED]: () => {
        throw new NodeFault("V8 has no memory for a contract");
      },
    };
    hostCalls.forEach((call, place) => {
      host[place] = this.#hostFunction(call);
    });
    try {
      return instantiateWasm(module, { [HOST_IMPORT]: host });
    } catch (error) {
      throw asNodeFault(error);
    }
  }

  #hostFunction(call: HostCall): WasmFunction {
    return (low, high, ...operands) => {
      const fuel = Number(high) * TWO_TO_THE_32 + (Number(low) >>> 0);
      return must(this.answer, "host calls come while a message runs")(call, fuel, operands);
    };
  }

  get pages(): number {
    return this.compiled.initialPages;
  }

  /** Whether it can serve another message: a memory that grew cannot shrink. */
  get isReusable(): boolean {
    return this.#view().length === this.pages * WASM_PAGE_SIZE;
  }

  /** Makes it as it was when it was made. */
  reset(): void {
    this.#view().fill(0);
    this.#writeData();
    this.#reset();
  }

  #writeData(): void {
    for (const { to, bytes } of this.compiled.data) this.#view().set(bytes, to);
  }

  /** Runs the contract's entry. Throws what the host throws, and V8's traps.
   * @returns its status. */
  run(entry: "call" | "deploy", fuel: number): number {
    const run = must(entry === "call" ? this.#call : this.#deploy, "what is run must be exported");
    return Number(run((fuel % TWO_TO_THE_32) | 0, Math.floor(fuel / TWO_TO_THE_32)));
  }

  /** What is left, as of the end of the entry. */
  get fuel(): number {
    return Number(this.#fuelHigh()) * TWO_TO_THE_32 + (Number(this.#fuelLow()) >>> 0);
  }

  /** Says what is left before a host call returns. */
  setFuel(fuel: number): void {
    this.#setFuel((fuel % TWO_TO_THE_32) | 0, Math.floor(fuel / TWO_TO_THE_32));
  }

  /** After a trap: whether fuel had run out. */
  get ranOut(): boolean {
    return this.#ranOut() === 1;
  }

  #view(): Uint8Array {
    // A memory that grows leaves its old bytes behind, empty.
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }

  #read(from: number, size: number): Bytes | undefined {
    const view = this.#view();
    return from + size <= view.length ? view.subarray(from, from + size) : undefined;
  }

  #write(to: number, bytes: Bytes): boolean {
    const view = this.#view();
    if (to + bytes.length > view.length) return false;
    view.set(bytes, to);
    return true;
  }
}
