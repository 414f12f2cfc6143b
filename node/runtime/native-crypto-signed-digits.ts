/** The non-adjacent form of a number above 0: digits -1, 0 and 1 in base two, the highest first, with the fewest that are
 * not 0. */
export function signedDigits(value: bigint): readonly number[] {
  const digits: number[] = [];
  let rest = value;
  while (rest > 0n) {
    const digit = (rest & 1n) === 0n ? 0 : (rest & 3n) === 3n ? -1 : 1;
    digits.unshift(digit);
    rest = (rest - BigInt(digit)) >> 1n;
  }
  return digits;
}
