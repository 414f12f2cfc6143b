import assert from "node:assert/strict";
import { test } from "node:test";
import { addressToWord, type Bytes, EMPTY_BYTES } from "@ostrom/base";
import { assemble } from "../testing/assemble.ts";
import { CALLER, CONTRACT, OTHER } from "../testing/run-code.ts";
import { contractModule } from "../webassembly/testing/contract-module.ts";
import { contractCode } from "../webassembly/testing/run-contract.ts";
import { createContractEngine, type EngineOptions } from "./contract-engine.ts";
import { type CodeRun, difference } from "./testing/compare-engines.ts";

type Part = string | bigint;

const OTHER_WORD = addressToWord(OTHER);
const CONTRACT_WORD = addressToWord(CONTRACT);
const ONES = 2n ** 256n - 1n;
const IDENTITY = 4n;
const SHA256 = 2n;

const OPTIONS: readonly (EngineOptions & { readonly name: string })[] = [
  { name: "tier 0", tiers: "tier0" },
  { name: "tier 1", tiers: "tier1" },
  { name: "mixed by a seed", mixedBySeed: 11 },
];
const ENGINES = OPTIONS.map(({ name, ...options }) => ({ name, engine: createContractEngine(options) }));

/** Runs in each engine and in the reference. */
function check(code: readonly Part[], otherCode: Bytes = EMPTY_BYTES, run: Partial<CodeRun> = {}): void {
  const bytes = assemble(...code);
  const whole: CodeRun = {
    fork: "osaka",
    code: bytes,
    otherCode,
    data: EMPTY_BYTES,
    gas: 1_000_000n,
    ...run,
  };
  for (const { name, engine } of ENGINES) {
    assert.equal(difference(engine.execute, whole), undefined, name);
    assert.equal(engine.counts.nodeFaults, 0, name);
  }
}

const KINDS = ["CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"] as const;

/** Calls, and keeps the result, and what was returned, in memory from `at` on. */
function call(kind: (typeof KINDS)[number], to: bigint, input: [bigint, bigint], gas: Part = "GAS"): Part[] {
  const value = kind === "CALL" || kind === "CALLCODE" ? [0n] : [];
  return [40n, 200n, input[1], input[0], ...value, to, gas, kind];
}

/** Returns 320 bytes of memory. */
const SHOW: readonly Part[] = [320n, 0n, "RETURN"];

test("a word of the input that reaches beyond its end is zeros there, whatever the caller's memory holds behind it", () => {
  const reading: Part[] = [];
  // Offsets from before the last word of the input to behind its end.
  for (let i = 0n; i < 10n; i++) reading.push(4n * i, "CALLDATALOAD", 32n * i, "MSTORE");
  const other = assemble(...reading, 40n, 0n, "CALLDATACOPY", ...SHOW);
  for (const size of [0n, 1n, 15n, 16n, 17n, 31n, 32n, 33n, 64n]) {
    const filled: Part[] = [
      ONES,
      0n,
      "MSTORE",
      ONES,
      32n,
      "MSTORE",
      ONES,
      64n,
      "MSTORE",
      ONES,
      96n,
      "MSTORE",
    ];
    const copied: Part[] = ["RETURNDATASIZE", 0n, 0n, "RETURNDATACOPY"];
    for (const kind of KINDS)
      check([...filled, ...call(kind, OTHER_WORD, [5n, size]), "POP", ...copied, ...SHOW], other);
    check([...reading, ...SHOW], EMPTY_BYTES, { data: new Uint8Array(Number(size)).fill(0xff) });
  }
});

test("calls of precompiles give back what they return and what gas they leave, and fail with all of theirs", () => {
  for (const kind of KINDS) {
    for (const to of [IDENTITY, SHA256, 8n, 0n, addressToWord(CALLER)]) {
      for (const gas of ["GAS", 0n, 14n, 72n, 2n ** 60n, ONES]) {
        const code = [
          ...call(kind, to, [0n, 70n], gas),
          "RETURNDATASIZE",
          "GAS",
          0n,
          "MSTORE",
          32n,
          "MSTORE",
        ];
        check([ONES, 33n, "MSTORE", ...code, 64n, "MSTORE", ...SHOW]);
      }
    }
  }
});

test("a call whose caller has too little gas, or that asks for memory far away, fails as in the reference", () => {
  for (const kind of KINDS) {
    for (const gas of [21n, 100n, 130n, 2600n, 2700n, 2750n])
      check([...call(kind, OTHER_WORD, [0n, 0n]), "POP"], assemble("GAS"), { gas });
    check([...call(kind, OTHER_WORD, [ONES, 0n]), 0n, "MSTORE", ...SHOW]);
    check([...call(kind, OTHER_WORD, [ONES, 1n]), 0n, "MSTORE", ...SHOW]);
  }
});

