import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, Epoch } from "@ostrom/base";
import { replayJournal } from "./journal-records.ts";
import { A, B, executed, journalOn, memoryLog, seat, settle, vote } from "./testing/journal-fixture.ts";
import type { VoteJournal } from "./vote-journal.ts";

/** A key on another machine that answers when the test says so. */
function elsewhere(journal: VoteJournal): {
  readonly answer: (signature: Bytes | undefined) => void;
  readonly isMoot: () => boolean;
  readonly asked: () => number;
} {
  const waiting: { resolve: (signature: Bytes | undefined) => void; isMoot: () => boolean }[] = [];
  let asked = 0;
  const local = seat(0);
  journal.takeSeat({
    ...local,
    epoch: Epoch(0),
    sign: () => assert.fail("the key is not here"),
    signElsewhere: (_message, isMoot) => {
      asked++;
      return new Promise((resolve) => waiting.push({ resolve, isMoot }));
    },
  });
  return {
    answer: (signature) => waiting.shift()?.resolve(signature),
    isMoot: () => waiting[0]!.isMoot(),
    asked: () => asked,
  };
}

test("a vote that is asked for binds before the answer is there: nothing that contradicts it is asked for", async () => {
  const journal = journalOn(memoryLog(), []);
  const signer = elsewhere(journal);
  assert.ok(journal.isSignedElsewhere(0));
  const first = journal.requestVote(vote("notarize", 1, A));
  await assert.rejects(journal.requestVote(vote("notarize", 1, B)), /signed another notarize vote/);
  const nullified = journal.requestVote(vote("nullify", 2));
  await assert.rejects(journal.requestVote(vote("finalize", 2)), /must not finalize/);
  assert.equal(signer.asked(), 2);
  signer.answer(A);
  signer.answer(undefined);
  assert.deepEqual((await first)?.signature, A);
  assert.equal(await nullified, undefined);
});

test("what another machine signed is in the log before it is said; what it refused is not", async () => {
  const log = memoryLog();
  const journal = journalOn(log, []);
  const signer = elsewhere(journal);
  const [signed, refused] = [
    journal.requestVote(vote("notarize", 1)),
    journal.requestVote(vote("notarize", 2)),
  ];
  assert.equal(log.appended(), 0);
  signer.answer(A);
  signer.answer(undefined);
  await signed;
  assert.equal(await refused, undefined);
  await journal.sync();
  assert.equal(replayJournal(log.records()).records.length, 1);
});

test("a vote whose view is over meanwhile is needless, and one that still comes is not said", async () => {
  const journal = journalOn(memoryLog(), []);
  const signer = elsewhere(journal);
  const late = journal.requestVote(vote("notarize", 1));
  assert.equal(signer.isMoot(), false);
  await settle(journal, 3);
  assert.equal(signer.isMoot(), true);
  signer.answer(A);
  assert.equal(await late, undefined);
});

test("of two results for one height only the first is asked for", async () => {
  const journal = journalOn(memoryLog(), []);
  const signer = elsewhere(journal);
  const first = journal.requestExecuted(executed(5, A));
  await assert.rejects(journal.requestExecuted(executed(5, B)), /now computed/);
  assert.equal(signer.isMoot(), false);
  signer.answer(A);
  assert.deepEqual((await first)?.signature, A);
});
