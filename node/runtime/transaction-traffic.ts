import { type Address, type Bytes, equalBytes, type Failure, type Hash, type Result } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  type ChainRules,
  type InstalledModules,
  KEYED_CODE_HASH,
  type SignedTransaction,
} from "@ostrom/execution";
import { createTransactionGossip, type Network, type PeerId, type TransactionGossip } from "@ostrom/network";
import { EMPTY_CODE_HASH, type KeyValueReader, storeReader } from "@ostrom/state";
import {
  DEFAULT_POOL_LIMITS,
  type ExecutionNews,
  type PoolAccount,
  type PoolContent,
  TransactionPool,
} from "@ostrom/txpool";
import type { BatchDesk } from "./batch-desk.ts";
import { ClientRoom } from "./client-room.ts";
import { Intake } from "./intake.ts";
import { KeyDirectory } from "./key-directory.ts";
import { countRefusals } from "./metrics-pool.ts";
import { JunkWatch } from "./peer-conduct.ts";
import { PoolRules } from "./pool-rules.ts";
import type { Clock } from "./ports.ts";
import type { SignatureChecker } from "./signature-checker.ts";

/** Pending transactions that a peer is sent when its link comes up. */
const MAX_TRANSACTIONS_FOR_A_NEW_PEER = 2_000;

/** Transactions of the whole pool that are copied for one question; of each of both kinds. */
const MAX_CONTENT_TRANSACTIONS = 4_096;

/** How often the pool is asked to drop what has waited too long. */
const EXPIRY_INTERVAL_MS = 60_000;

export type TransactionTrafficPorts = {
  readonly rules: ChainRules;
  /** What the program has, on a chain that may use it. */
  readonly modules?: InstalledModules | undefined;
  /** Of the next block. */
  readonly baseFee: bigint;
  readonly store: KeyValueReader;
  readonly network: Network;
  readonly clock: Clock;
  readonly checker: SignatureChecker;
  /** Where this node makes batches. */
  readonly batches?: Pick<BatchDesk, "offer" | "offerOthers"> | undefined;
  /** Passes on what others sent: where not all nodes are linked with all. */
  readonly relays: boolean;
  /** Who is linked with few: what it sends is passed on. Nobody is, unless said. */
  readonly isStranger?: ((peerId: PeerId) => boolean) | undefined;
  /** Whom transactions are sent to by themselves; all, unless said. */
  readonly spreadsTo?: ((peerId: PeerId) => boolean) | undefined;
  /** Drops a peer for a while because of what it sent. */
  readonly punish: (peerId: PeerId, reason: string) => void;
  /** Transactions that entered the pool. */
  readonly admitted: (transactions: readonly SignedTransaction[]) => void;
  readonly failed: (error: unknown) => void;
};

/** The way of transactions into a node and on to the others: the pool, its door and gossip. The same for all engines. */
export class TransactionTraffic {
  readonly pool: TransactionPool;
  /** Keys of accounts, as of the newest executed block. */
  readonly keys: KeyDirectory;
  readonly #ports: TransactionTrafficPorts;
  readonly #intake: Intake;
  readonly #gossip: TransactionGossip;
  readonly #junk: JunkWatch;
  readonly #poolRules: PoolRules;
  readonly #clientRoom: ClientRoom;
  #expiredMs: number;
  #stopped = false;

