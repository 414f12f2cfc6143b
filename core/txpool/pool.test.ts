import assert from "node:assert/strict";
import { test } from "node:test";
import { toHexDigits } from "@ostrom/base";
import type { SignedTransaction, SkipReason } from "@ostrom/execution";
import { TransactionPool } from "./pool.ts";
import { type Fake, fakeTransaction, RULES, senderAddress } from "./testing/fake-transactions.ts";
import { DEFAULT_POOL_LIMITS, type PoolAccount, type PoolLimits } from "./types.ts";

const RICH: PoolAccount = { nonce: 0n, balance: 10n ** 30n };
const BASE_FEE = 100n;
const WHOLE_BLOCK = {
  gasLimit: RULES.blockGasLimit,
  maxBytes: 1_000_000,
  baseFeePerGas: BASE_FEE,
  ancestors: [],
};

function poolWith(limits: Partial<PoolLimits> = {}): TransactionPool {
  return new TransactionPool(RULES, { ...DEFAULT_POOL_LIMITS, ...limits }, BASE_FEE);
}

/** Admits and expects that it is. */
function put(pool: TransactionPool, fake: Fake, account: PoolAccount = RICH): SignedTransaction {
  const transaction = fakeTransaction(fake);
  const admitted = pool.admit(transaction, account, 0);
  assert.ok(admitted.ok, admitted.ok ? "" : admitted.error.message);
  return transaction;
}

function codeOf(pool: TransactionPool, fake: Fake, account: PoolAccount = RICH): string {
  const admitted = pool.admit(fakeTransaction(fake), account, 0);
  return admitted.ok ? "admitted" : admitted.error.code;
}

function messageOf(pool: TransactionPool, fake: Fake, account: PoolAccount = RICH): string {
  const admitted = pool.admit(fakeTransaction(fake), account, 0);
  return admitted.ok ? "admitted" : admitted.error.message;
}

function executed(
  pool: TransactionPool,
  block: string,
  included: readonly SignedTransaction[],
  skipped: readonly { transaction: SignedTransaction; reason: SkipReason }[],
  accounts: ReadonlyMap<number, PoolAccount>,
  baseFeePerGas = BASE_FEE,
): void {
  const byKey = new Map(
    [...accounts].map(([index, account]) => [toHexDigits(senderAddress(index)), account]),
  );
  pool.onExecuted({
    block,
    included,
    skipped: skipped.map(({ transaction, reason }) => ({ hash: transaction.hash, reason })),
    changed: byKey.keys(),
    account: (address) => byKey.get(toHexDigits(address)) ?? RICH,
    baseFeePerGas,
    nowMs: 0,
  });
}

