import {
  addressFromHex,
  type Bytes,
  bigintToBytes,
  bytesToBigint,
  createRandom,
  type Failure,
  type Hash,
  must,
  type Random,
} from "@ostrom/base";
import { workHash } from "@ostrom/crypto";
import {
  createPowGenesis,
  genesisHash,
  type PowGenesis,
  type PowParameters,
  type SignedTransaction,
} from "@ostrom/execution";
import type { Channel, PeerId } from "@ostrom/network";
import type { UnwoundBlock } from "@ostrom/rpc";
import { createFaultyStore, type FaultyStore, readHeader, type Store } from "@ostrom/storage";
import type { ExecutionReport } from "../execution-port.ts";
import { Executor } from "../executor.ts";
import { powConfig } from "../pow-config.ts";
import { PowCore } from "../pow-core.ts";
import type { Miner, MiningJob } from "../pow-miner.ts";
import { checkSenders } from "../signature-checker.ts";
import { createManualClock, endOfTurn, type ManualClock } from "./manual-clock.ts";
import { SIMULATED_GENESIS_MS, simulatedGenesis } from "./simulated-genesis.ts";

const HISTORY_BLOCKS = 256;
const LATENCY_MS = 5;
const INTERVAL_MS = 1_000;
const MAX_TARGET = 2n ** 256n - 1n;
const NONCE_BYTES = 8;

/** A chain that anybody's first hash extends, so that only simulated time decides when blocks are found. */
export function simulatedPowGenesis(change: Partial<PowParameters> = {}): PowGenesis {
  const { alloc, validatorSet, rules } = simulatedGenesis({ validators: 4, clients: 4 });
  return createPowGenesis({
    profile: "dev",
    chainId: rules.chainId,
    timestampMs: SIMULATED_GENESIS_MS,
    validators: validatorSet.validators,
    accounts: alloc.filter(({ code }) => code.length === 0),
    pow: {
      hash: "sha256",
      targetIntervalMs: INTERVAL_MS,
      halflifeMs: 1_000_000_000,
      initialTarget: MAX_TARGET,
      finalityDepth: 4,
      maxReorgDepth: 12,
      blockReward: 2n * 10n ** 18n,
      ...change,
    },
  });
}

/** One node with its disk, which outlives it. */
export class TestMiner {
  readonly index: number;
  readonly peerId: PeerId;
  readonly disk: FaultyStore;
  core: PowCore | undefined;
  store: Store | undefined;
  readonly failures: Failure[] = [];
  readonly reports: ExecutionReport[] = [];
  readonly unwound: UnwoundBlock[] = [];
  readonly finalized: number[] = [];
  readonly warnings: unknown[] = [];
  /** Whether its miner searches. */
  isMining = true;
  /** Power fails right after so many more writes to its disk. */
  writesUntilCrash: number | undefined;
  life = 0;

  constructor(index: number, random: Random) {
    this.index = index;
    this.peerId = String(index).padStart(64, "0");
    this.disk = createFaultyStore(random);
  }

  get height(): number {
    return this.core?.heads().executed ?? 0;
  }

  hashAt(height: number): Hash | undefined {
    return readHeader(must(this.store, "the node runs"), height)?.hash;
  }
}

/** Nodes of a mined chain in one process: links, miners and time are simulated, all else is production's. */
export class PowNetwork {
  readonly clock: ManualClock = createManualClock(SIMULATED_GENESIS_MS);
  readonly genesis: PowGenesis;
  readonly genesisHash: Hash;
  readonly miners: readonly TestMiner[];
  readonly random: Random;
  /** Links that are cut, as "a-b". */
  readonly #cut = new Set<string>();

  constructor(options: {
    readonly miners: number;
    readonly seed?: number;
    readonly parameters?: Partial<PowParameters>;
  }) {
    this.random = createRandom(options.seed ?? 1);
    this.genesis = simulatedPowGenesis(options.parameters);
    this.genesisHash = genesisHash(this.genesis);
    this.miners = Array.from({ length: options.miners }, (_, index) => new TestMiner(index, this.random));
  }

  miner(index: number): TestMiner {
    return must(this.miners[index], "there is such a miner");
  }