  constructor(ports: TransactionTrafficPorts) {
    const { rules, baseFee, network, clock, checker, failed } = ports;
    this.#ports = ports;
    this.#expiredMs = clock.nowMs();
    this.#junk = new JunkWatch(clock);
    this.#clientRoom = new ClientRoom(clock.nowMs());
    this.#poolRules = new PoolRules(ports.store, rules, ports.modules);
    this.keys = new KeyDirectory(ports.store, rules);
    this.pool = new TransactionPool(rules, DEFAULT_POOL_LIMITS, baseFee);
    this.#gossip = createTransactionGossip({
      network,
      clock,
      hashOf: keccak256,
      spreadsTo: ports.spreadsTo,
    });
    this.#intake = new Intake({
      pool: this.pool,
      checker,
      clock,
      accountOf: (address) => this.accountOf(address),
      clientRoom: () => this.#clientRoom.size,
      permits: () => this.#poolRules.permits,
      keys: this.keys,
      admitted: (transactions, fromClients) => {
        if (this.#stopped) return;
        const toSpread = ports.relays ? transactions : fromClients;
        this.#gossip.spread(ports.batches?.offer(toSpread) ?? toSpread);
        if (transactions.length > fromClients.length) {
          const mine = new Set(fromClients);
          ports.batches?.offerOthers(transactions.filter((transaction) => !mine.has(transaction)));
        }
        ports.admitted(transactions);
      },
      failed,
    });
  }

  /** Offers transactions that came by JSON-RPC. */
  submit(raws: readonly Bytes[]): Promise<readonly Result<Hash, Failure>[]> {
    return this.#intake.submit(raws, "client").then(countRefusals);
  }

  pendingNonce(address: Address): bigint {
    return this.pool.pendingNonce(address, this.accountOf(address).nonce);
  }

  /** One sender's, or all of the pool, cut off where it is too much to copy at once. */
  poolContent(sender: Address | undefined): PoolContent {
    const { pending, queued } = this.pool.content(sender);
    return {
      pending: pending.slice(0, MAX_CONTENT_TRANSACTIONS),
      queued: queued.slice(0, MAX_CONTENT_TRANSACTIONS),
    };
  }

  peerUp(peerId: PeerId): void {
    this.#gossip.peerUp(peerId);
    // It may have missed what was sent while it was away.
    this.#gossip.spreadTo(peerId, this.pool.content().pending.slice(0, MAX_TRANSACTIONS_FOR_A_NEW_PEER));
  }

  /** What this node's clients sent, and no batch of its own will have, is the others' to include. */
  passOn(transactions: readonly SignedTransaction[]): void {
    this.#gossip.spread(transactions);
  }

  peerDown(peerId: PeerId): void {
    this.#gossip.peerDown(peerId);
  }

  /** Reads a frame of the channel `transactions`. */
  receive(peerId: PeerId, payload: Bytes): void {
    const received = this.#gossip.receive(peerId, payload);
    if (received.ok) {
      const raws = received.value.map(({ raw }) => raw);
      const origin = this.#ports.isStranger?.(peerId) === true ? "stranger" : "peer";
      const hashes = received.value.map(({ hash }) => hash);
      void this.#intake.submit(raws, origin, hashes).then((results) => {
        countRefusals(results);
        if (this.#junk.tooMuch(peerId, results)) this.#ports.punish(peerId, "gossip/junk");
      });
      return;
    }
    const { code } = received.error;
    if (code !== "gossip/over-quota" && code !== "gossip/unknown-peer") this.#ports.punish(peerId, code);
  }

  /** Tells the pool what became of a block. */
  executed(news: Omit<ExecutionNews, "account" | "nowMs">): void {
    const nowMs = this.#ports.clock.nowMs();
    this.#expireNowAndThen(nowMs);
    const rules = this.#poolRules.executed(news.changed, nowMs);
    const keys = this.keys.executed(news);
    const before = this.pool.status().pending;
    this.pool.onExecuted({
      ...news,
      ...rules,
      ...keys,
      account: (address) => this.accountOf(address),
      nowMs,
    });
    this.#clientRoom.left(before - this.pool.status().pending, nowMs);
  }

  /** The newest block was taken off: its senders' accounts are as before, and its transactions may run again. Those that cannot be
   * taken in any more are gone.
   * @param changed addresses (hex digits) whose account or storage the block had changed. */
  unwound(block: {
    readonly transactions: readonly SignedTransaction[];
    readonly changed: Iterable<string>;
    readonly baseFeePerGas: bigint;
  }): void {
    const { transactions, changed, baseFeePerGas } = block;
    this.executed({ block: "", included: [], skipped: [], changed, baseFeePerGas });
    const nowMs = this.#ports.clock.nowMs();
    const { permits } = this.#poolRules;
    const { authority } = this.keys;
    for (const transaction of transactions)
      this.pool.admit(transaction, this.accountOf(transaction.sender), nowMs, permits, authority);
    // Who never saw the block's branch may not have them.
    this.#gossip.spread(this.pool.takeNew());
  }

  /** The sender as of the newest executed block. */
  accountOf(address: Address): Required<PoolAccount> {
    const account = storeReader(this.#ports.store).account(address);
    if (account === undefined) return { nonce: 0n, balance: 0n, isDelegated: false, isKeyed: false };
    // Whoever signs a transaction has a key: code of such an account is a delegation. One to KeyedAccount spends nothing by itself.
    const isKeyed = equalBytes(account.codeHash, KEYED_CODE_HASH);
    const isDelegated = !isKeyed && !equalBytes(account.codeHash, EMPTY_CODE_HASH);
    return { nonce: account.nonce, balance: account.balance, isDelegated, isKeyed };
  }

  stop(): void {
    this.#stopped = true;
    this.#gossip.stop();
  }

  #expireNowAndThen(nowMs: number): void {
    if (Math.abs(nowMs - this.#expiredMs) < EXPIRY_INTERVAL_MS) return;
    this.#expiredMs = nowMs;
    this.pool.expire(nowMs);
  }
}
