import { Height } from "@ostrom/base";
import {
  type Certificate,
  type ConsensusDomain,
  domainOfSet,
  type Effect,
  type Evidence,
  type Executed,
  type FinalizedTip,
  type LogRecord,
  type Message,
  type SimplexConfig,
  type StateCertificate,
  type ValidatorIndex,
  type ValidatorSet,
} from "@ostrom/consensus";
import type { ConsensusParameters } from "@ostrom/execution";
import type { Network, PeerId } from "@ostrom/network";
import { Certifier } from "./certifier.ts";
import type { EpochBounds } from "./epoch-sets.ts";
import { Messenger } from "./messenger.ts";
import { type FinalizedBlock, Ordering, type OrderingPorts } from "./ordering.ts";
import type { Clock, Log } from "./ports.ts";
import type { ViewRecorder } from "./view-recorder.ts";
import type { VoteJournal } from "./vote-journal.ts";

/** What an epoch begins with, or what a restarted node finds of it. */
export type EpochStart = {
  readonly bounds: EpochBounds;
  readonly validators: ValidatorSet;
  /** Sets whose state certificates may still come: that of the epoch before. */
  readonly earlierValidators: readonly ValidatorSet[];
  /** undefined: this node follows. */
  readonly own: ValidatorIndex | undefined;
  /** undefined: its order is settled, only its results are certified. */
  readonly tip: FinalizedTip | undefined;
  /** What the log holds of this epoch. */
  readonly records: readonly LogRecord[];
  readonly certificate: StateCertificate | undefined;
  /** Own results of this epoch above it. */
  readonly results: readonly Executed[];
};

export type EpochEnd = Omit<Extract<Effect, { kind: "epochEnded" }>, "kind">;

export type EpochSessionPorts = {
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: VoteJournal;
  readonly network: Network;
  readonly domain: ConsensusDomain;
  readonly consensus: ConsensusParameters;
  readonly build: OrderingPorts["build"];
  readonly check: OrderingPorts["check"];
  readonly finalized: (finalized: FinalizedBlock) => void;
  readonly hasRoom: () => boolean;
  readonly serveBlocks: (to: PeerId, fromHeight: number) => void;
  readonly ended: (end: EpochEnd) => void;
  readonly certified: (certificate: StateCertificate) => void;
  readonly diverged: (message: string) => void;
  readonly evidence: (evidence: Evidence) => void;
  readonly fault: (peerId: PeerId | undefined, code: string, message: string) => void;
  readonly failed: (error: unknown) => void;
  /** Writes down what becomes of views. */
  readonly views?: ViewRecorder | undefined;
};

/** All that belongs to one epoch: its set, this node's place in it, the engine that orders its blocks and the gathering of
 * its state certificates. */
export class EpochSession {
  readonly epoch: number;
  readonly bounds: EpochBounds;
  readonly validators: ValidatorSet;
  readonly own: ValidatorIndex | undefined;
  readonly #views: ViewRecorder | undefined;
  readonly #messenger: Messenger;
  readonly #certifier: Certifier;
  readonly #ordering: Ordering | undefined;

