import { keccak256 } from "@ostrom/crypto";
import { addModulo, divide, exponentGas, multiply, multiplyModulo, power, remainder } from "../arithmetic.ts";
import { charge } from "../frame.ts";
import { GAS } from "../gas-schedule.ts";
import { wordCount } from "../word.ts";
import {
  answerBytes,
  answerWord,
  type Crossing,
  type HostFunction,
  type HostFunctions,
  numberOperand,
  readBytes,
  readWordOperand,
} from "./border.ts";

/** Hashing and arithmetic of 256 bits. */
export const COMPUTATION_FUNCTIONS: HostFunctions = {
  keccak256: { gas: GAS.keccak, run: hash },
  u256_mul: binary(GAS.low, multiply),
  u256_div: binary(GAS.low, divide),
  u256_mod: binary(GAS.low, remainder),
  u256_addmod: ternary(GAS.mid, addModulo),
  u256_mulmod: ternary(GAS.mid, multiplyModulo),
  u256_exp: { gas: GAS.high, run: raise },
};

function hash(crossing: Crossing): 0 {
  const size = numberOperand(crossing, 1);
  if (!charge(crossing.frame, GAS.keccakWord * wordCount(size))) return 0;
  const bytes = readBytes(crossing, numberOperand(crossing, 0), size);
  return bytes === undefined ? 0 : answerBytes(crossing, 2, keccak256(bytes));
}

function binary(gas: number, operation: (a: bigint, b: bigint) => bigint): HostFunction {
  const run = (crossing: Crossing): 0 => {
    const [a, b] = readWords(crossing, 2) ?? [];
    return a === undefined || b === undefined ? 0 : answerWord(crossing, 2, operation(a, b));
  };
  return { gas, run };
}

function ternary(gas: number, operation: (a: bigint, b: bigint, c: bigint) => bigint): HostFunction {
  const run = (crossing: Crossing): 0 => {
    const [a, b, c] = readWords(crossing, 3) ?? [];
    const isRead = a !== undefined && b !== undefined && c !== undefined;
    return isRead ? answerWord(crossing, 3, operation(a, b, c)) : 0;
  };
  return { gas, run };
}

/** The words that the first operands point to; undefined if the frame has ended. */
function readWords(crossing: Crossing, count: number): bigint[] | undefined {
  const words: bigint[] = [];
  for (let i = 0; i < count; i++) {
    const word = readWordOperand(crossing, i);
    if (word === undefined) return undefined;
    words.push(word);
  }
  return words;
}

function raise(crossing: Crossing): 0 {
  const [base, exponent] = readWords(crossing, 2) ?? [];
  if (base === undefined || exponent === undefined) return 0;
  if (!charge(crossing.frame, exponentGas(exponent))) return 0;
  return answerWord(crossing, 2, power(base, exponent));
}
