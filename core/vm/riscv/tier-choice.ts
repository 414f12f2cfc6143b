import { type CompiledProgram, compileProgram } from "./compile-program.ts";
import type { RiscvImage } from "./elf.ts";

/** What became of a program that was to be compiled: undefined if it cannot be. */
export type CompiledRequest = { readonly key: string; readonly compiled: CompiledProgram | undefined };

/** Compiles programs somewhere else, while they go on in the interpreter. Synchronous on this side: core never waits. */
export type RiscvCompileService = {
  /** Asks for a program to be compiled, with `compileRiscv`. @returns false if too much is asked for already: ask again later. */
  readonly request: (key: string, file: Uint8Array) => boolean;
  /** What has been finished since it was last asked; each request is answered once. */
  readonly take: () => readonly CompiledRequest[];
};

/** Who runs programs: `tier0`, the interpreter; `tier1`, compiled code, compiled before the first message; `mixed`, the first
 * until a program has spent `compileFuel` in it. What cannot be compiled is the interpreter's in all of them. */
export type TierOptions = {
  readonly tiers?: "tier0" | "tier1" | "mixed";
  /** COMPILE_FUEL unless told. */
  readonly compileFuel?: number;
  /** Where `mixed` has programs compiled: on this thread at once unless told. */
  readonly compileService?: RiscvCompileService;
};

/** Compiling takes as long as interpreting so much, or so, for a program of usual size. */
export const COMPILE_FUEL = 8_000_000;

/** Of all modules that are kept: those that have not run for longest are compiled again when they have run enough again. */
export const MAX_COMPILED_BYTES: number = 64 * 1024 * 1024;

type Use = { fuel: number; state: "interpreted" | "requested" | "refused" | CompiledProgram };

/** Decides which programs are compiled, and has each compiled once. */
export class TierChoice {
  readonly #tiers: "tier0" | "tier1" | "mixed";
  readonly #compileFuel: number;
  readonly #service: RiscvCompileService | undefined;
  readonly #uses = new WeakMap<RiscvImage, Use>();
  readonly #requested = new Map<string, Use>();
  /** Those that are compiled, in the order of their last messages. */
  readonly #compiled = new Map<Use, CompiledProgram>();
  #compiledBytes = 0;
  #requests = 0;

  constructor({ tiers = "mixed", compileFuel = COMPILE_FUEL, compileService }: TierOptions) {
    this.#tiers = tiers;
    this.#compileFuel = tiers === "tier1" ? 0 : compileFuel;
    this.#service = tiers === "mixed" ? compileService : undefined;
  }

  /** The compiled program, if the message that begins is to run in it.
   * @param file of which the image is. */
  compiledFor(image: RiscvImage, file: Uint8Array): CompiledProgram | undefined {
    if (this.#tiers === "tier0") return undefined;
    this.#takeFinished();
    const use = this.#useOf(image);
    if (use.state === "interpreted" && use.fuel >= this.#compileFuel) {
      if (this.#service === undefined) this.#finish(use, compileProgram(image));
      else this.#request(this.#service, use, file);
    }
    if (typeof use.state === "string") return undefined;
    this.#compiled.delete(use);
    this.#compiled.set(use, use.state);
    return use.state;
  }

  #finish(use: Use, compiled: CompiledProgram | undefined): void {
    use.state = compiled ?? "refused";
    if (compiled === undefined) return;
    this.#compiled.set(use, compiled);
    this.#compiledBytes += compiled.emittedBytes;
    for (const [oldest, { emittedBytes }] of this.#compiled) {
      if (this.#compiledBytes <= MAX_COMPILED_BYTES || oldest === use) return;
      this.#compiled.delete(oldest);
      this.#compiledBytes -= emittedBytes;
      oldest.state = "interpreted";
      oldest.fuel = 0;
    }
  }

  /** Counts what a message has spent in the interpreter. */
  countFuel(image: RiscvImage, fuel: number): void {
    this.#useOf(image).fuel += fuel;
  }

  #request(service: RiscvCompileService, use: Use, file: Uint8Array): void {
    const key = String(this.#requests++);
    if (!service.request(key, file)) return;
    use.state = "requested";
    this.#requested.set(key, use);
  }

  #takeFinished(): void {
    if (this.#requested.size === 0 || this.#service === undefined) return;
    for (const { key, compiled } of this.#service.take()) {
      const use = this.#requested.get(key);
      if (use !== undefined) this.#finish(use, compiled);
      this.#requested.delete(key);
    }
  }

  #useOf(image: RiscvImage): Use {
    let use = this.#uses.get(image);
    if (use === undefined) {
      use = { fuel: 0, state: "interpreted" };
      this.#uses.set(image, use);
    }
    return use;
  }
}
