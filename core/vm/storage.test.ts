import assert from "node:assert/strict";
import { test } from "node:test";
import { hex } from "@ostrom/base";
import { assemble } from "./testing/assemble.ts";
import { accountWith, CONTRACT, gasOf, OTHER, runCode } from "./testing/run-code.ts";

/** Code, original value, gas used and refund. Source: EIP-3529, "Test Cases"; the code writes slot 0 only. */
const STORES: readonly (readonly [code: string, original: bigint, gas: bigint, refund: bigint])[] = [
  ["60006000556000600055", 0n, 2312n, 0n],
  ["60006000556001600055", 0n, 22_212n, 0n],
  ["60016000556000600055", 0n, 22_212n, 19_900n],
  ["60016000556002600055", 0n, 22_212n, 0n],
  ["60016000556001600055", 0n, 22_212n, 0n],
  ["60006000556000600055", 1n, 5112n, 4800n],
  ["60006000556001600055", 1n, 5112n, 2800n],
  ["60006000556002600055", 1n, 5112n, 0n],
  ["60026000556000600055", 1n, 5112n, 4800n],
  ["60026000556003600055", 1n, 5112n, 0n],
  ["60026000556001600055", 1n, 5112n, 2800n],
  ["60026000556002600055", 1n, 5112n, 0n],
  ["60016000556000600055", 1n, 5112n, 4800n],
  ["60016000556002600055", 1n, 5112n, 0n],
  ["60016000556001600055", 1n, 2312n, 0n],
  ["600160005560006000556001600055", 0n, 42_218n, 19_900n],
  ["600060005560016000556000600055", 1n, 8018n, 7600n],
];

test("SSTORE's gas and refunds are those of EIP-2200, 2929 and 3529", () => {
  for (const [code, original, gas, refund] of STORES) {
    const accounts = [
      accountWith({ address: OTHER, code: hex(code), storage: [{ slot: 0n, value: original }] }),
    ];
    const { outcome, state } = runCode(new Uint8Array(0), { to: OTHER, accounts });
    assert.equal(1_000_000n - outcome.gasLeft, gas, code);
    assert.equal(state.refund(), refund, code);
  }
});

test("SSTORE fails with 2300 gas or less, whatever it would cost (EIP-2200)", () => {
  const accounts = [accountWith({ address: OTHER, code: hex("60006000556000600055") })];
  const pushes = 6n;
  const run = (gas: bigint) => runCode(new Uint8Array(0), { to: OTHER, accounts, gas }).outcome;
  const first = 2200n;
  assert.equal(run(first + 2n * pushes + 2300n).fault, "vm/out-of-gas");
  assert.equal(run(first + 2n * pushes + 2301n).status, "success");
});

test("SLOAD costs 2100 cold and 100 warm (EIP-2929)", () => {
  assert.equal(gasOf(hex("600054")), 3n + 2100n);
  assert.equal(gasOf(hex("6000546000546001545b")), 9n + 2100n + 100n + 2100n + 1n);
});

test("transient storage costs 100 and is not storage (EIP-1153)", () => {
  const { outcome, state } = runCode(assemble(7n, 3n, "SSTORE", 9n, 3n, "TSTORE"));
  assert.equal(1_000_000n - outcome.gasLeft, 12n + 22_100n + 100n);
  assert.equal(state.storage(CONTRACT, 3n), 7n);
  assert.equal(state.transientStorage(CONTRACT, 3n), 9n);
  assert.equal(gasOf(assemble(3n, "TLOAD")), 3n + 100n);
});
