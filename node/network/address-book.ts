import type { Bytes } from "@ostrom/base";
import {
  chancePerMille,
  isHopeless,
  MAX_RECORD_AGE_MS,
  MAX_RECORD_LEAD_MS,
  MAX_TRIED_FAILURES,
} from "./address-quality.ts";
import { AddressTable, keyedNumber } from "./address-table.ts";
import { drawBelow, drawSome } from "./drawing.ts";
import { canonicalHost, groupOf, type HostPort, isRoutable, type NetworkGroup } from "./network-group.ts";
import type { SignedRecord } from "./node-record.ts";
import type { Entropy, PeerId } from "./types.ts";

/** A node that this one has heard of. */
export type KnownPeer = {
  readonly peerId: PeerId;
  /** Where it is dialed. */
  readonly address: HostPort;
  readonly group: NetworkGroup;
  /** undefined if it was named by an operator or by the chain's state. */
  readonly record: SignedRecord | undefined;
  /** The group of who told of it first. */
  readonly source: NetworkGroup;
  /** This node has been linked with it, there. */
  readonly isTried: boolean;
  /** Since then it could not be reached so often. */
  readonly failures: number;
  readonly lastAttemptMs: number;
  readonly lastSuccessMs: number;
};

type Entry = {
  -readonly [Key in keyof KnownPeer]: KnownPeer[Key];
} & {
  /** Its places in the table of new ones. */
  readonly newPlaces: Set<number>;
  triedPlace: number | undefined;
  heardMs: number;
};

export type AddressBookLimits = {
  readonly newBuckets: number;
  readonly triedBuckets: number;
  readonly bucketSize: number;
  /** Over how many buckets spreads what one group tells. */
  readonly newBucketsPerSource: number;
  /** Over how many buckets one group spreads. */
  readonly triedBucketsPerGroup: number;
  /** In how many buckets one new address may be: who is named by many groups is found more often. */
  readonly maxPlaces: number;
};

export const DEFAULT_BOOK_LIMITS: AddressBookLimits = {
  newBuckets: 256,
  triedBuckets: 64,
  bucketSize: 32,
  newBucketsPerSource: 32,
  triedBucketsPerGroup: 4,
  maxPlaces: 4,
};

export type AddressBookOptions = {
  /** 32 bytes: decides who is in which bucket. */
  readonly key: Bytes;
  readonly entropy: Entropy;
  /** Whether addresses that cannot be reached from anywhere count: on one machine or in a local network. Each is then a group. */
  readonly allowsLocal: boolean;
  readonly limits?: AddressBookLimits;
  /** For simulations: whose addresses are one owner's. */
  readonly groupOf?: (address: HostPort) => NetworkGroup;
};

const MINUTE_MS = 60_000;
/** One that was linked so recently need not be tested before it keeps its place. */
const RECENT_SUCCESS_MS: number = 4 * 60 * MINUTE_MS;
const MAX_COLLISIONS = 10;
const MAX_DRAWS = 200;
/** Answers name at most this part of the book, so that few questions do not tell all of it. */
const SAMPLE_PERCENT = 23;
const MIN_SAMPLE = 8;

/** Who there is, and where: `new` holds what was heard, `tried` those with whom this node was linked. Each is cut into buckets by network
 * groups, of the address and of who told it, under a secret key: whoever owns few groups gets few buckets, however much he sends. What
 * is tried gives its place up only if it does not answer any more.
 * Sources: Heilman, Kendler, Zohar, Goldberg 2015 (ePrint 2015/263), countermeasures 1 to 6; Bitcoin's addrman. */
export class AddressBook {
  readonly #options: AddressBookOptions;
  readonly #limits: AddressBookLimits;
  readonly #peers = new Map<PeerId, Entry>();
  readonly #new: AddressTable<Entry>;
  readonly #tried: AddressTable<Entry>;
  /** New ones that wait for a place in `tried` until who has it was tested. */
  readonly #collisions = new Set<PeerId>();

  constructor(options: AddressBookOptions) {
    const limits = options.limits ?? DEFAULT_BOOK_LIMITS;
    this.#options = options;
    this.#limits = limits;
    this.#new = new AddressTable(limits.newBuckets, limits.bucketSize);
    this.#tried = new AddressTable(limits.triedBuckets, limits.bucketSize);
  }

