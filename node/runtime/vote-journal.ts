import { assert, type Bytes, type Epoch, type Hash, must, toHexDigits } from "@ostrom/base";
import {
  type ConsensusDomain,
  domainOfSet,
  type Executed,
  executedSigningBytes,
  type LogRecord,
  type SchemeId,
  type SignedExecuted,
  type SignedVote,
  type ValidatorIndex,
  type Vote,
  voteSigningBytes,
} from "@ostrom/consensus";
import { CheckpointGuard } from "./checkpoint-guard.ts";
import {
  afterBlockOf,
  afterVoteIn,
  encodeConsensusRecord,
  encodeExecutedRecord,
  encodeHeadRecord,
  encodeSettledRecord,
  isAfter,
  type LostVotes,
  mustAskIn,
  positionOf,
  type ReplayedJournal,
  type ViewPosition,
} from "./journal-records.ts";
import type { DurableLog } from "./ports.ts";

/** The log is rewritten with its live records when it has this many, or so many bytes. */
const ROTATE_AT_RECORDS = 4_096;
const ROTATE_AT_BYTES: number = 64 * 1024 * 1024;
/** Live records beyond this wait until execution has caught up: a rewritten log is one frame. */
const MAX_ROTATED_BYTES: number = 32 * 1024 * 1024;
/** Results this far below the newest are settled: their guards go. */
const EXECUTED_GUARD_HEIGHTS = 1_024;

/** Signs a message with one of this node's consensus keys; the key itself stays where it is. */
export type Sign = (message: Bytes) => Bytes;

/** Has a key on another machine sign (remote-signer.ts). @param isMoot whether nobody needs the signature any more.
 * @returns undefined if it has become needless, or that machine refuses: nothing is signed then. */
export type SignElsewhere = (message: Bytes, isMoot: () => boolean) => Promise<Bytes | undefined>;

/** A key that signs epoch checkpoints. */
export type CheckpointSigner = {
  readonly publicKey: Bytes;
  readonly sign: Sign;
  readonly signElsewhere?: SignElsewhere | undefined;
};

/** What this node is in one epoch: its place in that epoch's set, the scheme of that set, and the key that the set knows it by. */
export type Seat = {
  readonly epoch: Epoch;
  readonly index: ValidatorIndex;
  readonly schemeId: SchemeId;
  readonly sign: Sign;
  /** Of a key on another machine; `sign` is never called then. */
  readonly signElsewhere?: SignElsewhere | undefined;
};

/** Where the newest epoch that these keys have voted in is kept, beside them: it must outlive log and database, and without it nobody
 * would miss a log that is lost. */
export type VotedMark = {
  /** undefined: they have never voted, or nobody has written it down. */
  readonly epoch: number | undefined;
  /** Resolves when it is durable. */
  readonly write: (epoch: number) => Promise<void>;
};

/** The only place where this validator signs. It refuses to contradict what it ever signed, and writes what it signs to the log, so
 * that it still refuses after a restart. What is of an epoch is signed with that epoch's seat or not at all. Nothing may be sent
 * before `sync` has resolved. */
export class VoteJournal {
  readonly #log: DurableLog;
  readonly #domain: ConsensusDomain;
  readonly #seats = new Map<number, Seat>();
  readonly #votes = new Map<string, { readonly position: ViewPosition; readonly digest: string }>();
  readonly #executed = new Map<number, string>();
  readonly #checkpoints: CheckpointGuard;
  #live: { readonly position: ViewPosition; readonly bytes: Bytes }[] = [];
  readonly #rotateAtRecords: number;
  #recordsInLog = 0;
  #bytesInLog = 0;
  /** Nothing is signed for this view of this epoch, or before. */
  #settled: ViewPosition;
  #lost: LostVotes;
  /** The log has left out votes that the database, which was lost since, made needless. */
  readonly #isStoreBehind: boolean;
  readonly #mark: VotedMark | undefined;
  #markedEpoch: number;
  /** The newest write of the mark. */
  #marking: Promise<void> = Promise.resolve();
  /** Newest epoch in which this validator has signed a vote in this life. */
  #votedEpoch = -1;

  constructor(options: {
    readonly log: DurableLog;
    readonly domain: ConsensusDomain;
    readonly replayed: ReplayedJournal;
    /** Epoch and view of the newest block in the store. */
    readonly settled: ViewPosition;
    readonly mark?: VotedMark;
    /** How long the log may grow; a simulator rotates more often than a node must. */
    readonly rotateAtRecords?: number;
  }) {
    this.#log = options.log;
    this.#domain = options.domain;
    this.#isStoreBehind = isAfter(options.replayed.settled, options.settled);
    this.#settled = this.#isStoreBehind ? options.replayed.settled : options.settled;
    this.#rotateAtRecords = options.rotateAtRecords ?? ROTATE_AT_RECORDS;
    for (const record of options.replayed.records) this.#remember(record, encodeConsensusRecord(record));
    this.#lost = options.replayed.lost;
    this.#mark = options.mark;
    this.#markedEpoch = options.mark?.epoch ?? -1;
    const { records, executed, checkpoints } = options.replayed;
    this.#checkpoints = new CheckpointGuard(checkpoints);
    this.#recordsInLog = records.length + executed.size + checkpoints.size;
    this.#bytesInLog = this.#live.reduce((sum, { bytes }) => sum + bytes.length, 0);
    for (const [height, hash] of options.replayed.executed) this.#executed.set(height, hash);
  }

