import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Bytes,
  concatBytes,
  createRandom,
  Epoch,
  Height,
  toHexDigits,
  View,
  ZERO_HASH,
} from "@ostrom/base";
import {
  type Executed,
  type LogRecord,
  ValidatorIndex,
  type Vote,
  type VoteKind,
  voteSigningBytes,
} from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import { createFaultyDisk, type FaultyDisk, openWriteAheadLog } from "@ostrom/storage";
import { positionOf, replayJournal } from "./journal-records.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import type { DurableLog } from "./ports.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { type Seat, type VotedMark, VoteJournal } from "./vote-journal.ts";

installNativeCrypto();
const chain = new OrderedChain();
const A = keccak256(Uint8Array.of(1));
const B = keccak256(Uint8Array.of(2));

function vote(
  kind: VoteKind,
  view: number,
  digest = kind === "nullify" ? ZERO_HASH : A,
  epoch: number = 0,
): Vote {
  return { kind, epoch: Epoch(epoch), view: View(view), digest };
}

function executed(height: number, executedHash = A, epoch: number = 0): Executed {
  return {
    epoch: Epoch(epoch),
    height: Height(height),
    orderDigest: A,
    executedHash,
    nextSetHash: ZERO_HASH,
  };
}

/** A place in the epoch's set: it is another one, and another key, in each epoch. */
function seat(epoch: number): Seat {
  const sign = (message: Bytes): Bytes => keccak256(concatBytes(Uint8Array.of(epoch), message));
  return { epoch: Epoch(epoch), index: ValidatorIndex(10 * epoch), sign };
}

type Options = {
  readonly settledEpoch?: number;
  readonly settledView?: number;
  readonly rotateAtRecords?: number;
  readonly epochs?: number;
  readonly mark?: VotedMark;
};

