import type { Bytes, Random } from "@ostrom/base";
import type { Channel, Network, NetworkHandlers, PeerId } from "@ostrom/network";
import type { SimulatedClock } from "./simulated-clock.ts";

export type LinkConditions = {
  readonly minLatencyMs: number;
  /** Frames take up to this much longer, so they overtake each other. */
  readonly jitterMs: number;
  /** Lost frames in a thousand. */
  readonly lossPerMille: number;
};

type Attached = { readonly handlers: NetworkHandlers; readonly life: number };

const RECONNECT_MS = 20;

/** Links between simulated nodes, under one seed. */
export class SimulatedLinks {
  readonly #clock: SimulatedClock;
  readonly #random: Random;
  readonly #peerIds: readonly PeerId[];
  readonly #attached = new Map<number, Attached>();
  /** Links that are up, `from/to`, each with a number of its own: what was sent over an earlier one is lost. */
  readonly #up = new Map<string, number>();
  #links = 0;
  #lives = 0;
  #isCut: (from: number, to: number) => boolean = () => false;
  conditions: LinkConditions;
  /** Sees each frame that a node sends to somebody it is linked with. */
  readonly #onSent: (from: number, channel: Channel, payload: Bytes) => void;
  /** Sees each frame that arrives. */
  readonly #onArrived: (from: number, to: number, channel: Channel, payload: Bytes) => void;

  constructor(options: {
    readonly clock: SimulatedClock;
    readonly random: Random;
    readonly peerIds: readonly PeerId[];
    readonly conditions: LinkConditions;
    readonly onSent: (from: number, channel: Channel, payload: Bytes) => void;
    readonly onArrived: (from: number, to: number, channel: Channel, payload: Bytes) => void;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#peerIds = options.peerIds;
    this.conditions = options.conditions;
    this.#onSent = options.onSent;
    this.#onArrived = options.onArrived;
  }

  /** What a node sees of it. */
  network(from: number): Network {
    const connected = (): readonly number[] => this.#others(from).filter((to) => this.#isUp(from, to));
    const send = (to: number, channel: Channel, payload: Bytes): boolean => {
      const link = this.#up.get(nameOf(from, to));
      if (link === undefined) return false;
      this.#onSent(from, channel, payload);
      this.#carry(from, to, link, channel, payload);
      return true;
    };
    return {
      send: (peerId, channel, payload) => send(this.#peerIds.indexOf(peerId), channel, payload),
      broadcast: (channel, payload) => connected().filter((to) => send(to, channel, payload)).length,
      connected: () => connected().map((to) => this.#peerIds[to]!),
    };
  }

  /** The node is there: links come up a little later. */
  attach(index: number, handlers: NetworkHandlers): void {
    this.#attached.set(index, { handlers, life: ++this.#lives });
    for (const other of this.#others(index)) this.#connectLater(index, other);
  }

  /** The node is gone; what is on its way to it, or from it, is lost. */
  detach(index: number): void {
    this.#attached.delete(index);
    for (const other of this.#others(index)) this.#disconnect(index, other);
  }

  /** Breaks the links for which `isCut` answers true. */
  partition(isCut: (from: number, to: number) => boolean): void {
    this.#isCut = (from, to) => isCut(from, to) || isCut(to, from);
    for (const [from, to] of this.#pairs()) if (this.#isCut(from, to)) this.#disconnect(from, to);
  }

  heal(): void {
    this.#isCut = () => false;
    for (const [from, to] of this.#pairs()) if (!this.#isUp(from, to)) this.#connectLater(from, to);
  }

  #carry(from: number, to: number, link: number, channel: Channel, payload: Bytes): void {
    const { minLatencyMs, jitterMs, lossPerMille } = this.conditions;
    if (this.#random.chance(lossPerMille, 1_000)) return;
    this.#clock.at(minLatencyMs + this.#random.below(jitterMs + 1), () => {
      if (this.#up.get(nameOf(from, to)) !== link) return;
      this.#onArrived(from, to, channel, payload);
      this.#attached.get(to)?.handlers.onFrame(this.#peerIds[from]!, channel, payload);
    });
  }

  #connectLater(a: number, b: number): void {
    const lives = (): string => [a, b].map((index) => this.#attached.get(index)?.life).join();
    const before = lives();
    this.#clock.at(1 + this.#random.below(RECONNECT_MS), () => {
      if (before !== lives() || this.#isUp(a, b) || this.#isCut(a, b)) return;
      const [first, second] = [this.#attached.get(a), this.#attached.get(b)];
      if (first === undefined || second === undefined) return;
      this.#up.set(nameOf(a, b), ++this.#links);
      this.#up.set(nameOf(b, a), ++this.#links);
      first.handlers.onUp(this.#peerIds[b]!);
      second.handlers.onUp(this.#peerIds[a]!);
    });
  }

  #disconnect(a: number, b: number): void {
    if (!this.#isUp(a, b)) return;
    this.#up.delete(nameOf(a, b));
    this.#up.delete(nameOf(b, a));
    this.#attached.get(a)?.handlers.onDown(this.#peerIds[b]!, "network/closed");
    this.#attached.get(b)?.handlers.onDown(this.#peerIds[a]!, "network/closed");
  }

  #isUp(from: number, to: number): boolean {
    return this.#up.has(nameOf(from, to));
  }

  #others(index: number): readonly number[] {
    return this.#peerIds.map((_, other) => other).filter((other) => other !== index);
  }

  #pairs(): readonly (readonly [number, number])[] {
    return this.#peerIds.flatMap((_, from) =>
      this.#others(from)
        .filter((to) => from < to)
        .map((to) => [from, to] as const),
    );
  }
}

function nameOf(from: number, to: number): string {
  return `${from}/${to}`;
}
