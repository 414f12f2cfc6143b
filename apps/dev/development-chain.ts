import {
  type Address,
  type Failure,
  fail,
  type Hash,
  must,
  ok,
  type Result,
  toHex,
  toHexDigits,
} from "@ostrom/base";
import {
  type BlockPlan,
  INITIAL_INSTANT_STATE,
  type InstantInput,
  type InstantState,
  nextTimestamp,
  stepInstant,
} from "@ostrom/consensus";
import {
  type AppliedBlock,
  type ExecutedBlock,
  type InstantGenesis,
  nextBaseFee,
  type SignedTransaction,
} from "@ostrom/execution";
import type { EventListener } from "@ostrom/rpc";
import type { JournaledState } from "@ostrom/state";
import { refusalOf } from "./admission.ts";
import { BlockMaker } from "./block-maker.ts";
import type { DevelopmentObserver, FailureExplanation, ObservedRun } from "./observation.ts";
import { PendingPool, type TransactionOrder } from "./pending-pool.ts";
import type { RewindableStore } from "./rewindable-store.ts";
import { type BlockRuns, explain, observeBlock } from "./run-observer.ts";
import { tellUnwound } from "./unwinding.ts";
import { ConsoleUse } from "./watched-run.ts";

const MS_PER_SECOND = 1_000;

export type DevelopmentClock = {
  readonly nowMs: () => number;
  readonly random: () => number;
};

/** What a developer sets for all blocks to come. */
export type MiningSettings = {
  readonly coinbase: Address;
  readonly blockGasLimit: bigint;
  readonly minGasPrice: bigint;
};

/** What became of a transaction that was sent. */
export type SendOutcome =
  | { readonly kind: "sent"; readonly hash: Hash }
  | { readonly kind: "refused"; readonly reason: Failure }
  /** It is in a block, and failed. */
  | {
      readonly kind: "failed";
      readonly hash: Hash;
      readonly run: ObservedRun;
      readonly failure: FailureExplanation;
    };

type ChainOptions = {
  readonly genesis: InstantGenesis;
  readonly store: RewindableStore;
  readonly settings: MiningSettings;
  readonly clock: DevelopmentClock;
  readonly order: TransactionOrder;
  readonly observer: DevelopmentObserver;
};

type Snapshot = {
  readonly mark: number;
  readonly engine: InstantState;
  readonly settings: MiningSettings;
  readonly pool: readonly SignedTransaction[];
  readonly number: number;
  readonly hash: Hash;
};

/** A development chain between its store and its developer. What changes it goes through `exclusive`, one after another. */
export class DevelopmentChain {
  readonly genesis: InstantGenesis;
  readonly store: RewindableStore;
  readonly maker: BlockMaker;
  readonly pool: PendingPool = new PendingPool();
  readonly observer: DevelopmentObserver;
  readonly console: ConsoleUse = new ConsoleUse();
  readonly #clock: DevelopmentClock;
  readonly #order: TransactionOrder;
  readonly #listeners = new Set<EventListener>();
  readonly #snapshots = new Map<number, Snapshot>();
  #nextSnapshot = 1;
  #engine: InstantState = INITIAL_INSTANT_STATE;
  #settings: MiningSettings;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #line: Promise<unknown> = Promise.resolve();
  /** A block that waits to be told what its failed transactions came to. */
  #lastRuns: BlockRuns = new Map();

  private constructor(options: ChainOptions & { readonly maker: BlockMaker }) {
    this.genesis = options.genesis;
    this.store = options.store;
    this.maker = options.maker;
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#order = options.order;
    this.observer = options.observer;
  }

  static async open(options: ChainOptions): Promise<DevelopmentChain> {
    return new DevelopmentChain({ ...options, maker: await BlockMaker.open(options.store, options.genesis) });
  }

  get engine(): InstantState {
    return this.#engine;
  }

  get settings(): MiningSettings {
    return this.#settings;
  }

  get order(): TransactionOrder {
    return this.#order;
  }

  /** What the engine begins with, before anybody can ask for anything. */
  begin(engine: InstantState, settings: MiningSettings): void {
    this.#engine = engine;
    this.#settings = settings;
    this.#setTimer(engine.interval?.minMs);
  }

  change(settings: Partial<MiningSettings>): void {
    this.#settings = { ...this.#settings, ...settings };
  }

  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs what changes the chain when all before it is done. */
  exclusive<T>(run: () => Promise<T> | T): Promise<T> {
    const done = this.#line.then(run);
    this.#line = done.catch(() => undefined);
    return done;
  }

