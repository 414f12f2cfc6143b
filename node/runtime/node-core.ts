import {
  type Address,
  type Bytes,
  equalBytes,
  type Failure,
  type Hash,
  type Result,
  toHexDigits,
} from "@ostrom/base";
import {
  type Evidence,
  type Executed,
  encodeStateCertificate,
  type Message,
  type SimplexConfig,
  type StateCertificate,
  type ValidatorIndex,
} from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import type { SignedTransaction } from "@ostrom/execution";
import {
  type Channel,
  createTransactionGossip,
  type NetworkHandlers,
  type PeerId,
  type TransactionGossip,
} from "@ostrom/network";
import { EMPTY_CODE_HASH, storeReader } from "@ostrom/state";
import { stateCertificateOperations } from "@ostrom/storage";
import { DEFAULT_POOL_LIMITS, type PoolContent, TransactionPool } from "@ostrom/txpool";
import { serveBlocks } from "./block-server.ts";
import { Certifier } from "./certifier.ts";
import { ChainFollower } from "./chain-follower.ts";
import type { ExecutionReport } from "./execution-port.ts";
import { Intake } from "./intake.ts";
import { Messenger } from "./messenger.ts";
import type { NodeCoreOptions } from "./node-core-options.ts";
import { Ordering } from "./ordering.ts";
import { PayloadDesk } from "./payload-desk.ts";
import { JunkWatch, PeerHeights, TrafficQuota } from "./peer-conduct.ts";

/** Evidence and faults of peers are logged at most this often for each kind, so that a hostile peer cannot fill the disk. */
const FAULT_LOG_INTERVAL_MS = 1_000;

/** Pending transactions that a peer is sent when its link comes up. */
const MAX_TRANSACTIONS_FOR_A_NEW_PEER = 2_000;

/** Transactions of the whole pool that are copied for one question; of each of both kinds. */
const MAX_CONTENT_TRANSACTIONS = 4_096;

/** How often the pool is asked to drop what has waited too long. */
const EXPIRY_INTERVAL_MS = 60_000;

/** Faults that no honest validator commits, whatever the network does. */
const PUNISHED_FAULTS: ReadonlySet<string> = new Set([
  "consensus/wrong-sender",
  "consensus/bad-signature",
  "consensus/bad-certificate",
  "consensus/bad-segment",
  "certification/wrong-sender",
  "certification/bad-signature",
  "certification/bad-certificate",
]);

/** A validator between its ports: ordering, execution, certification, pool and gossip, wired together. The same in production and
 * under the simulator. */
export class NodeCore {
  readonly pool: TransactionPool;
  readonly intake: Intake;
  readonly handlers: NetworkHandlers;
  readonly #options: NodeCoreOptions;
  readonly #messenger: Messenger;
  readonly #desk: PayloadDesk;
  readonly #follower: ChainFollower;
  readonly #gossip: TransactionGossip;
  readonly #certifier: Certifier;
  readonly #ordering: Ordering;
  readonly #lastFaultLog = new Map<string, number>();
  readonly #traffic: TrafficQuota;
  readonly #junk: JunkWatch;
  readonly #heights: PeerHeights;
  #baseFee: bigint;
  #newestCertificate: StateCertificate | undefined;
  #executedHeight: number;
  #expiredMs: number;
  #stopped = false;

