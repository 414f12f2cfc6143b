import { type Bytes, type Failure, fail, type Hash, ok, type Result, toHexDigits } from "@ostrom/base";
import { RecentSet } from "./recent-set.ts";
import { type BatchErrorCode, batchedSize, decodeBatch, encodeBatch } from "./transaction-batch.ts";
import type { Clock, Network, PeerId } from "./types.ts";

/** A transaction that travels: `raw` is EIP-2718, `hash` is keccak256 of it. */
export type GossipedTransaction = { readonly hash: Hash; readonly raw: Bytes };

export type GossipLimits = {
  /** A batch is sent when it would grow beyond one of these, or when its first transaction has waited so long. */
  readonly maxBatchTransactions: number;
  readonly maxBatchBytes: number;
  readonly batchDelayMs: number;
  readonly maxTransactionBytes: number;
  /** Transactions of which it is remembered, for each peer, that it has them. */
  readonly maxKnownPerPeer: number;
  /** What one peer may send. Twice as much may come at once after a quiet time. */
  readonly inboundTransactionsPerSecond: number;
  readonly inboundBytesPerSecond: number;
};

export const DEFAULT_GOSSIP_LIMITS: GossipLimits = {
  maxBatchTransactions: 1_000,
  maxBatchBytes: 512 * 1024,
  batchDelayMs: 5,
  maxTransactionBytes: 128 * 1024,
  maxKnownPerPeer: 16_384,
  inboundTransactionsPerSecond: 20_000,
  inboundBytesPerSecond: 16 * 1024 * 1024,
};

export type GossipOptions = {
  readonly network: Pick<Network, "send">;
  readonly clock: Clock;
  /** keccak256. */
  readonly hashOf: (raw: Bytes) => Hash;
  /** Whom to send to; all that are linked, unless said. */
  readonly spreadsTo?: ((peerId: PeerId) => boolean) | undefined;
  readonly limits?: Partial<GossipLimits>;
};

export type GossipErrorCode = BatchErrorCode | "gossip/over-quota" | "gossip/unknown-peer";

export type GossipStatistics = {
  readonly sentTransactions: number;
  /** Batches that a link had no room for. */
  readonly droppedBatches: number;
  readonly receivedTransactions: number;
  /** Received, although the same peer had sent or been sent them before. */
  readonly repeatedTransactions: number;
  readonly batchesOverQuota: number;
};

/** Spreads transactions between validators. Each node sends what its own clients gave it to all the others, whole, once;
 * nobody passes on what came from others: validators are few, and all are linked with all. What a broken link made one
 * of them miss it meets in a proposal, or gets when the link is up again (`spreadTo`). */
export type TransactionGossip = {
  /** Tells who is linked: call it from the links' `onUp` and `onDown`. */
  readonly peerUp: (peerId: PeerId) => void;
  readonly peerDown: (peerId: PeerId) => void;
  /** Sends transactions to all peers, in batches. Only ones that this node would include itself. */
  readonly spread: (transactions: readonly GossipedTransaction[]) => void;
  /** Sends transactions to one peer that may have missed them. */
  readonly spreadTo: (peerId: PeerId, transactions: readonly GossipedTransaction[]) => void;
  /** Reads a frame of the channel `transactions`. @returns those that this peer had not sent before; they share memory with
   * the frame, and nothing is known of what they say.
   * Errors: `gossip/over-quota`, `gossip/unknown-peer` (pass over them); `gossip/unknown-format`, `gossip/malformed`,
   * `gossip/too-many-transactions`, `gossip/transaction-too-long` (the peer breaks the rules: punish it). */
  readonly receive: (
    peerId: PeerId,
    payload: Bytes,
  ) => Result<readonly GossipedTransaction[], Failure<GossipErrorCode>>;
  readonly stats: () => GossipStatistics;
  readonly stop: () => void;
};

const QUOTA_TICK_MS = 250;
/** How many seconds' worth of quota can be saved up. */
const QUOTA_BURST_SECONDS = 2;

type PeerRecord = { readonly known: RecentSet; transactionQuota: number; byteQuota: number };

type Waiting = { readonly name: string; readonly raw: Bytes };

export function createTransactionGossip(options: GossipOptions): TransactionGossip {
  const gossip = new Gossip(options);
  return {
    peerUp: (peerId) => gossip.peerUp(peerId),
    peerDown: (peerId) => gossip.peerDown(peerId),
    spread: (transactions) => gossip.spread(transactions),
    spreadTo: (peerId, transactions) => gossip.spreadTo(peerId, transactions),
    receive: (peerId, payload) => gossip.receive(peerId, payload),
    stats: () => ({ ...gossip.statistics }),
    stop: () => gossip.stop(),
  };
}

class Gossip {
  readonly statistics: { -readonly [Key in keyof GossipStatistics]: number } = {
    sentTransactions: 0,
    droppedBatches: 0,
    receivedTransactions: 0,
    repeatedTransactions: 0,
    batchesOverQuota: 0,
  };
  readonly #options: GossipOptions;
  readonly #limits: GossipLimits;
  readonly #peers = new Map<PeerId, PeerRecord>();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #cancelFlush: (() => void) | undefined;
  #cancelQuotaTick: (() => void) | undefined;

