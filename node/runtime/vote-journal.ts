import { type Bytes, bytesToUint64, concatBytes, type Hash, toHexDigits, uint64ToBytes } from "@ostrom/base";
import {
  type ConsensusDomain,
  decodeLogRecord,
  type Executed,
  encodeLogRecord,
  executedSigningBytes,
  type LogRecord,
  type SignedExecuted,
  type SignedVote,
  type ValidatorIndex,
  type Vote,
  voteSigningBytes,
} from "@ostrom/consensus";
import type { DurableLog } from "./ports.ts";

/** A record of the write-ahead log begins with its kind. */
const CONSENSUS_RECORD = 1;
/** Height (8 bytes) and executed hash (32 bytes): what this validator said the state is. */
const EXECUTED_RECORD = 2;
const EXECUTED_RECORD_LENGTH = 1 + 8 + 32;

/** One of these stands at the head of every log. The first: it was begun anew though this validator may have voted before. The
 * second: nothing is missing before it. A log with neither was cut off by a crash while it was made. */
const LOST_LOG_RECORD = 3;
const WHOLE_LOG_RECORD = 4;

/** The log is rewritten with its live records when it has this many, or so many bytes. */
const ROTATE_AT_RECORDS = 4_096;
const ROTATE_AT_BYTES: number = 64 * 1024 * 1024;
/** Live records beyond this wait until execution has caught up: a rewritten log is one frame. */
const MAX_ROTATED_BYTES: number = 32 * 1024 * 1024;
/** Results this far below the newest are settled: their guards go. */
const EXECUTED_GUARD_HEIGHTS = 1_024;

/** Signs a message with this validator's consensus key; the key itself stays where it is. */
export type Sign = (message: Bytes) => Bytes;

/** The only place where this validator signs. It refuses to contradict what it ever signed, and writes what it signs to the log, so
 * that it still refuses after a restart. Nothing may be sent before `sync` has resolved. */
export class VoteJournal {
  readonly #log: DurableLog;
  readonly #domain: ConsensusDomain;
  readonly #own: ValidatorIndex;
  readonly #sign: Sign;
  readonly #votes = new Map<string, string>();
  readonly #executed = new Map<number, string>();
  #live: { readonly view: number; readonly bytes: Bytes }[] = [];
  readonly #rotateAtRecords: number;
  #recordsInLog = 0;
  #bytesInLog = 0;
  /** Nothing is signed for this view or below. */
  #settledView: number;
  #logIsLost: boolean;
  /** Whether this validator has voted since its log was lost, or never lost it. */
  #isWhole: boolean;

  constructor(options: {
    readonly log: DurableLog;
    readonly domain: ConsensusDomain;
    readonly own: ValidatorIndex;
    readonly sign: Sign;
    readonly replayed: ReplayedJournal;
    /** View of the newest block in the store. */
    readonly settledView: number;
    /** How long the log may grow; a simulator rotates more often than a node must. */
    readonly rotateAtRecords?: number;
  }) {
    this.#log = options.log;
    this.#domain = options.domain;
    this.#own = options.own;
    this.#sign = options.sign;
    this.#settledView = options.settledView;
    this.#rotateAtRecords = options.rotateAtRecords ?? ROTATE_AT_RECORDS;
    this.#logIsLost = options.replayed.logIsLost;
    this.#isWhole = !this.#logIsLost;
    for (const record of options.replayed.records) this.#remember(record, encodeConsensusRecord(record));
    this.#recordsInLog = options.replayed.records.length + options.replayed.executed.size;
    this.#bytesInLog = this.#live.reduce((sum, { bytes }) => sum + bytes.length, 0);
    for (const [height, hash] of options.replayed.executed) this.#executed.set(height, hash);
  }

  /** Whether earlier votes of this validator may be missing here: it must ask the others before it votes again. */
  get logIsLost(): boolean {
    return this.#logIsLost;
  }

  /** Makes the head of a log that has none, durable. @param isLost this validator may have voted before: noted until it has voted
   * again, because a restart in between must not forget it. */
  async begin(isLost: boolean): Promise<void> {
    this.#logIsLost = isLost;
    this.#isWhole = !isLost;
    this.#append(headRecord(isLost));
    await this.#log.sync();
  }

