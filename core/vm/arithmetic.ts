import { charge } from "./frame.ts";
import { GAS } from "./gas-schedule.ts";
import { binary, type Instruction, ternary } from "./instruction.ts";
import { byteLength, toSigned, toWord, WORD_SIZE } from "./word.ts";

/** 0x01 to 0x0b. Source: Yellow Paper, appendix H.2, "Stop and Arithmetic Operations". */
export const ARITHMETIC: readonly Instruction[] = [
  binary(0x01, "ADD", GAS.veryLow, (a, b) => toWord(a + b)),
  binary(0x02, "MUL", GAS.low, multiply),
  binary(0x03, "SUB", GAS.veryLow, (a, b) => toWord(a - b)),
  binary(0x04, "DIV", GAS.low, divide),
  binary(0x05, "SDIV", GAS.low, (a, b) => (b === 0n ? 0n : toWord(toSigned(a) / toSigned(b)))),
  binary(0x06, "MOD", GAS.low, remainder),
  binary(0x07, "SMOD", GAS.low, (a, b) => (b === 0n ? 0n : toWord(toSigned(a) % toSigned(b)))),
  ternary(0x08, "ADDMOD", GAS.mid, addModulo),
  ternary(0x09, "MULMOD", GAS.mid, multiplyModulo),
  {
    opcode: 0x0a,
    name: "EXP",
    gas: GAS.high,
    pops: 2,
    pushes: 1,
    run: (_, frame) => {
      const base = frame.stack.pop()!;
      const exponent = frame.stack.pop()!;
      if (!charge(frame, exponentGas(exponent))) return;
      frame.stack.push(power(base, exponent));
    },
  },
  binary(0x0b, "SIGNEXTEND", GAS.low, signExtend),
];

export function multiply(a: bigint, b: bigint): bigint {
  return toWord(a * b);
}

export function divide(a: bigint, b: bigint): bigint {
  return b === 0n ? 0n : a / b;
}

export function remainder(a: bigint, b: bigint): bigint {
  return b === 0n ? 0n : a % b;
}

export function addModulo(a: bigint, b: bigint, modulus: bigint): bigint {
  return modulus === 0n ? 0n : (a + b) % modulus;
}

export function multiplyModulo(a: bigint, b: bigint, modulus: bigint): bigint {
  return modulus === 0n ? 0n : (a * b) % modulus;
}

/** What EXP costs besides GAS.high. */
export function exponentGas(exponent: bigint): number {
  return GAS.exponentByte * byteLength(exponent);
}

/** base^exponent modulo 2^256, by squaring. */
export function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = toWord(result * square);
    square = toWord(square * square);
  }
  return result;
}

/** Takes the low `lastByte + 1` bytes as a signed integer. */
function signExtend(lastByte: bigint, word: bigint): bigint {
  if (lastByte >= WORD_SIZE - 1) return word;
  return toWord(BigInt.asIntN(8 * (Number(lastByte) + 1), word));
}
