import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogRecord } from "@ostrom/consensus";
import { replayJournal } from "./journal-records.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { A, B, chain, executed, journalOn, memoryLog, settle, vote } from "./testing/journal-fixture.ts";
import { type VotedMark, VoteJournal } from "./vote-journal.ts";

installNativeCrypto();

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
