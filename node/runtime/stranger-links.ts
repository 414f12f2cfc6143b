import { equalBytes } from "@ostrom/base";
import type { Message } from "@ostrom/consensus";
import type { PeerId } from "@ostrom/network";
import type { FinalizedBlock } from "./ordering.ts";
import { PeerQuota, type QuotaLimits } from "./peer-quota.ts";
import { StrangerSync, type StrangerSyncPorts } from "./stranger-sync.ts";

/** What a node does with linked nodes that are no validators and that node.json does not name. */
export type StrangerLinks = {
  readonly isStranger: (peerId: PeerId) => boolean;
  /** Whether transactions are sent to a peer by themselves. */
  readonly spreadsTo: (peerId: PeerId) => boolean;
  /** Tells strangers up to which block this node can serve them. */
  readonly announce: (height: number) => void;
  /** A stranger gave something new and true. */
  readonly credit: (peerId: PeerId) => void;
  readonly blame: (peerId: PeerId, kind: "breach" | "nuisance", reason: string) => void;
};

/** What all strangers together may make a node read and encode: ranges of blocks cost most. */
const ANSWERS: QuotaLimits = { perSecond: 24, burst: 48 };

export type StrangerDeskPorts = Omit<StrangerSyncPorts, "credit" | "blame" | "isChosen"> & {
  readonly strangers?: StrangerLinks | undefined;
  /** Answers a question from the store. */
  readonly answer: (peerId: PeerId, message: Message) => void;
};

/** All that a node has to do with strangers: what it tells and answers them, and what it has from them. */
export class StrangerDesk {
  readonly #strangers: StrangerLinks | undefined;
  readonly #answer: StrangerDeskPorts["answer"];
  readonly #answers: PeerQuota<"strangers">;
  readonly #sync: StrangerSync;
  /** Final blocks with a finalization of their own, not executed yet: only with these an answer can end. */
  #provable: number[] = [];

  constructor({ strangers, answer, ...ports }: StrangerDeskPorts) {
    this.#strangers = strangers;
    this.#answer = answer;
    this.#answers = new PeerQuota(ports.clock, ANSWERS);
    this.#sync = new StrangerSync({
      ...ports,
      isChosen: (peerId) => strangers?.spreadsTo(peerId) === true,
      credit: (peerId) => strangers?.credit(peerId),
      blame: (peerId, kind, reason) => strangers?.blame(peerId, kind, reason),
    });
  }

  /** @param height of the newest block in the store. */
  start(height: number): void {
    if (height > 0) this.#strangers?.announce(height);
  }

  /** Reads a message, if it is a stranger's, who may ask, and answer what it was asked; or what another was asked here.
   * @returns false if it is for others. */
  hear(peerId: PeerId, message: Message): boolean {
    const isStranger = this.#strangers?.isStranger(peerId) === true;
    if (!isStranger && !this.#sync.expects(peerId, message)) return false;
    if (isStranger && this.#mayAnswer(message)) this.#answer(peerId, message);
    else this.#sync.message(peerId, message);
    return true;
  }

  /** Where the chain may be, as those say who have given blocks before. */
  get highestClaim(): number {
    return this.#sync.highestClaim;
  }

  /** A peer says up to which block it can serve this node; nothing proves it. */
  hearHead(peerId: PeerId, height: number): void {
    this.#sync.heard(peerId, height);
  }

  gone(peerId: PeerId): void {
    this.#sync.gone(peerId);
  }

  finalized({ block, digest, finalization }: FinalizedBlock): void {
    if (equalBytes(finalization.digest, digest)) this.#provable.push(block.height);
  }

  /** A block is on disk. */
  executed(height: number): void {
    const servable = this.#provable.filter((one) => one <= height).at(-1);
    this.#provable = this.#provable.filter((one) => one > height);
    if (servable !== undefined) this.#strangers?.announce(servable);
    this.#sync.advance();
  }

  /** An epoch has begun. */
  advance(): void {
    this.#sync.advance();
  }

  stop(): void {
    this.#sync.stop();
  }

  #mayAnswer({ kind }: Message): boolean {
    if (kind === "state-certificate-request") return true;
    return kind === "block-range-request" && this.#answers.spend("strangers", 1);
  }
}
