import type { Bytes, Failure, Random, Result } from "@ostrom/base";
import type { Channel, Network, NetworkHandlers, PeerId } from "@ostrom/network";
import type { Clock, Log, VotedMark } from "@ostrom/runtime";
import type { Disk, Store } from "@ostrom/storage";
import type { SimulatedClock } from "./clock.ts";
import { SIMULATED_GENESIS_MS } from "./genesis.ts";
import type { LinkEnd, SimulatedLinks } from "./links.ts";
import { delayBelow } from "./random.ts";
import { createSimulatedDisks, type SimulatedDisks } from "./simulated-disks.ts";

/** What a node that runs on a simulated machine is given instead of a real one. */
export type Environment = {
  /** Place of the machine in the network. */
  readonly machine: number;
  readonly peerId: PeerId;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly network: Network;
  readonly openStore: () => Store;
  readonly openDisk: () => Disk;
  /** What is kept beside the keys, whatever the other disks hold: the newest epoch in which they have voted. */
  readonly votedMark: () => VotedMark;
  /** Waits as for another thread or a device: other events come in between, or the end. */
  readonly wait: (boundMs: number) => Promise<void>;
  /** Counts work of the main thread: what comes next waits. */
  readonly charge: (us: number) => void;
  /** False once the machine has lost its power, or its program has ended. */
  readonly isAlive: () => boolean;
  /** The program cannot go on. */
  readonly failed: (failure: Failure) => void;
};

/** A node that is up. */
export type BootedNode = {
  readonly handlers: NetworkHandlers;
  readonly start: () => void;
  readonly heads: () => { readonly executed: number; readonly certified: number };
  readonly store: Store;
  readonly submit: (raws: readonly Bytes[]) => Promise<readonly Result<unknown, Failure>[]>;
  /** How much it keeps in memory, by what. */
  readonly sizes: () => Readonly<Record<string, number>>;
};

/** Starts a node's program: whichever the network is made of. */
export type Boot = (environment: Environment) => Promise<BootedNode>;

/** What a machine lives in. */
export type MachineWorld = {
  readonly clock: SimulatedClock;
  readonly links: () => SimulatedLinks;
  /** The machine's randomness, for one use. */
  readonly random: (use: string) => Random;
  readonly boot: Boot;
  /** What each frame that arrives costs the processor, in microseconds. */
  readonly frameUs: number;
  /** Bends what the machine sends; the same network where it is honest. */
  readonly bend: (network: Network, machine: SimulatedMachine) => Network;
  /** Sees what arrives at the machine's node. */
  readonly heard: (machine: SimulatedMachine, channel: Channel, payload: Bytes) => void;
  readonly logged: (machine: SimulatedMachine, ...line: Parameters<Log>) => void;
  readonly up: (machine: SimulatedMachine) => void;
  readonly down: (machine: SimulatedMachine, why: "crash" | "failure") => void;
  readonly failed: (machine: SimulatedMachine, failure: Failure) => void;
};

const MAX_OPERATION_MS = 2;
/** The file beside the keys that says how far they have voted. */
const MAX_MARK_MS = 4;
const US_PER_MS = 1_000;

/** A whole machine: processor, disks, clock and the program that runs on it. Everything that its program awaits is an event of its
 * own, so that power can fail between any two. */
export class SimulatedMachine implements LinkEnd {
  readonly index: number;
  readonly name: string;
  readonly peerId: PeerId;
  readonly disks: SimulatedDisks;
  node: BootedNode | undefined;
  isOn = false;
  votedEpoch: number | undefined;
  /** Nobody turns it on until it is released. */
  isHeldOff = false;
  /** How wrong its clock is. */
  clockErrorMs = 0;
  /** How many times as long as others its processor and its disks take. */
  cpuFactor = 1;
  diskFactor = 1;
  /** Power fails at the operation with this number. */
  crashAtOperation: number | undefined;
  /** What its program has awaited, over all its lives. */
  operations = 0;
  readonly #world: MachineWorld;
  readonly #random: Random;
  #life = 0;
  #busyUntilMs = 0;
  #inbox: (() => void)[] = [];

