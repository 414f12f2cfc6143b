import { Height, must } from "@ostrom/base";
import {
  type Executed,
  encodeSealProof,
  epochOfMessage,
  type LogRecord,
  type Message,
  type StateCertificate,
} from "@ostrom/consensus";
import type { ValidatorSet as StoredValidatorSet } from "@ostrom/execution";
import type { PeerId } from "@ostrom/network";
import { type Store, sealProofOperation } from "@ostrom/storage";
import { serveBlocks } from "./block-server.ts";
import { EarlyMessages } from "./early-messages.ts";
import { type EpochEnd, EpochSession, type EpochSessionPorts, type EpochStart } from "./epoch-session.ts";
import { type EpochSets, findSeat, type NodeKeys } from "./epoch-sets.ts";
import { positionOf } from "./journal-records.ts";
import { sendMessage } from "./messenger.ts";
import type { FinalizedBlock } from "./ordering.ts";
import type { RecoveredChain } from "./recovered-chain.ts";

export type EpochSuccessionPorts = Omit<EpochSessionPorts, "ended" | "serveBlocks" | "certified"> & {
  readonly store: Store;
  readonly sets: EpochSets;
  readonly keys: NodeKeys;
  /** A newer certificate than all before it. */
  readonly certified: (certificate: StateCertificate) => void;
  /** Whether the pool has something to include. */
  readonly hasWork: () => boolean;
  /** Who may be linked has changed. */
  readonly setsChanged: () => void;
};

/** One epoch after another: what is heard goes to the epoch that it is about, and where one ends the next begins (rules E3 to E6).
 * The session of the epoch before goes on beside the current one: its set signs results through its last block. */
export class EpochSuccession {
  readonly #ports: EpochSuccessionPorts;
  readonly #early = new EarlyMessages();
  /** Of the log, for epochs that have not begun. */
  #records: readonly LogRecord[];
  #current: EpochSession;
  #previous: EpochSession | undefined;
  #newest: StateCertificate | undefined;
  /** The epoch's last block, until what proves it final is stored. */
  #lastBlock: FinalizedBlock | undefined;
  #end: EpochEnd | undefined;
  /** A peer without a place in the current set that was asked for blocks. */
  #asked: PeerId | undefined;
  #canAsk = true;
  #cancelAskTimer: () => void = () => undefined;
  #isStarted = false;
  #isStopped = false;

  constructor(recovered: RecoveredChain, records: readonly LogRecord[], ports: EpochSuccessionPorts) {
    this.#ports = ports;
    this.#records = records;
    this.#newest = recovered.certificate;
    const { tip, results } = recovered;
    if (results.some(({ epoch }) => epoch === tip.epoch - 1))
      this.#previous = this.#open(tip.epoch - 1, undefined, results);
    this.#current = this.#open(tip.epoch, tip, results);
  }

