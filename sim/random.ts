import { createRandom, type Random } from "@ostrom/base";

const PRIME = 0x01000193;
const OFFSET = 0x811c9dc5;

/** A stream of its own for each use, so that one more draw in one place changes nothing elsewhere: a story keeps its shape while
 * single faults are taken out of it. */
export function randomFor(seed: number, use: string): Random {
  let mix = (OFFSET ^ seed) >>> 0;
  for (let at = 0; at < use.length; at++) mix = Math.imul(mix ^ use.charCodeAt(at), PRIME) >>> 0;
  return createRandom((mix ^ Math.imul(seed, 0x9e3779b9)) >>> 0);
}

const STEPS_PER_MS = 1_000;

/** Milliseconds in [0, bound), in steps of a microsecond. */
export function delayBelow(random: Random, boundMs: number): number {
  const steps = Math.floor(boundMs * STEPS_PER_MS);
  return steps <= 0 ? 0 : random.below(steps) / STEPS_PER_MS;
}

/** Whole number in [low, high]. */
export function between(random: Random, low: number, high: number): number {
  return low + random.below(high - low + 1);
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}

/** So many of them, in a random order. */
export function sample<T>(random: Random, from: readonly T[], count: number): readonly T[] {
  const left = [...from];
  const chosen: T[] = [];
  while (chosen.length < count && left.length > 0) chosen.push(...left.splice(random.below(left.length), 1));
  return chosen;
}
