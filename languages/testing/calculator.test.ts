// The kits' numbers, strings and refusals are Solidity's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, type Bytes, createRandom, hex, must } from "@ostrom/base";
import type { MessageEngine } from "@ostrom/vm";
import { encodeFunctionData, maxUint256, parseAbi } from "viem";
import { CONTRACT_KINDS, type ContractKind, ENGINES, REFERENCE, SOLIDITY } from "./contract-kinds.ts";
import { accounts, type Effects, Ledger } from "./ledger.ts";

const [CALLER] = accounts() as [Address];
const ABI = parseAbi([
  "function add(uint256 a, uint256 b) view returns (uint256)",
  "function subtract(uint256 a, uint256 b) view returns (uint256)",
  "function multiply(uint256 a, uint256 b) view returns (uint256)",
  "function divide(uint256 a, uint256 b) view returns (uint256)",
  "function less(uint256 a, uint256 b) view returns (bool)",
  "function invert(bool value) view returns (bool)",
  "function half(uint64 value) view returns (uint64)",
  "function echo(string text) view returns (string)",
]);
const TWO_NUMBERS = ["add", "subtract", "multiply", "divide", "less"] as const;
const EDGES = [
  0n,
  1n,
  2n,
  2n ** 64n - 1n,
  2n ** 64n,
  2n ** 128n,
  2n ** 192n - 1n,
  2n ** 255n,
  maxUint256 - 1n,
  maxUint256,
];

/** The input of a function whose arguments are words. */
function withWords(name: "invert" | "half", word: bigint): Bytes {
  const data = hex(
    encodeFunctionData(
      name === "invert"
        ? { abi: ABI, functionName: name, args: [true] }
        : { abi: ABI, functionName: name, args: [0n] },
    ),
  );
  data.set(hex(word.toString(16).padStart(64, "0")), 4);
  return data;
}

function inputs(): readonly Bytes[] {
  const { below, bytes } = createRandom(21);
  const randomNumber = (): bigint => BigInt(`0x${Buffer.from(bytes(1 + below(32))).toString("hex")}`);
  const pairs = [
    ...EDGES.flatMap((a) => EDGES.map((b) => [a, b] as const)),
    ...Array.from({ length: 50 }, () => [randomNumber(), randomNumber()] as const),
  ];
  const texts = ["", "a", "x".repeat(31), "y".repeat(32), "z".repeat(33), "Grüße 🌍", "w".repeat(1000)];
  return [
    ...pairs.flatMap((args) =>
      TWO_NUMBERS.map((functionName) => hex(encodeFunctionData({ abi: ABI, functionName, args }))),
    ),
    ...[0n, 1n, 2n, 256n, maxUint256].map((word) => withWords("invert", word)),
    ...[0n, 1n, 2n, 7n, 2n ** 64n - 2n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 255n].map((word) =>
      withWords("half", word),
    ),
    ...texts.map((text) => hex(encodeFunctionData({ abi: ABI, functionName: "echo", args: [text] }))),
    hex("f15da729"),
    hex("771602f7"),
    hex("00000000"),
  ];
}

const INPUTS = inputs();

function observe(kind: ContractKind, execute: MessageEngine): readonly Effects[] {
  const ledger = new Ledger(execute);
  const { address } = ledger.deploy(CALLER, kind.calculator);
  return INPUTS.map((data) => ledger.send({ from: CALLER, to: address, data }).effects);
}

const expected = observe(SOLIDITY, REFERENCE.execute);

for (const kind of CONTRACT_KINDS) {
  for (const { name, execute } of ENGINES) {
    test(`${name}: the calculator in ${kind.name} answers and refuses as Solidity's`, () => {
      for (const [index, effects] of observe(kind, execute).entries()) {
        assert.deepEqual(
          effects,
          expected[index],
          Buffer.from(must(INPUTS[index], "same length")).toString("hex"),
        );
      }
    });
  }
}
