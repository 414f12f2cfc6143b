import { type Bytes, Epoch, type Failure, type Hash, must, toHexDigits, Weight } from "@ostrom/base";
import {
  type CheckpointSet,
  type ConsensusDomain,
  checkpointKeyHash,
  consensusDomain,
  decodeMessage,
  encodeCheckpointSet,
  type Message,
} from "@ostrom/consensus";
import {
  HASH_KECCAK256,
  HASH_SM3,
  keccak256,
  SCHEME_BLS12381,
  SCHEME_ML_DSA_44,
  SCHEME_SM2,
  validatorScheme,
} from "@ostrom/crypto";
import { type Genesis, genesisHash, type ValidatorSet } from "@ostrom/execution";
import type { Channel, Network } from "@ostrom/network";
import type { WriteOperation } from "@ostrom/state";
import {
  checkpointSetOperation,
  createMemoryStore,
  readHeader,
  type Store,
  type StoredValidatorSet,
  validatorSetOperation,
} from "@ostrom/storage";
import { simulatedSign, simulatedSignatures } from "../../../core/consensus/testing/signatures.ts";
import type { ConsensusSecret } from "../consensus-secret.ts";
import { type ConsensusKey, EpochSets } from "../epoch-sets.ts";
import type { ExecutedHead, Execution, ExecutionReport } from "../execution-port.ts";
import { Executor } from "../executor.ts";
import { replayJournal } from "../journal-records.ts";
import { NodeCore } from "../node-core.ts";
import type { DurableLog } from "../ports.ts";
import { recoverChain } from "../recovered-chain.ts";
import { checkSenders } from "../signature-checker.ts";
import type { ViewRecorder } from "../view-recorder.ts";
import { VoteJournal } from "../vote-journal.ts";
import { createManualClock, endOfTurn, type ManualClock } from "./manual-clock.ts";
import { simulatedGenesis } from "./simulated-genesis.ts";

/** A validator of a set: which node, and which of its consensus keys. */
export type Member = { readonly node: number; readonly key?: number; readonly weight?: number };

const LATENCY_MS = 2;
const HISTORY_BLOCKS = 16;
const MAX_EPOCHS = 40;
const FAST = {
  minBlockIntervalMs: 5,
  emptyBlockIntervalMs: 10,
  deltaMs: 30,
  maxDeltaMs: 500,
  standstillMs: 100,
  fetchRetryMs: 30,
};

export function transportKeyOf(node: number): Bytes {
  return keccak256(Uint8Array.of(2, node));
}

export function peerIdOf(node: number): string {
  return toHexDigits(transportKeyOf(node));
}

/** With simulated signatures, a public key is its own secret. */
export function consensusKeyOf(node: number, key: number = 0): Bytes {
  return keccak256(Uint8Array.of(3, node, key)).slice(0, 24);
}

export function checkpointSecretOf(node: number): ConsensusSecret {
  return { schemeId: SCHEME_ML_DSA_44, secret: keccak256(Uint8Array.of(4, node)) };
}

/** The key by which a node signs epoch checkpoints. */
export function checkpointKeyOf(node: number): ConsensusKey {
  const scheme = must(validatorScheme(SCHEME_ML_DSA_44), "it is one of validators");
  const { secret } = checkpointSecretOf(node);
  return { publicKey: scheme.publicKey(secret), sign: (message) => scheme.sign(secret, message) };
}

/** The log of one machine: what is synced is what a restart finds. */
class MemoryLog implements DurableLog {
  durable: readonly Bytes[] = [];
  #unsynced: Bytes[] = [];
  readonly append = (records: readonly Bytes[]): void => void this.#unsynced.push(...records);
  readonly sync = async (): Promise<void> => {
    this.durable = [...this.durable, ...this.#unsynced];
    this.#unsynced = [];
  };
  readonly rotate = async (records: readonly Bytes[]): Promise<void> => {
    this.durable = records;
    this.#unsynced = [];
  };
}

export type NetworkNode = {
  store: Store;
  log: MemoryLog;
  readonly keys: number[];
  signsCheckpoints: boolean;
  /** In place of its own; for example those of a signer elsewhere. */
  checkpointKeys?: readonly ConsensusKey[];
  core: NodeCore | undefined;
  /** Writes down what the node sees of views, if a test wants to know. */
  views?: ViewRecorder;
  readonly reports: ExecutionReport[];
  readonly lines: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
  readonly failures: Failure[];
};

/** @see EpochNetwork */
export type EpochNetworkOptions = {
  readonly nodes: number;
  readonly epochLength: number;
  readonly epochLead: number;
  /** Who validates in which epoch; of nodes 0 to `nodes` - 1. */
  readonly setOf: (epoch: number) => readonly Member[];
  /** What leaders are drawn by in which epoch. */
  readonly seedOf?: (epoch: number) => Hash | undefined;
  /** Genesis names checkpoint keys, of all validators of its set. */
  readonly hasCheckpoints?: boolean;
  /** SM3, and sets of scheme SM2, as suite `sm` has them; else keccak-256 and BLS12-381. Signatures are simulated in any case. */
  readonly isSm?: boolean;
};

/** A handful of nodes on one clock whose validator set changes as a test says; simulated signatures, real execution. */
export class EpochNetwork {
  readonly clock: ManualClock;
  readonly genesis: Genesis;
  readonly domain: ConsensusDomain;
  readonly nodes: readonly NetworkNode[];
  /** Sees each message that is sent to somebody. @returns false to lose it. */
  onSent: (from: number, to: number, message: Message) => boolean = () => true;
  readonly #setOf: (epoch: number) => readonly Member[];
  readonly #seedOf: (epoch: number) => Hash | undefined;
  readonly #setRecords: ReadonlyMap<string, WriteOperation>;