  constructor(options: GossipOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_GOSSIP_LIMITS, ...options.limits };
  }

  peerUp(peerId: PeerId): void {
    if (this.#peers.has(peerId)) return;
    this.#peers.set(peerId, {
      known: new RecentSet(this.#limits.maxKnownPerPeer),
      transactionQuota: QUOTA_BURST_SECONDS * this.#limits.inboundTransactionsPerSecond,
      byteQuota: QUOTA_BURST_SECONDS * this.#limits.inboundBytesPerSecond,
    });
  }

  peerDown(peerId: PeerId): void {
    this.#peers.delete(peerId);
  }

  spread(transactions: readonly GossipedTransaction[]): void {
    for (const { hash, raw } of transactions) {
      const size = batchedSize(raw);
      const isFull =
        this.#waiting.length >= this.#limits.maxBatchTransactions ||
        this.#waitingBytes + size > this.#limits.maxBatchBytes;
      if (isFull) this.#flush();
      this.#waiting.push({ name: nameOf(hash), raw });
      this.#waitingBytes += size;
    }
    if (this.#waiting.length === 0 || this.#cancelFlush !== undefined) return;
    this.#cancelFlush = this.#options.clock.after(this.#limits.batchDelayMs, () => this.#flush());
  }

  spreadTo(peerId: PeerId, transactions: readonly GossipedTransaction[]): void {
    const peer = this.#peers.get(peerId);
    if (peer === undefined || !this.#spreadsTo(peerId)) return;
    const missing = transactions
      .map(({ hash, raw }) => ({ name: nameOf(hash), raw }))
      .filter(({ name }) => !peer.known.has(name));
    for (const batch of cutIntoBatches(missing, this.#limits)) {
      this.#send(peerId, peer, batch, encodeBatch(batch.map(({ raw }) => raw)));
    }
  }

  receive(peerId: PeerId, payload: Bytes): ReturnType<TransactionGossip["receive"]> {
    const peer = this.#peers.get(peerId);
    if (peer === undefined) return fail("gossip/unknown-peer", "a batch from a peer that is not linked");
    const { maxBatchTransactions: maxTransactions, maxTransactionBytes } = this.#limits;
    if (peer.byteQuota < payload.length || peer.transactionQuota <= 0) {
      this.statistics.batchesOverQuota += 1;
      return fail("gossip/over-quota", "the peer sends more than its share");
    }
    const batch = decodeBatch(payload, { maxTransactions, maxTransactionBytes });
    if (!batch.ok) return batch;
    peer.byteQuota -= payload.length;
    peer.transactionQuota -= batch.value.length;
    this.#refillQuotasLater();
    const fresh: GossipedTransaction[] = [];
    for (const raw of batch.value) {
      const hash = this.#options.hashOf(raw);
      if (peer.known.add(nameOf(hash))) fresh.push({ hash, raw });
    }
    this.statistics.receivedTransactions += fresh.length;
    this.statistics.repeatedTransactions += batch.value.length - fresh.length;
    return ok(fresh);
  }

  stop(): void {
    this.#cancelFlush?.();
    this.#cancelQuotaTick?.();
    this.#peers.clear();
    this.#waiting = [];
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (batch.length === 0) return;
    const whole = encodeBatch(batch.map(({ raw }) => raw));
    for (const [peerId, peer] of this.#peers) {
      if (!this.#spreadsTo(peerId)) continue;
      const missing = batch.filter(({ name }) => !peer.known.has(name));
      if (missing.length === 0) continue;
      const payload = missing.length === batch.length ? whole : encodeBatch(missing.map(({ raw }) => raw));
      this.#send(peerId, peer, missing, payload);
    }
  }

  #spreadsTo(peerId: PeerId): boolean {
    return this.#options.spreadsTo?.(peerId) ?? true;
  }

  #send(peerId: PeerId, peer: PeerRecord, batch: readonly Waiting[], payload: Bytes): void {
    if (!this.#options.network.send(peerId, "transactions", payload)) {
      this.statistics.droppedBatches += 1;
      return;
    }
    this.statistics.sentTransactions += batch.length;
    for (const { name } of batch) peer.known.add(name);
  }

  /** Runs only while a quota is not full: an idle node keeps no timer. */
  #refillQuotasLater(): void {
    if (this.#cancelQuotaTick !== undefined) return;
    this.#cancelQuotaTick = this.#options.clock.after(QUOTA_TICK_MS, () => {
      this.#cancelQuotaTick = undefined;
      const { inboundTransactionsPerSecond, inboundBytesPerSecond } = this.#limits;
      let isAnySpent = false;
      for (const peer of this.#peers.values()) {
        peer.transactionQuota = refilled(peer.transactionQuota, inboundTransactionsPerSecond);
        peer.byteQuota = refilled(peer.byteQuota, inboundBytesPerSecond);
        isAnySpent ||= peer.transactionQuota < QUOTA_BURST_SECONDS * inboundTransactionsPerSecond;
        isAnySpent ||= peer.byteQuota < QUOTA_BURST_SECONDS * inboundBytesPerSecond;
      }
      if (isAnySpent) this.#refillQuotasLater();
    });
  }
}

function refilled(quota: number, perSecond: number): number {
  return Math.min(QUOTA_BURST_SECONDS * perSecond, quota + (perSecond * QUOTA_TICK_MS) / 1_000);
}

/** Sixteen bytes of a hash name a transaction well enough: a collision would cost its maker 2^64 hashes, and gain that one
 * peer misses one of his own transactions. */
function nameOf(hash: Hash): string {
  return toHexDigits(hash.subarray(0, 16));
}

function cutIntoBatches(
  transactions: readonly Waiting[],
  limits: GossipLimits,
): readonly (readonly Waiting[])[] {
  const batches: Waiting[][] = [];
  let room = 0;
  for (const transaction of transactions) {
    const size = batchedSize(transaction.raw);
    const last = batches.at(-1);
    if (last === undefined || last.length >= limits.maxBatchTransactions || size > room) {
      batches.push([transaction]);
      room = limits.maxBatchBytes - size;
    } else {
      last.push(transaction);
      room -= size;
    }
  }
  return batches;
}
