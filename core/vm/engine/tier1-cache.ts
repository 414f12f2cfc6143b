import { assert, type Bytes, must, toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import type { WasmFunction, WasmModule } from "../runtime/webassembly.ts";
import type { Fork } from "../types.ts";
import { type CompiledModule, type CompileService, ENGINE_VERSION } from "./compile-service.ts";

/** Gas that a code has to spend in tier 0 before it is compiled, and as much again for each 4 KB of it, since what compiling
 * takes grows with the code: some 2 to 20 ms of tier 0, against 10 to 500 ms of other threads. */
export const COMPILE_GAS: number = 2 ** 20;
const BYTES_PER_COMPILE_GAS = 4096;
/** Emitted bytes of all modules that are kept; V8's machine code for them takes several times as much. */
export const MODULE_CACHE_BYTES: number = 32 * 2 ** 20;
/** Codes that are remembered because they were compiled, are being compiled, or were refused. */
const MAX_CODES = 4096;

export type Tier1Counts = {
  requested: number;
  compiled: number;
  /** Emitted bytes, of all that were compiled. */
  emittedBytes: number;
  evicted: number;
  readonly refused: Record<Extract<CompiledModule, { kind: "refused" }>["reason"], number>;
};

/** What is known of one code, whichever objects hold it. */
type Tier1Record = {
  readonly key: string;
  state: "waiting" | "refused" | "evicted" | { readonly module: WasmModule; readonly emittedBytes: number };
  /** The module's instance on the memory that is in use. */
  run: WasmFunction | undefined;
  /** In frames. */
  lastUsed: number;
};

/** What is known of one code object. Hashing is put off until the code has turned out to be worth it. */
export type CodeUse = {
  readonly fork: Fork;
  gas: number;
  record: Tier1Record | undefined;
};

/** Which codes are compiled: keyed by (code hash, fork, engine version), found by the identity of the code object, kept within
 * a budget of bytes. What is used longest ago goes first. */
export class Tier1Cache {
  readonly #service: CompileService;
  readonly #compileGas: number;
  readonly #budgetBytes: number;
  readonly #uses = new Map<Fork, WeakMap<Bytes, CodeUse>>();
  readonly #records = new Map<string, Tier1Record>();
  #bytes = 0;
  #clock = 0;
  #waiting = 0;
  readonly counts: Tier1Counts = {
    requested: 0,
    compiled: 0,
    emittedBytes: 0,
    evicted: 0,
    refused: {
      "too many entries": 0,
      "module too large": 0,
      "refused by V8": 0,
      "took too long": 0,
      "the compiler died": 0,
    },
  };

  constructor(
    service: CompileService,
    compileGas: number = COMPILE_GAS,
    budgetBytes: number = MODULE_CACHE_BYTES,
  ) {
    this.#service = service;
    this.#compileGas = compileGas;
    this.#budgetBytes = budgetBytes;
  }

  /** Must come for each frame that begins, with the same object for the same code as far as possible. */
  use(code: Bytes, fork: Fork): CodeUse {
    let uses = this.#uses.get(fork);
    if (uses === undefined) {
      uses = new WeakMap();
      this.#uses.set(fork, uses);
    }
    let use = uses.get(code);
    if (use === undefined) {
      use = { fork, gas: 0, record: undefined };
      uses.set(code, use);
    }
    return use;
  }

  /** @param instantiate makes an instance on the memory that is in use.
   * @returns undefined if the code is not compiled (yet). */
  find(use: CodeUse, instantiate: (module: WasmModule) => WasmFunction): WasmFunction | undefined {
    const { record } = use;
    if (record === undefined) return undefined;
    const { state } = record;
    if (state === "evicted") {
      use.record = undefined;
      use.gas = 0;
      return undefined;
    }
    if (typeof state === "string") return undefined;
    record.lastUsed = ++this.#clock;
    record.run ??= instantiate(state.module);
    return record.run;
  }

  /** Counts what a code has spent in tier 0, and asks for it to be compiled once that is enough. */
  spend(use: CodeUse, code: Bytes, gas: number): void {
    use.gas += gas;
    const worth = this.#compileGas * (1 + code.length / BYTES_PER_COMPILE_GAS);
    if (use.record !== undefined || use.gas < worth) return;
    use.record = this.#recordOf(code, use.fork);
    // Too much is waiting: it may ask again when it has spent as much again.
    if (use.record === undefined) use.gas = 0;
  }

  /** Asks for code to be compiled whatever it has spent. */
  demand(use: CodeUse, code: Bytes): void {
    use.record ??= this.#recordOf(code, use.fork);
  }

  /** Takes up what has been compiled meanwhile. */
  poll(): void {
    if (this.#waiting === 0) return;
    for (const compiled of this.#service.take()) this.#arrive(compiled);
  }

  /** The memory that instances were made on is given up. */
  forgetInstances(): void {
    for (const record of this.#records.values()) record.run = undefined;
  }

  #recordOf(code: Bytes, fork: Fork): Tier1Record | undefined {
    const key = `${ENGINE_VERSION}/${fork}/${toHexDigits(keccak256(code))}`;
    const known = this.#records.get(key);
    if (known !== undefined) return known;
    if (!this.#service.request(key, code, fork)) return undefined;
    const record: Tier1Record = { key, state: "waiting", run: undefined, lastUsed: ++this.#clock };
    this.#records.set(key, record);
    this.#waiting++;
    this.counts.requested++;
    this.#makeRoom();
    return record;
  }

  #arrive(compiled: CompiledModule): void {
    const record = must(this.#records.get(compiled.key), "what is compiled was asked for");
    assert(record.state === "waiting", "a request is answered once");
    this.#waiting--;
    if (compiled.kind === "refused") {
      record.state = "refused";
      this.counts.refused[compiled.reason]++;
      return;
    }
    record.state = compiled;
    record.lastUsed = ++this.#clock;
    this.#bytes += compiled.emittedBytes;
    this.counts.compiled++;
    this.counts.emittedBytes += compiled.emittedBytes;
    this.#makeRoom();
  }

  #makeRoom(): void {
    while (this.#bytes > this.#budgetBytes || this.#records.size > MAX_CODES) {
      const oldest = this.#oldest();
      if (oldest === undefined) return;
      if (typeof oldest.state !== "string") {
        this.#bytes -= oldest.state.emittedBytes;
        this.counts.evicted++;
      }
      oldest.state = "evicted";
      oldest.run = undefined;
      this.#records.delete(oldest.key);
    }
  }

  /** What waits stays: it will be answered. The search is long, but each code in the way has spent COMPILE_GAS. */
  #oldest(): Tier1Record | undefined {
    let oldest: Tier1Record | undefined;
    for (const record of this.#records.values()) {
      if (record.state === "waiting") continue;
      if (oldest === undefined || record.lastUsed < oldest.lastUsed) oldest = record;
    }
    return oldest;
  }
}