test("the balance that a frame remembers is asked for again after a call", () => {
  const giveBack = assemble(0n, 0n, 0n, 0n, "SELFBALANCE", "CALLER", "GAS", "CALL", "STOP");
  const give: Part[] = [0n, 0n, 0n, 0n, 3n, OTHER_WORD, "GAS", "CALL", "POP"];
  const ask: Part[] = ["SELFBALANCE", "SELFBALANCE", "MSIZE", "MSTORE", "MSIZE", "MSTORE"];
  check([...ask, ...give, ...ask, ...SHOW]);
  check([...ask, ...give, ...ask, ...SHOW], giveBack);
});

test("hashes of blobs are those of the transaction, and 0 beyond", () => {
  const indices = [0n, 1n, 2n, 2n ** 32n, 2n ** 64n, ONES];
  check([
    ...indices.flatMap((index, place): Part[] => [index, "BLOBHASH", 32n * BigInt(place), "MSTORE"]),
    ...SHOW,
  ]);
});

test("hashes of blocks and accounts are what they are in the reference, warm and cold", () => {
  const numbers = [0n, 1n, 255n, 256n, 257n, 999n, 2n ** 64n, ONES];
  const accounts = [0n, 1n, OTHER_WORD, addressToWord(CALLER), 2n ** 160n + OTHER_WORD];
  const put: Part[] = ["MSIZE", "MSTORE"];
  check([
    ...numbers.flatMap((number): Part[] => ["NUMBER", number, "SWAP1", "SUB", "BLOCKHASH", ...put]),
    ...[...accounts, ...accounts].flatMap((account): Part[] =>
      ["BALANCE", "EXTCODEHASH", "EXTCODESIZE"].flatMap((name): Part[] => [
        account,
        name,
        ...put,
        "GAS",
        ...put,
      ]),
    ),
    "MSIZE",
    0n,
    "RETURN",
  ]);
});

test("a program sees its input where its caller has it, even when memory has grown meanwhile", () => {
  const [first, second] = [0, 600];
  const size = 96;
  const program = contractCode(
    contractModule(["input_size", "input_copy", "gas_left", "call", "output"], (code, { host }) => {
      code.i32Const(first).i32Const(0).i32Const(size).call(host.input_copy);
      // The contract that the input names, with a byte of input and no value.
      code
        .call(host.gas_left)
        .i32Const(first)
        .i32Const(448)
        .i32Const(first)
        .i32Const(1)
        .call(host.call)
        .drop();
      code.i32Const(second).i32Const(0).call(host.input_size).call(host.input_copy);
      code.i32Const(second).i32Const(size).call(host.output).i32Const(0);
    }),
  );
  const grows = [1n, BigInt(40 * 2 ** 20), "MSTORE", "STOP"];
  const calls: Part[] = [
    ...["ADDRESS", 96n, "SHL", 0n, "MSTORE", ONES, 64n, "MSTORE"],
    ...call("CALL", OTHER_WORD, [0n, BigInt(size)]),
    ...["POP", "RETURNDATASIZE", 0n, 0n, "RETURNDATACOPY", ...SHOW],
  ];
  const body = assemble(...calls);
  const code = Uint8Array.of(
    ...assemble("CALLDATASIZE", BigInt(body.length + 4), "JUMPI"),
    ...body,
    ...assemble("JUMPDEST", ...grows),
  );
  // New ones, because memory that has grown stays so.
  for (const { name, ...options } of OPTIONS) {
    const { execute, counts } = createContractEngine(options);
    const run: CodeRun = { fork: "osaka", code, otherCode: program, data: EMPTY_BYTES, gas: 2n ** 40n };
    assert.equal(difference(execute, run), undefined, name);
    assert.equal(counts.nodeFaults, 0, name);
    assert.ok(counts.frames.program > 0, name);
  }
});

test("calls to more addresses than are remembered, and to ones that share their place, find each account", () => {
  const code: Part[] = [];
  for (let round = 0; round < 2; round++)
    for (let i = 0n; i < 300n; i++)
      code.push(CONTRACT_WORD + (i << 32n), "BALANCE", 0n, "MLOAD", "ADD", 0n, "MSTORE");
  check([...code, "GAS", 32n, "MSTORE", ...SHOW], EMPTY_BYTES, { gas: 5_000_000n });
});
