import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, EventQueue } from "./index.ts";

test("events come by time, and at one time in the order in which they were put in", () => {
  const random = createRandom(5);
  const queue = new EventQueue<{ readonly timeMs: number; readonly number: number }>();
  const expected: { readonly timeMs: number; readonly number: number }[] = [];
  const taken: typeof expected = [];
  for (let number = 0; number < 5_000; number++) {
    const event = { timeMs: random.below(40), number };
    queue.put(event);
    expected.push(event);
  }
  for (let event = queue.take(); event !== undefined; event = queue.take()) {
    taken.push(event);
    assert.ok((queue.nextMs ?? Number.POSITIVE_INFINITY) >= event.timeMs);
  }
  expected.sort((a, b) => a.timeMs - b.timeMs || a.number - b.number);
  assert.deepEqual(taken, expected);
  assert.equal(queue.nextMs, undefined);
});
