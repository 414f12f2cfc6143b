import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressBook, DEFAULT_BOOK_LIMITS } from "./address-book.ts";
import { MAX_RECORD_AGE_MS } from "./address-quality.ts";
import { seededEntropy, testPeerId, testRecord } from "./testing/seeded.ts";

const NOW_MS = 1_800_000_000_000;
const DAY_MS = 86_400_000;

function newBook(seed = 1, allowsLocal = false): AddressBook {
  const entropy = seededEntropy(seed);
  return new AddressBook({ key: entropy.bytes(32), entropy, allowsLocal });
}

/** Hosts of one /16. */
function hostsOf(group: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `8.${group}.${index >> 8}.${index & 255}`);
}

test("book: what is heard can be chosen, and what was met is in the other table", () => {
  const book = newBook();
  assert.ok(book.hear(testRecord(1, { host: "8.8.8.8", port: 1 }, NOW_MS), "4:1.1", NOW_MS));
  assert.equal(book.choose(NOW_MS, () => true)?.peerId, testPeerId(1));
  assert.equal(
    book.choose(NOW_MS, () => true, "tried"),
    undefined,
  );
  book.succeeded(testPeerId(1), NOW_MS);
  assert.equal(book.choose(NOW_MS, () => true, "tried")?.peerId, testPeerId(1));
  assert.equal(
    book.choose(NOW_MS, () => true, "new"),
    undefined,
  );
});

test("book: a source group reaches its share of the buckets and no more, however much it sends", () => {
  const book = newBook();
  let number = 0;
  for (let group = 0; group < 200; group++)
    for (const host of hostsOf(group, 100))
      book.hear(testRecord(number++, { host, port: 30_310 }, NOW_MS), "4:66.6", NOW_MS);
  const { known, newBuckets } = book.statistics();
  assert.ok(newBuckets <= DEFAULT_BOOK_LIMITS.newBucketsPerSource, `${newBuckets} buckets`);
  assert.ok(
    known <= DEFAULT_BOOK_LIMITS.newBucketsPerSource * DEFAULT_BOOK_LIMITS.bucketSize,
    `${known} known`,
  );
});

test("book: a flood does not push out those that were met, nor more than a few that were heard of", () => {
  for (let seed = 1; seed <= 8; seed++) {
    const book = newBook(seed);
    for (let honest = 0; honest < 64; honest++) {
      const record = testRecord(honest, { host: `9.${honest}.0.1`, port: 30_310 }, NOW_MS);
      book.hear(record, `4:10${honest % 8}.1`, NOW_MS);
      if (honest < 16) book.succeeded(record.record.peerId, NOW_MS);
    }
    const { known, tried: metBefore } = book.statistics();
    let number = 1_000;
    for (let group = 0; group < 20; group++)
      for (const host of hostsOf(group, 200))
        book.hear(testRecord(number++, { host, port: 30_310 }, NOW_MS), `4:66.${group % 4}`, NOW_MS);
    const honest = book.all().filter(({ address }) => address.host.startsWith("9."));
    assert.ok(metBefore >= 15 && known >= 62, "two of them may want one place");
    assert.equal(honest.filter(({ isTried }) => isTried).length, metBefore);
    assert.equal(honest.length, known, "who has a place keeps it");
  }
});

test("book: one group takes its share of the tried table and no more", () => {
  const book = newBook();
  hostsOf(5, 2_000).forEach((host, number) => {
    const record = testRecord(number, { host, port: 30_310 }, NOW_MS);
    book.hear(record, `4:7.${number % 100}`, NOW_MS);
    book.succeeded(record.record.peerId, NOW_MS);
  });
  const { triedBuckets, tried } = book.statistics();
  assert.ok(triedBuckets <= DEFAULT_BOOK_LIMITS.triedBucketsPerGroup);
  assert.ok(tried <= DEFAULT_BOOK_LIMITS.triedBucketsPerGroup * DEFAULT_BOOK_LIMITS.bucketSize);
});

