import { type Bytes, bytesToBigint, EMPTY_BYTES } from "@ostrom/base";
import { modular } from "@ostrom/crypto";
import { type Precompile, readPadded } from "./precompile.ts";

const LENGTHS = 96;
/** The exponent's first bytes, which tell the price. */
const EXPONENT_HEAD = 32n;
const EIP2565_MINIMUM_GAS = 200n;
const EIP7883_MINIMUM_GAS = 500n;
/** EIP-7823: longest base, exponent and modulus, in bytes, from Osaka on. */
const EIP7823_MAX_LENGTH = 1024n;

/** 0x05 until Osaka: base ** exponent mod modulus, after three words with their lengths.
 * Sources: EIP-198, gas of EIP-2565. */
export const modexpEip2565: Precompile = { gas: gasOfEip2565, run: power };

/** 0x05 from Osaka on: bounded lengths (EIP-7823), dearer (EIP-7883). */
export const modexpEip7883: Precompile = { gas: gasOfEip7883, run: powerWithinBounds };

type Lengths = { readonly base: bigint; readonly exponent: bigint; readonly modulus: bigint };

function readLengths(input: Bytes): Lengths {
  const words = readPadded(input, 0, LENGTHS);
  return {
    base: bytesToBigint(words.subarray(0, 32)),
    exponent: bytesToBigint(words.subarray(32, 64)),
    modulus: bytesToBigint(words.subarray(64, 96)),
  };
}

/** Bytes of the input from a position that may lie far behind its end. */
function readFar(input: Bytes, offset: bigint, length: number): Bytes {
  return offset >= BigInt(input.length) ? new Uint8Array(length) : readPadded(input, Number(offset), length);
}

/** Squarings that the exponent asks for, estimated from its length and first word. */
function iterationCount(input: Bytes, lengths: Lengths, perByteBehindHead: bigint): bigint {
  const headLength = lengths.exponent < EXPONENT_HEAD ? lengths.exponent : EXPONENT_HEAD;
  const head = bytesToBigint(readFar(input, BigInt(LENGTHS) + lengths.base, Number(headLength)));
  const headBits = head === 0n ? 0n : BigInt(head.toString(2).length - 1);
  const behindHead = perByteBehindHead * (lengths.exponent - headLength);
  return maximum(behindHead + headBits, 1n);
}

function gasOfEip2565(input: Bytes): bigint {
  const lengths = readLengths(input);
  const words = (maximum(lengths.base, lengths.modulus) + 7n) / 8n;
  return maximum(EIP2565_MINIMUM_GAS, (words * words * iterationCount(input, lengths, 8n)) / 3n);
}

function gasOfEip7883(input: Bytes): bigint {
  const lengths = readLengths(input);
  const longest = maximum(lengths.base, lengths.modulus);
  const words = (longest + 7n) / 8n;
  const complexity = longest <= 32n ? 16n : 2n * words * words;
  return maximum(EIP7883_MINIMUM_GAS, complexity * iterationCount(input, lengths, 16n));
}

function powerWithinBounds(input: Bytes): Bytes | undefined {
  const { base, exponent, modulus } = readLengths(input);
  const withinBounds = maximum(maximum(base, exponent), modulus) <= EIP7823_MAX_LENGTH;
  return withinBounds ? power(input) : undefined;
}

function power(input: Bytes): Bytes {
  const lengths = readLengths(input);
  // With neither base nor modulus an exponent of any length costs the minimum, so it must not be read.
  if (lengths.modulus === 0n) return EMPTY_BYTES;
  const [baseLength, exponentLength, modulusLength] = [
    Number(lengths.base),
    Number(lengths.exponent),
    Number(lengths.modulus),
  ];
  return modular().power(
    readPadded(input, LENGTHS, baseLength),
    readPadded(input, LENGTHS + baseLength, exponentLength),
    readPadded(input, LENGTHS + baseLength + exponentLength, modulusLength),
  );
}

function maximum(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
