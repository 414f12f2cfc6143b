import { type Address, type Bytes, type Failure, type Hash, type Result, toHexDigits } from "@ostrom/base";
import {
  decodeMessage,
  type Executed,
  encodeStateCertificate,
  type StateCertificate,
  type ValidatorSet,
} from "@ostrom/consensus";
import { hasBatches } from "@ostrom/dissemination";
import type { ValidatorSet as StoredValidatorSet } from "@ostrom/execution";
import type { Channel, NetworkHandlers, PeerId } from "@ostrom/network";
import { stateCertificateOperations } from "@ostrom/storage";
import type { PoolContent, TransactionPool } from "@ostrom/txpool";
import type { BatchDesk } from "./batch-desk.ts";
import { ChainFollower } from "./chain-follower.ts";
import { CheckpointDesk } from "./checkpoint-desk.ts";
import { EpochSets } from "./epoch-sets.ts";
import { EpochSuccession } from "./epoch-succession.ts";
import type { ExecutionReport, FrozenSet, ResolvedBatch } from "./execution-port.ts";
import { sendMessage } from "./messenger.ts";
import { batchEpochOf, openBatchDesk } from "./node-batches.ts";
import type { NodeCoreOptions } from "./node-core-options.ts";
import { NodeFaults } from "./node-faults.ts";
import type { FinalizedBlock } from "./ordering.ts";
import { PayloadDesk } from "./payload-desk.ts";
import { PeerHeights, TrafficQuota } from "./peer-conduct.ts";
import { StatementDesk } from "./statement-desk.ts";
import { StrangerDesk } from "./stranger-links.ts";
import { TransactionTraffic } from "./transaction-traffic.ts";

/** A validator hears of new blocks from the others; only if it is farther behind does it ask strangers. */
const VALIDATOR_GAP = 16;

/** A node between its ports: what lives as long as it does (pool, gossip, execution, journal), wired together with one epoch after
 * another. The same in production and under the simulator. */
export class NodeCore {
  readonly handlers: NetworkHandlers;
  readonly #options: NodeCoreOptions;
  readonly #epochs: EpochSuccession;
  readonly #sets: EpochSets;
  readonly #desk: PayloadDesk;
  readonly #follower: ChainFollower;
  readonly #transactions: TransactionTraffic;
  readonly #batches: BatchDesk | undefined;
  #batchEpoch = -1;
  readonly #faults: NodeFaults;
  readonly #traffic: TrafficQuota;
  readonly #heights = new PeerHeights();
  readonly #strangers: StrangerDesk;
  readonly #checkpoints: CheckpointDesk;
  #baseFee: bigint;
  #executedHeight: number;
  readonly #statements: StatementDesk;
  #stopped = false;

