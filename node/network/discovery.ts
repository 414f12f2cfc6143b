import type { Bytes } from "@ostrom/base";
import { AddressBook, type KnownPeer } from "./address-book.ts";
import { encodeDiscovery } from "./discovery-codec.ts";
import { DiscoveryProbes } from "./discovery-probes.ts";
import { DiscoveryTalk } from "./discovery-talk.ts";
import type {
  DiscoveryPorts,
  DiscoverySettings,
  DiscoverySnapshot,
  StrangerPolicy,
} from "./discovery-types.ts";
import { type HostPort, machineOf, type NetworkGroup } from "./network-group.ts";
import type { SignedRecord } from "./node-record.ts";
import {
  admitInbound,
  DEFAULT_SLOT_LIMITS,
  isNewGroup,
  type LinkedStranger,
  leastUsefulOutbound,
  type SlotLimits,
} from "./peer-selection.ts";
import { OFFENCE_POINTS, type Offender, PeerStanding } from "./peer-standing.ts";
import type { PeerAddress, PeerId } from "./types.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
/** How long an outbound peer may take to come, or to come back, before another is chosen. */
const OUTBOUND_PATIENCE_MS = 10 * SECOND_MS;
/** Where nobody is left to be chosen, the next look comes so much later. */
const VAIN_CHOICE_MS = 5 * SECOND_MS;
const RECORD_RENEWAL_MS = 24 * 60 * MINUTE_MS;
/** An outbound peer that gave nothing new for so long gives way to one of a group that is not seen yet. */
const ROTATION_INTERVAL_MS = 10 * MINUTE_MS;
/** Where none of them gave anything for so long, one after another gives way soon: it is as if nobody were there. */
const MIN_STARVED_AFTER_MS = 90 * SECOND_MS;
const STARVED_ROTATION_MS = 20 * SECOND_MS;
const MAX_ANCHORS = 2;
const KEY_BYTES = 32;

/** A peer that this node chose, linked or not yet. */
type Outbound = {
  readonly address: PeerAddress;
  readonly group: NetworkGroup;
  /** Since when it has been neither linked nor refused. */
  waitingSinceMs: number | undefined;
};

/** Who of the strangers is linked: chooses whom to dial and whom to let in, learns of others, remembers who misbehaved. A state machine
 * between ports of clock and entropy: `tick` once a second, and what links tell. */
export class Discovery {
  readonly policy: StrangerPolicy;
  readonly book: AddressBook;
  readonly standing: PeerStanding = new PeerStanding();
  readonly #settings: DiscoverySettings;
  readonly #ports: DiscoveryPorts;
  readonly #slots: SlotLimits;
  readonly #key: Bytes;
  readonly #talk: DiscoveryTalk;
  readonly #outbound = new Map<PeerId, Outbound>();
  /** Strangers that have a place, from their admission on. */
  readonly #linked = new Map<PeerId, LinkedStranger & { isUp: boolean }>();
  readonly #probes: DiscoveryProbes;
  #anchors: PeerAddress[];
  #own: SignedRecord;
  #lastRotationMs: number;
  #nextChoiceMs = Number.NEGATIVE_INFINITY;

