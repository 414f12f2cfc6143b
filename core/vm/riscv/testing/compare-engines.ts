import { createRandom } from "@ostrom/base";
import { hostileProgram, randomProgram } from "./random-program.ts";
import { observe, type ProgramEngine, REFERENCE, tiers } from "./run-program.ts";

/** One of each kind; the mixed ones compile soon. */
export function riscvTiers(): ProgramEngine[] {
  return [tiers({ tiers: "tier0" }), tiers({ tiers: "tier1" }), tiers({ tiers: "mixed", compileFuel: 500 })];
}

/** Runs what a seed says, twice in each engine, so that the second run meets what the first has left.
 * @returns how an engine differs from the reference, or undefined. */
export function difference(engines: readonly ProgramEngine[], seed: number): string | undefined {
  const random = createRandom(seed);
  const file = random.chance(2, 3) ? randomProgram(seed) : hostileProgram(seed);
  const gas = BigInt(random.chance(1, 4) ? 3000 + random.below(12_000) : 60_000);
  const run = { gas, input: random.bytes(random.below(64)), otherFile: hostileProgram(seed + 1) };
  const expected = observe(REFERENCE, file, run);
  for (const engine of engines) {
    for (let round = 0; round < 2; round++) {
      const actual = observe(engine, file, run);
      if (actual !== expected) return `seed ${seed}: reference ${expected}\n  ${engine.name} ${actual}`;
    }
  }
  return undefined;
}
