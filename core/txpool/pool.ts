import { type Address, type Hash, must, ok, type Result, toHexDigits } from "@ostrom/base";
import {
  type AuthorityCheck,
  type ChainRules,
  effectiveTip,
  maxCost,
  type PermissionCheck,
  type SignedTransaction,
  type SkipReason,
} from "@ostrom/execution";
import {
  ALREADY_KNOWN,
  isOutdated,
  refuseAlways,
  refuseByKeys,
  refuseByModules,
  refuseForSender,
  refuseUnchecked,
  TOO_CHEAP_FOR_FULL_POOL,
  type Unchecked,
} from "./admission.ts";
import { createDropLog, type DropLog, forgetDrop, logDrop, takeDrops } from "./drop-log.ts";
import {
  cheapestGapped,
  createEvictionOrder,
  type EvictionOrder,
  noteQueueChange,
  planEvictions,
  resetEvictionOrder,
} from "./eviction.ts";
import { createInFlight, type InFlight, markBlock, noncesOf, unmarkBlock } from "./in-flight.ts";
import { contentOf, nonceAfter } from "./pool-content.ts";
import { hasSelectable, selectTransactions } from "./selection.ts";
import {
  advanceAccount,
  createSenderQueue,
  findNonce,
  insertEntry,
  lowestTip,
  removeFrom,
  removeLast,
  removeNonce,
  type SenderQueue,
} from "./sender-queue.ts";
import type {
  AdmissionFailure,
  Admitted,
  Dropped,
  DropReason,
  Entry,
  ExecutionNews,
  PoolAccount,
  PoolContent,
  PoolLimits,
  PoolStatus,
  RuleSet,
  Selection,
} from "./types.ts";

/** Transactions that wait for a block. It knows no clock, no state and no network: what it must know is passed in, so the
 * same calls in the same order come to the same pool.
 *
 * A transaction stays here while the block that has it is in flight (ordered, not yet executed), and leaves when it is
 * executed; `ancestors` of a selection say what must not be proposed again. */
export class TransactionPool {
  readonly #rules: ChainRules;
  readonly #limits: PoolLimits;
  readonly #queues = new Map<string, SenderQueue>();
  readonly #entries = new Map<string, Entry>();
  /** Those with a transaction that waits for a missing nonce. */
  readonly #gapped = new Set<SenderQueue>();
  readonly #inFlight: InFlight = createInFlight();
  readonly #drops: DropLog;
  readonly #order: EvictionOrder = createEvictionOrder();
  #baseFeePerGas: bigint;
  #fork: RuleSet | undefined;
  #bytes = 0;
  #queued = 0;
  #sequence = 0;
  #fresh: string[] = [];

  /** @param baseFeePerGas of the next block. */
  constructor(rules: ChainRules, limits: PoolLimits, baseFeePerGas: bigint) {
    this.#rules = rules;
    this.#limits = limits;
    this.#drops = createDropLog(limits.maxDropReasons);
    this.#baseFeePerGas = baseFeePerGas;
  }

