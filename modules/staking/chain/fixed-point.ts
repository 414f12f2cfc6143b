import { assert } from "@ostrom/base";

/** The argument is halved until it is below 2^-16: then few terms of the series are enough. */
const REDUCED_BITS = 16;
/** Each squaring doubles the error. */
const GUARD_BITS = 32;

/** e^(-numerator/denominator) as a multiple of 2^-bits, rounded down to within 2^-bits of it or so.
 *
 * Taylor's series of a small part of the argument, squared back. Integers only, so that all nodes get the same.
 * @param numerator 0 or more. @param denominator above 0. */
export function expNegative(numerator: bigint, denominator: bigint, bits: number): bigint {
  assert(numerator >= 0n && denominator > 0n, "an exponent must not be positive");
  const halvings = bitLength(numerator / denominator) + REDUCED_BITS;
  const precision = BigInt(bits + halvings + GUARD_BITS);
  const small = (numerator << (precision - BigInt(halvings))) / denominator;
  const one = 1n << precision;
  let term = one;
  let sum = one;
  for (let k = 1n; term !== 0n; k++) {
    term = ((term * small) >> precision) / k;
    sum += k % 2n === 1n ? -term : term;
  }
  for (let i = 0; i < halvings; i++) sum = (sum * sum) >> precision;
  return sum >> (precision - BigInt(bits));
}

/** How many binary digits a number has; 0 has none. */
export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}
