import { type Hash, toHexDigits } from "@ostrom/base";
import type { DropReason, EventListener } from "./backend.ts";
import type { BlockReader } from "./block-reader.ts";

/** What became of a transaction that somebody waits for. */
export type Fate =
  | { readonly kind: "included"; readonly blockNumber: number; readonly index: number }
  | { readonly kind: "dropped"; readonly reason: DropReason }
  | { readonly kind: "timeout" };

/** Waits for receipts on behalf of eth_sendRawTransactionSync. */
export type TransactionWaiter = {
  /** Begins to listen, before the transaction is submitted, so that nothing is missed in between. */
  readonly expect: (hash: Hash, timeoutMs: number) => ExpectedTransaction;
  readonly listener: EventListener;
  /** Ends all waits as timeouts. */
  readonly close: () => void;
};

export type ExpectedTransaction = {
  readonly fate: Promise<Fate>;
  /** Ends the wait, as a timeout. */
  readonly cancel: () => void;
};

export function createTransactionWaiter(blocks: BlockReader): TransactionWaiter {
  const waiting = new Map<string, Set<(fate: Fate) => void>>();
  const settle = (key: string, fate: Fate): void => {
    for (const resolve of waiting.get(key) ?? []) resolve(fate);
  };

  const expect = (hash: Hash, timeoutMs: number): ExpectedTransaction => {
    const key = toHexDigits(hash);
    const { promise, resolve } = Promise.withResolvers<Fate>();
    const finish = (fate: Fate): void => {
      clearTimeout(timer);
      const others = waiting.get(key);
      others?.delete(finish);
      if (others?.size === 0) waiting.delete(key);
      resolve(fate);
    };
    const timer = setTimeout(() => finish({ kind: "timeout" }), timeoutMs);
    const resolvers = waiting.get(key) ?? new Set();
    resolvers.add(finish);
    waiting.set(key, resolvers);
    return { fate: promise, cancel: () => finish({ kind: "timeout" }) };
  };

  return {
    expect,
    listener: {
      onBlock: ({ number }) => {
        if (waiting.size === 0) return;
        blocks.byNumber(number)?.transactions.forEach(({ hash }, index) => {
          settle(toHexDigits(hash), { kind: "included", blockNumber: number, index });
        });
      },
      onDropped: (dropped) => {
        if (waiting.size === 0) return;
        for (const { hash, reason } of dropped) settle(toHexDigits(hash), { kind: "dropped", reason });
      },
    },
    close: () => {
      for (const key of [...waiting.keys()]) settle(key, { kind: "timeout" });
    },
  };
}
