import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, unwrap } from "@ostrom/base";
import { decodeSegment, SegmentWriter } from "./backup-segment.ts";

const random = createRandom(9);

test("segments give back the entries that went in, whatever their number and sizes", () => {
  const writer = new SegmentWriter(1_000);
  const entries: (readonly [Uint8Array, Uint8Array])[] = [];
  const found: (readonly [Uint8Array, Uint8Array])[] = [];
  for (let n = 0; n < 2_000; n++) {
    const entry = [
      random.bytes(random.below(40)),
      random.bytes(n % 500 === 0 ? 5_000 : random.below(60)),
    ] as const;
    entries.push(entry);
    if (writer.add(...entry)) found.push(...unwrap(decodeSegment(writer.take().slice())));
  }
  if (!writer.isEmpty()) found.push(...unwrap(decodeSegment(writer.take())));
  assert.deepEqual(found, entries);
  assert.ok(writer.isEmpty());
});

test("a segment of more entries than a call may have arguments", () => {
  const writer = new SegmentWriter(64 * 1024 * 1024);
  for (let n = 0; n < 300_000; n++) writer.add(Uint8Array.of(n, n >> 8, n >> 16), Uint8Array.of(1));
  assert.equal(unwrap(decodeSegment(writer.take())).length, 300_000);
});

test("a segment cut off anywhere but between two entries is refused", () => {
  const writer = new SegmentWriter(1_000);
  writer.add(Uint8Array.of(1, 2), Uint8Array.of(3));
  writer.add(Uint8Array.of(4), new Uint8Array(0));
  const whole = writer.take();
  const good = [0, 9, 16];
  for (let length = 0; length <= whole.length; length++) {
    assert.equal(decodeSegment(whole.subarray(0, length)).ok, good.includes(length), `${length} bytes`);
  }
});
