import type { Bytes, Random } from "@ostrom/base";
import { decodeDiscovery, encodeDiscovery, type PeerAddress, type PeerId } from "@ostrom/network";
import { SimulatedClock } from "./clock.ts";
import { EclipseNode } from "./eclipse-node.ts";
import { GENESIS_HASH, makeParty, type Party, START_MS } from "./eclipse-party.ts";
import { delayBelow, pick, randomFor, sample } from "./random.ts";

const LATENCY_MS = 40;
const JITTER_MS = 60;
const ANSWER_RECORDS = 32;
const BLOCK_INTERVAL_MS = 2_000;
/** How far ahead of the chain hostile nodes say that they are. */
const LIE_BLOCKS = 1_000;

export type EclipseOptions = {
  readonly seed: number;
  readonly honest: number;
  readonly hostile: number;
  /** Over how many network groups the hostile nodes are spread. Each honest node is in one of its own. */
  readonly hostileGroups: number;
  /** Whether the hostile nodes say that they have a longer chain (and serve nothing), or just say nothing of it. */
  readonly liesAboutHeight: boolean;
  /** So often each hostile node dials somebody. */
  readonly dialIntervalMs: number;
};

/** Honest nodes, each the state machines of production (Discovery, StrangerSync) between simulated ports, and hostile ones, which have one
 * will: they dial everybody, accept everybody, name each other and nobody else, and serve nothing. */
export class EclipseWorld {
  readonly clock: SimulatedClock = new SimulatedClock();
  readonly options: EclipseOptions;
  readonly honest: readonly Party[];
  readonly hostile: readonly Party[];
  readonly victim: Party;
  readonly nodes: Map<PeerId, EclipseNode> = new Map();
  /** The honest chain. */
  height = 1;
  readonly #random: Random;
  readonly #parties: ReadonlyMap<PeerId, Party>;
  readonly #byAddress: ReadonlyMap<string, Party>;
  readonly #peers = new Map<PeerId, Set<PeerId>>();
  #isApart: (a: PeerId, b: PeerId) => boolean = () => false;

