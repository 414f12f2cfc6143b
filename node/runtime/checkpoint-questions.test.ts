import assert from "node:assert/strict";
import { test } from "node:test";
import { unwrap } from "@ostrom/base";
import { decodeMessage } from "@ostrom/consensus";
import type { Network } from "@ostrom/network";
import { CheckpointQuestions } from "./checkpoint-questions.ts";
import { createManualClock } from "./testing/manual-clock.ts";

test("what is lacking is asked for however short epochs are, and from peer to peer while certificates come", () => {
  const clock = createManualClock(0);
  const asked: (readonly [string, number])[] = [];
  const network: Network = {
    connected: () => ["a", "b"],
    broadcast: () => 0,
    send: (peerId, _channel, payload) => {
      const message = unwrap(decodeMessage(payload));
      assert.ok(message.kind === "checkpoint-request");
      asked.push([peerId, message.epoch]);
      return true;
    },
  };
  let next = 0;
  const questions = new CheckpointQuestions({ clock, network }, () => [next, 8, 9]);
  for (let second = 0; second < 6; second++) {
    questions.begin();
    clock.advance(1_000);
  }
  assert.deepEqual(asked, [["a", 0]], "epochs of a second do not put the question off");
  assert.ok(questions.takeAnswer("a") && !questions.takeAnswer("a"), "one answer to one question");
  for (next = 1; next <= 4; next++) {
    questions.certified();
    clock.advance(250);
  }
  assert.deepEqual(asked.slice(1), [
    ["b", 1],
    ["a", 2],
    ["b", 3],
    ["a", 4],
  ]);
  next = 5;
  clock.advance(60_000);
  assert.deepEqual(asked.slice(5, 8), [
    ["b", 5],
    ["a", 9],
    ["b", 9],
  ]);
  questions.stop();
});
