import {
  type Bytes,
  bytesToUint64,
  concatBytes,
  Epoch,
  type Hash,
  toHexDigits,
  uint64ToBytes,
} from "@ostrom/base";
import { decodeLogRecord, encodeLogRecord, type LogRecord } from "@ostrom/consensus";

/** A record of the write-ahead log begins with its kind. */
const CONSENSUS_RECORD = 1;
/** Height (8 bytes) and executed hash (32 bytes): what this validator said the state is. */
const EXECUTED_RECORD = 2;
const EXECUTED_RECORD_LENGTH = 1 + 8 + 32;

/** One of these stands at the head of every log. The first: it was begun anew though this validator may have voted before. The
 * second: nothing is missing before it. The third: as the first, but it has voted again, first in the epoch that follows
 * (8 bytes), and not yet in a later one. A log with none of them was cut off by a crash while it was made. */
const LOST_LOG_RECORD = 3;
const WHOLE_LOG_RECORD = 4;
const RETURNED_LOG_RECORD = 5;
const RETURNED_LOG_RECORD_LENGTH = 1 + 8;

/** Epoch and view (8 bytes each): votes of this view and before it were left out when the log was rewritten, because a block of it is
 * in the database. Who loses the database alone must not vote there again. */
const SETTLED_RECORD = 6;
const SETTLED_RECORD_LENGTH = 1 + 8 + 8;

/** What is known of votes that may be missing from the log.
 * - `whole`: none is, or none that matters any more.
 * - `lost`: some may be, and this validator has not voted since.
 * - `returned`: it has voted again, first in `epoch`, and not yet in a later one. */
export type LostVotes =
  | { readonly kind: "whole" }
  | { readonly kind: "lost" }
  | { readonly kind: "returned"; readonly epoch: Epoch };

/** Whether a validator must ask the others before it votes in an epoch (rule S14). Once is not enough: before the loss it may have
 * voted in the epoch after the one in which it found itself, and what the quorum of one set says tells nothing of another's. */
export function mustAskIn(lost: LostVotes, epoch: number): boolean {
  switch (lost.kind) {
    case "whole":
      return false;
    case "lost":
      return true;
    case "returned":
      return epoch !== lost.epoch && epoch <= lost.epoch + 1;
    default:
      return lost satisfies never;
  }
}

/** What a vote of this validator's changes about it. */
export function afterVoteIn(lost: LostVotes, epoch: Epoch): LostVotes {
  if (lost.kind === "lost") return { kind: "returned", epoch };
  return lost.kind === "returned" && epoch > lost.epoch ? { kind: "whole" } : lost;
}

export type ReplayedJournal = {
  readonly records: readonly LogRecord[];
  readonly executed: ReadonlyMap<number, string>;
  readonly lost: LostVotes;
  /** Votes of this view and before it are not in the log, whatever the database holds. */
  readonly settled: ViewPosition;
  /** The log has nothing in it: `begin` must be called. */
  readonly isEmpty: boolean;
};

/** Reads the records of a write-ahead log. @throws if one of them is not ours: it was never written by this program. */
export function replayJournal(log: readonly Bytes[]): ReplayedJournal {
  const records: LogRecord[] = [];
  const executed = new Map<number, string>();
  let lost: LostVotes = { kind: "whole" };
  let settled: ViewPosition = { epoch: 0, view: 0 };
  for (const bytes of log) {
    const head = readHeadRecord(bytes);
    if (head !== undefined) {
      lost = head;
      continue;
    }
    if (bytes[0] === SETTLED_RECORD && bytes.length === SETTLED_RECORD_LENGTH) {
      settled = { epoch: bytesToUint64(bytes, 1), view: bytesToUint64(bytes, 9) };
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
    if (record.value.kind === "vote") lost = afterVoteIn(lost, record.value.vote.vote.epoch);
  }
  return { records, executed, lost, settled, isEmpty: log.length === 0 };
}

export function encodeHeadRecord(lost: LostVotes): Bytes {
  switch (lost.kind) {
    case "whole":
      return Uint8Array.of(WHOLE_LOG_RECORD);
    case "lost":
      return Uint8Array.of(LOST_LOG_RECORD);
    case "returned":
      return concatBytes(Uint8Array.of(RETURNED_LOG_RECORD), uint64ToBytes(lost.epoch));
    default:
      return lost satisfies never;
  }
}

function readHeadRecord(bytes: Bytes): LostVotes | undefined {
  if (bytes.length === 1 && bytes[0] === WHOLE_LOG_RECORD) return { kind: "whole" };
  if (bytes.length === 1 && bytes[0] === LOST_LOG_RECORD) return { kind: "lost" };
  const isReturned = bytes.length === RETURNED_LOG_RECORD_LENGTH && bytes[0] === RETURNED_LOG_RECORD;
  return isReturned ? { kind: "returned", epoch: Epoch(bytesToUint64(bytes, 1)) } : undefined;
}

export function encodeConsensusRecord(record: LogRecord): Bytes {
  return concatBytes(Uint8Array.of(CONSENSUS_RECORD), encodeLogRecord(record));
}

export function encodeExecutedRecord(height: number, hash: Hash): Bytes {
  return concatBytes(Uint8Array.of(EXECUTED_RECORD), uint64ToBytes(height), hash);
}

export function encodeSettledRecord({ epoch, view }: ViewPosition): Bytes {
  return concatBytes(Uint8Array.of(SETTLED_RECORD), uint64ToBytes(epoch), uint64ToBytes(view));
}

/** The place of what a record is about: epochs come first, and views begin again in each. */
export type ViewPosition = { readonly epoch: number; readonly view: number };

export function positionOf(record: LogRecord): ViewPosition {
  switch (record.kind) {
    case "vote":
      return record.vote.vote;
    case "block":
      return record.block;
    case "certificate":
      return record.certificate;
    default:
      return record satisfies never;
  }
}

export function isAfter(one: ViewPosition, other: ViewPosition): boolean {
  return one.epoch > other.epoch || (one.epoch === other.epoch && one.view > other.view);
}