  /** Begins to take part. */
  start(): void {
    this.#isStarted = true;
    this.#tellPlace(undefined);
    this.#previous?.start();
    this.#current.start();
    this.#handOver();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelAskTimer();
    await Promise.all([this.#current.stop(), this.#previous?.stop()]);
  }

  /** How much is kept in memory, by what. */
  sizes(): Readonly<Record<string, number>> {
    return {
      ...this.#current.sizes(),
      earlyBytes: this.#early.bytes,
      futureRecords: this.#records.length,
    };
  }

  get current(): Pick<EpochSession, "epoch" | "validators" | "own"> {
    return this.#current;
  }

  get newestCertificate(): StateCertificate | undefined {
    return this.#newest;
  }

  /** Sets whose validators may be linked: this epoch's; the next one's as soon as it is known; the one before until this
   * epoch's has certified something (rule E8). */
  linkedSets(): readonly StoredValidatorSet[] {
    const { sets } = this.#ports;
    const { epoch } = this.#current;
    const isBeforeNeeded = (this.#newest?.executed.epoch ?? 0) < epoch;
    return [isBeforeNeeded ? epoch - 1 : epoch, epoch, epoch + 1].flatMap(
      (one) => sets.of(one)?.stored ?? [],
    );
  }

  /** Newest final block, if the next one can be joined to it now; undefined while an epoch hands over. */
  get finalHeight(): number | undefined {
    const tip = this.#current.finalTip;
    const isAtEnd = tip === undefined || tip.height >= this.#current.bounds.lastHeight;
    return isAtEnd || this.#end !== undefined ? undefined : tip.height;
  }

  /** Blocks that were asked for, from whoever has them. */
  takeBlocks(range: Extract<Message, { kind: "block-range" }>): void {
    if (epochOfMessage(range) === this.#current.epoch) this.#current.hearBlocks(range);
  }

  /** A certificate that was asked for, from whoever has it. */
  takeCertificate(certificate: StateCertificate): void {
    const { epoch } = certificate.executed;
    [this.#current, this.#previous].find((one) => one?.epoch === epoch)?.hearCertificate(certificate);
  }

  /** A question that anybody may ask. */
  answer(peerId: PeerId, message: Message): void {
    this.#question(peerId, message);
  }

  /** The least height that the certificate of a block of this height must have (rule E1). */
  leastCertified(height: number): number {
    const { firstHeight, leastCertified } = this.#current.bounds;
    return height === firstHeight ? leastCertified : 0;
  }

  work(pending: boolean): void {
    this.#current.work(pending);
  }

  /** A message from a linked peer. @param bytes its length. */
  hear(peerId: PeerId, message: Message, bytes: number): void {
    const epoch = epochOfMessage(message);
    if (epoch === undefined) this.#question(peerId, message);
    else if (epoch > this.#current.epoch) this.#hearAhead(peerId, epoch, message, bytes);
    else if (epoch === this.#current.epoch) this.#hearNow(peerId, message);
    else if (epoch === this.#previous?.epoch) hearIn(this.#previous, peerId, message);
    this.#hearCarried(peerId, message);
  }

  /** A block is executed and on disk. */
  executed(result: Executed): void {
    if (result.epoch === this.#current.epoch) this.#current.executed(result);
    else if (result.epoch === this.#previous?.epoch) this.#previous.executed(result);
    if (result.height === this.#current.bounds.frozenHeight) this.#ports.setsChanged();
    this.#handOver();
  }

  #hearNow(peerId: PeerId, message: Message): void {
    if (this.#current.indexOf(peerId) !== undefined) hearIn(this.#current, peerId, message);
    else if (message.kind === "block-range" && peerId === this.#asked) {
      this.#asked = undefined;
      this.#current.hearBlocks(message);
    }
  }

  /** The others are in a later epoch: what they say is kept for it, and the blocks up to it are asked for. */
  #hearAhead(peerId: PeerId, epoch: number, message: Message, bytes: number): void {
    this.#early.keep(peerId, epoch, message, bytes);
    const from = this.#current.indexOf(peerId);
    if (from !== undefined) this.#current.hearAhead(from, message);
    else this.#askForBlocks(peerId);
  }

  /** Asks a peer that has no place in this epoch's set, at most once in a while. */
  #askForBlocks(peerId: PeerId): void {
    const tip = this.#current.finalTip;
    if (!this.#canAsk || this.#end !== undefined || tip === undefined || !this.#ports.hasRoom()) return;
    const { network, clock, consensus } = this.#ports;
    this.#canAsk = false;
    this.#cancelAskTimer = clock.after(consensus.fetchRetryMs, () => {
      this.#canAsk = true;
    });
    this.#asked = peerId;
    sendMessage(network, peerId, { kind: "block-range-request", fromHeight: Height(tip.height + 1) });
  }

  #question(peerId: PeerId, message: Message): void {
    if (message.kind === "block-range-request") this.#serveBlocks(peerId, message.fromHeight);
    const newest = this.#newest;
    if (message.kind !== "state-certificate-request" || newest === undefined) return;
    if (newest.executed.height >= message.height)
      sendMessage(this.#ports.network, peerId, { kind: "state-certificate", certificate: newest });
  }

  #serveBlocks(peerId: PeerId, fromHeight: number): void {
    const { store, sets, network } = this.#ports;
    serveBlocks(store, sets, fromHeight, (message) => sendMessage(network, peerId, message));
  }

  /** The state certificate that a proposal carries, as if its leader had sent it by itself: it answers for what it costs to find it
   * wrong. From who has no place in the certificate's epoch it is not read here: the engine verifies what it needs for the proposal. */
  #hearCarried(peerId: PeerId, message: Message): void {
    const certificate = message.kind === "proposal" ? message.block.stateCertificate : undefined;
    if (certificate === undefined) return;
    const { epoch } = certificate.executed;
    const session = [this.#current, this.#previous].find((one) => one?.epoch === epoch);
    if (session !== undefined) hearIn(session, peerId, { kind: "state-certificate", certificate });
  }

  #certified(session: number, certificate: StateCertificate): void {
    if (certificate.executed.height <= (this.#newest?.executed.height ?? 0)) return;
    const isFirst = this.#newest?.executed.epoch !== certificate.executed.epoch;
    this.#newest = certificate;
    if (session === this.#current.epoch) {
      // What the set before has not certified by now is certified by a descendant.
      this.#previous?.stopCertifying().catch((error: unknown) => this.#ports.failed(error));
      if (isFirst) this.#ports.setsChanged();
    }
    this.#ports.certified(certificate);
  }

  /** The last block waits: nobody could be shown that it is final if its proof were lost. */
  #finalized(finalized: FinalizedBlock): void {
    if (finalized.block.height === this.#current.bounds.lastHeight) this.#lastBlock = finalized;
    else this.#ports.finalized(finalized);
  }

  #ended(end: EpochEnd): void {
    const { store, finalized, failed } = this.#ports;
    const lastBlock = must(this.#lastBlock, "an epoch ends with its last block");
    const operation = sealProofOperation(this.#current.epoch, encodeSealProof(end.proof));
    store
      .write([operation], { sync: true })
      .then(() => {
        if (this.#isStopped) return;
        this.#lastBlock = undefined;
        this.#end = end;
        finalized(lastBlock);
        this.#handOver();
      })
      .catch(failed);
  }

  /** Begins the next epoch, when this one has ended and the next one's set is known. */
  #handOver(): void {
    const end = this.#end;
    const ended = this.#current;
    const next = ended.epoch + 1;
    if (end === undefined || !this.#isStarted || this.#isStopped || this.#ports.sets.of(next) === undefined)
      return;
    this.#end = undefined;
    this.#previous?.stop().catch(this.#ports.failed);
    if (this.#previous !== undefined) this.#ports.journal.leaveSeat(this.#previous.epoch);
    this.#previous = ended;
    this.#current = this.#open(next, end.tip, []);
    this.#tellPlace(ended);
    this.#ports.setsChanged();
    this.#current.start();
    if (this.#ports.hasWork()) this.#current.work(true);
    for (const { peerId, message, bytes } of this.#early.takeAll()) this.hear(peerId, message, bytes);
  }

  #open(epoch: number, tip: EpochStart["tip"], results: readonly Executed[]): EpochSession {
    const { sets, keys, journal, finalized: _finalized, certified: _certified, ...ports } = this.#ports;
    const { validators } = sets.begun(epoch);
    const seat = findSeat(validators, keys);
    if (seat !== undefined) journal.takeSeat({ epoch: validators.epoch, ...seat });
    const before = sets.of(epoch - 1)?.validators;
    const records = this.#records.filter((record) => positionOf(record).epoch === epoch);
    this.#records = this.#records.filter((record) => positionOf(record).epoch > epoch);
    return new EpochSession(
      {
        bounds: sets.bounds(epoch),
        validators,
        earlierValidators: before === undefined ? [] : [before],
        own: seat?.index,
        tip,
        records,
        certificate: this.#newest,
        results: results.filter((result) => result.epoch === epoch),
      },
      {
        ...ports,
        journal,
        finalized: (finalized) => this.#finalized(finalized),
        serveBlocks: (peerId, fromHeight) => this.#serveBlocks(peerId, fromHeight),
        ended: (end) => this.#ended(end),
        certified: (certificate) => this.#certified(epoch, certificate),
      },
    );
  }

  /** Says what this node is from here on, where that is something else than before. */
  #tellPlace(before: EpochSession | undefined): void {
    const { epoch, own, validators } = this.#current;
    const { log } = this.#ports;
    const fields = { epoch, validators: validators.validators.length, own };
    if (own === undefined && before?.own !== undefined)
      log("warn", "this node is no validator any more: it follows, and signs nothing", fields);
    else if (own === undefined && before === undefined)
      log(
        "warn",
        "the keys of this node belong to no validator of this epoch: it follows, and signs nothing",
        {
          ...fields,
          peerId: this.#ports.keys.peerId,
          hint: "a node that no set names is let in by those who name its peer id in peers of node.json",
        },
      );
    else if (own !== undefined && before !== undefined && before.own === undefined)
      log("info", "this node is a validator from now on", fields);
    else log("info", "an epoch begins", fields);
  }
}

function hearIn(session: EpochSession, peerId: PeerId, message: Message): void {
  const from = session.indexOf(peerId);
  if (from !== undefined) session.hear(from, message);
}
