import type { Bytes, Random } from "@ostrom/base";
import type { Channel, Network, NetworkHandlers, PeerId } from "@ostrom/network";
import type { SimulatedClock } from "./clock.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { delayBelow } from "./random.ts";

export type LinkConditions = {
  /** Frames take up to this much longer than the path's latency, so they overtake each other. */
  readonly jitterMs: number;
  /** Lost frames in a thousand. */
  readonly lossPerMille: number;
  /** Frames in a thousand that arrive twice. */
  readonly duplicatePerMille: number;
  /** Bytes a machine sends in a millisecond to all others together; 0: no bound. */
  readonly bytesPerMs: number;
};

export const PERFECT_LINKS: LinkConditions = {
  jitterMs: 0,
  lossPerMille: 0,
  duplicatePerMille: 0,
  bytesPerMs: 0,
};

/** What a machine shows to its links. */
export type LinkEnd = {
  readonly peerId: PeerId;
  /** When what the machine sends now leaves it: its processor may be behind. */
  readonly sendsAtMs: () => number;
};

/** One frame that a machine sends to another. */
export type Frame = {
  readonly from: number;
  readonly to: number;
  readonly channel: Channel;
  readonly payload: Bytes;
  /** Hash of the payload, for traces. */
  readonly fingerprint: number;
};

export type LinkWatch = {
  readonly arrived: (frame: Frame) => void;
  readonly lost: (frame: Frame, why: "loss" | "cut" | "link") => void;
  readonly duplicated: (frame: Frame) => void;
};

/** Frames that a machine may have waiting for its line; what comes on top is dropped, as by the links of production. */
const MAX_BACKLOG_MS = 5_000;
const RECONNECT_MS = 20;
/** Length and channel of a frame, and what TLS and TCP add. */
const FRAME_OVERHEAD_BYTES = 60;

/** Links between simulated machines, under one seed. Machines are named by place; several may have one identity (twins): then their
 * peers see one peer, and what is sent to it goes to all of them. */
export class SimulatedLinks {
  readonly #clock: SimulatedClock;
  readonly #random: Random;
  readonly #ends: readonly LinkEnd[];
  readonly #latencyMs: (from: number, to: number) => number;
  readonly #watch: LinkWatch;
  readonly #machinesOf = new Map<PeerId, number[]>();
  readonly #attached: (NetworkHandlers | undefined)[];
  readonly #lives: number[];
  /** Number of the link from one machine to another, 0 where there is none: what was sent over an earlier one is lost. */
  readonly #up: Int32Array;
  readonly #lineFreeMs: Float64Array;
  #links = 0;
  #isDown: (a: number, b: number) => boolean = () => false;
  #isSilent: (from: number, to: number) => boolean = () => false;
  #conditions: (from: number, to: number) => LinkConditions = () => PERFECT_LINKS;
  /** Bytes that each machine has sent, by channel. */
  readonly sentBytes: Record<Channel, number>[];

