import { assert } from "@ostrom/base";
import type { Entropy } from "./types.ts";

const RANGE = 0x1_0000_0000;

/** Uniform in [0, bound). @param bound a positive integer up to 2^32. */
export function drawBelow(entropy: Entropy, bound: number): number {
  assert(Number.isSafeInteger(bound) && bound > 0 && bound <= RANGE, "draws are from 1 to 2^32 things");
  // Rejection keeps it uniform.
  const limit = RANGE - (RANGE % bound);
  for (;;) {
    const bytes = entropy.bytes(4);
    const value = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    if (value < limit) return value % bound;
  }
}

/** One of them; undefined if there is none. */
export function drawOne<Thing>(entropy: Entropy, things: readonly Thing[]): Thing | undefined {
  return things.length === 0 ? undefined : things[drawBelow(entropy, things.length)];
}

/** At most so many of them, each as likely as any other, in a random order. */
export function drawSome<Thing>(entropy: Entropy, things: readonly Thing[], count: number): readonly Thing[] {
  const left = [...things];
  const taken = Math.min(count, left.length);
  for (let index = 0; index < taken; index++) {
    const other = index + drawBelow(entropy, left.length - index);
    [left[index], left[other]] = [left[other]!, left[index]!];
  }
  return left.slice(0, taken);
}
