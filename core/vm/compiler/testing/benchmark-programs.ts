import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Address,
  addressFromHex,
  type Bytes,
  bytesToBigint,
  concatBytes,
  hex,
  utf8,
  wordToBytes,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { assemble } from "../../testing/assemble.ts";

/** Programs as contracts have them, beside ipsilon's: what solc makes of a token, of an exchange and of sorting, and loops
 * of the instructions that others' benchmarks leave out. */
export type BenchmarkProgram = {
  readonly name: string;
  readonly code: Bytes;
  readonly data: Bytes;
  readonly storage: readonly { readonly slot: bigint; readonly value: bigint }[];
};

export const BENCHMARK_SENDER: Address = addressFromHex(`0x${"ca".repeat(20)}`);

/** What solc made of the source in the same file, by the settings there. */
const CONTRACTS = JSON.parse(readFileSync(join(import.meta.dirname, "benchmark-contracts.json"), "utf8")) as {
  readonly code: Readonly<Record<string, string>>;
};

function callData(signature: string, ...words: readonly bigint[]): Bytes {
  return concatBytes(keccak256(utf8(signature)).subarray(0, 4), ...words.map((word) => wordToBytes(word)));
}

const LOOP_COUNT = 2000n;
const SECP256K1_PRIME = 2n ** 256n - 2n ** 32n - 977n;

/** Runs `body` LOOP_COUNT times; it finds a word on the stack, under the count, and leaves one there. */
function loop(initial: bigint, ...body: readonly (string | bigint)[]): Bytes {
  const head = assemble(initial, LOOP_COUNT);
  const start = BigInt(head.length);
  return assemble(
    ...[initial, LOOP_COUNT, "JUMPDEST", "SWAP1", ...body, "SWAP1"],
    ...[1n, "SWAP1", "SUB", "DUP1", start, "JUMPI"],
    ...["POP", 0n, "MSTORE", 32n, 0n, "RETURN"],
  );
}

export function benchmarkPrograms(): readonly BenchmarkProgram[] {
  const codeOf = (name: string): Bytes => hex(CONTRACTS.code[name]!);
  const pure = (name: string, code: Bytes, data: Bytes = new Uint8Array()): BenchmarkProgram => ({
    name,
    code,
    data,
    storage: [],
  });
  const balanceSlot = bytesToBigint(
    keccak256(concatBytes(new Uint8Array(12), BENCHMARK_SENDER, wordToBytes(0n))),
  );
  const storage = [{ slot: balanceSlot, value: 10n ** 24n }];
  const to = 0x1234n;
  const square = (modulus: bigint): Bytes => loop(2n ** 255n + 19n, modulus, "SWAP1", "DUP1", "MULMOD");
  return [
    { ...pure("token transfer", codeOf("Token"), callData("transfer(address,uint256)", to, 5n)), storage },
    {
      ...pure(
        "token transfers",
        codeOf("Token"),
        callData("transferMany(address,uint256,uint256)", to, 5n, 200n),
      ),
      storage,
    },
    pure("exchange", codeOf("Exchange"), callData("swap(uint256)", 1000n)),
    pure("sort", codeOf("Sorter"), callData("sort(uint256)", 500n)),
    pure("mulmod", square(SECP256K1_PRIME)),
    pure("addmod", loop(2n ** 255n + 19n, SECP256K1_PRIME, "SWAP1", "DUP1", "ADDMOD")),
    pure("keccak of a word", loop(7n, 0n, "MSTORE", 32n, 0n, "KECCAK256")),
    pure("keccak of 1 KB", loop(7n, 0n, "MSTORE", 1024n, 0n, "KECCAK256")),
    pure("division", loop(2n ** 255n + 19n, 2n ** 250n + 7n, "DIV", 2n ** 130n + 1n, "MUL", 12345n, "ADD")),
    pure("multiply, add, compare", loop(3n, "DUP1", "MUL", 2n ** 200n + 77n, "ADD", "DUP1", 5n, "LT", "ADD")),
    pure("power", loop(3n, 0xffff_ffffn, "SWAP1", "EXP", 3n, "OR")),
    pure(
      "storage",
      loop(1n, "DUP1", 15n, "AND", "SLOAD", 1n, "ADD", "DUP2", 15n, "AND", "SSTORE", 1n, "ADD"),
    ),
  ];
}