  /** Takes this node's place in the set of an epoch: from now on it can sign what is of that epoch. */
  takeSeat(seat: Seat): void {
    this.#seats.set(seat.epoch, seat);
  }

  /** Signs no more for an epoch. */
  leaveSeat(epoch: number): void {
    this.#seats.delete(epoch);
  }

  /** Whether votes of this validator in that epoch may be missing here: it must ask the others before it votes there. */
  isLogLostIn(epoch: number): boolean {
    return mustAskIn(this.#lost, epoch) || (this.#isStoreBehind && epoch <= this.#settled.epoch);
  }

  /** Whether votes of some epoch may be missing here, whichever: until a block of an epoch is stored in which none can be. */
  get hasLostVotes(): boolean {
    return this.#lost.kind === "lost";
  }

  /** Makes the head of a log that has none, durable. @param isLost this validator may have voted before: noted until the chain is past
   * the epochs in which it may have, because a restart in between must not forget it. */
  async begin(isLost: boolean): Promise<void> {
    this.#lost = isLost ? { kind: "lost", through: this.#mark?.epoch ?? 0, votedIn: [] } : { kind: "whole" };
    this.#append(encodeHeadRecord(this.#lost));
    await this.#log.sync();
  }

  /** Signs and appends. @throws if this validator ever signed something that contradicts it. */
  signVote(vote: Vote): SignedVote {
    const seat = this.#seatOf(vote.epoch);
    this.#refuseContradiction(vote);
    return this.#signed(vote, seat, seat.sign(voteSigningBytes(domainOfSet(this.#domain, seat), vote)));
  }

  /** Whether signatures of an epoch come from another machine: then `requestVote` and `requestExecuted` ask for them. */
  isSignedElsewhere(epoch: number): boolean {
    return this.#seats.get(epoch)?.signElsewhere !== undefined;
  }

  /** Asks the machine that has the key, and appends what it signed. The vote counts as made from now on: nothing that contradicts it is asked for.
   * @returns undefined if it comes too late or is refused there. @throws as `signVote`. */
  async requestVote(vote: Vote): Promise<SignedVote | undefined> {
    const seat = this.#seatOf(vote.epoch);
    this.#refuseContradiction(vote);
    this.#votes.set(voteKey(vote), { position: vote, digest: toHexDigits(vote.digest) });
    const isMoot = (): boolean => !isAfter(vote, this.#settled);
    const message = voteSigningBytes(domainOfSet(this.#domain, seat), vote);
    const signature = await must(seat.signElsewhere, "the key of this seat is elsewhere")(message, isMoot);
    return signature === undefined || isMoot() ? undefined : this.#signed(vote, seat, signature);
  }

  #signed(vote: Vote, seat: Seat, signature: Bytes): SignedVote {
    const signed: SignedVote = { vote, signer: seat.index, signature };
    this.record({ kind: "vote", vote: signed });
    this.#votedEpoch = Math.max(this.#votedEpoch, vote.epoch);
    return signed;
  }

  /** Signs and appends. @throws if this validator ever signed another hash for the height. */
  signExecuted(executed: Executed): SignedExecuted {
    const seat = this.#seatOf(executed.epoch);
    const message = this.#promiseExecuted(executed, seat);
    return { executed, signer: seat.index, signature: seat.sign(message) };
  }

  /** The same with a key on another machine. @returns undefined if it comes too late or is refused there. */
  async requestExecuted(executed: Executed): Promise<SignedExecuted | undefined> {
    const seat = this.#seatOf(executed.epoch);
    const message = this.#promiseExecuted(executed, seat);
    const isMoot = (): boolean => !this.#executed.has(executed.height);
    const signature = await must(seat.signElsewhere, "the key of this seat is elsewhere")(message, isMoot);
    return signature === undefined ? undefined : { executed, signer: seat.index, signature };
  }

  /** Writes down which result this validator signs for a height. @returns what is to be signed. */
  #promiseExecuted(executed: Executed, seat: Seat): Bytes {
    const hash = toHexDigits(executed.executedHash);
    const before = this.#executed.get(executed.height);
    if (before !== undefined && before !== hash) {
      throw new Error(
        `block ${executed.height}: this validator signed result ${before} and now computed ${hash}`,
      );
    }
    this.#executed.set(executed.height, hash);
    if (before === undefined) this.#append(encodeExecutedRecord(executed.height, executed.executedHash));
    return executedSigningBytes(domainOfSet(this.#domain, seat), executed);
  }

  /** Signs an epoch's checkpoint by a checkpoint key, whatever this node's seats are. That it does is durable before.
   * @param isMoot whether nobody needs it any more: asked where the key is on another machine.
   * @returns undefined if that machine refuses, or it has become needless. @throws if the key ever signed another checkpoint of that epoch. */
  async signCheckpoint(
    { publicKey, sign, signElsewhere }: CheckpointSigner,
    epoch: number,
    message: Bytes,
    isMoot: () => boolean,
  ): Promise<Bytes | undefined> {
    const record = this.#checkpoints.promise(publicKey, epoch, message);
    if (record !== undefined) this.#append(record);
    // Also where it is not new: the first promise may not have reached the disk yet.
    await this.#log.sync();
    return signElsewhere === undefined ? sign(message) : signElsewhere(message, isMoot);
  }

  record(record: LogRecord): void {
    const bytes = encodeConsensusRecord(record);
    this.#remember(record, bytes);
    if (record.kind === "vote") this.#lost = afterVoteIn(this.#lost, record.vote.vote.epoch);
    this.#append(bytes);
  }

  /** Makes durable all that is appended. Before the first vote of an epoch it is written down that there is one. */
  async sync(): Promise<void> {
    const mark = this.#mark;
    const epoch = this.#votedEpoch;
    if (mark !== undefined && epoch > this.#markedEpoch) {
      // Two writes of one file would disturb each other: at a hand-over, votes and results are synced at the same time.
      this.#marking = this.#marking.then(async () => {
        if (epoch <= this.#markedEpoch) return;
        await mark.write(epoch);
        this.#markedEpoch = epoch;
      });
      await this.#marking;
    }
    await this.#log.sync();
  }

  /** Forgets what is not after a block that is executed and stored: the log then needs it no more. */
  async settle(stored: ViewPosition): Promise<void> {
    if (isAfter(stored, this.#settled)) this.#settled = stored;
    this.#lost = afterBlockOf(this.#lost, stored.epoch);
    this.#live = this.#live.filter(({ position }) => isAfter(position, stored));
    for (const [key, { position }] of this.#votes) if (!isAfter(position, stored)) this.#votes.delete(key);
    const newest = Math.max(...this.#executed.keys());
    for (const height of this.#executed.keys())
      if (height <= newest - EXECUTED_GUARD_HEIGHTS) this.#executed.delete(height);
    if (this.#recordsInLog < this.#rotateAtRecords && this.#bytesInLog < ROTATE_AT_BYTES) return;
    const records = [
      encodeHeadRecord(this.#lost),
      encodeSettledRecord(this.#settled),
      ...this.#live.map(({ bytes }) => bytes),
      ...[...this.#executed].map(([height, hash]) =>
        encodeExecutedRecord(height, Buffer.from(hash, "hex") as Bytes as Hash),
      ),
      ...this.#checkpoints.records(),
    ];
    const size = records.reduce((sum, bytes) => sum + bytes.length, 0);
    if (size > MAX_ROTATED_BYTES) return;
    this.#recordsInLog = records.length;
    this.#bytesInLog = size;
    await this.#log.rotate(records);
  }

  #seatOf(epoch: number): Seat {
    const seat = this.#seats.get(epoch);
    assert(seat !== undefined, `this node has no seat in epoch ${epoch}`);
    return seat;
  }

  #append(bytes: Bytes): void {
    this.#recordsInLog++;
    this.#bytesInLog += bytes.length;
    this.#log.append([bytes]);
  }

  #remember(record: LogRecord, bytes: Bytes): void {
    this.#live.push({ position: positionOf(record), bytes });
    if (record.kind !== "vote") return;
    const { vote } = record.vote;
    this.#votes.set(voteKey(vote), { position: vote, digest: toHexDigits(vote.digest) });
  }

  #refuseContradiction(vote: Vote): void {
    const { epoch, view } = this.#settled;
    if (!isAfter(vote, this.#settled)) {
      throw new Error(
        `epoch ${vote.epoch}, view ${vote.view}: a block of epoch ${epoch}, view ${view} is stored, votes below are not remembered`,
      );
    }
    const same = this.#votes.get(voteKey(vote));
    if (same !== undefined && same.digest !== toHexDigits(vote.digest)) {
      throw new Error(`view ${vote.view}: this validator signed another ${vote.kind} vote before`);
    }
    const opposite = vote.kind === "finalize" ? "nullify" : vote.kind === "nullify" ? "finalize" : undefined;
    if (opposite !== undefined && this.#votes.has(voteKey({ ...vote, kind: opposite }))) {
      throw new Error(
        `view ${vote.view}: this validator signed a ${opposite} vote and must not ${vote.kind}`,
      );
    }
  }
}

function voteKey(vote: Vote): string {
  return `${vote.epoch}:${vote.view}:${vote.kind}`;
}