  constructor(start: EpochStart, ports: EpochSessionPorts) {
    this.epoch = start.bounds.epoch;
    this.bounds = start.bounds;
    this.validators = start.validators;
    this.own = start.own;
    this.#views = ports.views;
    this.#messenger = new Messenger(ports.network, start.validators);
    const shared = {
      clock: ports.clock,
      journal: ports.journal,
      send: (to: ValidatorIndex, message: Message) => this.#messenger.send(to, message),
      broadcast: (message: Message) => this.#messenger.broadcast(message),
      fault: (peer: ValidatorIndex, code: string, message: string) =>
        ports.fault(this.#messenger.peerIdOf(peer), code, message),
      failed: ports.failed,
    };
    const { consensus } = ports;
    const { bounds, validators, earlierValidators, own } = start;
    this.#certifier = new Certifier(
      {
        domain: domainOfSet(ports.domain, validators),
        validators,
        earlierValidators,
        own,
        lastHeight: Height(bounds.lastHeight),
        resendMs: consensus.standstillMs,
      },
      start.certificate,
      start.results,
      {
        ...shared,
        certified: ports.certified,
        diverged: ports.diverged,
        evidence: ({ first, second }) =>
          ports.evidence({ kind: "results", validator: first.signer, first, second }),
      },
    );
    if (start.tip === undefined) return;
    this.#ordering = new Ordering(simplexConfig(start, ports), start.tip, start.records, {
      ...shared,
      log: ports.log,
      build: ports.build,
      check: ports.check,
      finalized: ports.finalized,
      hasRoom: ports.hasRoom,
      serveBlocks: (to, fromHeight) => {
        const peerId = this.#messenger.peerIdOf(to);
        if (peerId !== undefined) ports.serveBlocks(peerId, fromHeight);
      },
      ended: ports.ended,
      evidence: ports.evidence,
      views: ports.views,
    });
  }

  start(): void {
    this.#certifier.start();
    this.#ordering?.start();
  }

  /** The peer's place in this epoch's set; undefined if it has none. */
  indexOf(peerId: PeerId): ValidatorIndex | undefined {
    return this.#messenger.indexOf(peerId);
  }

  /** Something arrived from a validator of this epoch's set. */
  hear(from: ValidatorIndex, message: Message): void {
    this.#ordering?.input({ kind: "message", from, message });
    if (message.kind === "executed")
      this.#views?.executedBy(this.epoch, from, message.executed.executed.height);
    this.#certifier.input({ kind: "message", from, message });
  }

  /** A validator of this epoch's set spoke of a later epoch, in which its place may be another: ordering asks it for blocks. */
  hearAhead(from: ValidatorIndex, message: Message): void {
    this.#ordering?.input({ kind: "message", from, message });
  }

  /** Blocks that this node had asked for, from a peer that has no place in this epoch's set. */
  hearBlocks(blocks: Extract<Message, { kind: "block-range" }>): void {
    this.#ordering?.input({ kind: "message", from: undefined, message: blocks });
  }

  /** A certificate that this node had asked for. */
  hearCertificate(certificate: StateCertificate): void {
    this.#certifier.input({ kind: "certificate", certificate });
  }

  work(pending: boolean): void {
    this.#ordering?.input({ kind: "work", pending });
  }

  executed(result: Executed): void {
    this.#certifier.input({ kind: "executed", executed: result });
  }

  /** Newest block of this epoch that is known to be final here. */
  get finalTip(): { readonly height: number; readonly finalization: Certificate | undefined } | undefined {
    return this.#ordering?.state().tip;
  }

  /** How much is kept in memory, by what. */
  sizes(): Readonly<Record<string, number>> {
    const state = this.#ordering?.state();
    return {
      views: state?.views.size ?? 0,
      blocks: state?.blocks.size ?? 0,
      requests: state?.requests.size ?? 0,
      helped: state?.helped.size ?? 0,
      ...this.#certifier.sizes(),
    };
  }

  stopCertifying(): Promise<void> {
    return this.#certifier.stop();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#ordering?.stop(), this.#certifier.stop()]);
  }
}

function simplexConfig(start: EpochStart, ports: EpochSessionPorts): SimplexConfig {
  const { journal, consensus } = ports;
  const { validators, earlierValidators, own, bounds } = start;
  // Who signs nothing has nothing to ask the others for.
  const lostLog = own !== undefined && journal.isLogLostIn(bounds.epoch);
  if (own !== undefined && !lostLog && journal.hasLostVotes)
    ports.log("info", "none of its votes are in doubt any more", { fromEpoch: bounds.epoch });
  return {
    domain: domainOfSet(ports.domain, validators),
    validators,
    earlierValidators,
    own,
    lastHeight: Height(bounds.lastHeight),
    leastCertified: Height(bounds.leastCertified),
    deltaMs: consensus.deltaMs,
    deltaGrowthPercent: consensus.deltaGrowthPercent,
    maxDeltaMs: consensus.maxDeltaMs,
    minBlockIntervalMs: consensus.minBlockIntervalMs,
    emptyBlockIntervalMs: consensus.emptyBlockIntervalMs,
    standstillMs: consensus.standstillMs,
    fetchRetryMs: consensus.fetchRetryMs,
    lostLog,
  };
}
