import { Height } from "@ostrom/base";
import type { Message, OrderedBlock, StateCertificate } from "@ostrom/consensus";
import type { PeerId } from "@ostrom/network";
import type { Clock, Entropy } from "./ports.ts";

/** How long a peer may take for what it was asked: an answer may be megabytes. */
const PATIENCE_MS = 10_000;
/** After so long without an answer another is asked too: sooner if the one that was asked never gave anything. */
const PROVEN_HEDGE_MS = 3_000;
const UNPROVEN_HEDGE_MS = 600;
/** Peers that are asked at one time. */
const MAX_QUESTIONS = 8;
/** Peers that came by themselves are asked after those that this node chose. */
const UNCHOSEN_HANDICAP_MS = 1_000;
const TICK_MS = 100;
/** So many questions without an answer are held against a peer. */
const UNANSWERED_PER_BLAME = 3;
/** A peer that is asked for the first time is taken to be this fast. */
const USUAL_ANSWER_MS = 200;
/** One of so many questions goes to another than the fastest peer: the others are given the chance to be faster. */
const EXPLORED_ONE_IN = 4;
/** What one peer answers is bounded (peer-conduct.ts): it is asked no more often. */
const MIN_ASK_INTERVAL_MS = 125;
const CERTIFICATE_INTERVAL_MS = 250;
/** Answers none of whose blocks is final by itself are joined, up to this. */
const MAX_JOINED_BLOCKS = 1_024;
const MAX_JOINED_BYTES_ANSWERS = 6;

type BlockRange = Extract<Message, { kind: "block-range" }>;

export type StrangerSyncPorts = {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Newest block that is final here and to which the next may be joined; undefined while an epoch hands over. */
  readonly finalHeight: () => number | undefined;
  readonly executedHeight: () => number;
  readonly certifiedHeight: () => number;
  /** So many blocks a peer must be ahead to be asked: who has other ways to learn of new blocks waits for these. */
  readonly leastGap: () => number;
  /** Whether more blocks may wait for execution. */
  readonly hasRoom: () => boolean;
  readonly send: (peerId: PeerId, message: Message) => void;
  /** Hands blocks to the engine, which verifies them. */
  /** Whether this node has chosen a peer itself. */
  readonly isChosen: (peerId: PeerId) => boolean;
  /** From which height on a peer says that it has blocks. */
  readonly floorOf?: ((peerId: PeerId) => number) | undefined;
  readonly takeBlocks: (range: BlockRange) => void;
  readonly takeCertificate: (certificate: StateCertificate) => void;
  readonly credit: (peerId: PeerId) => void;
  readonly blame: (peerId: PeerId, kind: "breach" | "nuisance", reason: string) => void;
};

type Source = {
  /** What it says it can serve up to. */
  height: number;
  /** How long its answers take, lately. */
  answerMs: number;
  /** Questions since it last gave something. */
  unanswered: number;
  lastAskedMs: number;
  /** It has given something. */
  isProven: boolean;
};

type Question = { readonly fromHeight: number; readonly atMs: number };

/** Fetches a chain from nodes that have no say in it. Each block is verified by the engine under the set of its epoch, so nothing that
 * they say is believed; what they can do is to say nothing, slowly. Whoever does is asked less, then not at all. One question at a time goes
 * to the peer that is likely to answer first, now and then to another; if no answer comes soon, to a further one besides. */
export class StrangerSync {
  readonly #ports: StrangerSyncPorts;
  readonly #sources = new Map<PeerId, Source>();
  readonly #questions = new Map<PeerId, Question>();
  /** Consecutive blocks of one peer that wait for the one that proves them final. */
  #joined:
    | { readonly peerId: PeerId; readonly blocks: readonly OrderedBlock[]; readonly answers: number }
    | undefined;
  #certificateAsked: { readonly peerId: PeerId; readonly atMs: number } | undefined;
  #cancelTick: (() => void) | undefined;
  #stopped = false;

  constructor(ports: StrangerSyncPorts) {
    this.#ports = ports;
  }

