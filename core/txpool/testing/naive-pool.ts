import { toHexDigits } from "@ostrom/base";
import { effectiveTip, maxCost, type SignedTransaction } from "@ostrom/execution";
import type { PoolAccount, PoolLimits } from "../types.ts";

type Waiting = { readonly transaction: SignedTransaction; readonly order: number };

/** The pool's rules written down without any thought of speed: one list, looked through again for each question. */
export class NaivePool {
  readonly #limits: PoolLimits;
  readonly #accounts = new Map<string, PoolAccount>();
  #waiting: Waiting[] = [];
  #baseFee: bigint;
  #order = 0;

  constructor(limits: PoolLimits, baseFee: bigint) {
    this.#limits = limits;
    this.#baseFee = baseFee;
  }

  admit(transaction: SignedTransaction, account: PoolAccount): string {
    if (this.#waiting.some((each) => each.transaction === transaction)) return "txpool/already-known";
    const { sender, nonce } = transaction;
    this.setAccount(transaction.sender, account);
    const order = this.#order++;
    if (nonce < account.nonce) return "txpool/nonce-too-low";
    const own = this.#of(sender);
    const rival = own.find((each) => each.transaction.nonce === nonce);
    const others = own.filter((each) => each !== rival);
    const cost = others.reduce((sum, each) => sum + maxCost(each.transaction), 0n) + maxCost(transaction);
    if (cost > account.balance) return "txpool/insufficient-funds";
    if (rival !== undefined) {
      if (!raises(transaction, rival.transaction)) return "txpool/replacement-underpriced";
      const growth = transaction.raw.length - rival.transaction.raw.length;
      if (this.bytes + growth > this.#limits.maxBytes) return "txpool/full";
      this.#waiting = this.#waiting.filter((each) => each !== rival);
      this.#waiting.push({ transaction, order });
      return "admitted";
    }
    if (own.length >= this.#limits.maxPerSender) return "txpool/sender-limit";
    const isGapped = nonce > account.nonce + BigInt(this.#pendingOf(sender).length);
    const ownQueued = own.length - this.#pendingOf(sender).length;
    if (isGapped && ownQueued >= this.#limits.maxQueuedPerSender) return "txpool/queue-limit";
    if (!this.#makeRoom(transaction, isGapped)) return "txpool/full";
    this.#waiting.push({ transaction, order });
    return "admitted";
  }

  setAccount(sender: SignedTransaction["sender"], account: PoolAccount): void {
    this.#accounts.set(toHexDigits(sender), account);
    this.#waiting = this.#waiting.filter(
      ({ transaction }) =>
        toHexDigits(transaction.sender) !== toHexDigits(sender) || transaction.nonce >= account.nonce,
    );
    for (;;) {
      const own = this.#of(sender);
      if (own.reduce((sum, each) => sum + maxCost(each.transaction), 0n) <= account.balance) return;
      this.#remove(own.at(-1)!);
    }
  }

  setBaseFee(baseFee: bigint): void {
    this.#baseFee = baseFee;
  }

  select(gasLimit: bigint): SignedTransaction[] {
    const chosen: Waiting[] = [];
    const blocked = new Set<string>();
    let gas = gasLimit;
    for (;;) {
      const heads = this.#senders()
        .filter((sender) => !blocked.has(toHexDigits(sender)))
        .flatMap((sender) => this.#pendingOf(sender).find((each) => !chosen.includes(each)) ?? [])
        .filter(({ transaction }) => transaction.maxFeePerGas >= this.#baseFee)
        .sort((a, b) => Number(this.#tip(b) - this.#tip(a)) || a.order - b.order);
      const best = heads[0];
      if (best === undefined) return chosen.map(({ transaction }) => transaction);
      if (best.transaction.gasLimit > gas) {
        blocked.add(toHexDigits(best.transaction.sender));
        continue;
      }
      gas -= best.transaction.gasLimit;
      chosen.push(best);
    }
  }

  get pending(): SignedTransaction[] {
    return this.#senders().flatMap((sender) => this.#pendingOf(sender).map(({ transaction }) => transaction));
  }

  get all(): SignedTransaction[] {
    return this.#waiting.map(({ transaction }) => transaction);
  }

  get bytes(): number {
    return this.#waiting.reduce((sum, { transaction }) => sum + transaction.raw.length, 0);
  }

  #makeRoom(transaction: SignedTransaction, isGapped: boolean): boolean {
    const { maxTransactions, maxBytes, maxQueued } = this.#limits;
    const tip = effectiveTip(transaction, this.#baseFee);
    const queued = this.#waiting.length - this.pending.length;
    if (isGapped && queued >= maxQueued) {
      const tails = this.#senders()
        .filter((sender) => this.#of(sender).length > this.#pendingOf(sender).length)
        .map((sender) => this.#of(sender).at(-1)!);
      tails.sort((a, b) => Number(this.#tip(a) - this.#tip(b)) || b.order - a.order);
      const lowest = tails[0]!;
      if (this.#tip(lowest) >= tip) return false;
      this.#remove(lowest);
    }
    const before = this.#of(transaction.sender).filter((each) => each.transaction.nonce < transaction.nonce);
    const worth = [tip, ...before.map((each) => this.#tip(each))].reduce((a, b) => (b < a ? b : a));
    const kept = [...this.#waiting];
    while (kept.length >= maxTransactions || total(kept) + transaction.raw.length > maxBytes) {
      const tails = this.#senders(kept).map((sender) => this.#of(sender, kept));
      const valued = tails.map((own) => ({
        last: own.at(-1)!,
        worth: own.map((each) => this.#tip(each)).reduce((a, b) => (b < a ? b : a)),
      }));
      valued.sort((a, b) => (a.worth < b.worth ? -1 : a.worth > b.worth ? 1 : b.last.order - a.last.order));
      const cheapest = valued[0];
      if (cheapest === undefined || cheapest.worth >= worth) return false;
      kept.splice(kept.indexOf(cheapest.last), 1);
    }
    this.#waiting = kept;
    return true;
  }

  #tip({ transaction }: Waiting): bigint {
    return effectiveTip(transaction, this.#baseFee);
  }

  #of(sender: Uint8Array, among: readonly Waiting[] = this.#waiting): Waiting[] {
    const key = toHexDigits(sender);
    return among
      .filter(({ transaction }) => toHexDigits(transaction.sender) === key)
      .sort((a, b) => Number(a.transaction.nonce - b.transaction.nonce));
  }

  #pendingOf(sender: Uint8Array): Waiting[] {
    const { nonce } = this.#accounts.get(toHexDigits(sender))!;
    return this.#of(sender).filter(({ transaction }, index) => transaction.nonce === nonce + BigInt(index));
  }

  #senders(among: readonly Waiting[] = this.#waiting): Uint8Array[] {
    return [
      ...new Map(
        among.map(({ transaction }) => [toHexDigits(transaction.sender), transaction.sender]),
      ).values(),
    ];
  }

  #remove(gone: Waiting): void {
    this.#waiting = this.#waiting.filter((each) => each !== gone);
  }
}

function total(waiting: readonly Waiting[]): number {
  return waiting.reduce((sum, { transaction }) => sum + transaction.raw.length, 0);
}

function raises(replacement: SignedTransaction, replaced: SignedTransaction): boolean {
  const raised = (price: bigint, before: bigint): boolean => price > before && price * 10n >= before * 11n;
  return (
    raised(replacement.maxFeePerGas, replaced.maxFeePerGas) &&
    raised(replacement.maxPriorityFeePerGas, replaced.maxPriorityFeePerGas)
  );
}