  /** Takes a transaction in, if it could be executed soon and its sender can pay for it along with all else it has here.
   * Messages have geth's words, because clients read them.
   * @param account of the sender, as of the newest executed block.
   * @param permits what modules say, as of that block too; undefined where none is asked.
   * @param authority what key sets say, as of that block too; undefined where accounts have none.
   * Errors: `txpool/already-known`, `/too-large`, `/unprotected` (EIP-155), `/outdated`, `/not-permitted`, `/not-authorized`, `/underpriced`,
   * `/replacement-underpriced` (both fee caps must rise by 10%), `/nonce-too-low`, `/insufficient-funds`, `/sender-limit`,
   * `/queue-limit` (too many wait for a missing nonce), `/full` (and this is not worth more than what is here), and the codes
   * of `checkStaticValidity`. */
  admit(
    transaction: SignedTransaction,
    account: PoolAccount,
    nowMs: number,
    permits?: PermissionCheck,
    authority?: AuthorityCheck,
  ): Result<Admitted, AdmissionFailure> {
    const key = toHexDigits(transaction.hash);
    if (this.#entries.has(key) || this.#inFlight.hashes.has(key)) return { ok: false, error: ALREADY_KNOWN };
    const never =
      refuseAlways(transaction, this.#rules, this.#limits, nowMs, this.#fork) ??
      refuseByModules(transaction, permits) ??
      refuseByKeys(transaction, account, authority);
    if (never !== undefined) return { ok: false, error: never };

    const queue = this.#queueFor(transaction.sender, account);
    const sequence = this.#sequence++;
    const entry = { transaction, key, sequence, admittedMs: nowMs, cost: maxCost(transaction) };
    const { index, found } = findNonce(queue, transaction.nonce);
    const replaced = found ? queue.entries[index] : undefined;
    const refused =
      refuseForSender(queue, entry, replaced, this.#limits) ?? this.#makeRoom(queue, entry, replaced);
    if (refused !== undefined) return { ok: false, error: refused };

    this.#change(queue, () => insertEntry(queue, entry));
    this.#remember(entry);
    if (replaced !== undefined) {
      this.#forget(replaced);
      this.#drop(replaced, { code: "txpool/replaced", message: `replaced by transaction 0x${key}` });
    }
    return ok({
      isPending: findNonce(queue, transaction.nonce).index < queue.pendingCount,
      replaced: replaced?.transaction.hash,
    });
  }

  /** As `admit` would refuse it for what it says: checking signatures costs more. */
  refuse(unchecked: Unchecked): AdmissionFailure | undefined {
    return refuseUnchecked(unchecked, this.#rules, this.#limits, this.#fork);
  }

  /** Chooses transactions for a block on top of `ancestors`, in their order: always the highest tip among what can run
   * next, of equals the one that came first. Nothing is removed. */
  select(selection: Selection): SignedTransaction[] {
    return selectTransactions(
      this.#queues.values(),
      noncesOf(this.#inFlight, selection.ancestors),
      selection,
    );
  }

  /** Whether `select` would choose anything, were there room. */
  hasWork(selection: Pick<Selection, "ancestors" | "baseFeePerGas" | "timestamp">): boolean {
    const inFlight = noncesOf(this.#inFlight, selection.ancestors);
    return hasSelectable(this.#queues.values(), inFlight, selection);
  }

  /** Notes what an ordered block contains, under a name of the caller's choice. Marking it again changes nothing. */
  markInFlight(block: string, transactions: readonly SignedTransaction[]): void {
    markBlock(this.#inFlight, block, transactions);
  }

  /** Forgets an ordered block that will not be executed. */
  unmarkInFlight(block: string): void {
    unmarkBlock(this.#inFlight, block);
  }

  /** Takes note of an executed block: drops what was mined or became stale, and what senders cannot pay any more; what
   * was skipped stays or comes back if it may be tried again, and is dropped with its reason if not. */
  onExecuted(news: ExecutionNews): void {
    const marked = new Map(
      unmarkBlock(this.#inFlight, news.block).map((each) => [toHexDigits(each.hash), each]),
    );
    if (news.baseFeePerGas !== this.#baseFeePerGas) resetEvictionOrder(this.#order);
    this.#baseFeePerGas = news.baseFeePerGas;
    this.#fork = news.fork;
    const mined = new Set(news.included.map(({ hash }) => toHexDigits(hash)));
    for (const key of mined) forgetDrop(this.#drops, key);
    for (const key of news.changed) {
      const queue = this.#queues.get(key);
      if (queue !== undefined) this.#refresh(queue, news.account(queue.address), mined);
    }
    if (news.hasNewPermissions === true)
      this.#dropWhere(this.#entries.values(), (transaction) => refuseByModules(transaction, news.permits));
    const { rekeyed = [], authority } = news;
    const ofKeys =
      rekeyed === "all"
        ? this.#entries.values()
        : rekeyed.flatMap((key) => this.#queues.get(key)?.entries ?? []);
    this.#dropWhere(ofKeys, (one) => refuseByKeys(one, news.account(one.sender), authority));
    for (const { hash, reason } of news.skipped) this.#settleSkipped(hash, reason, marked, news);
  }

  /** Drops what has waited too long for a missing nonce, and what no block may have any more. Call it now and then. */
  expire(nowMs: number): void {
    const seconds = Math.floor(nowMs / 1000);
    this.#dropWhere(this.#entries.values(), (one) =>
      isOutdated(one, seconds) ? { code: "txpool/outdated", message: "validUntil is past" } : undefined,
    );
    const oldest = nowMs - this.#limits.queuedLifetimeMs;
    for (const queue of [...this.#queues.values()]) {
      const index = queue.entries.findIndex(
        (entry, i) => i >= queue.pendingCount && entry.admittedMs < oldest,
      );
      if (index < 0) continue;
      const reason = { code: "txpool/expired", message: "waited too long for a missing nonce" } as const;
      this.#dropAll(
        this.#change(queue, () => removeFrom(queue, index)),
        reason,
      );
    }
  }

  get(hash: Hash): SignedTransaction | undefined {
    return this.#entries.get(toHexDigits(hash))?.transaction;
  }

  /** Why a transaction left the pool or was skipped, if that is still remembered. */
  dropReason(hash: Hash): DropReason | undefined {
    return this.#drops.reasons.get(toHexDigits(hash));
  }

  status(): PoolStatus {
    return { pending: this.#entries.size - this.#queued, queued: this.#queued };
  }

  /** Bytes of all transactions here. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All of the pool, or one sender's. */
  content(sender?: Address): PoolContent {
    const one = sender === undefined ? undefined : this.#queues.get(toHexDigits(sender));
    return contentOf(sender === undefined ? [...this.#queues.values()] : one === undefined ? [] : [one]);
  }

  /** The nonce that the sender's next transaction should have, counting what is here and in flight.
   * @param accountNonce as of the newest executed block. */
  pendingNonce(sender: Address, accountNonce: bigint): bigint {
    const key = toHexDigits(sender);
    return nonceAfter(this.#queues.get(key), this.#inFlight.nonces.get(key), accountNonce);
  }

  /** What was admitted since the last call and is still here, for the other nodes. */
  takeNew(): SignedTransaction[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh.flatMap((key) => this.#entries.get(key)?.transaction ?? []);
  }

  /** What was dropped since the last call; replaced ones too. */
  takeDropped(): Dropped[] {
    return takeDrops(this.#drops);
  }

  #queueFor(sender: Address, account: PoolAccount): SenderQueue {
    const key = toHexDigits(sender);
    const queue = this.#queues.get(key);
    if (queue === undefined) return createSenderQueue(sender, key, account);
    // What the caller read may be older than the last executed block.
    if (account.nonce >= queue.account.nonce) this.#refresh(queue, account, NONE_MINED);
    return this.#queues.get(key) ?? createSenderQueue(sender, key, account);
  }

  /** Drives out what is worth less, if the pool is full. @returns why there is no room. */
  #makeRoom(queue: SenderQueue, entry: Entry, replaced: Entry | undefined): AdmissionFailure | undefined {
    const { maxTransactions, maxBytes, maxQueued } = this.#limits;
    const size = entry.transaction.raw.length;
    if (replaced !== undefined) {
      const grown = this.#bytes + size - replaced.transaction.raw.length;
      return grown <= maxBytes ? undefined : { code: "txpool/full", message: "txpool is full" };
    }
    const tip = effectiveTip(entry.transaction, this.#baseFeePerGas);
    const isGapped = entry.transaction.nonce > queue.account.nonce + BigInt(queue.pendingCount);
    if (isGapped && this.#queued >= maxQueued) {
      const victim = cheapestGapped(this.#gapped, this.#baseFeePerGas);
      if (victim === undefined || victim.tip >= tip) return TOO_CHEAP_FOR_FULL_POOL;
      this.#evictLast(victim.queue);
    }
    if (this.#entries.size < maxTransactions && this.#bytes + size <= maxBytes) return undefined;
    const before = findNonce(queue, entry.transaction.nonce).index;
    const lowest = before === 0 ? tip : lowestTip(queue, before, this.#baseFeePerGas);
    const worth = tip < lowest ? tip : lowest;
    const hasRoom = (victims: readonly Entry[]): boolean =>
      this.#entries.size - victims.length < maxTransactions &&
      this.#bytes + size - victims.reduce((sum, { transaction }) => sum + transaction.raw.length, 0) <=
        maxBytes;
    const victims = planEvictions(this.#order, this.#queues, worth, this.#baseFeePerGas, hasRoom);
    if (victims === undefined) return TOO_CHEAP_FOR_FULL_POOL;
    for (const victim of victims) this.#evictLast(victim.queue);
    return undefined;
  }

  #evictLast(queue: SenderQueue): void {
    const last = this.#change(queue, () => removeLast(queue));
    const message = "driven out by a better paid transaction: the pool is full";
    this.#dropAll([last], { code: "txpool/evicted", message });
  }

  /** Brings a sender up to date: below its nonce nothing runs any more, and it must be able to pay for all it has here. */
  #refresh(queue: SenderQueue, account: PoolAccount, mined: ReadonlySet<string>): void {
    const passed = this.#change(queue, () => advanceAccount(queue, account));
    for (const entry of passed) {
      this.#forget(entry);
      if (mined.has(entry.key)) continue;
      const told = `next nonce ${account.nonce}, tx nonce ${entry.transaction.nonce}`;
      this.#drop(entry, { code: "txpool/nonce-too-low", message: `nonce too low: ${told}` });
    }
    while (queue.totalCost > account.balance) {
      const told = `balance ${account.balance}, queued cost ${queue.totalCost}`;
      const reason = {
        code: "txpool/insufficient-funds",
        message: `insufficient funds for gas * price + value: ${told}`,
      } as const;
      this.#dropAll([this.#change(queue, () => removeLast(queue))], reason);
    }
  }

  #settleSkipped(
    hash: Hash,
    reason: SkipReason,
    marked: ReadonlyMap<string, SignedTransaction>,
    news: ExecutionNews,
  ): void {
    const key = toHexDigits(hash);
    const entry = this.#entries.get(key);
    if (reason.retry) {
      const transaction = marked.get(key);
      if (entry !== undefined || transaction === undefined) return;
      const account = news.account(transaction.sender);
      if (this.admit(transaction, account, news.nowMs, news.permits, news.authority).ok) return;
    }
    if (entry !== undefined) this.#take(entry);
    logDrop(this.#drops, hash, reason);
  }

  #dropWhere(
    entries: Iterable<Entry>,
    refuse: (transaction: SignedTransaction) => DropReason | undefined,
  ): void {
    for (const entry of [...entries]) {
      const refusal = refuse(entry.transaction);
      if (refusal === undefined) continue;
      this.#take(entry);
      this.#drop(entry, refusal);
    }
  }

  /** Takes one out of its queue and the pool. */
  #take(entry: Entry): void {
    const queue = must(
      this.#queues.get(toHexDigits(entry.transaction.sender)),
      "an entry must be in a queue",
    );
    this.#change(queue, () => removeNonce(queue, entry.transaction.nonce));
    this.#forget(entry);
  }

  /** Changes a queue and keeps what is counted over all queues right. */
  #change<T>(queue: SenderQueue, change: () => T): T {
    const queuedBefore = queue.entries.length - queue.pendingCount;
    const result = change();
    this.#queued += queue.entries.length - queue.pendingCount - queuedBefore;
    if (queue.entries.length === 0) this.#queues.delete(queue.key);
    else this.#queues.set(queue.key, queue);
    if (queue.entries.length > queue.pendingCount) this.#gapped.add(queue);
    else this.#gapped.delete(queue);
    noteQueueChange(this.#order, queue, this.#queues.size, this.#baseFeePerGas);
    return result;
  }

  #remember(entry: Entry): void {
    this.#entries.set(entry.key, entry);
    this.#bytes += entry.transaction.raw.length;
    this.#fresh.push(entry.key);
    // Nobody takes them: those that are gone need not be kept.
    if (this.#fresh.length > 2 * this.#limits.maxTransactions) {
      this.#fresh = this.#fresh.filter((key) => this.#entries.has(key));
    }
    forgetDrop(this.#drops, entry.key);
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#bytes -= entry.transaction.raw.length;
  }

  #drop(entry: Entry, reason: DropReason): void {
    logDrop(this.#drops, entry.transaction.hash, reason);
  }

  /** For entries that are out of their queue already. */
  #dropAll(entries: readonly Entry[], reason: DropReason): void {
    for (const entry of entries) {
      this.#forget(entry);
      this.#drop(entry, reason);
    }
  }
}

const NONE_MINED: ReadonlySet<string> = new Set();
