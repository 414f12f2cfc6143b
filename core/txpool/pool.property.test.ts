import assert from "node:assert/strict";
import { test } from "node:test";
import { toHexDigits } from "@ostrom/base";
import type { SignedTransaction } from "@ostrom/execution";
import fc from "fast-check";
import { TransactionPool } from "./pool.ts";
import { fakeTransaction, RULES, senderAddress } from "./testing/fake-transactions.ts";
import { NaivePool } from "./testing/naive-pool.ts";
import { DEFAULT_POOL_LIMITS, type PoolAccount } from "./types.ts";

const SEED = 20_251_123;
const SENDERS = 5;
const LIMITS = {
  ...DEFAULT_POOL_LIMITS,
  maxTransactions: 9,
  maxBytes: 1_100,
  maxPerSender: 5,
  maxQueuedPerSender: 2,
  maxQueued: 4,
};

type Step =
  | {
      readonly kind: "admit";
      readonly sender: number;
      readonly nonce: number;
      readonly tip: number;
      readonly maxFee: number;
      readonly gas: number;
      readonly size: number;
    }
  | { readonly kind: "mine"; readonly gas: number; readonly baseFee: number }
  | { readonly kind: "account"; readonly sender: number; readonly passes: number; readonly balance: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("admit" as const),
      sender: fc.nat(SENDERS - 1),
      nonce: fc.nat(6),
      tip: fc.nat(30),
      maxFee: fc.integer({ min: 30, max: 60 }),
      gas: fc.integer({ min: 21_000, max: 60_000 }),
      size: fc.integer({ min: 32, max: 300 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("mine" as const), gas: fc.nat(200_000), baseFee: fc.nat(50) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("account" as const),
      sender: fc.nat(SENDERS - 1),
      passes: fc.nat(2),
      balance: fc.integer({ min: 1_000_000, max: 12_000_000 }),
    }),
  },
);

/** Short enough to read in a failure. */
function nameOf({ hash, sender, nonce, maxFeePerGas, maxPriorityFeePerGas, raw }: SignedTransaction): string {
  const number = Number.parseInt(toHexDigits(hash.subarray(-4)), 16);
  return `${sender.at(-1)}/${nonce} fee ${maxFeePerGas} tip ${maxPriorityFeePerGas} size ${raw.length} (${number})`;
}

function namesOf(transactions: readonly SignedTransaction[]): string[] {
  return transactions.map(nameOf).sort();
}

/** Both pools and the accounts that they are told of. */
class Run {
  readonly pool: TransactionPool = new TransactionPool(RULES, LIMITS, 20n);
  readonly naive: NaivePool = new NaivePool(LIMITS, 20n);
  readonly accounts: PoolAccount[] = Array.from({ length: SENDERS }, () => ({
    nonce: 0n,
    balance: 10_000_000n,
  }));
  #baseFee = 20n;
  #blocks = 0;

  perform(each: Step): void {
    switch (each.kind) {
      case "admit": {
        const nonce = Number(this.accounts[each.sender]!.nonce) + each.nonce - 1;
        const transaction = fakeTransaction({ ...each, nonce: Math.max(nonce, 0) });
        const admitted = this.pool.admit(transaction, this.accounts[each.sender]!, 0);
        const expected = this.naive.admit(transaction, this.accounts[each.sender]!);
        assert.equal(admitted.ok ? "admitted" : admitted.error.code, expected);
        return;
      }
      case "mine":
        return this.#mine(BigInt(each.gas), BigInt(each.baseFee));
      case "account": {
        const { nonce } = this.accounts[each.sender]!;
        this.accounts[each.sender] = { nonce: nonce + BigInt(each.passes), balance: BigInt(each.balance) };
        return this.#tell([], this.#baseFee, [each.sender]);
      }
    }
  }

  #mine(gasLimit: bigint, nextBaseFee: bigint): void {
    const selection = { gasLimit, maxBytes: 1_000_000, baseFeePerGas: this.#baseFee, ancestors: [] };
    const chosen = this.pool.select(selection);
    assert.deepEqual(chosen.map(nameOf), this.naive.select(gasLimit).map(nameOf));
    assert.equal(
      this.pool.hasWork(selection),
      this.pool.select({ ...selection, gasLimit: 10n ** 9n }).length > 0,
    );
    const senders = new Set<number>();
    for (const { sender, nonce } of chosen) {
      const index = this.accounts.findIndex((_, i) => toHexDigits(senderAddress(i)) === toHexDigits(sender));
      senders.add(index);
      this.accounts[index] = { ...this.accounts[index]!, nonce: nonce + 1n };
    }
    this.#tell(chosen, nextBaseFee, [...senders]);
  }

  #tell(included: readonly SignedTransaction[], baseFeePerGas: bigint, changed: readonly number[]): void {
    this.#baseFee = baseFeePerGas;
    this.pool.onExecuted({
      block: String(this.#blocks++),
      included,
      skipped: [],
      changed: changed.map((index) => toHexDigits(senderAddress(index))),
      account: (address) =>
        this.accounts[
          this.accounts.findIndex((_, i) => toHexDigits(senderAddress(i)) === toHexDigits(address))
        ]!,
      baseFeePerGas,
      nowMs: 0,
    });
    this.naive.setBaseFee(baseFeePerGas);
    for (const index of changed) this.naive.setAccount(senderAddress(index), this.accounts[index]!);
  }

  compare(): void {
    const { pending, queued } = this.pool.content();
    assert.deepEqual(namesOf(pending), namesOf(this.naive.pending));
    assert.deepEqual(namesOf([...pending, ...queued]), namesOf(this.naive.all));
    assert.deepEqual(this.pool.status(), { pending: pending.length, queued: queued.length });
    assert.equal(this.pool.bytes, this.naive.bytes);
    assert.ok(pending.length + queued.length <= LIMITS.maxTransactions && this.pool.bytes <= LIMITS.maxBytes);
    for (const transaction of [...pending, ...queued])
      assert.equal(this.pool.get(transaction.hash), transaction);
  }
}

test("the pool holds, refuses and chooses what the rules written down naively do", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
      const run = new Run();
      for (const each of steps) {
        run.perform(each);
        run.compare();
      }
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test("the same calls in the same order come to the same pool", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const contents = [new Run(), new Run()].map((run) => {
        for (const each of steps) run.perform(each);
        const { pending, queued } = run.pool.content();
        return [pending, queued].map((list) =>
          list.map(({ sender, nonce, maxFeePerGas }) => [sender, nonce, maxFeePerGas]),
        );
      });
      assert.deepEqual(contents[0], contents[1]);
    }),
    { seed: SEED, numRuns: 50 },
  );
});