  /** A peer says up to which height it can serve. */
  heard(peerId: PeerId, height: number): void {
    const source = this.#sources.get(peerId);
    if (source !== undefined) source.height = height;
    else
      this.#sources.set(peerId, {
        height,
        answerMs: USUAL_ANSWER_MS,
        unanswered: 0,
        lastAskedMs: Number.NEGATIVE_INFINITY,
        isProven: false,
      });
    this.advance();
  }

  gone(peerId: PeerId): void {
    this.#sources.delete(peerId);
    this.#questions.delete(peerId);
    if (this.#joined?.peerId === peerId) this.#joined = undefined;
    this.advance();
  }

  /** The height that half of those claim at least who have given blocks before; nothing proves it, but one of several alone cannot raise it,
   * and with it make the node seem to be behind. */
  get highestClaim(): number {
    const claims = [...this.#sources.values()]
      .filter(({ isProven }) => isProven)
      .map(({ height }) => height)
      .sort((a, b) => a - b);
    return claims[Math.floor(claims.length / 2)] ?? 0;
  }

  /** Whether a message answers what this asked. */
  expects(peerId: PeerId, { kind }: Message): boolean {
    if (kind === "block-range") return this.#questions.has(peerId);
    return kind === "state-certificate" && this.#certificateAsked?.peerId === peerId;
  }

  message(peerId: PeerId, message: Message): void {
    if (message.kind === "block-range") this.#hearRange(peerId, message);
    else if (message.kind === "state-certificate" && this.#certificateAsked?.peerId === peerId) {
      this.#certificateAsked = { ...this.#certificateAsked, peerId: "" };
      const before = this.#ports.certifiedHeight();
      this.#ports.takeCertificate(message.certificate);
      if (this.#ports.certifiedHeight() > before) this.#ports.credit(peerId);
    }
  }

  /** Asks whatever is to be asked now. Call it when a block was executed and when an epoch has begun, too. */
  advance(): void {
    if (this.#stopped) return;
    if (this.#mayAsk()) this.#askBlocks();
    if (this.#questions.size === 0) this.#askCertificate();
    this.#tickLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTick?.();
  }

  #hearRange(peerId: PeerId, range: BlockRange): void {
    const question = this.#questions.get(peerId);
    const source = this.#sources.get(peerId);
    // What comes too late is nobody's fault.
    if (question === undefined || source === undefined) return;
    this.#questions.delete(peerId);
    const before = this.#ports.finalHeight();
    const isGood = range.blocks[0]?.height === question.fromHeight && this.#take(peerId, range);
    if (isGood) {
      source.unanswered = 0;
      source.answerMs = (source.answerMs + Math.max(0, this.#ports.clock.nowMs() - question.atMs)) / 2;
      // Nobody has looked at blocks that others gave sooner, or that wait for the one that proves them.
      if (before !== undefined && this.#ports.finalHeight() !== before) {
        source.isProven = true;
        this.#ports.credit(peerId);
      }
    } else {
      this.#joined = undefined;
      source.unanswered += 1;
      this.#ports.blame(peerId, "breach", "sync/bad-blocks");
    }
    this.advance();
  }

  /** Whether one more question may be under way. */
  #mayAsk(): boolean {
    if (this.#questions.size >= MAX_QUESTIONS) return false;
    const nowMs = this.#ports.clock.nowMs();
    return [...this.#questions].every(([peerId, { atMs }]) => {
      const patienceMs = this.#sources.get(peerId)?.isProven === true ? PROVEN_HEDGE_MS : UNPROVEN_HEDGE_MS;
      return Math.abs(nowMs - atMs) >= patienceMs;
    });
  }

  /** @returns false if the blocks are not what was asked for. */
  #take(peerId: PeerId, range: BlockRange): boolean {
    const { finalHeight, takeBlocks } = this.#ports;
    const before = finalHeight();
    if (before === undefined) return true;
    const earlier = this.#joined?.peerId === peerId ? this.#joined : undefined;
    const blocks = [...(earlier?.blocks ?? []), ...range.blocks];
    const last = blocks.at(-1);
    if (last === undefined) return false;
    // Others were faster.
    if (last.height <= before) return true;
    if (range.finalization.view > last.view) {
      const answers = (earlier?.answers ?? 0) + 1;
      const isTooMuch = blocks.length > MAX_JOINED_BLOCKS || answers > MAX_JOINED_BYTES_ANSWERS;
      this.#joined = isTooMuch ? undefined : { peerId, blocks, answers };
      return !isTooMuch;
    }
    this.#joined = undefined;
    takeBlocks({ ...range, blocks });
    const after = finalHeight();
    return after === undefined || after > before;
  }

  #askBlocks(): void {
    const { finalHeight, hasRoom, clock, send } = this.#ports;
    const height = finalHeight();
    if (height === undefined || !hasRoom()) return;
    const end = this.#joined?.blocks.at(-1)?.height ?? height;
    const peerId = this.#joined?.peerId ?? this.#whomToAsk(height);
    if (peerId === undefined || this.#questions.has(peerId)) return;
    const nowMs = clock.nowMs();
    this.#questions.set(peerId, { fromHeight: end + 1, atMs: nowMs });
    const source = this.#sources.get(peerId);
    if (source !== undefined) source.lastAskedMs = nowMs;
    send(peerId, { kind: "block-range-request", fromHeight: Height(end + 1) });
  }

  #whomToAsk(height: number): PeerId | undefined {
    const nowMs = this.#ports.clock.nowMs();
    const least = height + this.#ports.leastGap();
    const able = [...this.#sources].filter(
      ([peerId, source]) =>
        source.height > least &&
        (this.#ports.floorOf?.(peerId) ?? 0) <= height + 1 &&
        !this.#questions.has(peerId) &&
        Math.abs(nowMs - source.lastAskedMs) >= MIN_ASK_INTERVAL_MS,
    );
    const handicapMs = (peerId: PeerId): number => (this.#ports.isChosen(peerId) ? 0 : UNCHOSEN_HANDICAP_MS);
    const [best, ...others] = able
      .map(([peerId, source]) => ({ peerId, source, ms: expectedMs(source) + handicapMs(peerId) }))
      .toSorted((a, b) => a.ms - b.ms);
    const answering = others.filter(({ source }) => source.isProven && source.unanswered === 0);
    const explores = answering.length > 0 && this.#draw(EXPLORED_ONE_IN) === 0;
    return (explores ? answering[this.#draw(answering.length)] : best)?.peerId;
  }

  #draw(bound: number): number {
    const [byte = 0] = this.#ports.entropy.bytes(1);
    return byte % bound;
  }

  /** All blocks are here: what a quorum says of the newest results is asked of one after another. */
  #askCertificate(): void {
    const { clock, certifiedHeight, executedHeight, send } = this.#ports;
    const nowMs = clock.nowMs();
    const sinceMs = nowMs - (this.#certificateAsked?.atMs ?? Number.NEGATIVE_INFINITY);
    if (executedHeight() <= certifiedHeight() || Math.abs(sinceMs) < CERTIFICATE_INTERVAL_MS) return;
    const able = [...this.#sources].filter(([, { unanswered }]) => unanswered < UNANSWERED_PER_BLAME);
    const [peerId] = able[able.length === 0 ? 0 : this.#draw(able.length)] ?? [];
    if (peerId === undefined) return;
    this.#certificateAsked = { peerId, atMs: nowMs };
    send(peerId, { kind: "state-certificate-request", height: Height(certifiedHeight() + 1) });
  }

  /** Runs while there is anybody to ask. */
  #tickLater(): void {
    if (this.#cancelTick !== undefined || this.#sources.size === 0) return;
    this.#cancelTick = this.#ports.clock.after(TICK_MS, () => {
      this.#cancelTick = undefined;
      this.#giveUpWaiting();
      this.advance();
    });
  }

  #giveUpWaiting(): void {
    const nowMs = this.#ports.clock.nowMs();
    for (const [peerId, question] of this.#questions) {
      const waitedMs = nowMs - question.atMs;
      // The clock may have been set back.
      if (waitedMs >= 0 && waitedMs < PATIENCE_MS) continue;
      this.#questions.delete(peerId);
      if (this.#joined?.peerId === peerId) this.#joined = undefined;
      const source = this.#sources.get(peerId);
      if (source === undefined) continue;
      source.unanswered += 1;
      // It may have lost its way, or lie: its claim counts again when it is repeated.
      source.height = Math.min(source.height, question.fromHeight - 1);
      if (source.unanswered % UNANSWERED_PER_BLAME === 0)
        this.#ports.blame(peerId, "nuisance", "sync/serves-nothing");
    }
  }
}

function expectedMs({ answerMs, unanswered }: Source): number {
  return answerMs + unanswered * PATIENCE_MS;
}