function journalOn(log: DurableLog, records: readonly Bytes[], options: Options = {}): VoteJournal {
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

function settle(journal: VoteJournal, view: number, epoch: number = 0): Promise<void> {
  return journal.settle({ epoch, view });
}

/** A log in memory: what is synced is what a restart finds. */
function memoryLog(): DurableLog & {
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

async function reopen(disk: FaultyDisk, options: Options = {}) {
  const opened = await openWriteAheadLog(disk.start(), createRandom(1).bytes);
  return {
    log: opened.log,
    records: opened.records,
    journal: journalOn(opened.log, opened.records, options),
  };
}

test("a second, different vote of a kind in a view is refused; the same again is not", () => {
  const journal = journalOn(memoryLog(), []);
  journal.signVote(vote("notarize", 1, A));
  assert.throws(() => journal.signVote(vote("notarize", 1, B)), /signed another notarize vote/);
  journal.signVote(vote("notarize", 1, A));
  journal.signVote(vote("notarize", 2, B));
});

test("a view is finalized or nullified, never both", () => {
  const journal = journalOn(memoryLog(), []);
  journal.signVote(vote("nullify", 1));
  assert.throws(() => journal.signVote(vote("finalize", 1)), /must not finalize/);
  journal.signVote(vote("finalize", 2));
  assert.throws(() => journal.signVote(vote("nullify", 2)), /must not nullify/);
  journal.signVote(vote("notarize", 1, A));
});

test("two results for one height are refused", () => {
  const journal = journalOn(memoryLog(), []);
  journal.signExecuted(executed(5, A));
  journal.signExecuted(executed(5, A));
  assert.throws(() => journal.signExecuted(executed(5, B)), /now computed/);
});

test("what was signed and synced binds after a power cut; nothing that was not synced was said", async () => {
  const disk = createFaultyDisk(createRandom(7));
  const first = await reopen(disk);
  await first.journal.begin(false);
  first.journal.signVote(vote("notarize", 1, A));
  first.journal.signVote(vote("nullify", 2));
  first.journal.signExecuted(executed(3, A));
  await first.journal.sync();
  disk.crash();
  const second = await reopen(disk);
  assert.throws(() => second.journal.signVote(vote("notarize", 1, B)));
  assert.throws(() => second.journal.signVote(vote("finalize", 2)));
  assert.throws(() => second.journal.signExecuted(executed(3, B)));
  second.journal.signVote(vote("finalize", 1, A));
});

test("a result that is known from before is not written again", async () => {
  const log = memoryLog();
  const journal = journalOn(log, []);
  journal.signExecuted(executed(3));
  assert.equal(log.appended(), 1);
  journal.signExecuted(executed(3));
  assert.equal(log.appended(), 1);
});

test("nothing is signed for views whose blocks are stored: votes there are not remembered", async () => {
  const journal = journalOn(memoryLog(), [], { settledView: 4 });
  assert.throws(() => journal.signVote(vote("nullify", 4)), /is stored/);
  journal.signVote(vote("notarize", 5));
  await settle(journal, 9);
  assert.throws(() => journal.signVote(vote("notarize", 9, B)), /is stored/);
  journal.signVote(vote("notarize", 10));
  await settle(journal, 3);
  assert.throws(() => journal.signVote(vote("nullify", 9)), /is stored/, "what is settled stays so");
});

test("a rotated log keeps votes above the settled view, guards of results, and that it is whole", async () => {
  const log = memoryLog();
  const journal = journalOn(log, [], { rotateAtRecords: 20 });
  await journal.begin(false);
  for (let view = 1; view <= 30; view++) journal.signVote(vote("notarize", view));
  for (let height = 1; height <= 5; height++) journal.signExecuted(executed(height));
  await journal.sync();
  await settle(journal, 28);
  const { records, executed: results, lost, isEmpty } = replayJournal(log.records());
  assert.deepEqual(
    records.map((record) => (record.kind === "vote" ? record.vote.vote.view : 0)),
    [29, 30],
  );
  assert.deepEqual([...results.keys()], [1, 2, 3, 4, 5]);
  assert.deepEqual([lost.kind, isEmpty], ["whole", false]);
  const next = journalOn(log, log.records(), { settledView: 28 });
  assert.throws(() => next.signVote(vote("notarize", 29, B)));
  assert.throws(() => next.signExecuted(executed(2, B)));
});

test("a vote that is appended while the log is rotated follows the rotated records", async () => {
  const disk = createFaultyDisk(createRandom(3));
  const { journal, log } = await reopen(disk, { rotateAtRecords: 4 });
  await journal.begin(false);
  for (let view = 1; view <= 8; view++) journal.signVote(vote("notarize", view));
  const synced = journal.sync();
  const settled = settle(journal, 6);
  journal.signVote(vote("nullify", 9));
  const later = journal.sync();
  await Promise.all([synced, settled, later]);
  await log.close();
  const views = replayJournal((await reopen(disk)).records).records.map((record) =>
    record.kind === "vote" ? record.vote.vote.view : 0,
  );
  assert.deepEqual(views, [7, 8, 9]);
});

test("guards of old results go: as many are kept as matter", async () => {
  const log = memoryLog();
  const journal = journalOn(log, [], { rotateAtRecords: 1 });
  for (const height of [1, 2, 500, 3_000, 3_001]) journal.signExecuted(executed(height));
  await settle(journal, 1);
  assert.deepEqual([...replayJournal(log.records()).executed.keys()], [3_000, 3_001]);
});

test("a lost log is remembered over restarts and rotations until the validator has voted again", async () => {
  const log = memoryLog();
  const lost = journalOn(log, []);
  await lost.begin(true);
  assert.equal(lost.isLogLostIn(0), true);
  const again = journalOn(log, log.records(), { rotateAtRecords: 1 });
  assert.equal(again.isLogLostIn(0), true);
  again.record({ kind: "block", block: chain.append().block } satisfies LogRecord);
  await settle(again, 0);
  assert.equal(replayJournal(log.records()).lost.kind, "lost", "a log without a vote tells nothing");
  again.signVote(vote("notarize", 3));
  await again.sync();
  assert.equal(journalOn(log, log.records()).isLogLostIn(0), false);
  await settle(again, 3);
  const settled = journalOn(log, log.records(), { settledView: 3 });
  assert.equal(settled.isLogLostIn(0), false, "also when that vote is settled");
});

test("who lost the database alone does not vote again where a rotated log has left its votes out", async () => {
  const log = memoryLog();
  const journal = journalOn(log, [], { rotateAtRecords: 1 });
  await journal.begin(false);
  journal.signVote(vote("notarize", 7));
  await settle(journal, 7);
  const intact = journalOn(log, log.records(), { settledView: 7 });
  assert.equal(intact.isLogLostIn(0), false);
  const wiped = journalOn(log, log.records(), { epochs: 2 });
  assert.deepEqual(
    [0, 1].map((epoch) => wiped.isLogLostIn(epoch)),
    [true, false],
    "votes of later epochs are in the log",
  );
  assert.throws(() => wiped.signVote(vote("notarize", 7, B)), /are not remembered/);
  wiped.signVote(vote("notarize", 1, B, 1));
});

test("who lost its log asks in the next epoch once more: it may have voted there before the loss", async () => {
  const log = memoryLog();
  const journal = journalOn(log, [], { rotateAtRecords: 1, epochs: 9 });
  await journal.begin(true);
  assert.deepEqual(
    [4, 5, 6].map((epoch) => journal.isLogLostIn(epoch)),
    [true, true, true],
  );
  journal.signVote(vote("notarize", 3, A, 4));
  await journal.sync();
  const expectIn = async (expected: readonly boolean[], why: string): Promise<void> => {
    const restarted = journalOn(log, log.records(), { settledEpoch: 5, settledView: 1 });
    for (const one of [journal, restarted])
      assert.deepEqual(
        [3, 4, 5, 6].map((epoch) => one.isLogLostIn(epoch)),
        expected,
        why,
      );
  };
  await expectIn([true, false, true, false], "it has voted in 4, not in 5");
  await settle(journal, 0, 5);
  await expectIn([true, false, true, false], "though the vote is settled and the log is rotated");
  journal.signVote(vote("notarize", 1, A, 5));
  await journal.sync();
  await expectIn([true, false, false, false], "a restart may begin in 3 again, where it has not voted since");
  await settle(journal, 1, 5);
  await expectIn([true, false, false, false], "in a rotated log too");
  await settle(journal, 1, 6);
  assert.equal(replayJournal(log.records()).lost.kind, "whole", "nothing is missing any more");
});

test("who knows how far it had voted asks in every epoch through that one, whatever it has voted in since", async () => {
  const log = memoryLog();
  const marked: number[] = [];
  const markOf = (epoch: number | undefined): VotedMark => ({
    epoch,
    write: async (newest) => void marked.push(newest),
  });
  const journal = journalOn(log, [], { rotateAtRecords: 1, epochs: 9, mark: markOf(7) });
  await journal.begin(true);
  journal.signVote(vote("notarize", 3, A, 2));
  await journal.sync();
  assert.deepEqual(marked, [], "it is written down already");
  for (const one of [journal, journalOn(log, log.records(), { epochs: 9 })])
    assert.deepEqual(
      [2, 3, 6, 7, 8].map((epoch) => one.isLogLostIn(epoch)),
      [false, true, true, true, false],
    );
  await settle(journal, 1, 7);
  assert.equal(replayJournal(log.records()).lost.kind, "lost");
  journal.signVote(vote("notarize", 3, A, 8));
  assert.deepEqual(marked, []);
  await journal.sync();
  assert.deepEqual(marked, [8], "before the first vote of an epoch is durable");
  await settle(journal, 1, 8);
  assert.equal(replayJournal(log.records()).lost.kind, "whole");
});

test("votes and results that are synced at once mark their epoch once, and neither goes on before that is durable", async () => {
  const { promise: durable, resolve: finish } = Promise.withResolvers<void>();
  const written: number[] = [];
  const mark: VotedMark = {
    epoch: 0,
    write: async (epoch) => {
      written.push(epoch);
      await durable;
    },
  };
  const log = memoryLog();
  const journal = journalOn(log, [], { epochs: 3, mark });
  await journal.begin(false);
  journal.signVote(vote("notarize", 1, A, 1));
  const synced: string[] = [];
  const ofVote = journal.sync().then(() => void synced.push("vote"));
  journal.signExecuted(executed(1));
  const ofResult = journal.sync().then(() => void synced.push("result"));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([written, synced], [[1], []]);
  finish();
  await Promise.all([ofVote, ofResult]);
  assert.deepEqual([written, synced.sort()], [[1], ["result", "vote"]]);
});

test("a store that lost blocks brings views back whose votes were left out of the log: they count as lost", async () => {
  const log = memoryLog();
  const journal = journalOn(log, [], { epochs: 3, rotateAtRecords: 1 });
  await journal.begin(false);
  journal.signVote(vote("notarize", 4, A, 1));
  journal.signVote(vote("notarize", 1, A, 2));
  await journal.sync();
  await settle(journal, 4, 1);
  const reopened = (epoch: number, view: number): VoteJournal =>
    new VoteJournal({
      log,
      domain: chain.domain,
      replayed: replayJournal(log.records()),
      settled: { epoch, view },
    });
  assert.equal(reopened(1, 4).isLogLostIn(1), false);
  assert.deepEqual(
    [0, 1, 2].map((epoch) => reopened(1, 3).isLogLostIn(epoch)),
    [true, true, false],
    "what is after the settled view is in the log",
  );
});

test("a vote is signed under this epoch's index and key, or not at all", async () => {
  const journal = journalOn(memoryLog(), [], { epochs: 2 });
  assert.equal(journal.signVote(vote("notarize", 7, A, 0)).signer, 0);
  const inNext = journal.signVote(vote("notarize", 7, B, 1));
  assert.equal(inNext.signer, 10);
  assert.deepEqual(inNext.signature, seat(1).sign(voteSigningBytes(chain.domain, inNext.vote)));
  assert.equal(journal.signExecuted(executed(5, A, 1)).signer, 10);
  assert.throws(() => journal.signVote(vote("notarize", 1, A, 2)), /no seat in epoch 2/);
  assert.throws(() => journal.signExecuted(executed(6, A, 2)), /no seat in epoch 2/);
  journal.leaveSeat(0);
  assert.throws(() => journal.signVote(vote("notarize", 8, A, 0)), /no seat in epoch 0/);
});

test("views begin again in each epoch: what is settled in one says nothing of the next, and all of the one before", async () => {
  const log = memoryLog();
  const journal = journalOn(log, [], { epochs: 3, rotateAtRecords: 1 });
  await journal.begin(false);
  journal.signVote(vote("nullify", 9, ZERO_HASH, 0));
  journal.signVote(vote("notarize", 2, A, 1));
  await journal.sync();
  await settle(journal, 0, 1);
  assert.throws(() => journal.signVote(vote("notarize", 12, A, 0)), /is stored/);
  assert.throws(() => journal.signVote(vote("notarize", 2, B, 1)), /signed another/);
  const kept = replayJournal(log.records()).records.map((record) => positionOf(record));
  assert.deepEqual(
    kept.map(({ epoch, view }) => [epoch, view]),
    [[1, 2]],
  );
  await settle(journal, 2, 1);
  journal.signVote(vote("notarize", 1, B, 2));
});

test("one result for a height, whatever the epoch and the key", () => {
  const journal = journalOn(memoryLog(), [], { epochs: 2 });
  journal.signExecuted(executed(5, A, 0));
  assert.throws(() => journal.signExecuted(executed(5, B, 1)), /now computed/);
});

test("a log that a crash cut off before it had a head counts as empty", async () => {
  const disk = createFaultyDisk(createRandom(11));
  const { journal } = await reopen(disk);
  const begun = journal.begin(true);
  disk.crash();
  await assert.rejects(begun);
  const { records } = await reopen(disk);
  assert.equal(replayJournal(records).isEmpty, true);
});

test("a log with a record that this program never writes is refused", () => {
  assert.throws(() => replayJournal([Uint8Array.of(9, 9)]), /unknown kind/);
  assert.throws(() => replayJournal([Uint8Array.of(1, 0xff)]), /unknown kind/);
});

test("the signature is over the chain's own bytes, and names this validator", () => {
  const journal = journalOn(memoryLog(), []);
  const one = journal.signVote(vote("notarize", 1, A));
  const other = journal.signVote(vote("notarize", 2, A));
  assert.equal(one.signer, 0);
  assert.notEqual(toHexDigits(one.signature), toHexDigits(other.signature));
});