  constructor(options: NodeCoreOptions) {
    const { genesis, validators, network, log, clock, checker, journal, recovered } = options;
    this.#options = options;
    this.#baseFee = options.head.nextBaseFee;
    this.#newestCertificate = recovered.certificate;
    this.#executedHeight = options.head.height;
    this.#expiredMs = clock.nowMs();
    this.#traffic = new TrafficQuota(clock);
    this.#junk = new JunkWatch(clock);
    this.#heights = new PeerHeights(validators);
    this.#messenger = new Messenger(network, validators, log);
    this.pool = new TransactionPool(genesis.rules, DEFAULT_POOL_LIMITS, this.#baseFee);
    const failed = (error: unknown): void => this.#fail(error);
    this.#gossip = createTransactionGossip({ network, clock, hashOf: keccak256 });
    this.intake = new Intake({
      pool: this.pool,
      checker,
      clock,
      accountOf: (address) => this.#accountOf(address),
      admitted: (transactions, fromClients) => this.#admitted(transactions, fromClients),
      failed,
    });
    this.#desk = new PayloadDesk(
      genesis.rules,
      {
        maxPayloadBytes: genesis.consensus.maxPayloadBytes,
        executionWindowGas: genesis.executionWindowGas,
        clockToleranceMs: genesis.consensus.clockToleranceMs,
      },
      {
        clock,
        log,
        pool: this.pool,
        checker,
        baseFee: () => this.#baseFee,
        newestCertificate: () => this.#newestCertificate,
        work: (pending) => this.#ordering.input({ kind: "work", pending }),
        failed,
      },
    );
    for (const { block, digest } of recovered.uncertified) {
      this.#desk.finalized(block, digest);
      this.#desk.executed(block.height);
    }
    this.#follower = new ChainFollower({
      execution: options.execution,
      checkedIn: (digest) => this.#desk.checkedIn(digest),
      validators,
      executed: (report, result) => this.#executed(report, result),
      failed,
    });
    const send = (to: ValidatorIndex, message: Message): void => this.#messenger.send(to, message);
    const broadcast = (message: Message): void => this.#messenger.broadcast(message);
    const fault = (peer: ValidatorIndex, code: string, message: string): void =>
      this.#peerFault(peer, code, message);
    const { domain, own } = options;
    this.#certifier = new Certifier(
      { domain, validators, earlierValidators: [], own, resendMs: genesis.consensus.standstillMs },
      recovered.certificate,
      recovered.results,
      {
        clock,
        journal,
        send,
        broadcast,
        certified: (certificate) => this.#certified(certificate),
        diverged: (message) => this.#fail(Object.assign(new Error(message), { code: "node/diverged" })),
        evidence: ({ first }) => this.#evidence(first.signer, "two results for one block"),
        fault,
        failed,
      },
    );
    this.#ordering = new Ordering(this.#simplexConfig(), recovered.tip, options.records, {
      clock,
      log,
      journal,
      send,
      broadcast,
      build: (request, answer) => this.#desk.build(request, answer),
      check: (request, answer) => this.#desk.check(request, answer),
      finalized: (finalized) => {
        this.#desk.finalized(finalized.block, finalized.digest);
        this.#follower.finalized(finalized);
      },
      hasRoom: () => this.#follower.hasRoom(),
      serveBlocks: (to, fromHeight) => serveBlocks(options.store, fromHeight, (message) => send(to, message)),
      evidence: (evidence: Evidence) => this.#evidence(evidence.validator, "two votes for one view"),
      fault,
      failed,
    });
    this.handlers = {
      onFrame: (peerId, channel, payload) => this.#frame(peerId, channel, payload),
      onUp: (peerId) => {
        log("info", "link up", { peer: this.#messenger.indexOf(peerId), peerId });
        this.#gossip.peerUp(peerId);
        // It may have missed what was sent while it was away.
        this.#gossip.spreadTo(peerId, this.pool.content().pending.slice(0, MAX_TRANSACTIONS_FOR_A_NEW_PEER));
      },
      onDown: (peerId, reason) => {
        log("info", "link down", { peer: this.#messenger.indexOf(peerId), peerId, reason });
        this.#gossip.peerDown(peerId);
      },
    };
  }

  /** Begins to take part. */
  start(): void {
    this.#certifier.start();
    this.#ordering.start();
  }

  /** What this node knows of where the chain is. */
  heads(): { readonly executed: number; readonly certified: number; readonly highestHeard: number } {
    const certified = this.#newestCertificate?.executed.height ?? 0;
    const highestHeard = Math.max(this.#heights.believable(), certified);
    return { executed: this.#executedHeight, certified, highestHeard };
  }

  /** Offers transactions that came by JSON-RPC. */
  submit(raws: readonly Bytes[]): Promise<readonly Result<Hash, Failure>[]> {
    return this.intake.submit(raws, "client");
  }

  pendingNonce(address: Address): bigint {
    return this.pool.pendingNonce(address, this.#accountOf(address).nonce);
  }

  /** One sender's, or all of the pool, cut off where it is too much to copy at once. */
  poolContent(sender: Address | undefined): PoolContent {
    const { pending, queued } = this.pool.content(sender);
    return {
      pending: pending.slice(0, MAX_CONTENT_TRANSACTIONS),
      queued: queued.slice(0, MAX_CONTENT_TRANSACTIONS),
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#desk.stop();
    this.#gossip.stop();
    await Promise.all([this.#ordering.stop(), this.#certifier.stop()]);
  }

  #simplexConfig(): SimplexConfig {
    const { genesis, domain, validators, own, journal } = this.#options;
    const {
      deltaMs,
      deltaGrowthPercent,
      maxDeltaMs,
      minBlockIntervalMs,
      emptyBlockIntervalMs,
      standstillMs,
      fetchRetryMs,
    } = genesis.consensus;
    return {
      domain,
      validators,
      earlierValidators: [],
      own,
      deltaMs,
      deltaGrowthPercent,
      maxDeltaMs,
      minBlockIntervalMs,
      emptyBlockIntervalMs,
      standstillMs,
      fetchRetryMs,
      lostLog: journal.logIsLost,
    };
  }

  #frame(peerId: PeerId, channel: Channel, payload: Bytes): void {
    if (this.#stopped) return;
    if (channel === "transactions") {
      this.#gossiped(peerId, payload);
      return;
    }
    const read = this.#messenger.read(peerId, payload);
    if (read === undefined) {
      this.#options.punish(peerId, "consensus/unreadable-message");
      return;
    }
    const { from, message } = read;
    if (!this.#traffic.allows(from, message)) {
      this.#peerFault(from, "network/over-quota", `asks or says too much (${message.kind}): not read`);
      return;
    }
    if (message.kind === "executed") this.#heights.hear(from, message.executed.executed.height);
    this.#ordering.input({ kind: "message", ...read });
    this.#certifier.input({ kind: "message", ...read });
    const certificate = message.kind === "proposal" ? message.block.stateCertificate : undefined;
    // As if the leader had sent it by itself: it answers for what it costs to find it wrong.
    if (certificate !== undefined) {
      this.#certifier.input({ kind: "message", from, message: { kind: "state-certificate", certificate } });
    }
  }

  #gossiped(peerId: PeerId, payload: Bytes): void {
    const received = this.#gossip.receive(peerId, payload);
    if (received.ok) {
      const raws = received.value.map(({ raw }) => raw);
      void this.intake.submit(raws, "peer").then((results) => {
        if (this.#junk.tooMuch(peerId, results)) this.#options.punish(peerId, "gossip/junk");
      });
      return;
    }
    const { code } = received.error;
    if (code !== "gossip/over-quota" && code !== "gossip/unknown-peer") this.#options.punish(peerId, code);
  }

  #admitted(transactions: readonly SignedTransaction[], fromClients: readonly SignedTransaction[]): void {
    if (this.#stopped) return;
    this.#gossip.spread(fromClients);
    this.#options.listener.admitted(transactions);
    this.#desk.poolChanged();
  }

  #executed(report: ExecutionReport, result: Executed): void {
    if (this.#stopped) return;
    const { listener, journal, clock } = this.#options;
    this.#baseFee = report.nextBaseFee;
    this.#executedHeight = report.height;
    this.#expireNowAndThen(clock.nowMs());
    this.pool.onExecuted({
      block: toHexDigits(report.orderDigest),
      included: this.#desk.transactionsOf(report),
      skipped: report.skipped,
      changed: report.changed,
      account: (address) => this.#accountOf(address),
      baseFeePerGas: report.nextBaseFee,
      nowMs: clock.nowMs(),
    });
    this.#desk.executed(report.height);
    listener.block(report);
    const dropped = this.pool.takeDropped();
    if (dropped.length > 0) listener.dropped(dropped);
    this.#certifier.input({ kind: "executed", executed: result });
    this.#desk.poolChanged();
    journal.settle(report.view).catch((error: unknown) => this.#fail(error));
  }

  #expireNowAndThen(nowMs: number): void {
    if (Math.abs(nowMs - this.#expiredMs) < EXPIRY_INTERVAL_MS) return;
    this.#expiredMs = nowMs;
    this.pool.expire(nowMs);
  }

  #certified(certificate: StateCertificate): void {
    const { store, listener } = this.#options;
    const { height } = certificate.executed;
    this.#newestCertificate = certificate;
    // Not synced: the others have it too, and this node will sign the height again after a crash.
    store
      .write(stateCertificateOperations(store, height, encodeStateCertificate(certificate)), { sync: false })
      .then(() => listener.certified(height))
      .catch((error: unknown) => this.#fail(error));
  }

  #accountOf(address: Address): {
    readonly nonce: bigint;
    readonly balance: bigint;
    readonly isDelegated: boolean;
  } {
    const account = storeReader(this.#options.store).account(address);
    if (account === undefined) return { nonce: 0n, balance: 0n, isDelegated: false };
    // Whoever signs a transaction has a key: code of such an account is a delegation.
    const isDelegated = !equalBytes(account.codeHash, EMPTY_CODE_HASH);
    return { nonce: account.nonce, balance: account.balance, isDelegated };
  }

  #evidence(validator: ValidatorIndex, what: string): void {
    this.#peerFault(validator, "consensus/equivocation", what);
  }

  #peerFault(peer: ValidatorIndex, code: string, message: string): void {
    const peerId = this.#messenger.peerIdOf(peer);
    if (peerId !== undefined && PUNISHED_FAULTS.has(code)) this.#options.punish(peerId, code);
    const now = this.#options.clock.nowMs();
    const key = `${peer}:${code}`;
    const sinceMs = now - (this.#lastFaultLog.get(key) ?? Number.NEGATIVE_INFINITY);
    // The clock may have been set back.
    if (sinceMs >= 0 && sinceMs < FAULT_LOG_INTERVAL_MS) return;
    this.#lastFaultLog.set(key, now);
    this.#options.log("warn", "a validator broke a rule", { validator: peer, code, reason: message });
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