  /** Seconds, by the machine's clock. */
  now(): number {
    return Math.floor(this.#clock.nowMs() / MS_PER_SECOND);
  }

  /** What the next block would have if it were made now. */
  nextBlock(): { readonly timestamp: number; readonly baseFeePerGas: bigint } {
    const { header } = this.maker.head;
    return {
      timestamp: nextTimestamp(this.#engine, this.now(), header.timestamp),
      baseFeePerGas: this.#engine.nextBaseFee ?? nextBaseFee(header, this.genesis.rules),
    };
  }

  nonceOf(address: Address): bigint {
    return this.maker.state.account(address)?.nonce ?? 0n;
  }

  pendingNonce(address: Address): bigint {
    return this.pool.nextNonce(address, this.nonceOf(address));
  }

  /** Gives the engine an input that makes no block. @throws never; errors: `instant/timestamp-too-low`. */
  tell(
    input: Exclude<InstantInput, { readonly kind: "seal" | "timer" | "transaction" }>,
  ): Result<void, Failure> {
    const stepped = stepInstant(this.#engine, input);
    if (!stepped.ok) return stepped;
    this.#engine = stepped.value.state;
    for (const effect of stepped.value.effects)
      if (effect.kind === "set-timer") this.#setTimer(effect.afterMs);
    return ok(undefined);
  }

  random(): number {
    return this.#clock.random();
  }

  /** Takes a transaction, and makes a block with it where blocks are made at once. */
  send(transaction: SignedTransaction): Promise<SendOutcome> {
    return this.exclusive(async () => {
      const { timestamp, baseFeePerGas } = this.nextBlock();
      const reason = refusalOf(transaction, {
        rules: { ...this.genesis.rules, blockGasLimit: this.#settings.blockGasLimit },
        state: this.maker.state,
        timestamp,
        baseFeePerGas,
        isAutomining: this.#engine.isAutomining,
        pendingNonce: this.pendingNonce(transaction.sender),
        minGasPrice: this.#settings.minGasPrice,
      });
      if (reason !== undefined) return { kind: "refused", reason };
      this.console.look(transaction.data);
      const added = this.pool.add(transaction);
      if (!added.ok) return { kind: "refused", reason: added.error };
      for (const listener of this.#listeners) listener.onPendingTransactions?.([transaction.hash]);
      const stepped = stepInstant(this.#engine, { kind: "transaction" });
      const makes = stepped.ok && stepped.value.effects.some(({ kind }) => kind === "make-block");
      return makes ? await this.#mineUntil(transaction) : { kind: "sent", hash: transaction.hash };
    });
  }

  /** Makes blocks until one has the transaction. */
  async #mineUntil(transaction: SignedTransaction): Promise<SendOutcome> {
    const { hash } = transaction;
    const key = toHexDigits(hash);
    while (this.pool.get(hash) !== undefined) {
      const before = this.pool.size;
      const made = await this.makeBlock();
      if (!made.ok) return { kind: "refused", reason: made.error };
      if (this.pool.get(hash) !== undefined && this.pool.size === before) break;
      const seen = this.#lastRuns.get(key);
      if (seen?.failure !== undefined) return { kind: "failed", hash, run: seen.run, failure: seen.failure };
    }
    return { kind: "sent", hash };
  }

  /** Makes one block of what waits. Errors: `instant/timestamp-too-low`. Call it within `exclusive`.
   * @param timestamp of the block, in seconds; undefined: the next one.
   * @param isEmpty leaves what waits where it is. */
  async makeBlock(timestamp?: number, isEmpty = false): Promise<Result<ExecutedBlock, Failure>> {
    const sealed = stepInstant(this.#engine, {
      kind: "seal",
      now: this.now(),
      parentTimestamp: this.maker.head.header.timestamp,
      timestamp,
    });
    if (!sealed.ok) return sealed;
    const [effect] = sealed.value.effects;
    if (effect?.kind !== "sealed") return fail("instant/timestamp-too-low", "the engine made no plan");
    const { plan } = effect;
    const baseFee = plan.baseFeePerGas ?? nextBaseFee(this.maker.head.header, this.genesis.rules);
    const chosen =
      isEmpty || this.pool.size === 0 ? [] : this.pool.select((of) => this.nonceOf(of), baseFee, this.#order);
    const runs: BlockRuns = new Map();
    const applied = this.#apply(plan, chosen, runs);
    const block = await this.maker.commit(applied);
    this.#engine = sealed.value.state;
    for (const { hash, reason } of block.skipped) if (!reason.retry) this.pool.remove(hash);
    for (const { hash } of block.transactions) this.pool.remove(hash);
    this.pool.prune((of) => this.nonceOf(of));
    this.#lastRuns = runs;
    this.#announce(block);
    return ok(block);
  }

  /** What the next block would come to. */
  preview(): AppliedBlock {
    const { timestamp, baseFeePerGas } = this.nextBlock();
    const { nextPrevRandao } = this.#engine;
    const chosen = this.pool.select((of) => this.nonceOf(of), baseFeePerGas, this.#order);
    return this.maker.apply({
      plan: { timestamp, baseFeePerGas, prevRandao: nextPrevRandao },
      ...this.#settings,
      transactions: chosen,
    });
  }

  #apply(plan: BlockPlan, transactions: readonly SignedTransaction[], runs: BlockRuns): AppliedBlock {
    const request = { plan, ...this.#settings, transactions };
    const observed = observeBlock(this.maker, request, this.console, (run) => {
      const failure = run.status === "success" ? undefined : explain(this.observer, run);
      runs.set(must(run.transactionHash, "a transaction has a hash"), { run, failure });
    });
    return this.maker.apply({ ...request, observer: observed });
  }

  #announce(block: ExecutedBlock): void {
    const { hash, header, transactions } = block;
    const blockHash = toHex(hash);
    for (const { run, failure } of this.#lastRuns.values())
      this.observer.onRun?.({ ...run, blockHash }, failure);
    for (const listener of this.#listeners) listener.onBlock?.({ number: header.number, hash });
    for (const listener of this.#listeners) listener.onCertified?.({ number: header.number });
    const dropped = block.skipped.filter(({ reason }) => !reason.retry);
    if (dropped.length > 0) for (const listener of this.#listeners) listener.onDropped?.(dropped);
    this.observer.onBlock?.({
      number: header.number,
      hash: toHexDigits(hash),
      transactions: transactions.length,
    });
  }

  /** As `BlockMaker.edit`. */
  edit(change: (state: JournaledState) => void, keepsEmpty?: boolean): Promise<void> {
    return this.exclusive(() => this.maker.edit(change, keepsEmpty));
  }

  /** @returns the snapshot's name, from 1 on. */
  snapshot(): Promise<number> {
    return this.exclusive(() => {
      const id = this.#nextSnapshot++;
      this.#snapshots.set(id, {
        mark: this.store.mark(),
        engine: this.#engine,
        settings: this.#settings,
        pool: this.pool.all(),
        number: this.maker.head.header.number,
        hash: this.maker.head.hash,
      });
      return id;
    });
  }

  get snapshots(): ReadonlyMap<number, { readonly number: number; readonly hash: Hash }> {
    return this.#snapshots;
  }

  /** Puts the chain back to a snapshot, which is gone then, as are all after it. @returns false if there is no such snapshot. */
  revert(id: number): Promise<boolean> {
    return this.exclusive(async () => {
      const snapshot = this.#snapshots.get(id);
      if (snapshot === undefined) return false;
      for (const each of [...this.#snapshots.keys()]) if (each >= id) this.#snapshots.delete(each);
      tellUnwound(this.store, this.#listeners, snapshot.number);
      await this.store.rewind(snapshot.mark);
      this.maker.reload();
      this.#engine = snapshot.engine;
      this.#settings = snapshot.settings;
      this.pool.clear();
      for (const transaction of snapshot.pool) this.pool.add(transaction);
      this.#setTimer(snapshot.engine.interval?.minMs);
      return true;
    });
  }

  /** Takes the newest blocks off. Call it within `exclusive`. @param depth how many: not genesis. */
  async unwind(depth: number): Promise<void> {
    const height = this.maker.head.header.number - depth;
    tellUnwound(this.store, this.#listeners, height);
    await this.maker.unwind(height);
    this.pool.prune((of) => this.nonceOf(of));
  }

  /** Puts another content of the store in place of this one. Call it within `exclusive`. */
  async replaceAll(
    replace: () => Promise<void> | void,
    engine: InstantState,
    settings: MiningSettings,
  ): Promise<void> {
    tellUnwound(this.store, this.#listeners, 0);
    this.#snapshots.clear();
    this.store.forgetMarks();
    this.pool.clear();
    await replace();
    this.maker.reload();
    this.#engine = engine;
    this.#settings = settings;
    this.#setTimer(engine.interval?.minMs);
    const { header, hash } = this.maker.head;
    for (const listener of this.#listeners) listener.onBlock?.({ number: header.number, hash });
  }

  #setTimer(afterMs: number | undefined): void {
    clearTimeout(this.#timer);
    this.#timer =
      afterMs === undefined
        ? undefined
        : setTimeout(() => {
            void this.exclusive(() => this.#ring());
          }, afterMs);
  }

  async #ring(): Promise<void> {
    const stepped = stepInstant(this.#engine, { kind: "timer", chance: this.random() });
    if (!stepped.ok || this.#engine.interval === undefined) return;
    await this.makeBlock();
    for (const effect of stepped.value.effects)
      if (effect.kind === "set-timer") this.#setTimer(effect.afterMs);
  }

  async stop(): Promise<void> {
    this.#setTimer(undefined);
    await this.exclusive(() => this.store.close());
  }
}
