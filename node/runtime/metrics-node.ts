import { join } from "node:path";
import { quorumWeight } from "@ostrom/consensus";
import type { AnyGenesis } from "@ostrom/execution";
import type { LinksStatistics, PeerId } from "@ostrom/network";
import type { PoolStatus } from "@ostrom/txpool";
import { diskRoom, hasRoomAgain } from "./disk-watch.ts";
import type { EpochSet } from "./epoch-sets.ts";
import type { ExecutedHead, ExecutionReport } from "./execution-port.ts";
import { CHAIN, CONSENSUS, NETWORK, POOL, PROCESS } from "./metrics-catalog.ts";
import { startMetricsWorker } from "./metrics-client.ts";
import { CertificationClock } from "./metrics-consensus.ts";
import { count, countOf, createMetricsPage, gauge, gaugeOf, observe } from "./metrics-counters.ts";
import type { ReadyCondition } from "./metrics-labels.ts";
import { showLinks } from "./metrics-network.ts";
import { shareMetrics } from "./metrics-thread.ts";
import { CLIENT_VERSION, httpUrl, type NodeParts } from "./node-assembly.ts";
import type { NodeListener } from "./node-core-options.ts";
import { DATA_FOLDER } from "./opened-database.ts";
import type { PowListener } from "./pow-core-options.ts";

/** What the main thread says of the node at each beat. */
export type NodeFacts = {
  readonly heads: () => {
    readonly executed: number;
    readonly certified: number;
    readonly highestHeard: number;
  };
  readonly poolStatus: () => PoolStatus;
  readonly links: () => LinksStatistics;
  readonly peers: () => number;
  /** undefined on a chain that is mined. */
  readonly validation: (() => Validation) | undefined;
};

/** This node's place among the validators of the present epoch. */
export type Validation = {
  readonly epoch: number;
  readonly isValidator: boolean;
  /** Weight of the validators that are linked, this node's own included, and of all. */
  readonly linkedWeight: number;
  readonly weight: number;
  readonly quorum: number;
};

/** @param connected peers that are linked. */
export function validationOf(
  { validators, peerIds }: EpochSet,
  epoch: number,
  own: PeerId,
  connected: readonly PeerId[],
): Validation {
  const here = new Set([own, ...connected]);
  const weights = validators.validators.map(({ weight }) => weight);
  const linked = weights.filter((_, index) => here.has(peerIds[index]!));
  const sum = (some: readonly number[]): number => some.reduce((total, one) => total + one, 0);
  return {
    epoch,
    isValidator: peerIds.includes(own),
    linkedWeight: sum(linked),
    weight: sum(weights),
    quorum: quorumWeight(validators),
  };
}

/** A node this many blocks behind the highest that others are believed to have is not ready. */
const READY_DISTANCE = 8;
/** The disk is looked at once in so many beats. */
const BEATS_BETWEEN_LOOKS = 10;

/** Metrics, health and readiness of a node: what its main thread counts, and the server that tells. */
export class NodeMetrics {
  readonly url: string | undefined;
  readonly #parts: NodeParts<AnyGenesis>;
  readonly #certification = new CertificationClock();
  #facts: NodeFacts | undefined;
  #missing = 0;
  #lastBlockMs: number | undefined;
  #beats = 0;
  #hasRoom = true;

  private constructor(parts: NodeParts<AnyGenesis>, url: string | undefined) {
    this.#parts = parts;
    this.url = url;
  }

  /** To be called before the node's other threads start. Rejects with `metrics/...`.
   * @param build labels of ostrom_build_info. @param dataFolder whose size is shown. */
  static async start(
    parts: NodeParts<AnyGenesis>,
    build: Readonly<Record<string, string>>,
    dataFolder: string,
  ): Promise<NodeMetrics> {
    const { settings, genesis, log, cleanup } = parts;
    const { host, port } = settings.metrics;
    if (port === 0) return new NodeMetrics(parts, undefined);
    const page = createMetricsPage();
    let metrics: NodeMetrics | undefined;
    cleanup.add(shareMetrics(page, () => metrics?.beat()));
    const client = await startMetricsWorker(
      {
        page,
        host,
        port,
        folder: dataFolder,
        build,
        chain: {
          name: settings.name,
          chain_id: String(genesis.rules.chainId),
          engine: genesis.consensus.engine,
          profile: genesis.profile,
        },
      },
      ({ message }) => log("error", "metrics are not served any more", { reason: message }),
    );
    cleanup.add(() => client.stop());
    metrics = new NodeMetrics(parts, httpUrl(host, client.port));
    return metrics;
  }