  constructor(settings: DiscoverySettings, ports: DiscoveryPorts, kept?: DiscoverySnapshot) {
    const nowMs = ports.clock.nowMs();
    this.#settings = settings;
    this.#ports = ports;
    this.#slots = { ...DEFAULT_SLOT_LIMITS, ...settings.slots };
    this.#key = kept?.key ?? ports.entropy.bytes(KEY_BYTES);
    this.book = new AddressBook({ ...settings, key: this.#key, entropy: ports.entropy });
    this.#anchors = [...(kept?.anchors ?? [])];
    for (const peer of kept?.peers ?? []) this.book.restore(peer, nowMs);
    this.standing.restore(kept?.standing ?? []);
    for (const { peerId, ...address } of settings.bootstrap)
      if (peerId !== undefined && peerId !== settings.peerId) this.book.name(peerId, address, nowMs);
    this.#own = this.#makeRecord(Math.max(nowMs, (kept?.sequence ?? 0) + 1));
    this.#lastRotationMs = nowMs;
    this.#talk = new DiscoveryTalk({
      ...ports,
      peerId: settings.peerId,
      genesisHash: settings.genesisHash,
      book: this.book,
      own: () => this.#own,
      groupOf: (peerId) => this.#linked.get(peerId)?.group ?? `reserved:${peerId}`,
      blame: (peerId, points, reason) => this.blame(peerId, points, reason),
    });
    this.#probes = new DiscoveryProbes({
      ...ports,
      ...settings,
      maxFeelers: this.#slots.maxFeelers,
      book: this.book,
      linked: () => this.linked(),
      isFree: (peerId) => !this.policy.holds(peerId) && !ports.isReserved(peerId),
      met: (known) => this.#take(known),
    });
    this.policy = {
      wanted: () => [...this.#outbound.values()].map(({ address }) => address),
      holds: (peerId) => this.#outbound.has(peerId) || this.#linked.has(peerId),
      admit: (peerId, host) => this.#admit(peerId, host),
      onUp: (peerId, link) => this.#up(peerId, link),
      onDown: (peerId, reason) => this.#down(peerId, reason),
      onUnreached: (peerId, reason) => this.#unreached(peerId, reason),
      onFrame: (peerId, payload) => this.#talk.frame(peerId, payload),
      onBreach: (peerId, reason) => this.blame(peerId, OFFENCE_POINTS.breach, reason),
    };
  }

  /** Strangers that are linked now. */
  linked(): readonly LinkedStranger[] {
    return [...this.#linked.values()].filter(({ isUp }) => isUp);
  }

  isOutbound(peerId: PeerId): boolean {
    return this.#outbound.has(peerId);
  }

  /** Time has passed. */
  tick(): void {
    const nowMs = this.#ports.clock.nowMs();
    if (!this.#ports.isOpen()) return this.#close();
    this.#leaveReserved();
    this.#renewRecord(nowMs);
    this.#dropWaiting(nowMs);
    this.#rotate(nowMs);
    this.#fillOutbound(nowMs);
    this.#probes.tick(nowMs);
    this.#talk.tick(nowMs, [...this.#outbound.keys()]);
  }

  /** Tells strangers up to which block this node can serve them. */
  announce(height: number): void {
    this.#talk.announce(height);
  }

  /** A peer gave something that was new and true. */
  credit(peerId: PeerId): void {
    const linked = this.#linked.get(peerId);
    if (linked !== undefined)
      this.#linked.set(peerId, { ...linked, lastUsefulMs: this.#ports.clock.nowMs() });
  }

  /** Holds something against a stranger; who has too much against him is banned and dropped. */
  blame(peerId: PeerId, points: number, reason: string): void {
    const { clock, log, isReserved, changed } = this.#ports;
    if (isReserved(peerId)) return;
    const isBanned = this.standing.blame(this.#offender(peerId), points, clock.nowMs());
    log(isBanned ? "info" : "debug", isBanned ? "a stranger is banned" : "a stranger misbehaves", {
      peerId,
      reason,
    });
    if (!isBanned) return;
    this.#drop(peerId);
    changed();
  }

  snapshot(): DiscoverySnapshot {
    const anchors = [...this.#linked.values()]
      .filter(({ isOutbound, isUp, peerId }) => isOutbound && isUp && this.#outbound.has(peerId))
      .toSorted((a, b) => Number(b.lastUsefulMs > 0) - Number(a.lastUsefulMs > 0) || a.sinceMs - b.sinceMs)
      .slice(0, MAX_ANCHORS)
      .map(({ peerId }) => this.#outbound.get(peerId)!.address);
    return {
      key: this.#key,
      sequence: this.#own.record.sequence,
      // A node that is stopped before it was linked keeps those of its earlier life.
      anchors: anchors.length > 0 ? anchors : this.#anchors,
      standing: this.standing.snapshot(this.#ports.clock.nowMs()),
      peers: this.book.all(),
    };
  }

  #makeRecord(sequence: number): SignedRecord {
    const { peerId, genesisHash, addresses } = this.#settings;
    const timestampMs = this.#ports.clock.nowMs();
    const roles = this.#ports.roles();
    return this.#ports.sign({ peerId, genesisHash, addresses, roles, sequence, timestampMs });
  }

  #renewRecord(nowMs: number): void {
    const { timestampMs, roles, sequence } = this.#own.record;
    const isSame = roles.join() === this.#ports.roles().join();
    if (isSame && Math.abs(nowMs - timestampMs) < RECORD_RENEWAL_MS) return;
    this.#own = this.#makeRecord(Math.max(nowMs, sequence + 1));
    this.#talk.broadcast(encodeDiscovery({ kind: "record", record: this.#own }));
  }

  #admit(peerId: PeerId, host: string): string | undefined {
    const { clock, isOpen, changed } = this.#ports;
    if (!isOpen()) return "network/not-allowed";
    const nowMs = clock.nowMs();
    const machine = machineOf(host);
    const group = this.#inboundGroup(peerId, host);
    if (this.standing.isBanned({ peerId, machine, group }, nowMs)) return "network/banned";
    if (this.policy.holds(peerId)) return undefined;
    const strangers = [...this.#linked.values()];
    const admission = admitInbound({ group, machine }, strangers, this.#slots, this.#key);
    if (admission.kind === "refused") return admission.reason;
    if (admission.evicted !== undefined) this.#drop(admission.evicted);
    const place = { peerId, isOutbound: false, group, machine, sinceMs: nowMs, lastUsefulMs: 0, isUp: false };
    this.#linked.set(peerId, place);
    if (admission.evicted !== undefined) changed();
    return undefined;
  }

  /** Ports of who dials are as good as random: on one machine, every key is a group. */
  #inboundGroup(peerId: PeerId, host: string): NetworkGroup {
    const group = this.book.groupOf({ host, port: 0 });
    return group.startsWith("local") && this.#settings.allowsLocal ? `local:${peerId}` : group;
  }

  #up(peerId: PeerId, { host, isDialed }: { readonly host: string; readonly isDialed: boolean }): void {
    const nowMs = this.#ports.clock.nowMs();
    this.#talk.up(peerId);
    if (this.#ports.isReserved(peerId)) {
      this.#talk.ask(peerId);
      return;
    }
    const outbound = this.#outbound.get(peerId);
    if (outbound === undefined) {
      const place = this.#linked.get(peerId);
      if (place !== undefined) this.#linked.set(peerId, { ...place, isUp: true });
      return;
    }
    outbound.waitingSinceMs = undefined;
    if (isDialed) this.book.succeeded(peerId, nowMs);
    const { group } = outbound;
    const machine = machineOf(host);
    const place = { peerId, isOutbound: true, group, machine, sinceMs: nowMs, lastUsefulMs: 0, isUp: true };
    this.#linked.set(peerId, place);
    this.#talk.ask(peerId);
  }

  #down(peerId: PeerId, reason: string): void {
    this.#talk.down(peerId);
    this.#linked.delete(peerId);
    const outbound = this.#outbound.get(peerId);
    if (outbound !== undefined) outbound.waitingSinceMs = this.#ports.clock.nowMs();
    this.#ports.log("debug", "a stranger is gone", { peerId, reason });
  }

  #unreached(peerId: PeerId, reason: string): void {
    const outbound = this.#outbound.get(peerId);
    const place = this.#linked.get(peerId);
    // An inbound one that went before it had greeted.
    if (place?.isUp === false) this.#linked.delete(peerId);
    if (outbound === undefined || place?.isUp === true) return;
    this.book.failed(peerId, this.#ports.clock.nowMs(), this.#isOnline());
    this.#ports.log("debug", "a stranger cannot be reached", { peerId, reason });
    this.#outbound.delete(peerId);
    this.#ports.changed();
  }

  /** Whether somebody can be reached: who is off the network himself cannot tell who else is. */
  #isOnline(): boolean {
    return this.linked().length > 0;
  }

  #drop(peerId: PeerId): void {
    this.#outbound.delete(peerId);
    this.#linked.delete(peerId);
  }

  /** Strangers that have got a place of another kind meanwhile give theirs up. */
  #leaveReserved(): void {
    for (const peerId of [...this.#outbound.keys(), ...this.#linked.keys()])
      if (this.#ports.isReserved(peerId)) this.#drop(peerId);
  }

  /** The chain admits strangers no more. */
  #close(): void {
    if (this.#outbound.size + this.#linked.size === 0) return;
    this.#outbound.clear();
    this.#linked.clear();
    this.#ports.changed();
  }

  #dropWaiting(nowMs: number): void {
    for (const [peerId, { waitingSinceMs }] of this.#outbound)
      if (waitingSinceMs !== undefined && nowMs - waitingSinceMs >= OUTBOUND_PATIENCE_MS)
        this.#unreached(peerId, "network/no-answer");
    for (const [peerId, { isUp, sinceMs }] of this.#linked)
      if (!isUp && nowMs - sinceMs >= OUTBOUND_PATIENCE_MS) this.#linked.delete(peerId);
  }

  #rotate(nowMs: number): void {
    const linked = this.linked();
    const starvedAfterMs = Math.max(MIN_STARVED_AFTER_MS, this.#settings.starvedAfterMs ?? 0);
    const isStarved = linked.every(({ lastUsefulMs }) => nowMs - lastUsefulMs >= starvedAfterMs);
    if (nowMs - this.#lastRotationMs < (isStarved ? STARVED_ROTATION_MS : ROTATION_INTERVAL_MS)) return;
    this.#lastRotationMs = nowMs;
    const graceMs = isStarved ? starvedAfterMs : ROTATION_INTERVAL_MS;
    const idle = leastUsefulOutbound(linked, nowMs, graceMs);
    if (idle === undefined || nowMs - idle.lastUsefulMs < graceMs) return;
    // Somebody must be there to take its place.
    if (this.book.choose(nowMs, (peer) => this.#isWanted(peer, nowMs)) === undefined) return;
    this.#drop(idle.peerId);
    this.#ports.changed();
  }

  #fillOutbound(nowMs: number): void {
    const before = this.#outbound.size;
    for (const anchor of this.#anchors.splice(0)) {
      const group = this.book.groupOf(anchor);
      if (this.#mayChoose(anchor.peerId, anchor, group, nowMs)) this.#choose(anchor, group, nowMs);
    }
    while (this.#outbound.size < this.#slots.maxOutbound && nowMs >= this.#nextChoiceMs) {
      const found = this.book.choose(nowMs, (peer) => this.#isWanted(peer, nowMs));
      if (found === undefined) this.#nextChoiceMs = nowMs + VAIN_CHOICE_MS;
      if (found === undefined) break;
      this.#choose({ peerId: found.peerId, ...found.address }, found.group, nowMs);
    }
    if (this.#outbound.size !== before) this.#ports.changed();
  }

  #choose(address: PeerAddress, group: NetworkGroup, nowMs: number): void {
    this.book.attempted(address.peerId, nowMs);
    this.#outbound.set(address.peerId, { address, group, waitingSinceMs: nowMs });
    // It had come by itself: from now on it is this node's own choice.
    const place = this.#linked.get(address.peerId);
    if (place !== undefined) this.#linked.set(address.peerId, { ...place, isOutbound: true, group });
    if (place?.isUp === true) this.#outbound.get(address.peerId)!.waitingSinceMs = undefined;
  }

  #isWanted({ peerId, address, group }: KnownPeer, nowMs: number): boolean {
    return this.#mayChoose(peerId, address, group, nowMs);
  }

  #mayChoose(peerId: PeerId, { host }: HostPort, group: NetworkGroup, nowMs: number): boolean {
    return (
      peerId !== this.#settings.peerId &&
      !this.#outbound.has(peerId) &&
      this.#linked.get(peerId)?.isUp !== true &&
      !this.#ports.isReserved(peerId) &&
      isNewGroup(group, [...this.#outbound.values()], this.#slots) &&
      !this.standing.isBanned({ peerId, machine: machineOf(host), group }, nowMs)
    );
  }

  /** One that was just met at a bootstrap address. */
  #take(known: KnownPeer): void {
    const nowMs = this.#ports.clock.nowMs();
    if (this.#outbound.size >= this.#slots.maxOutbound || !this.#isWanted(known, nowMs)) return;
    this.#choose({ peerId: known.peerId, ...known.address }, known.group, nowMs);
    this.#ports.changed();
  }

  #offender(peerId: PeerId): Offender {
    const linked = this.#linked.get(peerId);
    const known = this.book.get(peerId);
    const machine = linked?.machine ?? (known === undefined ? undefined : machineOf(known.address.host));
    const group = linked?.group ?? known?.group;
    return { peerId, machine: this.#isShared(group) ? undefined : machine, group };
  }

  /** On one machine, all have its address. */
  #isShared(group: NetworkGroup | undefined): boolean {
    return group?.startsWith("local") === true && this.#settings.allowsLocal;
  }
}
