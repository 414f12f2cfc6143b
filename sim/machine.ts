import { type Failure, type Random, toHexDigits } from "@ostrom/base";
import { ethereumDomain, ValidatorIndex } from "@ostrom/consensus";
import { bls } from "@ostrom/crypto";
import type { Genesis } from "@ostrom/execution";
import {
  createFaultyDisk,
  createFaultyStore,
  type Disk,
  type DiskFile,
  type FaultyDisk,
  type FaultyStore,
  openWriteAheadLog,
  readMeta,
  type Store,
} from "@ostrom/storage";
import type { ExecutedHead, Execution, ExecutionReport } from "../execution-port.ts";
import { Executor } from "../executor.ts";
import { NodeCore } from "../node-core.ts";
import type { Clock, Log } from "../ports.ts";
import { recoverChain } from "../recovered-chain.ts";
import { checkSenders, type SignatureChecker } from "../signature-checker.ts";
import { consensusSet } from "../validator-sets.ts";
import { replayJournal, VoteJournal } from "../vote-journal.ts";
import { nodeClock, type SimulatedClock } from "./simulated-clock.ts";
import { SIMULATED_GENESIS_MS, validatorSecret } from "./simulated-genesis.ts";
import type { SimulatedLinks } from "./simulated-links.ts";

/** What a validator lives in. */
export type ValidatorWorld = {
  readonly clock: SimulatedClock;
  readonly random: Random;
  readonly links: SimulatedLinks;
  readonly genesis: Genesis;
  readonly executed: (index: number, report: ExecutionReport) => void;
  readonly failed: (index: number, failure: Failure) => void;
  /** Something that honest validators on sound machines never do. */
  readonly accuse: (what: string) => void;
};

const MAX_CLOCK_ERROR_MS = 60;
const MAX_SYNC_MS = 4;
const MAX_EXECUTION_MS = 12;
const MAX_SIGNATURE_CHECK_MS = 3;
const HISTORY_BLOCKS = 64;
const ROTATE_AT_RECORDS = 64;

/** A whole node but for its threads and sockets: the code that runs in production, on a simulated machine that can lose power. */
export class SimulatedValidator {
  readonly index: number;
  /** The machine's disks, which outlive its crashes. */
  readonly database: FaultyStore;
  logDisk: FaultyDisk;
  readonly #world: ValidatorWorld;
  readonly #clockErrorMs: number;
  #hasVoted = false;
  #isOn = false;
  #life = 0;
  core: NodeCore | undefined;
  store: Store | undefined;

  constructor(index: number, world: ValidatorWorld) {
    this.index = index;
    this.#world = world;
    this.database = createFaultyStore(world.random);
    this.logDisk = createFaultyDisk(world.random);
    this.#clockErrorMs = world.random.below(MAX_CLOCK_ERROR_MS);
  }

  get isUp(): boolean {
    return this.core !== undefined;
  }

  get height(): number {
    return this.core?.heads().executed ?? 0;
  }

  get certified(): number {
    return this.core?.heads().certified ?? 0;
  }

