import type { Bytes, Hash } from "@ostrom/base";
import type { AddressBook } from "./address-book.ts";
import { decodeDiscovery, encodeDiscovery, MAX_ANSWER_RECORDS } from "./discovery-codec.ts";
import type { DiscoveryPorts } from "./discovery-types.ts";
import { drawOne } from "./drawing.ts";
import { kindOfPeerId } from "./identity-kinds.ts";
import type { NetworkGroup } from "./network-group.ts";
import { recordName, type SignedRecord } from "./node-record.ts";
import { OFFENCE_POINTS } from "./peer-standing.ts";
import { RecentSet } from "./recent-set.ts";
import type { PeerId } from "./types.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
/** A peer answers one question in so long; who asks more often is a nuisance. */
const MIN_ASK_INTERVAL_MS = MINUTE_MS;
/** This node asks each of its outbound peers again after so long, until it knows enough: whoever is among hostile ones learns of others only
 * bit by bit. Longer than the interval that is a nuisance, because clocks differ. */
const ASK_INTERVAL_MS = 90 * SECOND_MS;
const ANSWER_PATIENCE_MS = MINUTE_MS;
/** Of itself a peer may say so much at once, and one record more in each interval. */
const RECORD_BURST = 4;
const RECORD_INTERVAL_MS = MINUTE_MS;
/** Heads that are read of one peer from tick to tick. */
const MAX_HEADS_PER_TICK = 100;
/** Said again after so long: whoever asked in vain asks again. */
const HEAD_INTERVAL_MS = 10 * SECOND_MS;
/** Above this, the book has enough: nobody is asked. */
const ENOUGH_KNOWN = 1_000;
/** Records whose signatures were checked: others tell the same again and again. */
const REMEMBERED_RECORDS = 16_384;

type Conversation = {
  /** Until when an answer is expected. */
  expectedUntilMs: number;
  lastAskedMs: number;
  /** When it last asked this node. */
  lastQuestionMs: number;
  records: number;
  lastRecordMs: number;
  heads: number;
};

export type DiscoveryTalkPorts = Pick<DiscoveryPorts, "clock" | "entropy" | "send" | "isSigned" | "heard"> & {
  readonly peerId: PeerId;
  readonly genesisHash: Hash;
  readonly book: AddressBook;
  readonly own: () => SignedRecord;
  readonly groupOf: (peerId: PeerId) => NetworkGroup;
  readonly blame: (peerId: PeerId, points: number, reason: string) => void;
};

/** What linked nodes tell each other about who there is. Nobody is told what he did not ask for, but who this node is itself: an
 * answer that was not asked for is a breach, because addresses that others choose to send are how books are poisoned
 * (Marcus, Heilman, Goldberg 2018, ePrint 2018/236; arXiv 2601.16560). */
export class DiscoveryTalk {
  readonly #ports: DiscoveryTalkPorts;
  readonly #peers = new Map<PeerId, Conversation>();
  readonly #checked = new RecentSet(REMEMBERED_RECORDS);
  #height = 0;
  #lastHeadMs = 0;

  constructor(ports: DiscoveryTalkPorts) {
    this.#ports = ports;
  }

