import { useEffect, useRef, useState } from "react";
import { pushBounded } from "../data/ring.ts";
import type { RpcTransaction } from "../data/rpc-types.ts";
import { useSubscription } from "../data/use-subscription.ts";
import { MAX_ARRIVALS, type PoolTransaction, ratePerSecond, readPoolTransaction } from "./pool.ts";

/** News are shown so often at most. */
const SHOW_MS = 250;
const RATE_WINDOW_MS = 5_000;
/** Moments that a rate is counted from; faster arrivals count as so many. */
const MAX_MOMENTS = 50_000;

export type Arrivals = {
  /** Newest first, at most `MAX_ARRIVALS`. */
  readonly transactions: readonly PoolTransaction[];
  readonly perSecond: number;
};

/** What arrives at the node's pool while the page is open, in a ring of fixed size. */
export function useArrivals(): Arrivals {
  const [shown, setShown] = useState<Arrivals>({ transactions: [], perSecond: 0 });
  const ring = useRef<readonly PoolTransaction[]>([]);
  const moments = useRef<number[]>([]);
  const fresh = useRef<PoolTransaction[]>([]);
  useSubscription("newPendingTransactions", true, (news) => {
    if (typeof news !== "object" || news === null) return;
    if (moments.current.length < MAX_MOMENTS) moments.current.push(Date.now());
    // Beyond a ring's length only the count matters until the next drawing.
    if (fresh.current.length < MAX_ARRIVALS) {
      fresh.current.push(readPoolTransaction(news as RpcTransaction, "pending"));
    }
  });
  useEffect(() => {
    const timer = setInterval(() => {
      const nowMs = Date.now();
      moments.current = moments.current.filter((moment) => moment > nowMs - RATE_WINDOW_MS);
      ring.current = pushBounded(ring.current, fresh.current, MAX_ARRIVALS);
      const hasNews = fresh.current.length > 0;
      fresh.current = [];
      const perSecond = ratePerSecond(moments.current, nowMs, RATE_WINDOW_MS);
      setShown((before) => {
        if (!hasNews && before.perSecond === perSecond) return before;
        return { transactions: hasNews ? [...ring.current].reverse() : before.transactions, perSecond };
      });
    }, SHOW_MS);
    return () => clearInterval(timer);
  }, []);
  return shown;
}
