import assert from "node:assert/strict";
import { test } from "node:test";
import { equalBytes } from "@ostrom/base";
import type { ChainRules, PermissionCheck, SignedTransaction } from "@ostrom/execution";
import { TransactionPool } from "./pool.ts";
import { type Fake, fakeTransaction, RULES, senderAddress } from "./testing/fake-transactions.ts";
import { DEFAULT_POOL_LIMITS, type ExecutionNews, type PoolAccount } from "./types.ts";

const RICH: PoolAccount = { nonce: 0n, balance: 10n ** 30n };
const BASE_FEE = 100n;

/** Of a block that changed no account. */
const NEWS: ExecutionNews = {
  block: "b",
  included: [],
  skipped: [],
  changed: [],
  account: () => RICH,
  baseFeePerGas: BASE_FEE,
  nowMs: 0,
};

function poolOf(rules: ChainRules = RULES): TransactionPool {
  return new TransactionPool(rules, DEFAULT_POOL_LIMITS, BASE_FEE);
}

/** Admits and expects that it is. */
function put(pool: TransactionPool, fake: Fake): SignedTransaction {
  const transaction = fakeTransaction(fake);
  assert.ok(pool.admit(transaction, RICH, 0).ok);
  return transaction;
}

function codeOf(pool: TransactionPool, fake: Fake): string {
  const admitted = pool.admit(fakeTransaction(fake), RICH, 0);
  return admitted.ok ? "admitted" : admitted.error.code;
}

const noContracts: PermissionCheck = ({ to }) =>
  to === undefined ? { reason: "deployers only" } : undefined;

test("what modules forbid is not admitted, and the reason says which module", () => {
  const pool = poolOf();
  const create = fakeTransaction({ gas: 100_000, fields: { to: undefined } });
  const refused = pool.admit(create, RICH, 0, noContracts);
  assert.ok(!refused.ok);
  assert.equal(refused.error.code, "txpool/not-permitted");
  assert.match(refused.error.message, /deployers only/);
  assert.ok(pool.admit(fakeTransaction(), RICH, 0, noContracts).ok, "others are");
  assert.ok(pool.admit({ ...create, sender: senderAddress(1) }, RICH, 0).ok, "no module asks");
});

test("a permission that is taken away drops what its sender has here, when a block may have changed some", () => {
  const pool = poolOf();
  const first = put(pool, { sender: 1 });
  const second = put(pool, { sender: 1, nonce: 1 });
  const other = put(pool, { sender: 2 });
  const without1: PermissionCheck = ({ sender }) =>
    equalBytes(sender, senderAddress(1)) ? { reason: "suspended" } : undefined;
  const news = { ...NEWS, permits: without1 };
  pool.onExecuted(news);
  assert.equal(pool.status().pending, 3, "nobody is asked while nothing changed");
  pool.onExecuted({ ...news, hasNewPermissions: true });
  assert.deepEqual(pool.content().pending, [other]);
  for (const { hash } of [first, second]) assert.equal(pool.dropReason(hash)?.code, "txpool/not-permitted");
  const skipped = [
    { hash: first.hash, reason: { code: "execution/nonce-too-high", message: "", retry: true } as const },
  ];
  pool.markInFlight("c", [first]);
  pool.onExecuted({ ...news, block: "c", skipped });
  assert.deepEqual(pool.content().pending, [other], "nor does it come back when its block skips it");
});

test("a rule set that state begins counts for admission", () => {
  const rules: ChainRules = { ...RULES, forks: [{ fork: "prague", fromTimestamp: 0 }] };
  const pool = poolOf(rules);
  const aboveCap = { gas: 2 ** 24 + 1 };
  assert.equal(codeOf(pool, aboveCap), "admitted");
  pool.onExecuted({ ...NEWS, fork: "osaka" });
  assert.equal(codeOf(pool, { ...aboveCap, sender: 1 }), "transaction/gas-limit-above-cap");
});
