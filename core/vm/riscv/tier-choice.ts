import { toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { type CompiledProgram, compileProgram } from "./compile-program.ts";
import type { RiscvImage } from "./elf.ts";

/** What became of a program that was to be compiled: undefined if it cannot be. */
export type FinishedRiscv = { readonly key: string; readonly compiled: CompiledProgram | undefined };

/** Compiles programs somewhere else, while they go on in the interpreter. Synchronous on this side: core never waits. */
export type RiscvCompileService = {
  /** Asks for a program to be compiled, with `compileRiscv`. @returns false if too much is asked for already: ask again later.
   * @param key names the file, whoever asks. */
  readonly request: (key: string, file: Uint8Array) => boolean;
  /** What has been finished since it was last asked; each request is answered once. */
  readonly take: () => readonly FinishedRiscv[];
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

/** Compiling takes as long as interpreting so much, or so, for each BYTES_PER_COMPILE_FUEL of a file. */
export const COMPILE_FUEL = 8_000_000;
const BYTES_PER_COMPILE_FUEL = 16_384;

/** Of whatever decides what a program becomes. */
const COMPILER_VERSION = 1;

/** Of all modules that are kept: those that have not run for longest are compiled again when they have run enough again. */
export const MAX_COMPILED_BYTES: number = 64 * 1024 * 1024;

type Use = {
  fuel: number;
  /** Of the file, once the program has turned out to be worth it. */
  key: string | undefined;
  state: "interpreted" | "requested" | "refused" | CompiledProgram;
};

/** Decides which programs are compiled, and has each compiled once. */
export class TierChoice {
  readonly #tiers: "tier0" | "tier1" | "mixed";
  readonly #compileFuel: number;
  readonly #service: RiscvCompileService | undefined;
  readonly #uses = new WeakMap<RiscvImage, Use>();
  readonly #onEvicted: (compiled: CompiledProgram) => void;
  /** By key: what is asked for or compiled. */
  readonly #known = new Map<string, Use>();
  /** Those that are compiled, in the order of their last messages. */
  readonly #compiled = new Map<Use, CompiledProgram>();
  #compiledBytes = 0;
  #waiting = 0;

  /** @param onEvicted is told what is not used any more. */
  constructor(
    { tiers = "mixed", compileFuel = COMPILE_FUEL, compileService }: TierOptions,
    onEvicted: (compiled: CompiledProgram) => void,
  ) {
    this.#onEvicted = onEvicted;
    this.#tiers = tiers;
    this.#compileFuel = tiers === "tier1" ? 0 : compileFuel;
    this.#service = tiers === "mixed" ? compileService : undefined;
  }

  /** The compiled program, if the message that begins is to run in it.
   * @param file of which the image is. */
  compiledFor(image: RiscvImage, file: Uint8Array): CompiledProgram | undefined {
    if (this.#tiers === "tier0") return undefined;
    this.#takeFinished();
    let use = this.#useOf(image);
    const worth = this.#compileFuel * (1 + file.length / BYTES_PER_COMPILE_FUEL);
    if (use.state === "interpreted" && use.fuel >= worth) use = this.#compile(use, image, file);
    if (typeof use.state === "string") return undefined;
    this.#compiled.delete(use);
    this.#compiled.set(use, use.state);
    return use.state;
  }

  /** @returns what is known of the file. */
  #compile(use: Use, image: RiscvImage, file: Uint8Array): Use {
    if (this.#service === undefined) {
      this.#finish(use, compileProgram(image));
      return use;
    }
    use.key ??= `riscv/${COMPILER_VERSION}/${toHexDigits(keccak256(file))}`;
    const known = this.#known.get(use.key);
    if (known !== undefined) {
      this.#uses.set(image, known);
      return known;
    }
    if (!this.#service.request(use.key, file)) return use;
    use.state = "requested";
    this.#known.set(use.key, use);
    this.#waiting++;
    return use;
  }

  #finish(use: Use, compiled: CompiledProgram | undefined): void {
    use.state = compiled ?? "refused";
    if (compiled === undefined) {
      if (use.key !== undefined) this.#known.delete(use.key);
      return;
    }
    this.#compiled.set(use, compiled);
    this.#compiledBytes += compiled.emittedBytes;
    for (const [oldest, evicted] of this.#compiled) {
      if (this.#compiledBytes <= MAX_COMPILED_BYTES || oldest === use) return;
      this.#compiled.delete(oldest);
      this.#compiledBytes -= evicted.emittedBytes;
      oldest.state = "interpreted";
      oldest.fuel = 0;
      if (oldest.key !== undefined) this.#known.delete(oldest.key);
      this.#onEvicted(evicted);
    }
  }

  /** Counts what a message has spent in the interpreter. */
  countFuel(image: RiscvImage, fuel: number): void {
    this.#useOf(image).fuel += fuel;
  }

  #takeFinished(): void {
    if (this.#waiting === 0 || this.#service === undefined) return;
    for (const { key, compiled } of this.#service.take()) {
      const use = this.#known.get(key);
      // Another runner, before this one, may have asked for it.
      if (use?.state !== "requested") continue;
      this.#waiting--;
      this.#finish(use, compiled);
    }
  }

  #useOf(image: RiscvImage): Use {
    let use = this.#uses.get(image);
    if (use === undefined) {
      use = { fuel: 0, key: undefined, state: "interpreted" };
      this.#uses.set(image, use);
    }
    return use;
  }
}