  constructor(options: {
    readonly index: number;
    readonly name: string;
    readonly peerId: PeerId;
    readonly world: MachineWorld;
  }) {
    this.index = options.index;
    this.name = options.name;
    this.peerId = options.peerId;
    this.#world = options.world;
    this.#random = options.world.random("machine");
    this.disks = createSimulatedDisks(options.world.random("disks"), (boundMs) => this.#operation(boundMs));
  }

  get isUp(): boolean {
    return this.node !== undefined;
  }

  get height(): number {
    return this.node?.heads().executed ?? 0;
  }

  get certified(): number {
    return this.node?.heads().certified ?? 0;
  }

  sendsAtMs(): number {
    return this.#busyUntilMs;
  }

  /** Turns the machine on, if it is off; its node is up when all that its disks hold has been read. */
  start(): void {
    if (this.isOn || this.isHeldOff) return;
    this.isOn = true;
    const life = ++this.#life;
    this.#boot(life).catch((error: unknown) => {
      const { code, message } = error as { code?: string; message?: string };
      this.#fail(life, { code: code ?? "node/failed", message: message ?? String(error) });
    });
  }

  /** Cuts the power: unsynced bytes are lost or torn. */
  crash(): void {
    if (this.isOn) this.#end("crash");
  }

  /** Turns it off for as long as it is not released. */
  holdOff(): void {
    this.isHeldOff = true;
    this.crash();
  }

  release(): void {
    if (!this.isHeldOff) return;
    this.isHeldOff = false;
    this.start();
  }

  #end(why: "crash" | "failure"): void {
    this.isOn = false;
    this.#life++;
    this.crashAtOperation = undefined;
    this.#inbox = [];
    this.#busyUntilMs = 0;
    this.node = undefined;
    this.#world.links().detach(this.index);
    this.disks.crash();
    this.#world.down(this, why);
  }

  #fail(life: number, failure: Failure): void {
    if (life !== this.#life) return;
    this.#end("failure");
    this.#world.failed(this, failure);
  }

  async #boot(life: number): Promise<void> {
    const links = this.#world.links();
    const environment = this.#environment(life, links);
    const node = await this.#world.boot(environment);
    if (life !== this.#life) return;
    this.node = node;
    const { onFrame, onUp, onDown } = node.handlers;
    const dispatch = (run: () => void): void => {
      if (life === this.#life) this.#dispatch(run);
    };
    links.attach(this.index, {
      onFrame: (peerId, channel, payload) =>
        dispatch(() => {
          this.#charge(this.#world.frameUs);
          this.#world.heard(this, channel, payload);
          onFrame(peerId, channel, payload);
        }),
      onUp: (peerId) => dispatch(() => onUp(peerId)),
      onDown: (peerId, reason) => dispatch(() => onDown(peerId, reason)),
    });
    this.#world.up(this);
    node.start();
  }

  #environment(life: number, links: SimulatedLinks): Environment {
    const isAlive = (): boolean => life === this.#life;
    const world = this.#world;
    const network = world.bend(links.network(this.index), this);
    return {
      machine: this.index,
      peerId: this.peerId,
      random: this.#random,
      clock: {
        nowMs: () => SIMULATED_GENESIS_MS + Math.floor(world.clock.timeMs + this.clockErrorMs),
        after: (delayMs, callback) => this.#after(life, delayMs, callback),
      },
      log: (...line) => {
        if (isAlive()) world.logged(this, ...line);
      },
      network: {
        send: (...frame) => isAlive() && network.send(...frame),
        broadcast: (...frame) => (isAlive() ? network.broadcast(...frame) : 0),
        connected: () => (isAlive() ? network.connected() : []),
      },
      openStore: () => this.disks.openStore(),
      openDisk: () => this.disks.openDisk(),
      votedMark: () => ({
        epoch: this.votedEpoch,
        write: async (epoch) => {
          await this.#wait(life, MAX_MARK_MS);
          if (isAlive()) this.votedEpoch = epoch;
        },
      }),
      wait: (boundMs) => this.#wait(life, boundMs),
      charge: (us) => this.#charge(us),
      isAlive,
      failed: (failure) => this.#fail(life, failure),
    };
  }

  #charge(us: number): void {
    const nowMs = this.#world.clock.timeMs;
    this.#busyUntilMs = Math.max(nowMs, this.#busyUntilMs) + (us * this.cpuFactor) / US_PER_MS;
  }

  /** Something that the disks do: an event between what came before and what comes after. */
  #operation(boundMs: number): Promise<void> {
    return this.#wait(this.#life, boundMs * this.diskFactor);
  }

  /** What a dead program awaits never comes. */
  #wait(life: number, boundMs: number): Promise<void> {
    this.operations++;
    if (this.operations === this.crashAtOperation) {
      this.crash();
      return new Promise(() => undefined);
    }
    const delayMs = delayBelow(this.#random, Math.max(boundMs, MAX_OPERATION_MS / US_PER_MS));
    return new Promise((resolve) => this.#after(life, delayMs, resolve));
  }

  #after(life: number, delayMs: number, run: () => void): () => void {
    let isCancelled = false;
    const cancel = this.#world.clock.at(delayMs, () => {
      if (life !== this.#life) return;
      this.#dispatch(() => {
        if (!isCancelled) run();
      });
    });
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  /** Runs it as soon as the processor is free, in the order of arrival. */
  #dispatch(run: () => void): void {
    if (this.#inbox.length === 0 && this.#busyUntilMs <= this.#world.clock.timeMs) {
      this.#perform(run);
      return;
    }
    this.#inbox.push(run);
    if (this.#inbox.length === 1) this.#wakeLater();
  }

  /** What a program throws where nobody catches it ends it. */
  #perform(run: (() => void) | undefined): void {
    const life = this.#life;
    try {
      run?.();
    } catch (error) {
      const { code, message, stack } = error as { code?: string; message?: string; stack?: string };
      this.#fail(life, { code: code ?? "node/uncaught", message: stack ?? message ?? String(error) });
    }
  }

  #wakeLater(): void {
    const life = this.#life;
    this.#world.clock.at(this.#busyUntilMs - this.#world.clock.timeMs, () => {
      if (life !== this.#life) return;
      if (this.#busyUntilMs <= this.#world.clock.timeMs) this.#perform(this.#inbox.shift());
      if (life === this.#life && this.#inbox.length > 0) this.#wakeLater();
    });
  }
}