test("a transaction is refused with the code and the words that geth's clients know", () => {
  const pool = poolWith();
  const known = put(pool, { nonce: 0 });
  const again = pool.admit(known, RICH, 0);
  assert.deepEqual(again, { ok: false, error: { code: "txpool/already-known", message: "already known" } });
  assert.match(
    messageOf(pool, { nonce: 4 }, { ...RICH, nonce: 5n }),
    /^nonce too low: next nonce 5, tx nonce 4$/,
  );
  assert.match(
    messageOf(pool, { sender: 1 }, { nonce: 0n, balance: 1n }),
    /^insufficient funds for gas \* price \+ value: balance 1, tx cost 21000000, overshot 20999999$/,
  );
  assert.equal(messageOf(pool, { sender: 2, gas: 30_000_001 }), "exceeds block gas limit");
  assert.match(
    messageOf(pool, { sender: 2, gas: 20_000_000 }),
    /^transaction gas limit too high \(cap: 16777216/,
  );
  assert.match(messageOf(pool, { sender: 2, gas: 20_999 }), /^intrinsic gas too low/);
  assert.match(messageOf(pool, { sender: 2, size: 128 * 1024 + 1 }), /^oversized data/);
  assert.match(messageOf(pool, { sender: 2, fields: { chainId: 1n } }), /^invalid chain id for signer/);
  assert.match(messageOf(pool, { sender: 2, fields: { type: 3 } }), /^transaction type not supported/);
  assert.match(
    messageOf(pool, { sender: 2, fields: { type: 0, chainId: undefined } }),
    /^only replay-protected/,
  );
  assert.match(messageOf(poolWith({ minTipPerGas: 11n }), { tip: 10 }), /^transaction underpriced/);
  const floored = new TransactionPool({ ...RULES, minBaseFeePerGas: 2_000n }, DEFAULT_POOL_LIMITS, 2_000n);
  assert.match(messageOf(floored, {}), /^transaction underpriced/);
});

test("a legacy transaction without a chain id is admitted where the flag says so", () => {
  assert.equal(codeOf(poolWith(), { fields: { type: 0, chainId: undefined } }), "txpool/unprotected");
  assert.equal(
    codeOf(poolWith({ allowsUnprotected: true }), { fields: { type: 0, chainId: undefined } }),
    "admitted",
  );
});

test("a sender's transactions together must be covered by its balance", () => {
  const pool = poolWith();
  const cost = 21_000n * 1_000n;
  const account = { nonce: 0n, balance: 2n * cost };
  put(pool, { nonce: 0 }, account);
  put(pool, { nonce: 1 }, account);
  assert.equal(codeOf(pool, { nonce: 2 }, account), "txpool/insufficient-funds");
  // A replacement counts instead of what it replaces, not beside it.
  assert.equal(
    codeOf(pool, { nonce: 1, tip: 11, maxFee: 1_100 }, { ...account, balance: 2n * cost }),
    "txpool/insufficient-funds",
  );
  assert.equal(
    codeOf(pool, { nonce: 1, tip: 11, maxFee: 1_100 }, { ...account, balance: 2n * cost + 2_100_000n }),
    "admitted",
  );
});

test("a replacement must raise both fee caps by a tenth, and the replaced one is dropped with that reason", () => {
  const pool = poolWith();
  const first = put(pool, { tip: 100, maxFee: 1_000 });
  assert.equal(codeOf(pool, { tip: 109, maxFee: 1_100 }), "txpool/replacement-underpriced");
  assert.equal(codeOf(pool, { tip: 110, maxFee: 1_099 }), "txpool/replacement-underpriced");
  const second = put(pool, { tip: 110, maxFee: 1_100 });
  assert.equal(pool.get(first.hash), undefined);
  assert.equal(pool.dropReason(first.hash)?.code, "txpool/replaced");
  assert.deepEqual(pool.content().pending, [second]);
  assert.deepEqual(
    pool.takeDropped().map(({ hash }) => hash),
    [first.hash],
  );
  assert.deepEqual(pool.takeDropped(), []);
});

test("a replacement of fees of zero must raise both above zero", () => {
  const pool = poolWith();
  put(pool, { tip: 0, maxFee: 0 });
  assert.equal(codeOf(pool, { tip: 0, maxFee: 5 }), "txpool/replacement-underpriced");
  assert.equal(codeOf(pool, { tip: 1, maxFee: 1 }), "admitted");
});

test("what follows a missing nonce is queued, and becomes pending when the nonce comes", () => {
  const pool = poolWith();
  const second = fakeTransaction({ nonce: 1 });
  const queued = pool.admit(second, RICH, 0);
  assert.equal(queued.ok && queued.value.isPending, false);
  put(pool, { nonce: 3 });
  assert.deepEqual(pool.status(), { pending: 0, queued: 2 });
  assert.equal(pool.pendingNonce(senderAddress(0), 0n), 0n);
  put(pool, { nonce: 0 });
  assert.deepEqual(pool.status(), { pending: 2, queued: 1 });
  assert.equal(pool.pendingNonce(senderAddress(0), 0n), 2n);
  assert.deepEqual(
    pool.content(senderAddress(0)).queued.map(({ nonce }) => nonce),
    [3n],
  );
  assert.deepEqual(pool.content(senderAddress(5)), { pending: [], queued: [] });
});

test("what has waited too long for a missing nonce expires; pending ones do not", () => {
  const pool = poolWith({ queuedLifetimeMs: 1_000 });
  pool.admit(fakeTransaction({ nonce: 0 }), RICH, 0);
  const gapped = fakeTransaction({ nonce: 2 });
  pool.admit(gapped, RICH, 0);
  pool.expire(1_000);
  assert.deepEqual(pool.status(), { pending: 1, queued: 1 });
  pool.expire(1_001);
  assert.deepEqual(pool.status(), { pending: 1, queued: 0 });
  assert.equal(pool.dropReason(gapped.hash)?.code, "txpool/expired");
});

test("a selection takes the best tips first, each sender's in nonce order, within gas and bytes", () => {
  const pool = poolWith();
  const a0 = put(pool, { sender: 1, nonce: 0, tip: 5 });
  const a1 = put(pool, { sender: 1, nonce: 1, tip: 500 });
  const b0 = put(pool, { sender: 2, nonce: 0, tip: 50 });
  const c0 = put(pool, { sender: 3, nonce: 0, tip: 5 });
  assert.deepEqual(pool.select(WHOLE_BLOCK), [b0, a0, a1, c0]);
  assert.deepEqual(pool.select({ ...WHOLE_BLOCK, gasLimit: 42_000n }), [b0, a0]);
  assert.deepEqual(pool.select({ ...WHOLE_BLOCK, maxBytes: 8 + 115 }), [b0]);
  assert.equal(pool.hasWork(WHOLE_BLOCK), true);
  assert.equal(poolWith().hasWork(WHOLE_BLOCK), false);
});

test("the tip that counts is what remains above the base fee, and what does not pay the base fee waits", () => {
  const pool = poolWith();
  const capped = put(pool, { sender: 1, tip: 900, maxFee: 1_000 });
  const plain = put(pool, { sender: 2, tip: 200, maxFee: 5_000 });
  put(pool, { sender: 3, tip: 900, maxFee: 899 });
  assert.deepEqual(pool.select({ ...WHOLE_BLOCK, baseFeePerGas: 900n }), [plain, capped]);
  assert.deepEqual(pool.select({ ...WHOLE_BLOCK, baseFeePerGas: 1_001n }), [plain]);
  assert.equal(pool.hasWork({ baseFeePerGas: 5_001n, ancestors: [] }), false);
});

test("a transaction that does not fit leaves room for other senders' that do", () => {
  const pool = poolWith();
  put(pool, { sender: 1, tip: 100, gas: 16_000_000 });
  const big = put(pool, { sender: 2, tip: 200, gas: 16_000_000 });
  const small = put(pool, { sender: 3, tip: 1 });
  assert.deepEqual(pool.select(WHOLE_BLOCK), [big, small]);
});

test("what an ancestor contains is not selected again, and what follows it is", () => {
  const pool = poolWith();
  const first = put(pool, { nonce: 0 });
  const second = put(pool, { nonce: 1 });
  const third = put(pool, { nonce: 2 });
  pool.markInFlight("a", [first]);
  pool.markInFlight("b", [second]);
  pool.markInFlight("b", [second]);
  assert.deepEqual(pool.select({ ...WHOLE_BLOCK, ancestors: ["a", "b"] }), [third]);
  assert.deepEqual(
    pool.select({ ...WHOLE_BLOCK, ancestors: ["a"] }),
    [second, third],
    "b is of another branch",
  );
  assert.deepEqual(pool.select({ ...WHOLE_BLOCK, ancestors: ["unknown"] }), [first, second, third]);
  pool.unmarkInFlight("b");
  assert.deepEqual(pool.select({ ...WHOLE_BLOCK, ancestors: ["a", "b"] }), [second, third]);
  assert.equal(pool.admit(first, RICH, 0).ok, false);
});

test("a transaction in flight that never was here counts: what follows it is selected, itself is known", () => {
  const pool = poolWith();
  const elsewhere = fakeTransaction({ nonce: 0 });
  const second = put(pool, { nonce: 1 });
  pool.markInFlight("a", [elsewhere]);
  assert.deepEqual(pool.select({ ...WHOLE_BLOCK, ancestors: ["a"] }), [second]);
  assert.equal(pool.pendingNonce(senderAddress(0), 0n), 2n);
  const again = pool.admit(elsewhere, RICH, 0);
  assert.equal(!again.ok && again.error.code, "txpool/already-known");
});

test("execution removes what was mined without a reason, and what became stale with one", () => {
  const pool = poolWith();
  const mine = put(pool, { nonce: 0 });
  const other = put(pool, { nonce: 1 });
  const later = put(pool, { nonce: 2 });
  const rival = fakeTransaction({ nonce: 1 });
  pool.markInFlight("a", [mine, rival]);
  executed(pool, "a", [mine, rival], [], new Map([[0, { ...RICH, nonce: 2n }]]));
  assert.equal(pool.dropReason(mine.hash), undefined);
  assert.equal(pool.dropReason(other.hash)?.code, "txpool/nonce-too-low");
  assert.deepEqual(pool.content(), { pending: [later], queued: [] });
  assert.equal(pool.bytes, later.raw.length);
});

test("a sender whose balance fell loses its last transactions until it can pay for the others", () => {
  const pool = poolWith();
  const cost = 21_000n * 1_000n;
  const kept = put(pool, { nonce: 0 });
  const lost = put(pool, { nonce: 1 });
  executed(pool, "a", [], [], new Map([[0, { nonce: 0n, balance: 2n * cost - 1n }]]));
  assert.deepEqual(pool.content().pending, [kept]);
  assert.equal(pool.dropReason(lost.hash)?.code, "txpool/insufficient-funds");
});

test("a skipped transaction that may be tried again stays or comes back; others are dropped with the reason", () => {
  const pool = poolWith();
  const here = put(pool, { sender: 1, nonce: 0 });
  const elsewhere = fakeTransaction({ sender: 2, nonce: 0 });
  const hopeless = put(pool, { sender: 3, nonce: 0 });
  const behind = put(pool, { sender: 3, nonce: 1 });
  pool.markInFlight("a", [here, elsewhere, hopeless]);
  const retry = { code: "execution/fee-below-base-fee", message: "fee", retry: true } as const;
  const final = { code: "execution/insufficient-funds", message: "funds", retry: false } as const;
  const skipped = [
    { transaction: here, reason: retry },
    { transaction: elsewhere, reason: retry },
    { transaction: hopeless, reason: final },
  ];
  executed(pool, "a", [], skipped, new Map());
  assert.ok(pool.get(here.hash));
  assert.ok(pool.get(elsewhere.hash));
  assert.equal(pool.get(hopeless.hash), undefined);
  assert.deepEqual(pool.dropReason(hopeless.hash), final);
  assert.deepEqual(pool.content().queued, [behind]);
  assert.deepEqual(pool.select(WHOLE_BLOCK), [here, elsewhere]);
});

test("one sender gets its slots and no more, also in the queue", () => {
  const pool = poolWith({ maxPerSender: 5, maxQueuedPerSender: 2 });
  for (const nonce of [0, 1, 5, 6]) put(pool, { nonce });
  assert.equal(codeOf(pool, { nonce: 7 }), "txpool/queue-limit");
  put(pool, { nonce: 2 });
  assert.equal(codeOf(pool, { nonce: 3 }), "txpool/sender-limit");
  assert.equal(codeOf(pool, { sender: 1, nonce: 0 }), "admitted");
});

test("an account that delegates to code gets one slot, without gaps (EIP-7702)", () => {
  const pool = poolWith();
  const account = { ...RICH, isDelegated: true };
  assert.equal(codeOf(pool, { nonce: 1 }, account), "txpool/sender-limit");
  put(pool, { nonce: 0 }, account);
  assert.equal(codeOf(pool, { nonce: 1 }, account), "txpool/sender-limit");
  assert.equal(codeOf(pool, { nonce: 0, tip: 20, maxFee: 2_000 }, account), "admitted");
});

test("a full pool drives the cheapest out for a better paid one, and never for a cheaper or an equal one", () => {
  const pool = poolWith({ maxTransactions: 3 });
  const cheap = put(pool, { sender: 1, tip: 10 });
  put(pool, { sender: 2, tip: 30 });
  put(pool, { sender: 3, tip: 20 });
  assert.equal(codeOf(pool, { sender: 4, tip: 10 }), "txpool/full");
  assert.ok(pool.get(cheap.hash));
  put(pool, { sender: 4, tip: 11 });
  assert.equal(pool.dropReason(cheap.hash)?.code, "txpool/evicted");
  assert.deepEqual(pool.status(), { pending: 3, queued: 0 });
});

test("a full pool values what stands behind a cheap transaction no higher than that", () => {
  const pool = poolWith({ maxTransactions: 3 });
  put(pool, { sender: 1, nonce: 0, tip: 1 });
  const blocked = put(pool, { sender: 1, nonce: 1, tip: 900 });
  put(pool, { sender: 2, tip: 5 });
  put(pool, { sender: 3, tip: 3 });
  assert.equal(pool.dropReason(blocked.hash)?.code, "txpool/evicted");
  // Nor can a sender drive others out by a high tip behind its own cheap one.
  assert.equal(codeOf(pool, { sender: 1, nonce: 1, tip: 900 }), "txpool/full");
});

test("a long transaction drives several short ones out, or none if that is not enough", () => {
  const pool = poolWith({ maxBytes: 1_000 });
  const short = [1, 2, 3, 4].map((sender) => put(pool, { sender, tip: sender, size: 250 }));
  assert.equal(codeOf(pool, { sender: 9, tip: 3, size: 600 }), "txpool/full", "only 500 bytes are cheaper");
  assert.ok(short.every(({ hash }) => pool.get(hash) !== undefined));
  put(pool, { sender: 9, tip: 4, size: 600 });
  assert.deepEqual(
    short.map(({ hash }) => pool.get(hash) !== undefined),
    [false, false, false, true],
  );
  assert.equal(pool.bytes, 850);
});

test("too many that wait for missing nonces drive each other out, not what is pending", () => {
  const pool = poolWith({ maxQueued: 2 });
  const pending = put(pool, { sender: 9, tip: 1 });
  const cheap = put(pool, { sender: 1, nonce: 5, tip: 10 });
  put(pool, { sender: 2, nonce: 5, tip: 20 });
  assert.equal(codeOf(pool, { sender: 3, nonce: 5, tip: 10 }), "txpool/full");
  put(pool, { sender: 3, nonce: 5, tip: 11 });
  assert.equal(pool.dropReason(cheap.hash)?.code, "txpool/evicted");
  assert.ok(pool.get(pending.hash));
  assert.deepEqual(pool.status(), { pending: 1, queued: 2 });
});

test("a flood of one sender, of many senders and of replacements leaves honest transactions their place", () => {
  const limits = { maxTransactions: 500, maxPerSender: 100, maxQueued: 50, maxDropReasons: 64 };
  const pool = poolWith(limits);
  const honest = Array.from({ length: 50 }, (_, i) => put(pool, { sender: 10_000 + i, tip: 100 }));
  for (let nonce = 0; nonce < 1_000; nonce++) codeOf(pool, { sender: 1, nonce, tip: 99 });
  for (let sender = 100; sender < 2_000; sender++) codeOf(pool, { sender, tip: 50 });
  for (let sender = 100; sender < 2_000; sender++) codeOf(pool, { sender, nonce: 9, tip: 50 });
  for (let round = 0; round < 100; round++) {
    for (let nonce = 0; nonce < 20; nonce++)
      codeOf(pool, { sender: 1, nonce, tip: 99, maxFee: 1_000 + round });
  }
  const { pending, queued } = pool.status();
  assert.ok(pending + queued <= limits.maxTransactions && queued <= limits.maxQueued);
  assert.ok(honest.every(({ hash }) => pool.get(hash) !== undefined));
  assert.deepEqual(new Set(pool.select(WHOLE_BLOCK).slice(0, 50)), new Set(honest));
  assert.ok(pool.takeDropped().length <= 2 * limits.maxDropReasons);
});

test("new transactions are taken once, and not if they are gone again", () => {
  const pool = poolWith();
  const replaced = put(pool, { nonce: 0 });
  const queued = put(pool, { nonce: 5 });
  const replacement = put(pool, { nonce: 0, tip: 20, maxFee: 2_000 });
  assert.deepEqual(pool.takeNew(), [queued, replacement]);
  assert.deepEqual(pool.takeNew(), []);
  assert.ok(replaced);
});

test("reasons of drops are remembered up to the limit, the oldest forgotten first", () => {
  const pool = poolWith({ maxDropReasons: 2 });
  const dropped = [0, 1, 2].map((i) => {
    const transaction = put(pool, { sender: i });
    put(pool, { sender: i, tip: 100, maxFee: 5_000 });
    return transaction;
  });
  assert.deepEqual(
    dropped.map(({ hash }) => pool.dropReason(hash)?.code),
    [undefined, "txpool/replaced", "txpool/replaced"],
  );
});