  /** Turns the machine on, if it is off; the node is up when all that its disks hold has been read. */
  start(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    const life = ++this.#life;
    this.#boot(life).catch((error: unknown) => {
      if (life !== this.#life) return;
      const { code, message } = error as { code?: string; message: string };
      this.crash();
      this.#world.failed(this.index, { code: code ?? "node/failed", message });
    });
  }

  /** Cuts the power: unsynced bytes are lost or torn. */
  crash(): void {
    this.#isOn = false;
    this.#life++;
    this.#world.links.detach(this.index);
    // Dead code must not go on: its timers are gone already, its disk and database refuse.
    this.database.crash();
    this.logDisk.crash();
    this.core = undefined;
    this.store = undefined;
  }

  /** The log's disk breaks and is replaced by an empty one. */
  loseLog(): void {
    this.logDisk = createFaultyDisk(this.#world.random);
  }

  async #boot(life: number): Promise<void> {
    const { clock: time, random, links, genesis } = this.#world;
    const isAlive = (): boolean => life === this.#life;
    const clock = nodeClock(time, { originMs: SIMULATED_GENESIS_MS + this.#clockErrorMs, isAlive });
    const sleep = (boundMs: number): Promise<void> =>
      new Promise((resolve) => clock.after(random.below(boundMs), resolve));

    const store = this.database.open();
    const execution = await openExecution(store, genesis, () => sleep(MAX_EXECUTION_MS));
    const recovered = recoverChain(store);
    const disk = slowDisk(this.logDisk.start(), () => sleep(MAX_SYNC_MS));
    const opened = await openWriteAheadLog(disk, random.bytes);
    const replayed = replayJournal(opened.records);
    const domain = ethereumDomain(readMeta(store)!.genesisHash);
    const own = ValidatorIndex(this.index);
    const secret = validatorSecret(this.index);
    const journal = new VoteJournal({
      log: opened.log,
      domain,
      own,
      sign: (message) => bls().sign(secret, message),
      replayed,
      settledView: recovered.tip.view,
      rotateAtRecords: ROTATE_AT_RECORDS,
    });
    if (replayed.isEmpty) await journal.begin(this.#hasVoted || recovered.tip.height > 0);
    if (!isAlive()) return;
    this.#hasVoted = true;
    this.store = store;
    this.core = new NodeCore({
      clock,
      entropy: { bytes: random.bytes },
      log: this.#log(clock),
      genesis,
      domain,
      validators: consensusSet(genesis.validatorSet, 0),
      own,
      store,
      network: links.network(this.index),
      punish: (peerId, reason) =>
        this.#world.accuse(`${this.index} punishes ${peerId.slice(0, 8)}: ${reason}`),
      execution,
      checker: simulatedChecker(() => sleep(MAX_SIGNATURE_CHECK_MS)),
      journal,
      records: replayed.records,
      recovered,
      head: execution.head,
      listener: {
        block: (report) => this.#world.executed(this.index, report),
        certified: () => undefined,
        admitted: () => undefined,
        dropped: () => undefined,
        failed: (failure) => {
          if (!isAlive()) return;
          this.crash();
          this.#world.failed(this.index, failure);
        },
      },
    });
    links.attach(this.index, this.core.handlers);
    this.core.start();
  }

  #log(clock: Clock): Log {
    return (level, message, fields) => {
      if (level !== "warn" || message !== "a validator broke a rule") return;
      this.#world.accuse(`${this.index} at ${clock.nowMs()}: ${JSON.stringify(fields)}`);
    };
  }
}

/** The executor without its thread: one block after another, each after a while. */
async function openExecution(
  store: Store,
  genesis: Genesis,
  pause: () => Promise<void>,
): Promise<Execution & { readonly head: ExecutedHead }> {
  const executor = await Executor.open(store, genesis, HISTORY_BLOCKS);
  let last: Promise<unknown> = Promise.resolve();
  return {
    head: executor.head(),
    execute: (input) => {
      const run = last.then(pause).then(() => executor.execute(input));
      last = run.catch(() => undefined);
      return run;
    },
    stop: async () => undefined,
  };
}

function simulatedChecker(pause: () => Promise<void>): SignatureChecker {
  return {
    check: async (raws) => {
      await pause();
      return checkSenders(raws);
    },
    stop: async () => undefined,
  };
}

/** A disk whose syncs take time, so that power can fail before they end. */
function slowDisk(disk: Disk, pause: () => Promise<void>): Disk {
  const slow = (file: DiskFile): DiskFile => ({
    ...file,
    sync: async () => {
      await pause();
      await file.sync();
    },
  });
  return {
    ...disk,
    create: async (name) => slow(await disk.create(name)),
    open: async (name) => slow(await disk.open(name)),
    syncFolder: async () => {
      await pause();
      await disk.syncFolder();
    },
  };
}

/** Names a block for people. */
export function shortHash(hash: Uint8Array): string {
  return toHexDigits(hash).slice(0, 12);
}
