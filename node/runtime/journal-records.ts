import {
  type Bytes,
  bytesToUint64,
  concatBytes,
  type Epoch,
  fromHex,
  type Hash,
  toHexDigits,
  uint64ToBytes,
  unwrap,
} from "@ostrom/base";
import { decodeLogRecord, encodeLogRecord, type LogRecord } from "@ostrom/consensus";

/** A record of the write-ahead log begins with its kind. */
const CONSENSUS_RECORD = 1;
/** Height (8 bytes) and executed hash (32 bytes): what this validator said the state is. */
const EXECUTED_RECORD = 2;
const EXECUTED_RECORD_LENGTH = 1 + 8 + 32;

/** One of these stands at the head of every log. The first: it was begun anew though this validator may have voted before, in
 * epochs through the first number (8 bytes); the others (8 bytes each) are epochs in which it has voted since. The second: nothing is
 * missing before it. A log with neither was cut off by a crash while it was made. */
const LOST_LOG_RECORD = 3;
const WHOLE_LOG_RECORD = 4;
const EPOCH_BYTES = 8;

/** Epoch and view (8 bytes each): votes of this view and before it were left out when the log was rewritten, because a block of it is
 * in the database. Who loses the database alone must not vote there again. */
const SETTLED_RECORD = 5;
const SETTLED_RECORD_LENGTH = 1 + 8 + 8;

/** Epoch (8 bytes), hash of a checkpoint key and digest of what it signed: it signs nothing else about that epoch. */
const CHECKPOINT_RECORD = 6;
const CHECKPOINT_RECORD_LENGTH = 1 + 8 + 32 + 32;

/** What is known of votes that may be missing from the log.
 * - `whole`: none is, or none that matters any more.
 * - `lost`: some may be, of epochs through `through`; `votedIn` are the epochs, first to last, in which it has voted since. */
export type LostVotes =
  | { readonly kind: "whole" }
  | { readonly kind: "lost"; readonly through: number; readonly votedIn: readonly number[] };

/** Whether a validator must ask the others before it votes in an epoch (rule S14): in each that it may have voted in before the
 * loss. Once is not enough, because what the quorum of one set says tells nothing of another's (rule E7). */
export function mustAskIn(lost: LostVotes, epoch: number): boolean {
  if (lost.kind === "whole") return false;
  return epoch <= lastDoubtful(lost) && !lost.votedIn.includes(epoch);
}

/** What a vote of this validator's changes about it. The loss itself is not forgotten yet: after a restart, the store may be of an
 * earlier epoch than the vote. */
export function afterVoteIn(lost: LostVotes, epoch: Epoch): LostVotes {
  if (lost.kind === "whole" || !mustAskIn(lost, epoch)) return lost;
  return { ...lost, votedIn: [...lost.votedIn, epoch] };
}

/** What a durable block of an epoch changes about it: nothing is voted on any more in the epochs before. */
export function afterBlockOf(lost: LostVotes, epoch: number): LostVotes {
  return lost.kind === "lost" && epoch > lastDoubtful(lost) ? { kind: "whole" } : lost;
}

/** The last epoch in which votes may be missing. Where it is not known how far they went, it is one above the first in which this
 * validator has voted since: with its store kept, it was never further. */
function lastDoubtful({ through, votedIn }: Extract<LostVotes, { kind: "lost" }>): number {
  const [first] = votedIn;
  return first === undefined ? Number.POSITIVE_INFINITY : Math.max(through, first + 1);
}

export type ReplayedJournal = {
  readonly records: readonly LogRecord[];
  readonly executed: ReadonlyMap<number, string>;
  /** Digests of signed checkpoints, by `checkpointName`. */
  readonly checkpoints: ReadonlyMap<string, string>;
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
  const checkpoints = new Map<string, string>();
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
    if (bytes[0] === CHECKPOINT_RECORD && bytes.length === CHECKPOINT_RECORD_LENGTH) {
      const name = checkpointName(bytesToUint64(bytes, 1), toHexDigits(bytes.subarray(9, 41)));
      checkpoints.set(name, toHexDigits(bytes.subarray(41)));
      continue;
    }
    const record = bytes[0] === CONSENSUS_RECORD ? decodeLogRecord(bytes.subarray(1)) : undefined;
    if (record === undefined || !record.ok)
      throw new Error("the write-ahead log holds a record of an unknown kind");
    records.push(record.value);
    if (record.value.kind === "vote") lost = afterVoteIn(lost, record.value.vote.vote.epoch);
  }
  return { records, executed, checkpoints, lost, settled, isEmpty: log.length === 0 };
}

export function encodeHeadRecord(lost: LostVotes): Bytes {
  if (lost.kind === "whole") return Uint8Array.of(WHOLE_LOG_RECORD);
  return concatBytes(Uint8Array.of(LOST_LOG_RECORD), ...[lost.through, ...lost.votedIn].map(uint64ToBytes));
}

function readHeadRecord(bytes: Bytes): LostVotes | undefined {
  if (bytes.length === 1 && bytes[0] === WHOLE_LOG_RECORD) return { kind: "whole" };
  const count = (bytes.length - 1) / EPOCH_BYTES;
  if (bytes[0] !== LOST_LOG_RECORD || count < 1 || !Number.isSafeInteger(count)) return undefined;
  const [through, ...votedIn] = Array.from({ length: count }, (_, index) =>
    bytesToUint64(bytes, 1 + index * EPOCH_BYTES),
  );
  return { kind: "lost", through: through ?? 0, votedIn };
}

export function encodeConsensusRecord(record: LogRecord): Bytes {
  return concatBytes(Uint8Array.of(CONSENSUS_RECORD), encodeLogRecord(record));
}

export function encodeExecutedRecord(height: number, hash: Hash): Bytes {
  return concatBytes(Uint8Array.of(EXECUTED_RECORD), uint64ToBytes(height), hash);
}

/** @param keyHash in hex digits. */
export function checkpointName(epoch: number, keyHash: string): string {
  return `${epoch}:${keyHash}`;
}

/** @param name as `checkpointName` makes it. @param digest in hex digits. */
export function encodeCheckpointRecord(name: string, digest: string): Bytes {
  const [epoch, keyHash] = name.split(":");
  return concatBytes(
    Uint8Array.of(CHECKPOINT_RECORD),
    uint64ToBytes(Number(epoch)),
    unwrap(fromHex(`0x${keyHash}${digest}`)),
  );
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
