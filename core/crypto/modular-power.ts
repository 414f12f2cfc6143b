const WINDOW_BITS = 4;

/** base ** exponent mod modulus, for a modulus above 0 and any sizes. 0 ** 0 is 1, and everything mod 1 is 0.
 * Fixed windows of four bits: a product for four squarings. */
export function modularPower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  if (modulus === 1n) return 0n;
  if (exponent === 0n) return 1n;
  const reduced = base % modulus;
  if (reduced <= 1n) return reduced;
  // Powers are computed when a digit first asks for them: short exponents use few of the fifteen.
  const powers: (bigint | undefined)[] = [1n, reduced];
  const powerOf = (digit: number): bigint => {
    let power = powers[digit];
    if (power === undefined) {
      const half = powerOf(digit >> 1);
      power = (half * half) % modulus;
      if ((digit & 1) === 1) power = (power * reduced) % modulus;
      powers[digit] = power;
    }
    return power;
  };

  let result = 1n;
  for (const digitText of exponent.toString(16)) {
    const digit = Number.parseInt(digitText, 16);
    if (result !== 1n) {
      for (let bit = 0; bit < WINDOW_BITS; bit++) result = (result * result) % modulus;
    }
    if (digit !== 0) result = result === 1n ? powerOf(digit) : (result * powerOf(digit)) % modulus;
    if (result === 0n) return 0n;
  }
  return result;
}
