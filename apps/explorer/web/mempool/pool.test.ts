import assert from "node:assert/strict";
import { test } from "node:test";
import type { RpcTransaction } from "../data/rpc-types.ts";
import { bySender, MAX_POOL, ratePerSecond, readPool } from "./pool.ts";

function transaction(from: string, nonce: number, fee: number): RpcTransaction {
  return {
    hash: `0x${from}${nonce}`,
    from,
    to: null,
    nonce: `0x${nonce.toString(16)}`,
    value: "0x1",
    maxFeePerGas: `0x${fee.toString(16)}`,
    maxPriorityFeePerGas: "0x1",
  } as RpcTransaction;
}

test("a pool is read with the best payers first, and grouped by who sent", () => {
  const content = {
    pending: { Alice: { 0: transaction("Alice", 0, 5), 1: transaction("Alice", 1, 9) } },
    queued: { Bob: { 7: transaction("Bob", 7, 6) } },
  };
  const pool = readPool(content);
  assert.deepEqual(
    pool.map(({ from, nonce, state }) => [from, nonce, state]),
    [
      ["alice", 1, "pending"],
      ["bob", 7, "queued"],
      ["alice", 0, "pending"],
    ],
  );
  assert.deepEqual(bySender(pool), [
    { from: "alice", pending: 2, queued: 0, firstNonce: 0, lastNonce: 1, value: 2n },
    { from: "bob", pending: 0, queued: 1, firstNonce: 7, lastNonce: 7, value: 1n },
  ]);
});

test("a pool is bounded", () => {
  const byNonce = Object.fromEntries(
    Array.from({ length: MAX_POOL + 50 }, (_, nonce) => [nonce, transaction("Alice", nonce, 1)]),
  );
  assert.equal(readPool({ pending: { Alice: byNonce }, queued: {} }).length, MAX_POOL);
});

test("a rate counts what arrived within its window", () => {
  assert.equal(ratePerSecond([1_000, 9_000, 9_500, 10_000], 10_000, 2_000), 1.5);
  assert.equal(ratePerSecond([], 10_000, 2_000), 0);
});
