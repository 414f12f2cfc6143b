import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, toHexDigits, ZERO_HASH } from "@ostrom/base";
import { voteSigningBytes } from "@ostrom/consensus";
import { createFaultyDisk } from "@ostrom/storage";
import { positionOf, replayJournal } from "./journal-records.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import {
  A,
  B,
  chain,
  executed,
  journalOn,
  memoryLog,
  reopen,
  seat,
  settle,
  vote,
} from "./testing/journal-fixture.ts";

installNativeCrypto();

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