  constructor(options: EclipseOptions) {
    this.options = options;
    this.#random = randomFor(options.seed, "eclipse");
    const make = (host: string, isHostile: boolean): Party => makeParty(this.#random, host, isHostile);
    this.honest = Array.from({ length: options.honest }, (_, index) => make(`20.${index}.0.1`, false));
    this.victim = make("21.0.0.1", false);
    this.hostile = Array.from({ length: options.hostile }, (_, index) =>
      make(`60.${index % options.hostileGroups}.${1 + (index >> 8)}.${index & 255}`, true),
    );
    const all = [...this.honest, this.victim, ...this.hostile];
    this.#parties = new Map(all.map((party) => [party.peerId, party]));
    this.#byAddress = new Map(all.map((party) => [addressName(party.address), party]));
    this.clock.at(BLOCK_INTERVAL_MS, () => this.#mine());
    for (const party of this.hostile)
      this.clock.at(delayBelow(this.#random, options.dialIntervalMs), () => this.#attack(party));
  }

  get nowMs(): number {
    return START_MS + this.clock.timeMs;
  }

  randomBytes(length: number): Bytes {
    return this.#random.bytes(length);
  }

  partyOf(peerId: PeerId): Party | undefined {
    return this.#parties.get(peerId);
  }

  /** Turns an honest node on. @param kept what its last life wrote. */
  start(party: Party, bootstrap: readonly Party[], kept?: string): EclipseNode {
    const node = new EclipseNode(this, party, bootstrap, kept);
    this.nodes.set(party.peerId, node);
    return node;
  }

  /** @returns what the node wrote. */
  stop(party: Party): string | undefined {
    const node = this.nodes.get(party.peerId);
    const kept = node?.stop();
    this.nodes.delete(party.peerId);
    for (const other of this.peersOf(party.peerId)) this.unlink(party.peerId, other, "network/closed");
    return kept;
  }

  /** Cuts parties apart, or puts them together again. */
  partition(isApart: (a: PeerId, b: PeerId) => boolean): void {
    this.#isApart = isApart;
    for (const a of this.#peers.keys())
      for (const b of this.peersOf(a)) if (isApart(a, b)) this.unlink(a, b, "network/idle");
  }

  areLinked(a: PeerId, b: PeerId): boolean {
    return this.#peers.get(a)?.has(b) === true;
  }

  peersOf(peerId: PeerId): readonly PeerId[] {
    return [...(this.#peers.get(peerId) ?? [])];
  }

  /** Who is at an address and can be reached from here. */
  whoIsAt(from: PeerId, address: { readonly host: string; readonly port: number }): Party | undefined {
    const party = this.#byAddress.get(addressName(address));
    const isThere = party !== undefined && (party.isHostile || this.nodes.has(party.peerId));
    return isThere && !this.#isApart(from, party.peerId) && !this.#isApart(party.peerId, from)
      ? party
      : undefined;
  }

  later(run: () => void): void {
    this.clock.at(LATENCY_MS + delayBelow(this.#random, JITTER_MS), run);
  }

  /** One dials another, whom it expects at an address. */
  dial(from: Party, expected: PeerAddress): void {
    this.later(() => {
      const target = this.whoIsAt(from.peerId, expected);
      const dialer = this.nodes.get(from.peerId);
      const refusal =
        target?.peerId !== expected.peerId
          ? "network/not-reached"
          : this.nodes.get(expected.peerId)?.discovery.policy.admit(from.peerId, from.address.host);
      if (refusal !== undefined) dialer?.discovery.policy.onUnreached(expected.peerId, refusal);
      else this.#link(from.peerId, expected.peerId);
    });
  }

  unlink(a: PeerId, b: PeerId, reason: string): void {
    if (this.#peers.get(a)?.delete(b) !== true) return;
    this.#peers.get(b)?.delete(a);
    this.nodes.get(a)?.down(b, reason);
    this.nodes.get(b)?.down(a, reason);
  }

  /** A frame of the channel `discovery`. */
  say(from: PeerId, to: PeerId, payload: Bytes): boolean {
    if (!this.areLinked(from, to)) return false;
    this.later(() => {
      if (!this.areLinked(from, to)) return;
      const hostile = this.#parties.get(to);
      if (hostile?.isHostile === true) this.#hostileHears(hostile, from, payload);
      else this.nodes.get(to)?.discovery.policy.onFrame(from, payload);
    });
    return true;
  }

  /** Asks for blocks: honest nodes answer, hostile ones do not. */
  askBlocks(from: PeerId, to: PeerId, fromHeight: number): void {
    this.later(() => {
      const height = this.nodes.get(to)?.height ?? 0;
      if (height < fromHeight || !this.areLinked(from, to)) return;
      this.later(() => this.nodes.get(from)?.hearBlocks(to, fromHeight, height));
    });
  }

  #link(a: PeerId, b: PeerId): void {
    if (this.areLinked(a, b) || (!this.nodes.has(a) && !this.#parties.get(a)?.isHostile)) return;
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const)
      this.#peers.set(one, (this.#peers.get(one) ?? new Set()).add(other));
    this.nodes.get(b)?.up(a, false);
    this.nodes.get(a)?.up(b, true);
    for (const [hostile, other] of [
      [a, b],
      [b, a],
    ] as const)
      if (this.#parties.get(hostile)?.isHostile === true) this.#greet(this.#parties.get(hostile)!, other);
  }

  #greet(hostile: Party, other: PeerId): void {
    this.say(hostile.peerId, other, encodeDiscovery({ kind: "record", record: hostile.record }));
    if (this.options.liesAboutHeight)
      this.say(hostile.peerId, other, encodeDiscovery({ kind: "head", height: this.height + LIE_BLOCKS }));
  }

  #hostileHears(hostile: Party, from: PeerId, payload: Bytes): void {
    const message = decodeDiscovery(payload, GENESIS_HASH);
    if (!message.ok || message.value.kind !== "ask") return;
    const records = sample(this.#random, this.hostile, ANSWER_RECORDS).map(({ record }) => record);
    this.say(hostile.peerId, from, encodeDiscovery({ kind: "answer", records }));
  }

  /** A hostile node dials somebody, the victim most of the time. */
  #attack(party: Party): void {
    const target = this.#random.chance(2, 3) ? this.victim : pick(this.#random, this.honest);
    if (this.nodes.has(target.peerId) && !this.areLinked(party.peerId, target.peerId))
      this.dial(party, target.address);
    this.clock.at(this.options.dialIntervalMs, () => this.#attack(party));
  }

  #mine(): void {
    this.height += 1;
    const miner = this.nodes.get(pick(this.#random, this.honest).peerId);
    miner?.reach(this.height);
    this.clock.at(BLOCK_INTERVAL_MS, () => this.#mine());
  }
}

function addressName({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`;
}
