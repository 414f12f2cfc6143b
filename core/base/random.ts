/** A seeded generator for simulations, tests and anything that must replay: never for keys.
 * xoshiro128** 1.1 seeded by splitmix32 (Blackman and Vigna, prng.di.unimi.it). */
export type Random = {
  /** Uniform in [0, 2^32). */
  readonly nextUint32: () => number;
  /** Uniform in [0, bound); bound is a positive integer up to 2^32. */
  readonly below: (bound: number) => number;
  /** True with probability numerator/denominator. */
  readonly chance: (numerator: number, denominator: number) => boolean;
  readonly bytes: (length: number) => Uint8Array;
};

export function createRandom(seed: number): Random {
  let mix = seed >>> 0;
  const splitmix32 = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let [a, b, c, d] = [splitmix32(), splitmix32(), splitmix32(), splitmix32()];
  const rotateLeft = (x: number, k: number): number => ((x << k) | (x >>> (32 - k))) >>> 0;

  const nextUint32 = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5) >>> 0, 7), 9) >>> 0;
    const t = (b << 9) >>> 0;
    c = (c ^ a) >>> 0;
    d = (d ^ b) >>> 0;
    b = (b ^ c) >>> 0;
    a = (a ^ d) >>> 0;
    c = (c ^ t) >>> 0;
    d = rotateLeft(d, 11);
    return result;
  };
  const below = (bound: number): number => {
    // Rejection sampling keeps the result uniform.
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
    let value = nextUint32();
    while (value >= limit) value = nextUint32();
    return value % bound;
  };
  return {
    nextUint32,
    below,
    chance: (numerator, denominator) => below(denominator) < numerator,
    bytes: (length) => Uint8Array.from({ length }, () => nextUint32() & 0xff),
  };
}