  async start(node: TestMiner): Promise<void> {
    const life = ++node.life;
    const store = this.#fragile(node, node.disk.open());
    const executor = await Executor.open(store, this.genesis, HISTORY_BLOCKS);
    node.store = store;
    const core = new PowCore({
      clock: { nowMs: this.clock.nowMs, after: (ms, run) => this.#after(node, life, ms, run) },
      entropy: { bytes: (length) => new Uint8Array(length) },
      log: (level, message, fields) => {
        if (level === "warn" || level === "error") node.warnings.push({ message, ...fields });
      },
      genesis: this.genesis,
      config: powConfig(this.genesis, this.genesisHash),
      store,
      network: {
        send: (to, channel, payload) => this.#send(node, to, channel, payload),
        broadcast: (channel, payload) =>
          this.#peersOf(node).filter(({ peerId }) => this.#send(node, peerId, channel, payload)).length,
        connected: () => this.#peersOf(node).map(({ peerId }) => peerId),
      },
      punish: (peerId, reason) => node.warnings.push({ punished: peerId, reason }),
      execution: {
        execute: (input) => executor.execute(input),
        unwind: (height) => executor.unwind(height),
        stop: async () => undefined,
      },
      checker: { check: async (raws, keys) => checkSenders(raws, keys), stop: async () => undefined },
      miner: this.#minerOf(node, life),
      coinbase: addressFromHex(`0x${String(node.index + 1).padStart(40, "c")}`),
      head: executor.head(),
      listener: {
        block: (report) => node.reports.push(report),
        unwound: (unwound) => node.unwound.push(unwound),
        finalized: (height) => node.finalized.push(height),
        admitted: () => undefined,
        dropped: () => undefined,
        failed: (failure) => node.failures.push(failure),
      },
    });
    node.core = core;
    core.start();
    for (const peer of this.#peersOf(node)) this.#connect(node, peer);
  }

  async startAll(): Promise<void> {
    for (const node of this.miners) await this.start(node);
  }

  /** Cuts the power of a node. */
  crash(node: TestMiner): void {
    const peers = this.#peersOf(node);
    node.life++;
    node.core = undefined;
    node.store = undefined;
    node.disk.crash();
    for (const peer of peers) peer.core?.handlers.onDown(node.peerId, "network/closed");
  }

  /** A store whose node loses its power after a write: what the write has changed is there, and nobody hears of it. */
  #fragile(node: TestMiner, store: Store): Store {
    return {
      ...store,
      write: async (batch, options) => {
        await store.write(batch, options);
        if (node.writesUntilCrash === undefined || --node.writesUntilCrash > 0) return;
        node.writesUntilCrash = undefined;
        this.crash(node);
        await new Promise(() => undefined);
      },
    };
  }

  cut(a: TestMiner, b: TestMiner): void {
    if (this.#cut.has(nameOf(a, b))) return;
    this.#cut.add(nameOf(a, b));
    a.core?.handlers.onDown(b.peerId, "network/closed");
    b.core?.handlers.onDown(a.peerId, "network/closed");
  }

  heal(a: TestMiner, b: TestMiner): void {
    if (!this.#cut.delete(nameOf(a, b))) return;
    if (a.core !== undefined && b.core !== undefined) this.#connect(a, b);
  }

  /** Lets simulated time pass until the condition holds. @throws after so much of it. */
  async runUntil(isDone: () => boolean, limitMs = 600_000): Promise<void> {
    for (let passedMs = 0; !isDone(); passedMs += LATENCY_MS) {
      must(passedMs < limitMs ? true : undefined, "the condition must come to hold in time");
      this.clock.advance(LATENCY_MS);
      await endOfTurn();
    }
  }

  async runFor(durationMs: number): Promise<void> {
    const endMs = this.clock.nowMs() + durationMs;
    await this.runUntil(() => this.clock.nowMs() >= endMs, durationMs + INTERVAL_MS);
  }

  submit(node: TestMiner, transactions: readonly SignedTransaction[]): void {
    void node.core?.submit(transactions.map(({ raw }) => raw));
  }

  #peersOf(node: TestMiner): readonly TestMiner[] {
    return this.miners.filter(
      (other) => other !== node && other.core !== undefined && !this.#cut.has(nameOf(node, other)),
    );
  }

  #connect(a: TestMiner, b: TestMiner): void {
    a.core?.handlers.onUp(b.peerId);
    b.core?.handlers.onUp(a.peerId);
  }

  #send(from: TestMiner, to: PeerId, channel: Channel, payload: Bytes): boolean {
    const peer = this.#peersOf(from).find(({ peerId }) => peerId === to);
    if (peer === undefined) return false;
    this.#after(peer, peer.life, LATENCY_MS, () => {
      if (!this.#cut.has(nameOf(from, peer))) peer.core?.handlers.onFrame(from.peerId, channel, payload);
    });
    return true;
  }

  #after(node: TestMiner, life: number, delayMs: number, run: () => void): () => void {
    return this.clock.after(delayMs, () => {
      if (node.life === life) run();
    });
  }

  /** Finds a nonce after a time that depends on chance alone, as real miners do. */
  #minerOf(node: TestMiner, life: number): Miner {
    let cancel = (): void => undefined;
    return {
      search: (job, found) => {
        cancel();
        if (!node.isMining) return;
        cancel = this.#after(node, life, this.#delay(), () => found(nonceOf(job)));
      },
      pause: () => cancel(),
      hashesPerSecond: () => 1,
      stop: async () => cancel(),
    };
  }

  /** Memoryless, one interval on average if all mine: coins are tossed every LATENCY_MS. */
  #delay(): number {
    const tries = (this.miners.length * INTERVAL_MS) / LATENCY_MS;
    let delayMs = LATENCY_MS;
    while (!this.random.chance(1, tries)) delayMs += LATENCY_MS;
    return delayMs;
  }
}

function nameOf(a: TestMiner, b: TestMiner): string {
  return [a.index, b.index].sort((first, second) => first - second).join("-");
}

/** The first nonce that meets the target. */
function nonceOf({ hash, header, target }: MiningJob): bigint {
  const digest = workHash(hash);
  for (let nonce = 0n; ; nonce++) {
    const tried = header.slice();
    tried.set(bigintToBytes(nonce, NONCE_BYTES), tried.length - NONCE_BYTES);
    if (bytesToBigint(digest(tried)) <= target) return nonce;
  }
}