test("book: who was met keeps his place while he answers, and loses it to who waits when he does not", () => {
  const book = newBook();
  let number = 0;
  for (const host of hostsOf(5, 2_000)) {
    const record = testRecord(number++, { host, port: 30_310 }, NOW_MS);
    book.hear(record, `4:7.${number % 100}`, NOW_MS);
    book.succeeded(record.record.peerId, NOW_MS);
  }
  const holder = book.challenged(NOW_MS)!;
  assert.ok(holder.isTried);
  book.succeeded(holder.peerId, NOW_MS + 1);
  assert.ok(book.get(holder.peerId)!.isTried);
  const next = book.challenged(NOW_MS)!;
  assert.notEqual(next.peerId, holder.peerId, "it was tested, and is left alone");
  const before = book.statistics().tried;
  book.failed(next.peerId, NOW_MS + 2);
  assert.notEqual(book.get(next.peerId)?.isTried, true);
  assert.equal(book.statistics().tried, before, "who waited has the place");
});

test("book: a node that is off the network holds nothing against those it does not reach", () => {
  const book = newBook();
  book.hear(testRecord(1, { host: "8.8.8.8", port: 1 }, NOW_MS), "4:1.1", NOW_MS);
  for (let count = 0; count < 20; count++) book.failed(testPeerId(1), NOW_MS + count, false);
  assert.equal(book.get(testPeerId(1))!.failures, 0);
});

test("book: a newer record of one node replaces the older, an older or equal one never", () => {
  const book = newBook();
  const hear = (host: string, sequence: number): boolean =>
    book.hear(testRecord(1, { host, port: 1 }, NOW_MS, sequence), "4:1.1", NOW_MS);
  hear("8.8.8.8", 5);
  hear("9.9.9.9", 4);
  assert.equal(book.get(testPeerId(1))!.address.host, "8.8.8.8");
  hear("9.9.9.9", 5);
  assert.equal(book.get(testPeerId(1))!.address.host, "8.8.8.8", "a replay changes nothing");
  book.succeeded(testPeerId(1), NOW_MS);
  hear("9.9.9.9", 6);
  assert.equal(book.get(testPeerId(1))!.address.host, "9.9.9.9");
  assert.equal(book.get(testPeerId(1))!.isTried, false, "there nobody has met it");
});

test("book: records that are too old, of the future, or of no reachable address are not taken in", () => {
  const book = newBook();
  const hear = (host: string, timestampMs: number): boolean =>
    book.hear(testRecord(1, { host, port: 1 }, timestampMs), "4:1.1", NOW_MS);
  assert.equal(hear("8.8.8.8", NOW_MS - MAX_RECORD_AGE_MS - 1), false);
  assert.equal(hear("8.8.8.8", NOW_MS + DAY_MS), false);
  assert.equal(hear("10.0.0.1", NOW_MS), false);
  assert.equal(hear("127.0.0.1", NOW_MS), false);
  assert.equal(book.size, 0);
  assert.equal(
    newBook(1, true).hear(testRecord(1, { host: "10.0.0.1", port: 1 }, NOW_MS), "4:1.1", NOW_MS),
    true,
  );
});

test("book: an answer names a part of what is known, and nobody who is not there", () => {
  const book = newBook();
  for (let number = 0; number < 100; number++)
    book.hear(testRecord(number, { host: `9.${number}.0.1`, port: 1 }, NOW_MS), `4:${number}.1`, NOW_MS);
  const sample = book.sample(1_000, NOW_MS);
  assert.ok(sample.length <= 23 && sample.length >= 20);
  assert.equal(book.sample(5, NOW_MS).length, 5);
  for (const { peerId } of book.all())
    for (let count = 0; count < 3; count++) book.failed(peerId, NOW_MS - DAY_MS);
  assert.equal(book.sample(1_000, NOW_MS).length, 0);
});

test("book: buckets are as likely as each other, so many of one group weigh no more than one of another", () => {
  const book = newBook();
  book.hear(testRecord(1, { host: "9.9.9.9", port: 1 }, NOW_MS), "4:9.9", NOW_MS);
  let number = 10;
  for (const host of hostsOf(5, 500))
    book.hear(testRecord(number++, { host, port: 1 }, NOW_MS), "4:66.6", NOW_MS);
  let ofMany = 0;
  for (let count = 0; count < 1_000; count++)
    if (book.choose(NOW_MS, () => true)?.address.host !== "9.9.9.9") ofMany += 1;
  assert.ok(ofMany > 400 && ofMany < 600, `${ofMany} of 1000`);
});