  /** From now on the node takes part. */
  watch(facts: NodeFacts, head: ExecutedHead): void {
    this.#facts = facts;
    this.#missing = head.registry?.missing.length ?? 0;
    this.beat();
  }

  /** Shows how the node is now. */
  beat(): void {
    const facts = this.#facts;
    if (facts === undefined) return;
    if (this.#beats++ % BEATS_BETWEEN_LOOKS === 0) this.#lookAtDisk();
    const { executed, certified, highestHeard } = facts.heads();
    gauge(CHAIN.head, executed);
    gauge(CHAIN.certified, certified);
    gauge(CHAIN.heard, highestHeard);
    const { pending, queued } = facts.poolStatus();
    gaugeOf(POOL.transactions, "pending", pending);
    gaugeOf(POOL.transactions, "queued", queued);
    showLinks(facts.links());
    const peers = facts.peers();
    gauge(NETWORK.peers, peers);
    const conditions: Readonly<Record<ReadyCondition, boolean>> = {
      started: true,
      synced: highestHeard - executed <= READY_DISTANCE,
      linked: this.#isLinked(facts, peers),
      disk: this.#hasRoom,
      modules: this.#missing === 0,
    };
    for (const [name, holds] of Object.entries(conditions)) gaugeOf(PROCESS.ready, name, holds ? 1 : 0);
  }

  /** A validator needs a quorum; who follows or mines needs somebody. */
  #isLinked({ validation }: NodeFacts, peers: number): boolean {
    if (validation === undefined) return peers > 0;
    const { epoch, isValidator, linkedWeight, weight, quorum } = validation();
    gauge(CHAIN.epoch, epoch);
    gauge(CONSENSUS.isValidator, isValidator ? 1 : 0);
    gauge(NETWORK.weight, linkedWeight / weight);
    return isValidator ? linkedWeight >= quorum : peers > 0;
  }

  #lookAtDisk(): void {
    const { folder, settings } = this.#parts;
    diskRoom(folder, settings.disk)
      .then((room) => {
        this.#hasRoom = hasRoomAgain(room);
      })
      .catch(() => {
        this.#hasRoom = false;
      });
  }

  /** A listener that counts what it hears, then passes it on. */
  listener<Listener extends Listened>(listener: Listener): Listener {
    return {
      ...listener,
      block: (report) => {
        this.#block(report);
        listener.block(report);
      },
      admitted: (transactions) => {
        count(POOL.admitted, transactions.length);
        listener.admitted(transactions);
      },
      dropped: (dropped) => {
        for (const { reason } of dropped) countOf(POOL.dropped, reason.code);
        listener.dropped(dropped);
      },
    };
  }

  /** A state certificate came. */
  certified(height: number): void {
    this.#certification.certified(height);
  }

  #block({ height, included, skipped, gasUsed, registry }: ExecutionReport): void {
    const nowMs = performance.now();
    if (this.#lastBlockMs !== undefined) observe(CHAIN.interval, (nowMs - this.#lastBlockMs) / 1_000);
    this.#lastBlockMs = nowMs;
    gauge(CHAIN.lastBlock, Date.now() / 1_000);
    gauge(CHAIN.head, height);
    count(CHAIN.blocks);
    count(CHAIN.transactions, included.length);
    count(CHAIN.gas, Number(gasUsed));
    for (const { reason } of skipped) countOf(CHAIN.skipped, reason.code);
    if (registry !== undefined) this.#missing = registry.missing.length;
    this.#certification.executed(height);
  }
}

/** Starts the metrics of a node, and its server if node.json gives it a port. */
export function startMetrics(parts: NodeParts<AnyGenesis>): Promise<NodeMetrics> {
  const build = {
    program: CLIENT_VERSION,
    node: process.version,
    platform: process.platform,
    arch: process.arch,
  };
  return NodeMetrics.start(parts, build, join(parts.folder, DATA_FOLDER));
}

type Listened = Pick<NodeListener | PowListener, "block" | "admitted" | "dropped">;

/** A punishment that is counted. */
export function countedPunish<Arguments extends readonly [peerId: string, reason: string]>(
  punish: (...given: Arguments) => void,
): (...given: Arguments) => void {
  return (...given) => {
    countOf(NETWORK.punished, given[1]);
    punish(...given);
  };
}