  readonly #schemeId: number;

  constructor(options: EpochNetworkOptions) {
    const { isSm = false } = options;
    const hash = isSm ? "sm3" : "keccak256";
    const base = simulatedGenesis({ validators: 1, clients: 2, consensus: FAST, hash });
    this.#schemeId = isSm ? SCHEME_SM2 : SCHEME_BLS12381;
    const { epochLength, epochLead } = options;
    this.#setOf = options.setOf;
    this.#seedOf = options.seedOf ?? (() => undefined);
    const checkpointKeys = options
      .setOf(0)
      .map(({ node }) => checkpointKeyHash(checkpointKeyOf(node).publicKey));
    this.genesis = {
      ...base,
      epochLength,
      epochLead,
      validatorSet: this.storedSet(0),
      ...(options.hasCheckpoints === true ? { checkpointKeys } : {}),
    };
    const epochs = Array.from({ length: MAX_EPOCHS }, (_, epoch) => epoch);
    const records = epochs.flatMap((epoch) => [
      validatorSetOperation(epoch, this.storedSet(epoch)),
      checkpointSetOperation(epoch, encodeCheckpointSet(this.#checkpointSet(epoch))),
    ]);
    this.#setRecords = new Map(records.map((record) => [toHexDigits(record.key), record]));
    this.clock = createManualClock(this.genesis.timestampMs);
    const signatures = { ...simulatedSignatures, schemeId: this.#schemeId };
    const hashId = isSm ? HASH_SM3 : HASH_KECCAK256;
    this.domain = { ...consensusDomain(genesisHash(this.genesis), hashId, this.#schemeId), signatures };
    this.nodes = Array.from({ length: options.nodes }, () => ({
      store: createMemoryStore(),
      log: new MemoryLog(),
      keys: [0],
      signsCheckpoints: true,
      core: undefined,
      reports: [],
      lines: [],
      failures: [],
    }));
  }

  storedSet(epoch: number): StoredValidatorSet {
    const leaderSeed = this.#seedOf(epoch);
    return {
      schemeId: this.#schemeId,
      ...(leaderSeed === undefined ? {} : { leaderSeed }),
      validators: this.#setOf(epoch).map(({ node, key = 0, weight = 1 }) => ({
        name: `node-${node}`,
        address: must(
          keccak256(Uint8Array.of(node)).slice(12),
          "an address",
        ) as ValidatorSet["validators"][0]["address"],
        weight: Weight(weight),
        consensusKey: consensusKeyOf(node, key),
        proofOfPossession: new Uint8Array(96),
        transportKey: transportKeyOf(node),
        host: "127.0.0.1",
        port: 1,
      })),
    };
  }

  /** Checkpoint keys are registered for the first consensus key of each node alone. */
  #checkpointSet(epoch: number): CheckpointSet {
    const members = this.#setOf(epoch).map(({ node, key = 0, weight = 1 }) => ({
      consensusKeyHash: keccak256(consensusKeyOf(node, key)),
      weight: Weight(weight),
      keyHash: key === 0 ? checkpointKeyHash(checkpointKeyOf(node).publicKey) : undefined,
    }));
    return { epoch: Epoch(epoch), members };
  }

  async start(...which: readonly number[]): Promise<void> {
    for (const index of which) await this.#boot(index);
  }

  /** Cuts the power: what was not synced is gone. */
  stop(index: number): void {
    const node = this.nodes[index]!;
    const { durable } = node.log;
    void node.core?.stop();
    node.core = undefined;
    // What dead code still writes goes nowhere.
    node.log = Object.assign(new MemoryLog(), { durable });
  }

  loseLog(index: number): void {
    this.nodes[index]!.log = new MemoryLog();
  }

  loseDatabase(index: number): void {
    this.nodes[index]!.store = createMemoryStore();
  }

  /** Lets time pass until the condition holds. @returns whether it came to hold. */
  async until(isDone: () => boolean, limitMs: number = 20_000): Promise<boolean> {
    for (let elapsedMs = 0; elapsedMs < limitMs && !isDone(); elapsedMs++) {
      this.clock.advance(1);
      await endOfTurn();
    }
    return isDone();
  }

  height(index: number): number {
    return this.nodes[index]!.core?.heads().executed ?? 0;
  }

  certified(index: number): number {
    return this.nodes[index]!.core?.heads().certified ?? 0;
  }

  hash(index: number, height: number): string | undefined {
    const header = readHeader(this.nodes[index]!.store, height);
    return header === undefined ? undefined : toHexDigits(header.hash);
  }

  describe(): string {
    const places = this.nodes.map(
      ({ core }, index) => `${core?.epoch}:${this.height(index)}/${this.certified(index)}`,
    );
    return `${places.join(" ")} ${JSON.stringify(this.nodes.flatMap(({ failures }) => failures))}`;
  }

  async #boot(index: number): Promise<void> {
    const node = this.nodes[index]!;
    const execution = await this.#openExecution(node.store);
    const recovered = recoverChain(node.store, new EpochSets(node.store, this.genesis));
    const replayed = replayJournal(node.log.durable);
    const journal = new VoteJournal({
      log: node.log,
      domain: this.domain,
      replayed,
      settled: recovered.tip,
      rotateAtRecords: 40,
    });
    if (replayed.isEmpty) await journal.begin(recovered.tip.height > 0);
    const life = new Set([node.log]);
    const isAlive = (): boolean => life.has(node.log);
    const core = new NodeCore({
      clock: {
        nowMs: this.clock.nowMs,
        after: (delayMs, run) => this.clock.after(delayMs, () => isAlive() && run()),
      },
      entropy: { bytes: (length) => new Uint8Array(length) },
      log: (_level, message, fields = {}) => void node.lines.push({ message, fields }),
      genesis: this.genesis,
      domain: this.domain,
      keys: {
        peerId: peerIdOf(index),
        consensusKeys: () =>
          node.keys.map((key) => {
            const publicKey = consensusKeyOf(index, key);
            return { publicKey, sign: (message: Bytes) => simulatedSign(publicKey, message) };
          }),
        checkpointKeys: () =>
          node.signsCheckpoints ? (node.checkpointKeys ?? [checkpointKeyOf(index)]) : [],
      },
      store: node.store,
      network: this.#network(index),
      punish: (peerId, code) => void node.failures.push({ code, message: `punished ${peerId.slice(0, 6)}` }),
      execution,
      checker: { check: async (raws, keys) => checkSenders(raws, keys), stop: async () => undefined },
      journal,
      records: replayed.records,
      recovered,
      head: execution.head,
      views: node.views,
      listener: {
        block: (report) => {
          const { height, included, gasUsed } = report;
          node.views?.executed({ height, transactions: included.length, gasUsed });
          node.reports.push(report);
        },
        certified: (height) => node.views?.certified(height),
        admitted: () => undefined,
        dropped: () => undefined,
        setsChanged: () => undefined,
        failed: (failure) => void node.failures.push(failure),
      },
    });
    node.core = core;
    this.nodes.forEach((_, other) => {
      if (other !== index) core.handlers.onUp(peerIdOf(other));
    });
    core.start();
  }

  /** The real executor; the set that follows an epoch's is the test's. */
  async #openExecution(store: Store): Promise<Execution & { readonly head: ExecutedHead }> {
    const executor = await Executor.open(this.#withSets(store), this.genesis, HISTORY_BLOCKS);
    let last: Promise<unknown> = Promise.resolve();
    return {
      head: executor.head(),
      execute: (input) => {
        const run = last.then(() => executor.execute(input));
        last = run.catch(() => undefined);
        return run;
      },
      stop: async () => undefined,
    };
  }

  /** A store in which the set of each epoch is the test's, whatever the state says. */
  #withSets(store: Store): Store {
    const replaced = (operation: WriteOperation): WriteOperation =>
      this.#setRecords.get(toHexDigits(operation.key)) ?? operation;
    return { ...store, write: (operations, options) => store.write(operations.map(replaced), options) };
  }

  #network(from: number): Network {
    const others = (): readonly number[] =>
      this.nodes.flatMap(({ core }, to) => (to === from || core === undefined ? [] : [to]));
    const send = (to: number, channel: Channel, payload: Bytes): boolean => {
      const target = this.nodes[to]?.core;
      if (target === undefined) return false;
      const message = channel === "transactions" ? undefined : decodeMessage(payload);
      if (message?.ok === true && !this.onSent(from, to, message.value)) return true;
      this.clock.after(LATENCY_MS, () => {
        if (this.nodes[to]?.core === target) target.handlers.onFrame(peerIdOf(from), channel, payload);
      });
      return true;
    };
    return {
      send: (peerId, channel, payload) =>
        send(
          this.nodes.findIndex((_, index) => peerIdOf(index) === peerId),
          channel,
          payload,
        ),
      broadcast: (channel, payload) => others().filter((to) => send(to, channel, payload)).length,
      connected: () => others().map(peerIdOf),
    };
  }
}
