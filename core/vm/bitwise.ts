import { GAS } from "./gas-schedule.ts";
import { binary, type Instruction, unary } from "./instruction.ts";
import { bitLength, toSigned, toWord, WORD_BITS, WORD_SIZE } from "./word.ts";

const ALL_ONES = 2n ** 256n - 1n;

/** 0x10 to 0x1e: comparisons, bits and shifts.
 * Sources: Yellow Paper, appendix H.2; EIP-145 (shifts); EIP-7939 (CLZ). */
export const BITWISE: readonly Instruction[] = [
  binary(0x10, "LT", GAS.veryLow, (a, b) => (a < b ? 1n : 0n)),
  binary(0x11, "GT", GAS.veryLow, (a, b) => (a > b ? 1n : 0n)),
  binary(0x12, "SLT", GAS.veryLow, (a, b) => (toSigned(a) < toSigned(b) ? 1n : 0n)),
  binary(0x13, "SGT", GAS.veryLow, (a, b) => (toSigned(a) > toSigned(b) ? 1n : 0n)),
  binary(0x14, "EQ", GAS.veryLow, (a, b) => (a === b ? 1n : 0n)),
  unary(0x15, "ISZERO", GAS.veryLow, (a) => (a === 0n ? 1n : 0n)),
  binary(0x16, "AND", GAS.veryLow, (a, b) => a & b),
  binary(0x17, "OR", GAS.veryLow, (a, b) => a | b),
  binary(0x18, "XOR", GAS.veryLow, (a, b) => a ^ b),
  unary(0x19, "NOT", GAS.veryLow, (a) => a ^ ALL_ONES),
  binary(0x1a, "BYTE", GAS.veryLow, byteAt),
  binary(0x1b, "SHL", GAS.veryLow, (shift, a) => (shift >= WORD_BITS ? 0n : toWord(a << shift))),
  binary(0x1c, "SHR", GAS.veryLow, (shift, a) => (shift >= WORD_BITS ? 0n : a >> shift)),
  binary(0x1d, "SAR", GAS.veryLow, shiftSigned),
  {
    ...unary(0x1e, "CLZ", GAS.low, (a) => BigInt(WORD_BITS - bitLength(a))),
    since: "osaka",
  },
];

/** @param index 0 is the most significant byte. */
function byteAt(index: bigint, word: bigint): bigint {
  if (index >= WORD_SIZE) return 0n;
  return (word >> (8n * (BigInt(WORD_SIZE) - 1n - index))) & 0xffn;
}

function shiftSigned(shift: bigint, word: bigint): bigint {
  const signed = toSigned(word);
  if (shift >= WORD_BITS) return signed < 0n ? ALL_ONES : 0n;
  return toWord(signed >> shift);
}
