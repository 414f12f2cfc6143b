import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes, createRandom, EMPTY_BYTES, unwrap } from "@ostrom/base";
import { encodeRlp, type RlpItem } from "@ostrom/codec";
import { decodePayload, EMPTY_PAYLOAD, encodePayload, MAX_PAYLOAD_TRANSACTIONS } from "@ostrom/execution";
import { certifiedToRlp } from "./batch-codec.ts";
import {
  decodeOrderedPayload,
  encodeOrderedPayload,
  hasBatches,
  inlinePart,
  MAX_PAYLOAD_BATCHES,
  referenceLength,
} from "./index.ts";
import { certify, damage, headerOf } from "./testing/batches.ts";

const INLINE: readonly Bytes[] = [Uint8Array.of(2, 1), Uint8Array.of(3)];
const BATCHES = [certify(headerOf()), certify(headerOf({ author: 0, sequence: 1 }))];

function codeOf(payload: Bytes): string {
  const read = decodeOrderedPayload(payload);
  return read.ok ? "ok" : read.error.code;
}

function format2(...items: readonly RlpItem[]): Bytes {
  return concatBytes(Uint8Array.of(2), encodeRlp(items));
}

test("a payload comes back from its bytes, with batches, inline transactions, or both", () => {
  for (const inline of [[], INLINE]) {
    for (const batches of [[], BATCHES]) {
      const payload = encodeOrderedPayload({ inline, batches });
      assert.deepEqual(unwrap(decodeOrderedPayload(payload)), { inline, batches });
      assert.equal(hasBatches(payload), batches.length > 0);
    }
  }
});

test("a payload without batches has the bytes of format 1, and only those", () => {
  for (const inline of [[], INLINE])
    assert.deepEqual(encodeOrderedPayload({ inline, batches: [] }), encodePayload(inline));
  assert.equal(codeOf(format2(INLINE, [])), "payload/malformed");
});

test("what is inline is what core/execution checks", () => {
  const payload = encodeOrderedPayload({ inline: INLINE, batches: BATCHES });
  const ordered = unwrap(decodeOrderedPayload(payload));
  assert.deepEqual(unwrap(decodePayload(inlinePart(payload, ordered))), INLINE);
  const plain = encodePayload(INLINE);
  assert.equal(inlinePart(plain, unwrap(decodeOrderedPayload(plain))), plain);
});

test("D16: an empty payload has no batches", () => {
  assert.ok(!hasBatches(EMPTY_PAYLOAD));
  assert.ok(!hasBatches(EMPTY_BYTES));
  assert.ok(!hasBatches());
});

test("payloads of other forms and formats are refused", () => {
  assert.equal(codeOf(EMPTY_BYTES), "payload/malformed");
  assert.equal(codeOf(Uint8Array.of(0, 0xc0)), "payload/unsupported-format");
  assert.equal(codeOf(Uint8Array.of(3, 0xc0)), "payload/unsupported-format");
  const [batch] = BATCHES.map(certifiedToRlp);
  for (const items of [
    [],
    [INLINE],
    [INLINE, [batch!], []],
    [EMPTY_BYTES, [batch!]],
    [INLINE, batch!],
    [[[]], [batch!]],
  ])
    assert.equal(codeOf(format2(...items)), "payload/malformed");
  assert.equal(codeOf(concatBytes(format2(INLINE, [batch!]), Uint8Array.of(0))), "payload/malformed");
});

test("a payload has at most 256 batches and 32,768 transactions, whatever headers say of them", () => {
  const of = (count: number, each: number, inline: readonly Bytes[] = []): Bytes => {
    const batch = certify(headerOf({ count: each }));
    return encodeOrderedPayload({ inline, batches: Array.from({ length: count }, () => batch) });
  };
  assert.equal(codeOf(of(MAX_PAYLOAD_BATCHES, 1)), "ok");
  assert.equal(codeOf(of(MAX_PAYLOAD_BATCHES + 1, 1)), "payload/malformed");
  assert.equal(codeOf(of(32, 1_024)), "ok");
  assert.equal(codeOf(of(32, 1_024, INLINE)), "payload/malformed");
  const many = Array.from({ length: MAX_PAYLOAD_TRANSACTIONS }, () => Uint8Array.of(1));
  assert.equal(codeOf(of(1, 1, many)), "payload/malformed");
});

test("a payload of single bytes is refused before it takes memory", () => {
  const ones = Array.from({ length: 500_000 }, () => Uint8Array.of(1));
  assert.equal(codeOf(format2(ones, [certifiedToRlp(BATCHES[0]!)])), "payload/malformed");
  const [header, signers] = certifiedToRlp(BATCHES[0]!);
  assert.equal(codeOf(format2([], [[header!, signers!, ones]])), "payload/malformed");
});

test("a reference takes as many bytes as it adds to a payload", () => {
  const [first, second] = BATCHES;
  const length = (batches: typeof BATCHES): number =>
    encodeOrderedPayload({ inline: INLINE, batches }).length;
  const many = [first!, first!, first!, first!];
  // Four references are so long that a fifth makes no list's length longer.
  assert.equal(length([...many, second!]) - length(many), referenceLength(second!));
});

test("what can be read as a payload has no other bytes", () => {
  const random = createRandom(31);
  const payload = encodeOrderedPayload({ inline: INLINE, batches: BATCHES });
  let readable = 0;
  for (let round = 0; round < 3_000; round++) {
    const damaged = damage(random, payload);
    const read = decodeOrderedPayload(damaged);
    if (!read.ok) continue;
    readable++;
    assert.deepEqual(encodeOrderedPayload(read.value), damaged);
  }
  assert.ok(readable > 0, "some changes leave the form");
});
