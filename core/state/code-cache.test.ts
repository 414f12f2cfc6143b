import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES, Hash } from "@ostrom/base";
import { createCodeCache } from "./code-cache.ts";
import type { StateReader } from "./types.ts";

const hashOf = (number: number): Hash => Hash(new Uint8Array(32).fill(number));

function countingReader(size: number): { readonly reader: StateReader; readonly reads: () => number } {
  let reads = 0;
  const code = (hash: Hash) => {
    reads++;
    return new Uint8Array(size).fill(hash[0]!);
  };
  return { reader: { account: () => undefined, storage: () => 0n, code }, reads: () => reads };
}

test("the same hash gives the same code object, across readers", () => {
  const { reader, reads } = countingReader(100);
  const cache = createCodeCache(10_000);
  const first = cache.reader(reader).code(hashOf(1));
  assert.equal(cache.reader(reader).code(hashOf(1)), first);
  assert.notEqual(cache.reader(reader).code(hashOf(2)), first);
  assert.equal(reads(), 2);
});

test("what was used least lately goes when there is no room", () => {
  const { reader, reads } = countingReader(1000);
  const cached = createCodeCache(2600).reader(reader);
  cached.code(hashOf(1));
  cached.code(hashOf(2));
  cached.code(hashOf(1));
  cached.code(hashOf(3));
  assert.equal(reads(), 3);
  cached.code(hashOf(1));
  assert.equal(reads(), 3, "1 was used after 2");
  cached.code(hashOf(2));
  assert.equal(reads(), 4, "2 had to go");
});

test("code that is larger than the cache is read, and not kept", () => {
  const { reader, reads } = countingReader(5000);
  const cached = createCodeCache(1000).reader(reader);
  assert.equal(cached.code(hashOf(1)).length, 5000);
  cached.code(hashOf(1));
  assert.equal(reads(), 2);
  assert.equal(cached.storage(new Uint8Array(20) as never, 1n), 0n);
  assert.notEqual(cached.code(hashOf(1)), EMPTY_BYTES);
});