  up(peerId: PeerId): void {
    this.#peers.set(peerId, {
      expectedUntilMs: Number.NEGATIVE_INFINITY,
      lastAskedMs: Number.NEGATIVE_INFINITY,
      lastQuestionMs: Number.NEGATIVE_INFINITY,
      records: RECORD_BURST,
      lastRecordMs: this.#ports.clock.nowMs(),
      heads: MAX_HEADS_PER_TICK,
    });
    this.#ports.send(peerId, encodeDiscovery({ kind: "record", record: this.#ports.own() }));
    if (this.#height > 0) this.#ports.send(peerId, encodeDiscovery({ kind: "head", height: this.#height }));
  }

  down(peerId: PeerId): void {
    this.#peers.delete(peerId);
  }

  broadcast(payload: Bytes): void {
    for (const peerId of this.#peers.keys()) this.#ports.send(peerId, payload);
  }

  announce(height: number): void {
    if (height <= this.#height) return;
    this.#height = height;
    this.#lastHeadMs = this.#ports.clock.nowMs();
    this.broadcast(encodeDiscovery({ kind: "head", height }));
  }

  /** Only of peers that this node chose: who comes by himself must not choose what it learns. */
  ask(peerId: PeerId): void {
    const conversation = this.#peers.get(peerId);
    if (conversation === undefined || this.#ports.book.size >= ENOUGH_KNOWN) return;
    const nowMs = this.#ports.clock.nowMs();
    if (!this.#ports.send(peerId, encodeDiscovery({ kind: "ask" }))) return;
    conversation.lastAskedMs = nowMs;
    conversation.expectedUntilMs = nowMs + ANSWER_PATIENCE_MS;
  }

  tick(nowMs: number, outbound: readonly PeerId[]): void {
    for (const conversation of this.#peers.values()) conversation.heads = MAX_HEADS_PER_TICK;
    if (this.#height > 0 && Math.abs(nowMs - this.#lastHeadMs) >= HEAD_INTERVAL_MS) {
      this.#lastHeadMs = nowMs;
      this.broadcast(encodeDiscovery({ kind: "head", height: this.#height }));
    }
    const ready = outbound.filter((peerId) => {
      const lastAskedMs = this.#peers.get(peerId)?.lastAskedMs;
      return lastAskedMs !== undefined && nowMs - lastAskedMs >= ASK_INTERVAL_MS;
    });
    const peerId = drawOne(this.#ports.entropy, ready);
    if (peerId !== undefined) this.ask(peerId);
  }

  frame(peerId: PeerId, payload: Bytes): void {
    const conversation = this.#peers.get(peerId);
    if (conversation === undefined) return;
    const read = decodeDiscovery(payload, this.#ports.genesisHash, kindOfPeerId(this.#ports.peerId));
    if (!read.ok) return this.#ports.blame(peerId, OFFENCE_POINTS.breach, read.error.code);
    const message = read.value;
    switch (message.kind) {
      case "record":
        return this.#hearRecord(peerId, conversation, message.record);
      case "ask":
        return this.#answer(peerId, conversation);
      case "answer":
        return this.#hearAnswer(peerId, conversation, message.records);
      case "head":
        conversation.heads -= 1;
        if (conversation.heads >= 0) this.#ports.heard(peerId, message.height);
        return;
      default:
        message satisfies never;
    }
  }

  #hearRecord(peerId: PeerId, conversation: Conversation, signed: SignedRecord): void {
    const { clock, book, blame, groupOf } = this.#ports;
    const nowMs = clock.nowMs();
    const earned = Math.floor((nowMs - conversation.lastRecordMs) / RECORD_INTERVAL_MS);
    if (earned > 0) {
      conversation.records = Math.min(RECORD_BURST, conversation.records + earned);
      conversation.lastRecordMs = nowMs;
    }
    if (conversation.records <= 0)
      return blame(peerId, OFFENCE_POINTS.nuisance, "discovery/too-many-records");
    conversation.records -= 1;
    if (signed.record.peerId !== peerId)
      return blame(peerId, OFFENCE_POINTS.breach, "discovery/record-of-another");
    if (!this.#isSigned(signed)) return blame(peerId, OFFENCE_POINTS.breach, "record/bad-signature");
    book.hear(signed, groupOf(peerId), nowMs);
  }

  #answer(peerId: PeerId, conversation: Conversation): void {
    const { clock, book, blame, send } = this.#ports;
    const nowMs = clock.nowMs();
    if (nowMs - conversation.lastQuestionMs < MIN_ASK_INTERVAL_MS)
      return blame(peerId, OFFENCE_POINTS.nuisance, "discovery/asks-too-often");
    conversation.lastQuestionMs = nowMs;
    const records = book.sample(MAX_ANSWER_RECORDS, nowMs).filter(({ record }) => record.peerId !== peerId);
    send(peerId, encodeDiscovery({ kind: "answer", records }));
  }

  #hearAnswer(peerId: PeerId, conversation: Conversation, records: readonly SignedRecord[]): void {
    const { clock, book, blame, groupOf } = this.#ports;
    const nowMs = clock.nowMs();
    // One that is late is no breach; it is not read.
    if (conversation.lastAskedMs === Number.NEGATIVE_INFINITY)
      return blame(peerId, OFFENCE_POINTS.breach, "discovery/unsolicited-answer");
    if (nowMs > conversation.expectedUntilMs)
      return blame(peerId, OFFENCE_POINTS.nuisance, "discovery/late-answer");
    conversation.expectedUntilMs = Number.NEGATIVE_INFINITY;
    for (const signed of records) {
      if (signed.record.peerId === this.#ports.peerId) continue;
      // Whoever passes a record on has checked it.
      if (!this.#isSigned(signed)) return blame(peerId, OFFENCE_POINTS.breach, "record/bad-signature");
      book.hear(signed, groupOf(peerId), nowMs);
    }
  }

  #isSigned(signed: SignedRecord): boolean {
    const name = recordName(signed.bytes);
    if (this.#checked.has(name)) return true;
    if (!this.#ports.isSigned(signed)) return false;
    this.#checked.add(name);
    return true;
  }
}
