import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes, createRandom, EMPTY_BYTES, unwrap } from "@ostrom/base";
import { encodeRlp, RlpError, type RlpItem, rlpUint } from "@ostrom/codec";
import {
  attestationFromRlp,
  attestationToRlp,
  certifiedFromRlp,
  certifiedToRlp,
  headerFromRlp,
  headerToRlp,
} from "./batch-codec.ts";
import { decodeBatch, encodeBatch, isBatchOf, MAX_BATCH_BYTES, MAX_BATCH_TRANSACTIONS } from "./index.ts";
import { attest, certify, damage, describeBatch, headerOf, placeOf } from "./testing/batches.ts";

const PLACE = placeOf(headerOf());
const PLACE_BYTES = batchOf(1).subarray(0, 32);
const SENDER: Bytes = new Uint8Array(20).fill(9);

const PLACE_HEX = `001fffffffffffff0000000000000fff${"001fffffffffffff".repeat(2)}`;

function codeOf(bytes: Bytes): string {
  const read = decodeBatch(bytes);
  return read.ok ? "ok" : read.error.code;
}

function batchOf(count: number, claims: Bytes = EMPTY_BYTES): Bytes {
  const transactions = Array.from({ length: count }, (_, index) => Uint8Array.of(2, index & 255, index >> 8));
  return encodeBatch({ place: PLACE, transactions, claims });
}

test("a batch comes back from its bytes, with and without claims", () => {
  for (const claims of [EMPTY_BYTES, concatBytes(SENDER, SENDER)]) {
    const batch = { place: PLACE, transactions: [Uint8Array.of(2, 1), Uint8Array.of(3)], claims };
    assert.deepEqual(unwrap(decodeBatch(encodeBatch(batch))), batch);
  }
});

test("a batch has 1 to 1,024 transactions", () => {
  assert.equal(codeOf(batchOf(0)), "batch/malformed");
  assert.equal(codeOf(batchOf(1)), "ok");
  assert.equal(codeOf(batchOf(MAX_BATCH_TRANSACTIONS)), "ok");
  assert.equal(codeOf(batchOf(MAX_BATCH_TRANSACTIONS + 1)), "batch/malformed");
});

test("a batch is not longer than 512 KiB, and what is longer is not read", () => {
  const batchWith = (length: number): Bytes =>
    encodeBatch({ place: PLACE, transactions: [new Uint8Array(length)], claims: EMPTY_BYTES });
  const overhead = batchWith(400_000).length - 400_000;
  const longest = batchWith(MAX_BATCH_BYTES - overhead);
  assert.equal(longest.length, MAX_BATCH_BYTES);
  assert.equal(codeOf(longest), "ok");
  assert.equal(codeOf(concatBytes(longest, Uint8Array.of(0))), "batch/too-long");
});

test("claims are 20 bytes for each transaction, or none", () => {
  assert.equal(codeOf(batchOf(2, concatBytes(SENDER, SENDER))), "ok");
  assert.equal(codeOf(batchOf(2, SENDER)), "batch/malformed");
  assert.equal(codeOf(batchOf(1, SENDER.subarray(1))), "batch/malformed");
  assert.equal(codeOf(batchOf(1, concatBytes(SENDER, SENDER))), "batch/malformed");
});

test("a batch of single bytes is refused before it takes memory", () => {
  const ones = Array.from({ length: 500_000 }, () => Uint8Array.of(1));
  const bytes = concatBytes(PLACE_BYTES, encodeRlp([EMPTY_BYTES, ones]));
  assert.ok(bytes.length <= MAX_BATCH_BYTES);
  assert.equal(codeOf(bytes), "batch/malformed");
});

test("a batch in any other form is refused", () => {
  const forms: readonly RlpItem[] = [
    EMPTY_BYTES,
    [],
    [EMPTY_BYTES],
    [[], [Uint8Array.of(1)]],
    [EMPTY_BYTES, Uint8Array.of(1)],
    [EMPTY_BYTES, [[Uint8Array.of(1)]]],
    [EMPTY_BYTES, [Uint8Array.of(1)], EMPTY_BYTES],
  ];
  for (const form of forms)
    assert.equal(codeOf(concatBytes(PLACE_BYTES, encodeRlp(form))), "batch/malformed");
  for (const cut of [0, 1, 31, 32]) assert.equal(codeOf(batchOf(1).subarray(0, cut)), "batch/malformed");
  assert.equal(codeOf(batchOf(1).subarray(32)), "batch/malformed");
  assert.equal(codeOf(concatBytes(batchOf(1), EMPTY_BYTES, Uint8Array.of(0))), "batch/malformed");
});

