import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, createRandom, Epoch, Height, toHexDigits, View, ZERO_HASH } from "@ostrom/base";
import { type Executed, type LogRecord, ValidatorIndex, type Vote, type VoteKind } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import { createFaultyDisk, type FaultyDisk, openWriteAheadLog } from "@ostrom/storage";
import { installNativeCrypto } from "./native-crypto.ts";
import type { DurableLog } from "./ports.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { replayJournal, VoteJournal } from "./vote-journal.ts";

installNativeCrypto();
const chain = new OrderedChain();
const A = keccak256(Uint8Array.of(1));
const B = keccak256(Uint8Array.of(2));

function vote(kind: VoteKind, view: number, digest = kind === "nullify" ? ZERO_HASH : A): Vote {
  return { kind, epoch: Epoch(0), view: View(view), digest };
}

function executed(height: number, executedHash = A): Executed {
  return { epoch: Epoch(0), height: Height(height), orderDigest: A, executedHash, nextSetHash: ZERO_HASH };
}

type Options = { readonly settledView?: number; readonly rotateAtRecords?: number };

function journalOn(log: DurableLog, records: readonly Bytes[], options: Options = {}): VoteJournal {
  return new VoteJournal({
    log,
    domain: chain.domain,
    own: ValidatorIndex(0),
    sign: (message) => keccak256(message),
    replayed: replayJournal(records),
    settledView: 0,
    ...options,
  });
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
  await journal.settle(9);
  assert.throws(() => journal.signVote(vote("notarize", 9, B)), /is stored/);
  journal.signVote(vote("notarize", 10));
  await journal.settle(3);
  assert.throws(() => journal.signVote(vote("nullify", 9)), /is stored/, "what is settled stays so");
});

test("a rotated log keeps votes above the settled view, guards of results, and that it is whole", async () => {
  const log = memoryLog();
  const journal = journalOn(log, [], { rotateAtRecords: 20 });
  await journal.begin(false);
  for (let view = 1; view <= 30; view++) journal.signVote(vote("notarize", view));
  for (let height = 1; height <= 5; height++) journal.signExecuted(executed(height));
  await journal.sync();
  await journal.settle(28);
  const { records, executed: results, logIsLost, isEmpty } = replayJournal(log.records());
  assert.deepEqual(
    records.map((record) => (record.kind === "vote" ? record.vote.vote.view : 0)),
    [29, 30],
  );
  assert.deepEqual([...results.keys()], [1, 2, 3, 4, 5]);
  assert.deepEqual([logIsLost, isEmpty], [false, false]);
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
  const settled = journal.settle(6);
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
  await journal.settle(1);
  assert.deepEqual([...replayJournal(log.records()).executed.keys()], [3_000, 3_001]);
});

test("a lost log is remembered over restarts and rotations until the validator has voted again", async () => {
  const log = memoryLog();
  const lost = journalOn(log, []);
  await lost.begin(true);
  assert.equal(lost.logIsLost, true);
  const again = journalOn(log, log.records(), { rotateAtRecords: 1 });
  assert.equal(again.logIsLost, true);
  again.record({ kind: "block", block: chain.append().block } satisfies LogRecord);
  await again.settle(0);
  assert.equal(replayJournal(log.records()).logIsLost, true, "a log without a vote tells nothing");
  again.signVote(vote("notarize", 3));
  await again.sync();
  assert.equal(replayJournal(log.records()).logIsLost, false);
  await again.settle(3);
  assert.equal(replayJournal(log.records()).logIsLost, false, "also when that vote is settled");
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
