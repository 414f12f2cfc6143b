import {
  type Bytes,
  concatBytes,
  createRandom,
  Epoch,
  type Hash,
  Height,
  View,
  ZERO_HASH,
} from "@ostrom/base";
import { type Executed, ValidatorIndex, type Vote, type VoteKind } from "@ostrom/consensus";
import { keccak256, SCHEME_BLS12381 } from "@ostrom/crypto";
import { type FaultyDisk, openWriteAheadLog, type WriteAheadLog } from "@ostrom/storage";
import { replayJournal } from "../journal-records.ts";
import type { DurableLog } from "../ports.ts";
import { type Seat, type VotedMark, VoteJournal } from "../vote-journal.ts";
import { OrderedChain } from "./ordered-chain.ts";

export const chain: OrderedChain = new OrderedChain();
export const A: Hash = keccak256(Uint8Array.of(1));
export const B: Hash = keccak256(Uint8Array.of(2));

export function vote(
  kind: VoteKind,
  view: number,
  digest: Hash = kind === "nullify" ? ZERO_HASH : A,
  epoch: number = 0,
): Vote {
  return { kind, epoch: Epoch(epoch), view: View(view), digest };
}

export function executed(height: number, executedHash: Hash = A, epoch: number = 0): Executed {
  return {
    epoch: Epoch(epoch),
    height: Height(height),
    orderDigest: A,
    executedHash,
    nextSetHash: ZERO_HASH,
  };
}

/** A place in the epoch's set: it is another one, and another key, in each epoch. */
export function seat(epoch: number): Seat {
  const sign = (message: Bytes): Bytes => keccak256(concatBytes(Uint8Array.of(epoch), message));
  return { epoch: Epoch(epoch), index: ValidatorIndex(10 * epoch), schemeId: SCHEME_BLS12381, sign };
}

export type Options = {
  readonly settledEpoch?: number;
  readonly settledView?: number;
  readonly rotateAtRecords?: number;
  readonly epochs?: number;
  readonly mark?: VotedMark;
};

export function journalOn(log: DurableLog, records: readonly Bytes[], options: Options = {}): VoteJournal {
  const { settledEpoch = 0, settledView = 0, epochs = 1, ...rest } = options;
  const journal = new VoteJournal({
    log,
    domain: chain.domain,
    replayed: replayJournal(records),
    settled: { epoch: settledEpoch, view: settledView },
    ...rest,
  });
  for (let epoch = 0; epoch < epochs; epoch++) journal.takeSeat(seat(epoch));
  return journal;
}

export function settle(journal: VoteJournal, view: number, epoch: number = 0): Promise<void> {
  return journal.settle({ epoch, view });
}

/** A log in memory: what is synced is what a restart finds. */
export function memoryLog(): DurableLog & {
  readonly records: () => readonly Bytes[];
  readonly appended: () => number;
} {
  let durable: Bytes[] = [];
  let unsynced: Bytes[] = [];
  return {
    append: (records) => void unsynced.push(...records),
    sync: async () => {
      durable.push(...unsynced);
      unsynced = [];
    },
    rotate: async (records) => {
      unsynced = [];
      durable = [...records];
    },
    records: () => durable,
    appended: () => unsynced.length,
  };
}

export async function reopen(
  disk: FaultyDisk,
  options: Options = {},
): Promise<{
  readonly journal: VoteJournal;
  readonly log: WriteAheadLog;
  readonly records: readonly Bytes[];
}> {
  const opened = await openWriteAheadLog(disk.start(), createRandom(1).bytes);
  return {
    log: opened.log,
    records: opened.records,
    journal: journalOn(opened.log, opened.records, options),
  };
}