test("a batch begins with its epoch, author, number and expiry height, each below 2^53", () => {
  const largest = Number.MAX_SAFE_INTEGER;
  const place = { epoch: largest, author: 4_095, sequence: largest, expiryHeight: largest };
  const bytes = encodeBatch({ place, transactions: [Uint8Array.of(2)], claims: EMPTY_BYTES });
  assert.equal(Buffer.from(bytes.subarray(0, 32)).toString("hex"), PLACE_HEX);
  assert.deepEqual(unwrap(decodeBatch(bytes)).place, place);
  for (const offset of [0, 8, 16, 24]) {
    for (const [at, value] of [
      [0, 1],
      [0, 128],
      [1, 32],
      [1, 255],
    ] as const) {
      const beyond = bytes.slice();
      beyond[offset + at] = value;
      assert.equal(codeOf(beyond), "batch/malformed");
      assert.ok(!isBatchOf(headerOf({ ...place, byteLength: bytes.length }), beyond));
    }
  }
});

test("a batch is of the one header that has its place and length", () => {
  const bytes = batchOf(2);
  const { header } = describeBatch(bytes, PLACE);
  assert.ok(isBatchOf(header, bytes));
  for (const fields of [
    { epoch: 4 },
    { author: 2 },
    { sequence: 6 },
    { expiryHeight: 601 },
    { byteLength: bytes.length + 1 },
  ])
    assert.ok(!isBatchOf({ ...header, ...fields }, bytes));
  for (const length of [0, 31]) {
    const short = bytes.subarray(0, length);
    assert.ok(!isBatchOf({ ...header, byteLength: length }, short));
  }
});

test("what can be read as a batch has no other bytes", () => {
  const random = createRandom(1);
  const bytes = batchOf(3, concatBytes(SENDER, SENDER, SENDER));
  for (let round = 0; round < 2_000; round++) {
    const damaged = damage(random, bytes);
    const read = decodeBatch(damaged);
    if (read.ok) assert.deepEqual(encodeBatch(read.value), damaged);
  }
});

test("headers, attestations and certified batches come back from their items", () => {
  const largest = headerOf({
    epoch: Number.MAX_SAFE_INTEGER,
    author: 4_095,
    sequence: Number.MAX_SAFE_INTEGER,
    expiryHeight: Number.MAX_SAFE_INTEGER,
    byteLength: MAX_BATCH_BYTES,
    count: MAX_BATCH_TRANSACTIONS,
    gasLimit: 2n ** 256n - 1n,
  });
  const least = headerOf({
    epoch: 0,
    author: 0,
    sequence: 1,
    expiryHeight: 0,
    byteLength: 1,
    count: 1,
    gasLimit: 0n,
  });
  for (const header of [headerOf(), largest, least]) {
    assert.deepEqual(headerFromRlp(headerToRlp(header)), header);
    const attestation = { header, signer: 2, signature: new Uint8Array(64) };
    assert.deepEqual(attestationFromRlp(attestationToRlp(attestation)), attestation);
  }
  const certified = certify(headerOf());
  assert.deepEqual(certifiedFromRlp(certifiedToRlp(certified)), certified);
});

test("headers beyond the bounds of any batch are refused", () => {
  const beyond = [
    { sequence: 0 },
    { author: 4_096 },
    { byteLength: 0 },
    { byteLength: MAX_BATCH_BYTES + 1 },
    { count: 0 },
    { count: MAX_BATCH_TRANSACTIONS + 1 },
    { gasLimit: 2n ** 256n },
    { digest: new Uint8Array(31) as never },
  ];
  for (const fields of beyond) {
    assert.throws(() => headerFromRlp(headerToRlp(headerOf(fields))), RlpError);
  }
  const items = headerToRlp(headerOf());
  assert.throws(() => headerFromRlp(items.slice(1)), RlpError);
  assert.throws(() => headerFromRlp([...items, EMPTY_BYTES]), RlpError);
  assert.throws(() => headerFromRlp(items.with(0, Uint8Array.of(0, 3))), RlpError);
  assert.throws(() => headerFromRlp(items.with(2, rlpUint(2n ** 53n))), RlpError);
  assert.throws(() => headerFromRlp(items.with(1, [])), RlpError);
});

test("attestations of signers that no set has, and signatures that no scheme has, are refused", () => {
  const attestation = attest(headerOf(), 1);
  for (const wrong of [
    { ...attestation, signer: 4_096 },
    { ...attestation, signature: new Uint8Array(4_097) },
  ])
    assert.throws(() => attestationFromRlp(attestationToRlp(wrong)), RlpError);
});
