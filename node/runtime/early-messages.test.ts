import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, View } from "@ostrom/base";
import type { Message } from "@ostrom/consensus";
import { EarlyMessages } from "./early-messages.ts";

function question(view: number): Message {
  return { kind: "certificate-request", epoch: Epoch(1), view: View(view), want: "any" };
}

function viewsOf(early: EarlyMessages): readonly [string, number][] {
  return early
    .takeAll()
    .map(({ peerId, message }) => [peerId, message.kind === "certificate-request" ? message.view : 0]);
}

test("what comes early is given back once, in the order of each peer", () => {
  const early = new EarlyMessages();
  early.keep("a", 1, question(1), 10);
  early.keep("b", 1, question(2), 10);
  early.keep("a", 1, question(3), 10);
  assert.deepEqual(viewsOf(early), [
    ["a", 1],
    ["a", 3],
    ["b", 2],
  ]);
  assert.deepEqual([viewsOf(early), early.bytes], [[], 0]);
});

test("of one peer the newest 64 are kept, and 4 MB: the others' are not touched", () => {
  const early = new EarlyMessages();
  early.keep("b", 1, question(7), 10);
  for (let view = 1; view <= 100; view++) early.keep("a", 1, question(view), 10);
  const views = viewsOf(early);
  assert.deepEqual([views.length, views[0], views[1], views.at(-1)], [65, ["b", 7], ["a", 37], ["a", 100]]);
  for (let view = 1; view <= 5; view++) early.keep("a", 1, question(view), 1_500_000);
  assert.equal(early.bytes, 3_000_000);
  early.keep("a", 1, question(6), 5_000_000);
  assert.equal(early.bytes, 0, "one that is too large is not kept");
});

test("all peers together keep 64 MB", () => {
  const early = new EarlyMessages();
  for (let peer = 0; peer < 40; peer++)
    for (let view = 1; view <= 4; view++) early.keep(`${peer}`, 1, question(view), 1_000_000);
  assert.ok(early.bytes <= 64 * 1024 * 1024, String(early.bytes));
});