  constructor(options: NodeCoreOptions) {
    const { genesis, network, log, clock, checker, recovered } = options;
    this.#options = options;
    this.#baseFee = options.head.nextBaseFee;
    this.#executedHeight = options.head.height;
    this.#traffic = new TrafficQuota(clock);
    this.#sets = new EpochSets(options.store, genesis);
    const failed = (error: unknown): void => this.#fail(error);
    this.#faults = new NodeFaults({
      ...options,
      sets: this.#sets,
      epoch: () => this.#epochs.current.epoch,
      failed,
    });
    const setOf = (epoch: number): ValidatorSet | undefined => this.#sets.of(epoch)?.validators;
    this.#statements = new StatementDesk(options.domain, { verify: checker.verify, setOf, failed });
    this.#transactions = new TransactionTraffic({
      rules: genesis.rules,
      modules: options.modules,
      baseFee: this.#baseFee,
      store: options.store,
      network,
      clock,
      checker,
      relays: false,
      isStranger: options.strangers?.isStranger,
      spreadsTo: options.strangers?.spreadsTo,
      punish: options.punish,
      batches: {
        offer: (transactions) => this.#batches?.offer(transactions) ?? transactions,
        offerOthers: (transactions) => this.#batches?.offerOthers(transactions),
      },
      admitted: (transactions) => {
        options.listener.admitted(transactions);
        this.#desk.poolChanged();
      },
      failed,
    });
    this.#batches = this.#createBatches(failed);
    this.#desk = this.#createDesk(failed);
    for (const { block, digest } of recovered.uncertified) {
      this.#desk.finalized(block, digest);
      this.#desk.executed(block.height);
    }
    this.#follower = new ChainFollower({
      execution: options.execution,
      checkedIn: (digest) => this.#desk.checkedIn(digest),
      validatorsOf: (epoch) => this.#sets.begun(epoch).validators,
      resolve: (payload) => (hasBatches(payload) ? this.#batches?.resolve(payload) : undefined),
      executed: (report, result, batches) => this.#executed(report, result, batches),
      failed,
    });
    this.#epochs = this.#createEpochs(failed);
    this.#strangers = this.#createStrangerDesk();
    this.#checkpoints = new CheckpointDesk({ ...options, sets: this.#sets, failed });
    // What the database cannot read stops this node, and not others of its process.
    const guarded = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        this.#fail(error);
      }
    };
    this.handlers = {
      onFrame: (peerId, channel, payload) => guarded(() => this.#frame(peerId, channel, payload)),
      onUp: (peerId) =>
        guarded(() => {
          log("info", "link up", { peer: this.#faults.nameOf(peerId), peerId });
          this.#transactions.peerUp(peerId);
        }),
      onDown: (peerId, reason) =>
        guarded(() => {
          log("info", "link down", { peer: this.#faults.nameOf(peerId), peerId, reason });
          this.#transactions.peerDown(peerId);
          this.#batches?.peerDown(peerId);
          this.#strangers.gone(peerId);
        }),
    };
  }

  #createBatches(failed: (error: unknown) => void): BatchDesk | undefined {
    return openBatchDesk(this.#options, {
      pool: this.pool,
      head: this.#executedHeight,
      baseFee: () => this.#baseFee,
      unexecuted: () => this.#desk.unexecuted(),
      changed: () => this.#desk.poolChanged(),
      evidence: (evidence, peerId) => this.#faults.batchEvidence(evidence, peerId),
      fault: (peerId, code, message) => this.#faults.note(peerId, code, message),
      failed,
    });
  }

  #enterEpoch(): void {
    const { epoch, own, validators } = this.#epochs.current;
    if (this.#batches === undefined || epoch === this.#batchEpoch) return;
    this.#batchEpoch = epoch;
    const mayAuthor = own !== undefined && !this.#options.journal.isLogLostIn(validators.epoch);
    this.#transactions.passOn(this.#batches.enter(batchEpochOf(validators, own, mayAuthor)));
  }

  #createDesk(failed: (error: unknown) => void): PayloadDesk {
    const { genesis, clock, log, checker } = this.#options;
    return new PayloadDesk(
      genesis.rules,
      { ...genesis.consensus, executionWindowGas: genesis.executionWindowGas },
      {
        clock,
        log,
        pool: this.pool,
        batches: this.#batches,
        checker,
        keysOf: (transaction) => this.#transactions.keys.keysOf(transaction),
        baseFee: () => this.#baseFee,
        newestCertificate: () => this.#epochs.newestCertificate,
        leastCertified: (height) => this.#epochs.leastCertified(height),
        work: (pending) => this.#epochs.work(pending),
        failed,
      },
    );
  }

  #createEpochs(failed: (error: unknown) => void): EpochSuccession {
    const { recovered, records, clock, log, journal, network, store, keys, genesis, views } = this.#options;
    return new EpochSuccession(recovered, records, {
      clock,
      log,
      journal,
      network,
      store,
      domain: this.#statements.domain,
      keys,
      consensus: genesis.consensus,
      views,
      sets: this.#sets,
      build: (request, answer) => this.#desk.build(request, answer),
      check: (request, answer) => this.#desk.check(request, answer),
      finalized: (finalized) => this.#finalized(finalized),
      hasRoom: () => this.#follower.hasRoom(),
      hasWork: () => this.#desk.hasWork,
      certified: (certificate) => this.#certified(certificate),
      setsChanged: () => {
        this.#enterEpoch();
        this.#options.listener.setsChanged();
        this.#strangers.advance();
      },
      diverged: (message) => this.#fail(Object.assign(new Error(message), { code: "node/diverged" })),
      evidence: (evidence) => this.#faults.evidence(evidence),
      fault: (peerId, code, message) => this.#faults.note(peerId, code, message),
      failed,
    });
  }

  #createStrangerDesk(): StrangerDesk {
    const { network } = this.#options;
    return new StrangerDesk({
      ...this.#options,
      finalHeight: () => this.#epochs.finalHeight,
      leastGap: () => (this.#epochs.current.own === undefined ? 0 : VALIDATOR_GAP),
      executedHeight: () => this.#executedHeight,
      certifiedHeight: () => this.#epochs.newestCertificate?.executed.height ?? 0,
      hasRoom: () => this.#follower.hasRoom(),
      send: (peerId, message) => sendMessage(network, peerId, message),
      takeBlocks: (range) => this.#epochs.takeBlocks(range),
      takeCertificate: (certificate) => this.#epochs.takeCertificate(certificate),
      answer: (peerId, message) => this.#epochs.answer(peerId, message),
    });
  }

  /** Begins to take part. */
  start(): void {
    this.#enterEpoch();
    this.#epochs.start();
    this.#strangers.start(this.#executedHeight);
    this.#checkpoints.start(this.#executedHeight, this.#epochs.newestCertificate?.executed.height ?? 0);
  }

  /** A peer says up to which block it can serve this node; nothing proves it. */
  hearHead(peerId: PeerId, height: number): void {
    if (!this.#stopped) this.#orFail(() => this.#strangers.hearHead(peerId, height));
  }

  /** What this node knows of where the chain is. */
  heads(): { readonly executed: number; readonly certified: number; readonly highestHeard: number } {
    const certified = this.#epochs.newestCertificate?.executed.height ?? 0;
    const believable = this.#heights.believable(this.#epochs.current.validators);
    const highestHeard = Math.max(believable, certified, this.#strangers.highestClaim);
    return { executed: this.#executedHeight, certified, highestHeard };
  }

  get pool(): TransactionPool {
    return this.#transactions.pool;
  }

  /** How much is kept in memory, by what. */
  sizes(): Readonly<Record<string, number>> {
    const { pending, queued } = this.pool.status();
    return {
      ...this.#batches?.sizes(),
      ...this.#epochs.sizes(),
      ...this.#desk.sizes(),
      ...this.#checkpoints.sizes(),
      transactions: pending + queued,
      faultsLogged: this.#faults.size,
    };
  }

  get epoch(): number {
    return this.#epochs.current.epoch;
  }

  /** Sets whose validators may be linked now. */
  linkedSets(): readonly StoredValidatorSet[] {
    return this.#orFail(() => this.#epochs.linkedSets()) ?? [];
  }

  /** Whether a peer was a validator in an earlier epoch, as far back as that is remembered. */
  wasValidator(peerId: PeerId): boolean {
    return this.#orFail(() => this.#sets.wasMemberBefore(this.#epochs.current.epoch, peerId)) ?? false;
  }

  /** Offers transactions that came by JSON-RPC. */
  submit(raws: readonly Bytes[]): Promise<readonly Result<Hash, Failure>[]> {
    return this.#transactions.submit(raws);
  }

  pendingNonce(address: Address): bigint {
    return this.#transactions.pendingNonce(address);
  }

  /** One sender's, or all of the pool, cut off where it is too much to copy at once. */
  poolContent(sender: Address | undefined): PoolContent {
    return this.#transactions.poolContent(sender);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#desk.stop();
    this.#transactions.stop();
    this.#batches?.stop();
    this.#strangers.stop();
    await this.#checkpoints.stop();
    await this.#epochs.stop();
  }

  #frame(peerId: PeerId, channel: Channel, payload: Bytes): void {
    if (this.#stopped) return;
    if (channel === "transactions") {
      this.#transactions.receive(peerId, payload);
      return;
    }
    if (channel === "batches") {
      this.#batches?.receive(peerId, payload);
      return;
    }
    const read = decodeMessage(payload);
    if (!read.ok) {
      this.#faults.note(peerId, "consensus/unreadable-message", `${read.error.code}: ${read.error.message}`);
      return;
    }
    const message = read.value;
    if (!this.#traffic.allows(peerId, message)) {
      this.#faults.note(peerId, "network/over-quota", `asks or says too much (${message.kind}): not read`);
      return;
    }
    if (this.#orFail(() => this.#checkpoints.hear(peerId, message)) !== false) return;
    if (this.#orFail(() => this.#strangers.hear(peerId, message)) !== false) return;
    if (message.kind === "executed") this.#heights.hear(peerId, message.executed.executed.height);
    this.#statements.settle(message, () => {
      if (!this.#stopped) this.#orFail(() => this.#epochs.hear(peerId, message, payload.length));
    });
  }

  /** Operators hear what became of what they sent: a set may be refused, or be without those who have not proved their keys. */
  #logFrozen({ epoch, isChanged, refused, leftOut }: FrozenSet): void {
    const isWhole = refused === undefined && leftOut.length === 0;
    const what = isChanged
      ? "another validator set is decided"
      : "the validator set goes on in the next epoch";
    this.#options.log(isWhole ? "info" : "warn", what, { epoch, refused, leftOut });
  }

  #executed(report: ExecutionReport, result: Executed, batches: readonly ResolvedBatch[]): void {
    if (this.#stopped) return;
    const { listener, journal } = this.#options;
    this.#baseFee = report.nextBaseFee;
    this.#executedHeight = report.height;
    if (report.frozen !== undefined) this.#logFrozen(report.frozen);
    this.#transactions.executed({
      block: toHexDigits(report.orderDigest),
      included: this.#desk.transactionsOf(report),
      skipped: report.skipped,
      changed: report.changed,
      rekeyed: report.rekeyed,
      baseFeePerGas: report.nextBaseFee,
    });
    this.#desk.executed(report.height);
    this.#batches?.executed(report.height, batches);
    listener.block(report);
    const dropped = this.pool.takeDropped();
    if (dropped.length > 0) listener.dropped(dropped);
    this.#epochs.executed(result);
    this.#strangers.executed(report.height);
    this.#checkpoints.executed(report.height);
    this.#desk.poolChanged();
    journal.settle(report).catch((error: unknown) => this.#fail(error));
  }

  #finalized(finalized: FinalizedBlock): void {
    this.#strangers.finalized(finalized);
    this.#desk.finalized(finalized.block, finalized.digest);
    this.#follower.finalized(finalized, this.#batches?.finalized(finalized.block));
  }

  #certified(certificate: StateCertificate): void {
    const { store, listener } = this.#options;
    const { height } = certificate.executed;
    this.#desk.certificateChanged();
    this.#checkpoints.certified(height);
    // Not synced: the others have it too, and this node will sign the height again after a crash.
    store
      .write(stateCertificateOperations(store, height, encodeStateCertificate(certificate)), { sync: false })
      .then(() => listener.certified(height))
      .catch((error: unknown) => this.#fail(error));
  }

  /** What reads the database may find it damaged. */
  #orFail<Found>(read: () => Found): Found | undefined {
    try {
      return read();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    // It signs and says nothing more from here on, whatever its listener does.
    void this.stop();
    const { message, code, stack } = error as { message?: string; code?: string; stack?: string };
    this.#options.log("error", "the node cannot go on", { code, reason: message ?? String(error), stack });
    this.#options.listener.failed({ code: code ?? "node/failed", message: message ?? String(error) });
  }
}
