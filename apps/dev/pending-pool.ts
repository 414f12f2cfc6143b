import {
  type Address,
  type Failure,
  fail,
  type Hash,
  must,
  ok,
  type Result,
  toHexDigits,
} from "@ostrom/base";
import { effectiveTip, type SignedTransaction } from "@ostrom/execution";

/** How those that wait are put in order for a block: by tip, or as they came. */
export type TransactionOrder = "fees" | "fifo";

export type PoolContent = {
  readonly pending: readonly SignedTransaction[];
  readonly queued: readonly SignedTransaction[];
};

type Pooled = { readonly transaction: SignedTransaction; readonly sequence: number };
type NonceOf = (sender: Address) => bigint;

/** A replacement pays at least so much more. Source: Hardhat Network's and geth's pools. */
const REPLACEMENT_BUMP_PERCENT = 10n;

/** What waits for a block of a development chain. It has no limits: its developer is its only user. */
export class PendingPool {
  #bySender = new Map<string, readonly Pooled[]>();
  #byHash = new Map<string, Pooled>();
  #sequence = 0;

  get(hash: Hash): SignedTransaction | undefined {
    return this.#byHash.get(toHexDigits(hash))?.transaction;
  }

  get size(): number {
    return this.#byHash.size;
  }

  /** Takes a transaction in, in place of one with its nonce that pays less.
   * Errors: `dev/known`, `dev/replacement-underpriced`.
   * @returns the one that it replaced. */
  add(transaction: SignedTransaction): Result<SignedTransaction | undefined, Failure> {
    const { hash, sender, nonce } = transaction;
    const key = toHexDigits(hash);
    if (this.#byHash.has(key)) return fail("dev/known", `Known transaction: 0x${key}`);
    const name = toHexDigits(sender);
    const own = this.#bySender.get(name) ?? [];
    const replaced = own.find((pooled) => pooled.transaction.nonce === nonce)?.transaction;
    const refused = replaced === undefined ? undefined : underpriced(transaction, replaced);
    if (refused !== undefined) return refused;
    if (replaced !== undefined) this.#byHash.delete(toHexDigits(replaced.hash));
    const pooled = { transaction, sequence: this.#sequence++ };
    this.#byHash.set(key, pooled);
    const others = own.filter((other) => other.transaction.nonce !== nonce);
    const sorted = [...others, pooled].sort((a, b) => (a.transaction.nonce < b.transaction.nonce ? -1 : 1));
    this.#bySender.set(name, sorted);
    return ok(replaced);
  }

  remove(hash: Hash): boolean {
    const key = toHexDigits(hash);
    const pooled = this.#byHash.get(key);
    if (pooled === undefined) return false;
    this.#byHash.delete(key);
    const name = toHexDigits(pooled.transaction.sender);
    const left = (this.#bySender.get(name) ?? []).filter((other) => other !== pooled);
    if (left.length === 0) this.#bySender.delete(name);
    else this.#bySender.set(name, left);
    return true;
  }

  clear(): void {
    this.#bySender.clear();
    this.#byHash.clear();
  }

  /** Forgets what an account's nonce is past. */
  prune(nonceOf: NonceOf): void {
    for (const { transaction } of [...this.#byHash.values()]) {
      if (transaction.nonce < nonceOf(transaction.sender)) this.remove(transaction.hash);
    }
  }

  /** What can run next, in the order of a block. @param baseFeePerGas what pays less waits, with all after it. */
  select(nonceOf: NonceOf, baseFeePerGas: bigint, order: TransactionOrder): SignedTransaction[] {
    const lines = [...this.#bySender.values()].map((line) => runnable(line, nonceOf, baseFeePerGas));
    const chosen: SignedTransaction[] = [];
    const precedes = (a: Pooled, b: Pooled): boolean => {
      const difference =
        order === "fifo"
          ? 0n
          : effectiveTip(a.transaction, baseFeePerGas) - effectiveTip(b.transaction, baseFeePerGas);
      return difference > 0n || (difference === 0n && a.sequence < b.sequence);
    };
    while (true) {
      let best: Pooled[] | undefined;
      for (const line of lines) {
        const head = line.at(-1);
        if (head === undefined) continue;
        if (best === undefined || precedes(head, must(best.at(-1), "the best line is not empty")))
          best = line;
      }
      const next = best?.pop();
      if (next === undefined) return chosen;
      chosen.push(next.transaction);
    }
  }

  content(nonceOf: NonceOf, sender?: Address): PoolContent {
    const pending: SignedTransaction[] = [];
    const queued: SignedTransaction[] = [];
    const wanted = sender === undefined ? undefined : toHexDigits(sender);
    for (const [name, line] of this.#bySender) {
      if (wanted !== undefined && name !== wanted) continue;
      const ready = runnable(line, nonceOf, 0n).length;
      pending.push(...line.slice(0, ready).map(({ transaction }) => transaction));
      queued.push(...line.slice(ready).map(({ transaction }) => transaction));
    }
    return { pending, queued };
  }

  nextNonce(sender: Address, accountNonce: bigint): bigint {
    const line = this.#bySender.get(toHexDigits(sender)) ?? [];
    return accountNonce + BigInt(runnable(line, () => accountNonce, 0n).length);
  }

  all(): readonly SignedTransaction[] {
    return [...this.#byHash.values()]
      .sort((a, b) => a.sequence - b.sequence)
      .map(({ transaction }) => transaction);
  }
}

/** The beginning of a sender's line that has no gap, last first. */
function runnable(line: readonly Pooled[], nonceOf: NonceOf, baseFeePerGas: bigint): Pooled[] {
  const [first] = line;
  if (first === undefined) return [];
  let next = nonceOf(first.transaction.sender);
  const ready: Pooled[] = [];
  for (const pooled of line) {
    const { nonce, maxFeePerGas } = pooled.transaction;
    if (nonce < next) continue;
    if (nonce > next || maxFeePerGas < baseFeePerGas) break;
    ready.push(pooled);
    next += 1n;
  }
  return ready.reverse();
}

function underpriced(
  { maxFeePerGas, maxPriorityFeePerGas }: SignedTransaction,
  replaced: SignedTransaction,
): Result<never, Failure> | undefined {
  const least = (price: bigint): bigint => price + (price * REPLACEMENT_BUMP_PERCENT + 99n) / 100n;
  const fee = least(replaced.maxFeePerGas);
  const tip = least(replaced.maxPriorityFeePerGas);
  const refuse = (what: string, needed: bigint) =>
    fail(
      "dev/replacement-underpriced",
      `Replacement transaction underpriced. A ${what} of at least ${needed} is necessary to replace the existing transaction with nonce ${replaced.nonce}.`,
    );
  if (maxFeePerGas < fee) return refuse("gasPrice/maxFeePerGas", fee);
  if (maxPriorityFeePerGas < tip) return refuse("gasPrice/maxPriorityFeePerGas", tip);
  return undefined;
}