  /** Signs and appends. @throws if this validator ever signed something that contradicts it. */
  signVote(vote: Vote): SignedVote {
    this.#refuseContradiction(vote);
    const signature = this.#sign(voteSigningBytes(this.#domain, vote));
    const signed: SignedVote = { vote, signer: this.#own, signature };
    this.record({ kind: "vote", vote: signed });
    return signed;
  }

  /** Signs and appends. @throws if this validator ever signed another hash for the height. */
  signExecuted(executed: Executed): SignedExecuted {
    const hash = toHexDigits(executed.executedHash);
    const before = this.#executed.get(executed.height);
    if (before !== undefined && before !== hash) {
      throw new Error(
        `block ${executed.height}: this validator signed result ${before} and now computed ${hash}`,
      );
    }
    this.#executed.set(executed.height, hash);
    if (before === undefined) this.#append(encodeExecutedRecord(executed.height, executed.executedHash));
    const signature = this.#sign(executedSigningBytes(this.#domain, executed));
    return { executed, signer: this.#own, signature };
  }

  record(record: LogRecord): void {
    const bytes = encodeConsensusRecord(record);
    this.#remember(record, bytes);
    this.#append(bytes);
  }

  sync(): Promise<void> {
    return this.#log.sync();
  }

  /** Forgets what is below a view whose block is executed and stored: the log then needs it no more. */
  async settle(view: number): Promise<void> {
    this.#settledView = Math.max(this.#settledView, view);
    this.#live = this.#live.filter((entry) => entry.view > view);
    for (const key of this.#votes.keys()) if (Number(key.split(":")[1]) <= view) this.#votes.delete(key);
    const newest = Math.max(...this.#executed.keys());
    for (const height of this.#executed.keys())
      if (height <= newest - EXECUTED_GUARD_HEIGHTS) this.#executed.delete(height);
    if (this.#recordsInLog < this.#rotateAtRecords && this.#bytesInLog < ROTATE_AT_BYTES) return;
    const records = [
      headRecord(!this.#isWhole),
      ...this.#live.map(({ bytes }) => bytes),
      ...[...this.#executed].map(([height, hash]) =>
        encodeExecutedRecord(height, Buffer.from(hash, "hex") as Bytes as Hash),
      ),
    ];
    const size = records.reduce((sum, bytes) => sum + bytes.length, 0);
    if (size > MAX_ROTATED_BYTES) return;
    this.#recordsInLog = records.length;
    this.#bytesInLog = size;
    await this.#log.rotate(records);
  }

  #append(bytes: Bytes): void {
    this.#recordsInLog++;
    this.#bytesInLog += bytes.length;
    this.#log.append([bytes]);
  }

  #remember(record: LogRecord, bytes: Bytes): void {
    this.#live.push({ view: viewOf(record), bytes });
    if (record.kind !== "vote") return;
    this.#votes.set(voteKey(record.vote.vote), toHexDigits(record.vote.vote.digest));
    this.#isWhole = true;
  }

  #refuseContradiction(vote: Vote): void {
    if (vote.view <= this.#settledView) {
      throw new Error(
        `view ${vote.view}: a block of view ${this.#settledView} is stored, votes below are not remembered`,
      );
    }
    const same = this.#votes.get(voteKey(vote));
    if (same !== undefined && same !== toHexDigits(vote.digest)) {
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

export type ReplayedJournal = {
  readonly records: readonly LogRecord[];
  readonly executed: ReadonlyMap<number, string>;
  /** The log was lost once, and no vote has been written since. */
  readonly logIsLost: boolean;
  /** The log has nothing in it: `begin` must be called. */
  readonly isEmpty: boolean;
};

/** Reads the records of a write-ahead log. @throws if one of them is not ours: it was never written by this program. */
export function replayJournal(log: readonly Bytes[]): ReplayedJournal {
  const records: LogRecord[] = [];
  const executed = new Map<number, string>();
  let logIsLost = false;
  for (const bytes of log) {
    if ((bytes[0] === LOST_LOG_RECORD || bytes[0] === WHOLE_LOG_RECORD) && bytes.length === 1) {
      logIsLost = bytes[0] === LOST_LOG_RECORD;
      continue;
    }
    if (bytes[0] === EXECUTED_RECORD && bytes.length === EXECUTED_RECORD_LENGTH) {
      executed.set(bytesToUint64(bytes, 1), toHexDigits(bytes.subarray(9)));
      continue;
    }
    const record = bytes[0] === CONSENSUS_RECORD ? decodeLogRecord(bytes.subarray(1)) : undefined;
    if (record === undefined || !record.ok)
      throw new Error("the write-ahead log holds a record of an unknown kind");
    records.push(record.value);
  }
  const hasVoted = records.some((record) => record.kind === "vote");
  return { records, executed, logIsLost: logIsLost && !hasVoted, isEmpty: log.length === 0 };
}

function headRecord(isLost: boolean): Bytes {
  return Uint8Array.of(isLost ? LOST_LOG_RECORD : WHOLE_LOG_RECORD);
}

function encodeConsensusRecord(record: LogRecord): Bytes {
  return concatBytes(Uint8Array.of(CONSENSUS_RECORD), encodeLogRecord(record));
}

function encodeExecutedRecord(height: number, hash: Hash): Bytes {
  return concatBytes(Uint8Array.of(EXECUTED_RECORD), uint64ToBytes(height), hash);
}

function viewOf(record: LogRecord): number {
  switch (record.kind) {
    case "vote":
      return record.vote.vote.view;
    case "block":
      return record.block.view;
    case "certificate":
      return record.certificate.view;
    default:
      return record satisfies never;
  }
}

function voteKey(vote: Vote): string {
  return `${vote.epoch}:${vote.view}:${vote.kind}`;
}