  get size(): number {
    return this.#peers.size;
  }

  get(peerId: PeerId): KnownPeer | undefined {
    return this.#peers.get(peerId);
  }

  all(): readonly KnownPeer[] {
    return [...this.#peers.values()];
  }

  /** The group of an address, as this book counts. */
  groupOf(address: HostPort): NetworkGroup {
    if (this.#options.groupOf !== undefined) return this.#options.groupOf(address);
    const group = groupOf(address.host);
    return group === "local" && this.#options.allowsLocal ? `local:${address.host}:${address.port}` : group;
  }

  /** Takes in what somebody told. @param sourceGroup the group of who told it.
   * @returns whether it is known now. */
  hear(signed: SignedRecord, sourceGroup: NetworkGroup, nowMs: number): boolean {
    const { record } = signed;
    const address = record.addresses.find((one) => this.#isUsable(one));
    const ageMs = nowMs - record.timestampMs;
    if (address === undefined || ageMs > MAX_RECORD_AGE_MS || ageMs < -MAX_RECORD_LEAD_MS) return false;
    const known = this.#peers.get(record.peerId);
    const knownSequence = known?.record?.record.sequence ?? -1;
    // An older record says nothing that counts; the same one again may give it a further place.
    if (record.sequence < knownSequence) return true;
    if (known !== undefined && record.sequence > knownSequence) this.#renew(known, signed, address);
    return this.#add({ peerId: record.peerId, address, record: signed }, sourceGroup, nowMs);
  }

  /** Takes in an address that an operator or the chain's state names. */
  name(peerId: PeerId, address: HostPort, nowMs: number): boolean {
    const canonical = { host: canonicalHost(address.host), port: address.port };
    return this.#add({ peerId, address: canonical, record: undefined }, `named:${peerId}`, nowMs);
  }

  /** An attempt to reach it begins. */
  attempted(peerId: PeerId, nowMs: number): void {
    const entry = this.#peers.get(peerId);
    if (entry !== undefined) entry.lastAttemptMs = nowMs;
  }

  /** It was not there, or another node was. @param counts false if this node seems to be off the network itself. */
  failed(peerId: PeerId, nowMs: number, counts = true): void {
    const entry = this.#peers.get(peerId);
    if (entry === undefined) return;
    entry.lastAttemptMs = nowMs;
    if (counts) entry.failures += 1;
    const isBeaten = counts && entry.triedPlace !== undefined && this.#isChallenged(entry);
    if (isBeaten) this.#demote(entry, nowMs);
  }

  /** It is there: this node has spoken with it at its address. */
  succeeded(peerId: PeerId, nowMs: number): void {
    const entry = this.#peers.get(peerId);
    if (entry === undefined) return;
    entry.lastAttemptMs = nowMs;
    entry.lastSuccessMs = nowMs;
    entry.failures = 0;
    if (entry.triedPlace === undefined) this.#promote(entry, nowMs);
    else this.#dropChallengers(entry.triedPlace);
  }

  /** Whom to dial. Both tables are as likely, so that neither floods out the other.
   * @param isWanted is asked about each that is drawn. @param table where to look; both if it is left out. */
  choose(
    nowMs: number,
    isWanted: (peer: KnownPeer) => boolean,
    table?: "new" | "tried",
  ): KnownPeer | undefined {
    const { entropy } = this.#options;
    // So that the search ends: from draw to draw, the unlikely become likelier.
    let easePerMille = 1_000;
    for (let draw = 0; draw < MAX_DRAWS; draw++) {
      const which = table ?? (drawBelow(entropy, 2) === 0 ? "new" : "tried");
      const entry = (which === "new" ? this.#new : this.#tried).draw(entropy);
      easePerMille = Math.floor((easePerMille * 6) / 5);
      if (entry === undefined || !isWanted(entry)) continue;
      if (drawBelow(entropy, 1_000) * 1_000 < chancePerMille(entry, nowMs) * easePerMille) return entry;
    }
    return undefined;
  }

  /** One whose place in `tried` another wants: it keeps it if it answers. */
  challenged(nowMs: number): KnownPeer | undefined {
    for (const peerId of this.#collisions) {
      const challenger = this.#peers.get(peerId);
      const holder = challenger === undefined ? undefined : this.#tried.at(this.#triedPlaceOf(challenger));
      if (challenger === undefined || holder === undefined) {
        this.#collisions.delete(peerId);
        if (challenger !== undefined) this.#promote(challenger, nowMs);
      } else return holder;
    }
    return undefined;
  }

  /** What to tell who asks: some records, chosen at random, of nodes that may be there; of as many groups as there are, so that a flood from
   * few groups is not passed on as one. */
  sample(most: number, nowMs: number): readonly SignedRecord[] {
    const { entropy } = this.#options;
    const groups = new Map<NetworkGroup, SignedRecord[]>();
    let count = 0;
    for (const entry of this.#peers.values()) {
      if (entry.record === undefined || isHopeless(entry, nowMs)) continue;
      count += 1;
      const others = groups.get(entry.group);
      if (others === undefined) groups.set(entry.group, [entry.record]);
      else others.push(entry.record);
    }
    const wanted = Math.min(most, Math.max(MIN_SAMPLE, Math.floor((count * SAMPLE_PERCENT) / 100)));
    const shuffled = drawSome(entropy, [...groups.values()], groups.size).map((records) =>
      drawSome(entropy, records, wanted),
    );
    const rounds = Array.from({ length: wanted }, (_, round) =>
      shuffled.flatMap((records) => records[round] ?? []),
    );
    return rounds.flat().slice(0, wanted);
  }

  statistics(): {
    readonly known: number;
    readonly tried: number;
    readonly newBuckets: number;
    readonly triedBuckets: number;
  } {
    const tried = [...this.#peers.values()].filter(({ isTried }) => isTried).length;
    const [newBuckets, triedBuckets] = [this.#new.usedBuckets, this.#tried.usedBuckets];
    return { known: this.size, tried, newBuckets, triedBuckets };
  }

  /** Puts back what an earlier life of this node knew. */
  restore(peer: Omit<KnownPeer, "group">, nowMs: number): void {
    const { peerId, address, record } = peer;
    if (!this.#isUsable(address) && record !== undefined) return;
    this.#add({ peerId, address, record }, peer.source, nowMs);
    const entry = this.#peers.get(peerId);
    if (entry === undefined) return;
    entry.failures = peer.failures;
    entry.lastAttemptMs = Math.min(nowMs, peer.lastAttemptMs);
    entry.lastSuccessMs = Math.min(nowMs, peer.lastSuccessMs);
    if (peer.isTried) this.#promote(entry, nowMs);
  }

  #isUsable({ host, port }: HostPort): boolean {
    return port > 0 && (this.#options.allowsLocal || isRoutable(host));
  }

  /** Its newest record says other things, maybe another address. */
  #renew(entry: Entry, record: SignedRecord, address: HostPort): void {
    entry.record = record;
    if (entry.address.host === address.host && entry.address.port === address.port) return;
    // At the new address nobody has been met.
    this.#forget(entry);
  }

  #add(
    { peerId, address, record }: Pick<KnownPeer, "peerId" | "address" | "record">,
    sourceGroup: NetworkGroup,
    nowMs: number,
  ): boolean {
    const known = this.#peers.get(peerId);
    if (known?.isTried === true) return true;
    const entry: Entry = known ?? {
      peerId,
      address,
      group: this.groupOf(address),
      record,
      source: sourceGroup,
      isTried: false,
      failures: 0,
      lastAttemptMs: 0,
      lastSuccessMs: 0,
      newPlaces: new Set(),
      triedPlace: undefined,
      heardMs: nowMs,
    };
    entry.heardMs = nowMs;
    entry.record ??= record;
    if (entry.newPlaces.size >= this.#limits.maxPlaces) return true;
    // The more places it has, the less likely it gets one more.
    const isLucky =
      entry.newPlaces.size === 0 || drawBelow(this.#options.entropy, 2 ** entry.newPlaces.size) === 0;
    if (isLucky) this.#place(entry, this.#newPlaceOf(entry, sourceGroup), nowMs);
    if (entry.newPlaces.size > 0) this.#peers.set(peerId, entry);
    return entry.newPlaces.size > 0;
  }

  /** Who has a place keeps it, unless he is hopeless or has others. */
  #place(entry: Entry, place: number, nowMs: number): void {
    const holder = this.#new.at(place);
    if (holder === entry) return;
    if (holder !== undefined) {
      const givesWay = isHopeless(holder, nowMs) || (holder.newPlaces.size > 1 && entry.newPlaces.size === 0);
      if (!givesWay) return;
      this.#leaveNew(holder, place);
    }
    this.#new.put(place, entry);
    entry.newPlaces.add(place);
  }

  #leaveNew(entry: Entry, place: number): void {
    this.#new.clear(place);
    entry.newPlaces.delete(place);
    if (entry.newPlaces.size === 0 && entry.triedPlace === undefined) this.#peers.delete(entry.peerId);
  }

  #forget(entry: Entry): void {
    if (entry.triedPlace !== undefined) this.#tried.clear(entry.triedPlace);
    for (const place of entry.newPlaces) this.#new.clear(place);
    this.#collisions.delete(entry.peerId);
    this.#peers.delete(entry.peerId);
  }

  #promote(entry: Entry, nowMs: number): void {
    const place = this.#triedPlaceOf(entry);
    const holder = this.#tried.at(place);
    if (holder !== undefined && holder !== entry) {
      const mayStay =
        nowMs - holder.lastSuccessMs < RECENT_SUCCESS_MS || holder.failures < MAX_TRIED_FAILURES;
      if (mayStay) {
        if (this.#collisions.size < MAX_COLLISIONS) this.#collisions.add(entry.peerId);
        return;
      }
      this.#demote(holder, nowMs);
    }
    for (const taken of entry.newPlaces) this.#new.clear(taken);
    entry.newPlaces.clear();
    this.#collisions.delete(entry.peerId);
    this.#tried.put(place, entry);
    this.#peers.set(entry.peerId, entry);
    entry.triedPlace = place;
    entry.isTried = true;
  }

  /** Back to those that were heard of, and out of the way of who waits for its place. */
  #demote(entry: Entry, nowMs: number): void {
    if (entry.triedPlace === undefined) return;
    this.#tried.clear(entry.triedPlace);
    entry.triedPlace = undefined;
    entry.isTried = false;
    this.#place(entry, this.#newPlaceOf(entry, entry.group), nowMs);
    if (entry.newPlaces.size === 0) this.#peers.delete(entry.peerId);
    this.challenged(nowMs);
  }

  #isChallenged(entry: Entry): boolean {
    return [...this.#collisions].some((peerId) => {
      const challenger = this.#peers.get(peerId);
      return challenger !== undefined && this.#triedPlaceOf(challenger) === entry.triedPlace;
    });
  }

  #dropChallengers(place: number): void {
    for (const peerId of this.#collisions) {
      const challenger = this.#peers.get(peerId);
      if (challenger === undefined || this.#triedPlaceOf(challenger) === place)
        this.#collisions.delete(peerId);
    }
  }

  #newPlaceOf({ address, group }: Entry, sourceGroup: NetworkGroup): number {
    const { key } = this.#options;
    const { newBuckets, newBucketsPerSource, bucketSize } = this.#limits;
    const share = keyedNumber(key, newBucketsPerSource, "share", sourceGroup, group);
    const bucket = keyedNumber(key, newBuckets, "new", sourceGroup, share);
    return bucket * bucketSize + keyedNumber(key, bucketSize, "place", bucket, address.host, address.port);
  }

  #triedPlaceOf({ address, group }: Entry): number {
    const { key } = this.#options;
    const { triedBuckets, triedBucketsPerGroup, bucketSize } = this.#limits;
    const share = keyedNumber(key, triedBucketsPerGroup, "share", address.host, address.port);
    const bucket = keyedNumber(key, triedBuckets, "tried", group, share);
    return bucket * bucketSize + keyedNumber(key, bucketSize, "place", bucket, address.host, address.port);
  }
}
