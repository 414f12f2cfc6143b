import type { Bytes } from "@ostrom/base";
import {
  compileContract,
  HOST_FUNCTION,
  type RefusalReason,
  RUN_FUNCTION,
} from "../compiler/compile-contract.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { MEMORY_NAME, RUNTIME_MODULE } from "../runtime/runtime-functions.ts";
import {
  compileWasm,
  instantiateWasm,
  isCompileError,
  type WasmFunction,
  type WasmModule,
} from "../runtime/webassembly.ts";
import type { Fork } from "../types.ts";

/** Code that can run: one instance, which serves all frames that run the code, since what belongs to a frame is in the
 * frame. */
export type CompiledContract = {
  /** (frame, entry) -> status. */
  readonly run: WasmFunction;
};

/** Stands for code that is left to the reference. */
const NOT_COMPILED = Symbol("not compiled");

export type ContractCounts = {
  compiled: number;
  compiledBytes: number;
  emittedBytes: number;
  readonly refused: Record<RefusalReason, number>;
};

/** Compiles each code once. */
export class ContractCache {
  readonly #runtime: Runtime;
  readonly #host: WasmFunction;
  readonly #minimumCodeSize: number;
  // Keyed by identity, as analyseCode is: whoever keeps code gives out one object for it.
  readonly #contracts = new Map<Fork, WeakMap<Bytes, CompiledContract | typeof NOT_COMPILED>>();
  readonly counts: ContractCounts = {
    compiled: 0,
    compiledBytes: 0,
    emittedBytes: 0,
    refused: { "too many entries": 0, "module too large": 0, "refused by V8": 0 },
  };

  constructor(runtime: Runtime, host: WasmFunction, minimumCodeSize = 0) {
    this.#runtime = runtime;
    this.#host = host;
    this.#minimumCodeSize = minimumCodeSize;
  }

  /** @returns undefined if the reference is to run the code. */
  find(code: Bytes, fork: Fork): CompiledContract | undefined {
    if (code.length < this.#minimumCodeSize) return undefined;
    let contracts = this.#contracts.get(fork);
    if (contracts === undefined) {
      contracts = new WeakMap();
      this.#contracts.set(fork, contracts);
    }
    let contract = contracts.get(code);
    if (contract === undefined) {
      contract = this.#compile(code, fork);
      contracts.set(code, contract);
    }
    return contract === NOT_COMPILED ? undefined : contract;
  }

  #compile(code: Bytes, fork: Fork): CompiledContract | typeof NOT_COMPILED {
    const compilation = compileContract(code, fork);
    if (compilation.kind === "refused") {
      this.counts.refused[compilation.reason]++;
      return NOT_COMPILED;
    }
    this.counts.compiled++;
    this.counts.compiledBytes += code.length;
    this.counts.emittedBytes += compilation.bytes.length;
    const module = compileOrRefuse(compilation.bytes);
    if (module === undefined) {
      this.counts.refused["refused by V8"]++;
      return NOT_COMPILED;
    }
    const exports = instantiateWasm(module, {
      [RUNTIME_MODULE]: {
        ...this.#runtime.functions,
        [MEMORY_NAME]: this.#runtime.memory,
        [HOST_FUNCTION]: this.#host,
      },
    });
    return { run: exports[RUN_FUNCTION]! };
  }
}

function compileOrRefuse(bytes: Bytes): WasmModule | undefined {
  try {
    return compileWasm(bytes);
  } catch (error) {
    if (isCompileError(error)) return undefined;
    throw error;
  }
}
