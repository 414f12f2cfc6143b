import assert from "node:assert/strict";
import { test } from "node:test";
import { toHexDigits } from "@ostrom/base";
import { AGILE_TRANSACTION_TYPE, type AuthorityCheck, type SignedTransaction } from "@ostrom/execution";
import { TransactionPool } from "./pool.ts";
import { fakeTransaction, RULES, senderAddress } from "./testing/fake-transactions.ts";
import { DEFAULT_POOL_LIMITS, type ExecutionNews, type PoolAccount } from "./types.ts";

const RICH: PoolAccount = { nonce: 0n, balance: 10n ** 30n };
const BASE_FEE = 100n;
const NEWS: ExecutionNews = {
  block: "b",
  included: [],
  skipped: [],
  changed: [],
  account: () => RICH,
  baseFeePerGas: BASE_FEE,
  nowMs: 0,
};
const SELECTION = { gasLimit: 10n ** 9n, maxBytes: 10 ** 6, baseFeePerGas: BASE_FEE, ancestors: [] };

function newPool(): TransactionPool {
  return new TransactionPool({ ...RULES, hasKeySets: true }, DEFAULT_POOL_LIMITS, BASE_FEE);
}

function agile(sender: number, nonce: number, validUntil = 0n): SignedTransaction {
  const transaction = fakeTransaction({ sender, nonce, gas: 100_000 });
  return {
    ...transaction,
    type: AGILE_TRANSACTION_TYPE,
    agile: {
      sender: transaction.sender,
      keySetVersion: 1,
      validUntil,
      threshold: 0,
      inlineKeys: [],
      authorizations: [],
    },
  };
}

const onlyFirst: AuthorityCheck = ({ sender }) =>
  toHexDigits(sender) === toHexDigits(senderAddress(0))
    ? undefined
    : { code: "execution/not-authorized", message: "its keys were replaced" };

test("what the sender's keys do not allow is not admitted", () => {
  const pool = newPool();
  assert.ok(pool.admit(agile(0, 0), RICH, 0, undefined, onlyFirst).ok);
  const refused = pool.admit(agile(1, 0), RICH, 0, undefined, onlyFirst);
  assert.equal(refused.ok ? undefined : refused.error.code, "txpool/not-authorized");
});

test("who changed keys loses what they do not allow any more, and nobody else is asked", () => {
  const pool = newPool();
  const transactions = [agile(0, 0), agile(1, 0), agile(2, 0)];
  for (const transaction of transactions) assert.ok(pool.admit(transaction, RICH, 0).ok);
  const [first, second, third] = transactions as [SignedTransaction, SignedTransaction, SignedTransaction];
  const rekeyed = [toHexDigits(first.sender), toHexDigits(second.sender)];
  pool.onExecuted({ ...NEWS, authority: onlyFirst, rekeyed });
  assert.deepEqual(
    [first, second, third].map(({ hash }) => pool.get(hash) !== undefined),
    [true, false, true],
  );
  assert.equal(pool.dropReason(second.hash)?.code, "txpool/not-authorized");
  pool.onExecuted({ ...NEWS, block: "c", authority: onlyFirst, rekeyed: "all" });
  assert.equal(pool.get(third.hash), undefined);
});

test("what is valid until a time is not chosen for a later block, not admitted then, and dropped", () => {
  const pool = newPool();
  const due = agile(0, 0, 10n);
  assert.ok(pool.admit(due, RICH, 10_000).ok);
  assert.equal(pool.select({ ...SELECTION, timestamp: 10 }).length, 1);
  assert.equal(pool.hasWork({ ...SELECTION, timestamp: 10 }), true);
  assert.equal(pool.select({ ...SELECTION, timestamp: 11 }).length, 0);
  assert.equal(pool.hasWork({ ...SELECTION, timestamp: 11 }), false);
  const late = pool.admit(agile(1, 0, 10n), RICH, 11_000);
  assert.equal(late.ok ? undefined : late.error.code, "txpool/outdated");
  pool.expire(10_999);
  assert.ok(pool.get(due.hash) !== undefined);
  pool.expire(11_000);
  assert.equal(pool.dropReason(due.hash)?.code, "txpool/outdated");
});
