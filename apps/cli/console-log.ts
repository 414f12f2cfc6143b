import { format } from "node:util";
import { type Address, type Bytes, bytesToBigint, fromHex, toHex, unwrap } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";

/** Where contracts send what they print: "console.log" in ASCII. Sources: hardhat/console.sol, forge-std/console.sol. */
export const CONSOLE_ADDRESS: Address = unwrap(
  fromHex("0x000000000000000000636F6e736F6c652e6c6f67"),
) as Address;

const SELECTOR_LENGTH = 4;
const WORD_LENGTH = 32;
/** Of these four types the console takes up to four arguments, in all combinations. */
const COMBINED_TYPES = ["uint256", "string", "bool", "address"] as const;
const MAX_COMBINED = 4;
const MAX_FIXED_BYTES = 32;

/** What a contract printed, as a line.
 *
 * As in Hardhat: a first argument is a format with %s, %d, %i, %o, %j and %%; %d and %i take numbers of any size; further
 * arguments follow, separated by spaces.
 * @param input call data that the console's address received. @returns undefined if it is no call of the console's. */
export function readConsoleLog(input: Bytes): string | undefined {
  const types = signatures().get(toHex(input.subarray(0, SELECTOR_LENGTH)));
  if (types === undefined) return undefined;
  const body = input.subarray(SELECTOR_LENGTH);
  const values: string[] = [];
  for (const [at, type] of types.entries()) {
    const value = readValue(body, at * WORD_LENGTH, type);
    if (value === undefined) return undefined;
    values.push(value);
  }
  const [first, ...rest] = values;
  if (first === undefined) return "";
  // Values are text already: a number of 256 bits would lose digits in %d. An odd number of % escapes nothing.
  return format(first.replace(/(?<!%)((?:%%)*)%[di]/g, "$1%s"), ...rest);
}

/** The types that each of the console's functions takes, by selector. */
export function consoleSignatures(): ReadonlyMap<string, readonly string[]> {
  const byText = new Map<string, readonly string[]>();
  const add = (types: readonly string[]): void => {
    byText.set(`log(${types.join(",")})`, types);
    // The first versions of Hardhat's console hashed the short names, which the ABI does not know.
    const short = types.map((type) => (type === "uint256" ? "uint" : type === "int256" ? "int" : type));
    byText.set(`log(${short.join(",")})`, types);
  };
  let combinations: (readonly string[])[] = [[]];
  add([]);
  for (let count = 1; count <= MAX_COMBINED; count++) {
    combinations = combinations.flatMap((types) => COMBINED_TYPES.map((type) => [...types, type]));
    combinations.forEach(add);
  }
  add(["int256"]);
  add(["string", "int256"]);
  add(["bytes"]);
  for (let size = 1; size <= MAX_FIXED_BYTES; size++) add([`bytes${size}`]);
  return new Map([...byText].map(([text, types]) => [selectorOf(text), types]));
}

let madeSignatures: ReadonlyMap<string, readonly string[]> | undefined;

/** Made when a contract first prints: most chains never do. */
function signatures(): ReadonlyMap<string, readonly string[]> {
  madeSignatures ??= consoleSignatures();
  return madeSignatures;
}

function selectorOf(text: string): string {
  return toHex(keccak256(new TextEncoder().encode(text)).subarray(0, SELECTOR_LENGTH));
}

/** @returns undefined if the value is not wholly there. */
function readValue(body: Bytes, at: number, type: string): string | undefined {
  const word = body.subarray(at, at + WORD_LENGTH);
  if (word.length < WORD_LENGTH) return undefined;
  const fixed = /^bytes(\d+)$/.exec(type)?.[1];
  if (fixed !== undefined) return toHex(word.subarray(0, Number(fixed)));
  switch (type) {
    case "uint256":
      return bytesToBigint(word).toString();
    case "int256":
      return BigInt.asIntN(8 * WORD_LENGTH, bytesToBigint(word)).toString();
    case "bool":
      return String(bytesToBigint(word) !== 0n);
    case "address":
      return toHex(word.subarray(12));
    default: {
      const bytes = readDynamic(body, bytesToBigint(word));
      if (bytes === undefined) return undefined;
      return type === "string" ? new TextDecoder().decode(bytes) : toHex(bytes);
    }
  }
}

function readDynamic(body: Bytes, offset: bigint): Bytes | undefined {
  if (offset > BigInt(body.length - WORD_LENGTH)) return undefined;
  const start = Number(offset) + WORD_LENGTH;
  const length = bytesToBigint(body.subarray(start - WORD_LENGTH, start));
  if (length > BigInt(body.length - start)) return undefined;
  return body.subarray(start, start + Number(length));
}