  constructor(options: {
    readonly clock: SimulatedClock;
    readonly random: Random;
    readonly ends: readonly LinkEnd[];
    /** Of the path from one machine to another, without jitter. */
    readonly latencyMs: (from: number, to: number) => number;
    readonly watch: LinkWatch;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#ends = options.ends;
    this.#latencyMs = options.latencyMs;
    this.#watch = options.watch;
    options.ends.forEach(({ peerId }, machine) => {
      const machines = this.#machinesOf.get(peerId);
      if (machines === undefined) this.#machinesOf.set(peerId, [machine]);
      else machines.push(machine);
    });
    const count = options.ends.length;
    this.#attached = new Array<NetworkHandlers | undefined>(count).fill(undefined);
    this.#lives = new Array<number>(count).fill(0);
    this.#up = new Int32Array(count * count);
    this.#lineFreeMs = new Float64Array(count);
    this.sentBytes = options.ends.map(() => ({ consensus: 0, batches: 0, sync: 0, transactions: 0 }));
  }

  /** What a machine sees of it. */
  network(from: number): Network {
    const linked = (to: number): boolean => this.#linkOf(from, to) !== 0;
    const peers = (): readonly PeerId[] => {
      const names = new Set<PeerId>();
      this.#ends.forEach(({ peerId }, to) => {
        if (linked(to)) names.add(peerId);
      });
      return [...names];
    };
    const send = (peerId: PeerId, channel: Channel, payload: Bytes, fingerprint: number): boolean => {
      let isTaken = false;
      for (const to of this.#machinesOf.get(peerId) ?? []) {
        const link = this.#linkOf(from, to);
        if (link === 0) continue;
        isTaken = this.#carry({ from, to, channel, payload, fingerprint }, link) || isTaken;
      }
      return isTaken;
    };
    return {
      send: (peerId, channel, payload) => send(peerId, channel, payload, fingerprintOf(payload)),
      broadcast: (channel, payload) => {
        const fingerprint = fingerprintOf(payload);
        return peers().filter((peerId) => send(peerId, channel, payload, fingerprint)).length;
      },
      connected: peers,
    };
  }

  /** The machine's node is there: links come up a little later. */
  attach(machine: number, handlers: NetworkHandlers): void {
    this.#attached[machine] = handlers;
    this.#lives[machine]!++;
    for (const other of this.#others(machine)) this.#connectLater(machine, other);
  }

  /** The node is gone; what is on its way to it, or from it, is lost. */
  detach(machine: number): void {
    this.#attached[machine] = undefined;
    this.#lives[machine]!++;
    for (const other of this.#others(machine)) this.#disconnect(machine, other);
  }

  /** Breaks the links for which `isDown` answers true for either direction; others come up again. */
  partition(isDown: (a: number, b: number) => boolean): void {
    this.#isDown = (a, b) => isDown(a, b) || isDown(b, a);
    for (const [a, b] of this.#pairs()) {
      if (this.#isDown(a, b)) this.#disconnect(a, b);
      else if (this.#linkOf(a, b) === 0) this.#connectLater(a, b);
    }
  }

  /** Frames in these directions vanish, and nobody is told. */
  silence(isSilent: (from: number, to: number) => boolean): void {
    this.#isSilent = isSilent;
  }

  condition(conditions: (from: number, to: number) => LinkConditions): void {
    this.#conditions = conditions;
  }

  #carry(frame: Frame, link: number): boolean {
    const { from, to, payload } = frame;
    const { jitterMs, lossPerMille, duplicatePerMille, bytesPerMs } = this.#conditions(from, to);
    const size = payload.length + FRAME_OVERHEAD_BYTES;
    let leavesMs = Math.max(this.#clock.timeMs, this.#ends[from]!.sendsAtMs());
    if (bytesPerMs > 0) {
      const freeMs = Math.max(leavesMs, this.#lineFreeMs[from]!);
      if (freeMs - leavesMs > MAX_BACKLOG_MS) return false;
      leavesMs = freeMs + size / bytesPerMs;
      this.#lineFreeMs[from] = leavesMs;
    }
    this.sentBytes[from]![frame.channel] += size;
    if (this.#isSilent(from, to)) {
      this.#watch.lost(frame, "cut");
      return true;
    }
    if (lossPerMille > 0 && this.#random.chance(lossPerMille, 1_000)) {
      this.#watch.lost(frame, "loss");
      return true;
    }
    const pathMs = leavesMs - this.#clock.timeMs + this.#latencyMs(from, to);
    this.#deliver(frame, link, pathMs + delayBelow(this.#random, jitterMs));
    if (duplicatePerMille > 0 && this.#random.chance(duplicatePerMille, 1_000)) {
      this.#watch.duplicated(frame);
      this.#deliver(frame, link, pathMs + delayBelow(this.#random, 2 * jitterMs + 1));
    }
    return true;
  }

  #deliver(frame: Frame, link: number, delayMs: number): void {
    this.#clock.at(delayMs, () => {
      const { from, to, channel, payload } = frame;
      if (this.#linkOf(from, to) !== link) {
        this.#watch.lost(frame, "link");
        return;
      }
      this.#watch.arrived(frame);
      this.#attached[to]?.onFrame(this.#ends[from]!.peerId, channel, payload);
    });
  }

  #connectLater(a: number, b: number): void {
    const lifeOfA = this.#lives[a];
    const lifeOfB = this.#lives[b];
    this.#clock.at(1 + delayBelow(this.#random, RECONNECT_MS), () => {
      if (lifeOfA !== this.#lives[a] || lifeOfB !== this.#lives[b]) return;
      if (this.#linkOf(a, b) !== 0 || this.#isDown(a, b)) return;
      const [first, second] = [this.#attached[a], this.#attached[b]];
      if (first === undefined || second === undefined) return;
      const [wasPeerOfA, wasPeerOfB] = [this.#isPeer(a, b), this.#isPeer(b, a)];
      this.#set(a, b, ++this.#links);
      this.#set(b, a, ++this.#links);
      if (!wasPeerOfA) first.onUp(this.#ends[b]!.peerId);
      if (!wasPeerOfB) second.onUp(this.#ends[a]!.peerId);
    });
  }

  #disconnect(a: number, b: number): void {
    if (this.#linkOf(a, b) === 0) return;
    this.#set(a, b, 0);
    this.#set(b, a, 0);
    if (!this.#isPeer(a, b)) this.#attached[a]?.onDown(this.#ends[b]!.peerId, "network/closed");
    if (!this.#isPeer(b, a)) this.#attached[b]?.onDown(this.#ends[a]!.peerId, "network/closed");
  }

  /** Whether `from` is linked with any machine that has the identity of `to`. */
  #isPeer(from: number, to: number): boolean {
    const machines = this.#machinesOf.get(this.#ends[to]!.peerId) ?? [];
    return machines.some((machine) => this.#linkOf(from, machine) !== 0);
  }

  #linkOf(from: number, to: number): number {
    return this.#up[from * this.#ends.length + to]!;
  }

  #set(from: number, to: number, link: number): void {
    this.#up[from * this.#ends.length + to] = link;
  }

  #others(machine: number): readonly number[] {
    const { peerId } = this.#ends[machine]!;
    return this.#ends.flatMap((end, other) => (end.peerId === peerId ? [] : [other]));
  }

  #pairs(): readonly (readonly [number, number])[] {
    return this.#ends.flatMap((_, from) =>
      this.#others(from)
        .filter((to) => from < to)
        .map((to) => [from, to] as const),
    );
  }
}
