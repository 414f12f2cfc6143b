import { type CompiledProgram, compileProgram } from "./compile-program.ts";
import type { RiscvImage } from "./elf.ts";

/** Who runs programs: `tier0`, the interpreter; `tier1`, compiled code, compiled before the first message; `mixed`, the first
 * until a program has spent `compileFuel` in it. What cannot be compiled is the interpreter's in all of them. */
export type TierOptions = {
  readonly tiers?: "tier0" | "tier1" | "mixed";
  /** COMPILE_FUEL unless told. */
  readonly compileFuel?: number;
};

/** Compiling takes as long as interpreting so much, or so, for a program of usual size. */
export const COMPILE_FUEL = 2_000_000;

type Use = { fuel: number; compiled: CompiledProgram | "refused" | undefined };

/** Decides which programs are compiled, and compiles each once. */
export class TierChoice {
  readonly #tiers: "tier0" | "tier1" | "mixed";
  readonly #compileFuel: number;
  readonly #uses = new WeakMap<RiscvImage, Use>();

  constructor({ tiers = "mixed", compileFuel = COMPILE_FUEL }: TierOptions) {
    this.#tiers = tiers;
    this.#compileFuel = tiers === "tier1" ? 0 : compileFuel;
  }

  /** The compiled program, if the message that begins is to run in it. */
  compiledFor(image: RiscvImage): CompiledProgram | undefined {
    if (this.#tiers === "tier0") return undefined;
    const use = this.#useOf(image);
    if (use.compiled === undefined && use.fuel >= this.#compileFuel) {
      use.compiled = compileProgram(image) ?? "refused";
    }
    return use.compiled === "refused" ? undefined : use.compiled;
  }

  /** Counts what a message has spent in the interpreter. */
  countFuel(image: RiscvImage, fuel: number): void {
    this.#useOf(image).fuel += fuel;
  }

  #useOf(image: RiscvImage): Use {
    let use = this.#uses.get(image);
    if (use === undefined) {
      use = { fuel: 0, compiled: undefined };
      this.#uses.set(image, use);
    }
    return use;
  }
}
