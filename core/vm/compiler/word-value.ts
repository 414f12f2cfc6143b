/** The middle form: what the compiler knows of the values that a program will compute.
 *
 * A word of 256 bits is four limbs of 64, the lowest first. Each limb is a constant, or lies in a local of the function
 * that is being emitted, or is still where it was when its block began: in the stack in memory. A limb is below 2^bits,
 * and most limbs of most programs are the constant 0, for which nothing is emitted. */
export type Limb = {
  /** The value, in [0, 2^64), if it is known. */
  readonly constant: bigint | undefined;
  /** The value is below 2^bits. */
  readonly bits: number;
  /** Where in the stack it lies, in bytes from the top at the block's beginning, or NO_SLOT. */
  readonly slot: number;
  /** The local that holds it, or NO_LOCAL for constants and for what nobody has read from the stack yet. */
  local: number;
};

/** Lowest first. */
export type Word = readonly [Limb, Limb, Limb, Limb];

export const LIMBS = 4;
export const LIMB_BITS = 64;
export const NO_LOCAL = -1;
/** Slots are multiples of 8. */
export const NO_SLOT = 1;

const LIMB_MASK = 2n ** 64n - 1n;

export const ZERO: Limb = { constant: 0n, bits: 0, slot: NO_SLOT, local: NO_LOCAL };

export function constantLimb(value: bigint): Limb {
  if (value === 0n) return ZERO;
  return { constant: value, bits: value.toString(2).length, slot: NO_SLOT, local: NO_LOCAL };
}

export function localLimb(local: number, bits: number): Limb {
  return { constant: undefined, bits: Math.min(bits, LIMB_BITS), slot: NO_SLOT, local };
}

/** @param slot where it lies in the stack; see Limb. */
export function slotLimb(slot: number): Limb {
  return { constant: undefined, bits: LIMB_BITS, slot, local: NO_LOCAL };
}

/** @param value any integer; a word is it modulo 2^256. */
export function constantWord(value: bigint): Word {
  return [
    constantLimb(value & LIMB_MASK),
    constantLimb((value >> 64n) & LIMB_MASK),
    constantLimb((value >> 128n) & LIMB_MASK),
    constantLimb((value >> 192n) & LIMB_MASK),
  ];
}

/** A word of which only the lowest limb is not 0. */
export function singleWord(limb: Limb): Word {
  return [limb, ZERO, ZERO, ZERO];
}

/** @returns the word's value, if it is known. */
export function constantOf(word: Word): bigint | undefined {
  const [a, b, c, d] = word;
  if (a.constant === undefined || b.constant === undefined) return undefined;
  if (c.constant === undefined || d.constant === undefined) return undefined;
  return a.constant | (b.constant << 64n) | (c.constant << 128n) | (d.constant << 192n);
}

export function isZero(limb: Limb): boolean {
  return limb.bits === 0;
}

/** Whether the word is known to fit into one limb. */
export function isSingle(word: Word): boolean {
  return word[1].bits === 0 && word[2].bits === 0 && word[3].bits === 0;
}

/** @returns the exponent if the value is a power of two. */
export function powerOfTwo(value: bigint): number | undefined {
  if (value === 0n || (value & (value - 1n)) !== 0n) return undefined;
  return value.toString(2).length - 1;
}
