import { toNumber } from "../data/quantity.ts";
import type { RpcTransaction } from "../data/rpc-types.ts";

/** `{sender: {nonce: transaction}}`, as txpool_content answers twice. */
type BySender = Readonly<Record<string, Readonly<Record<string, RpcTransaction>>>>;
export type PoolContent = { readonly pending: BySender; readonly queued: BySender };

/** A transaction that waits. Amounts in wei. */
export type PoolTransaction = {
  readonly hash: string;
  readonly from: string;
  readonly to: string | null;
  readonly nonce: number;
  readonly value: bigint;
  readonly maxFee: bigint;
  readonly tip: bigint;
  readonly state: "pending" | "queued";
};

export type PoolSender = {
  readonly from: string;
  readonly pending: number;
  readonly queued: number;
  readonly firstNonce: number;
  readonly lastNonce: number;
  readonly value: bigint;
};

/** Up to so many transactions the whole pool is asked for: more would burden the node and the page. */
export const MAX_POOL = 1_000;
/** Arrivals that are kept. */
export const MAX_ARRIVALS = 200;

/** Reads one transaction of a pool. */
export function readPoolTransaction(given: RpcTransaction, state: PoolTransaction["state"]): PoolTransaction {
  const { hash, from, to, nonce, value, maxFeePerGas, maxPriorityFeePerGas, gasPrice = "0x0" } = given;
  const maxFee = BigInt(maxFeePerGas ?? gasPrice);
  return {
    hash,
    from: from.toLowerCase(),
    to,
    nonce: toNumber(nonce),
    value: BigInt(value),
    maxFee,
    tip: maxPriorityFeePerGas === undefined ? maxFee : BigInt(maxPriorityFeePerGas),
    state,
  };
}

/** All transactions of a pool, those that pay most first; at most `MAX_POOL`. */
export function readPool({ pending, queued }: PoolContent): readonly PoolTransaction[] {
  const all = (["pending", "queued"] as const).flatMap((state) =>
    Object.values(state === "pending" ? pending : queued).flatMap((byNonce) =>
      Object.values(byNonce).map((given) => readPoolTransaction(given, state)),
    ),
  );
  return all
    .sort((a, b) => (a.maxFee === b.maxFee ? a.nonce - b.nonce : a.maxFee > b.maxFee ? -1 : 1))
    .slice(0, MAX_POOL);
}

/** A pool by who sent, most transactions first. */
export function bySender(transactions: readonly PoolTransaction[]): readonly PoolSender[] {
  const senders = new Map<string, PoolSender>();
  for (const { from, nonce, state, value } of transactions) {
    const known = senders.get(from) ?? {
      from,
      pending: 0,
      queued: 0,
      firstNonce: nonce,
      lastNonce: nonce,
      value: 0n,
    };
    senders.set(from, {
      ...known,
      [state]: known[state] + 1,
      firstNonce: Math.min(known.firstNonce, nonce),
      lastNonce: Math.max(known.lastNonce, nonce),
      value: known.value + value,
    });
  }
  return [...senders.values()].sort((a, b) => b.pending + b.queued - (a.pending + a.queued));
}

/** When transactions arrived, for a rate: moments of the last so many milliseconds. */
export function ratePerSecond(momentsMs: readonly number[], nowMs: number, windowMs: number): number {
  const recent = momentsMs.filter((moment) => moment > nowMs - windowMs).length;
  return (recent * 1_000) / windowMs;
}
