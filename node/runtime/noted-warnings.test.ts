import assert from "node:assert/strict";
import { test } from "node:test";
import { NotedWarnings } from "./noted-warnings.ts";
import type { OperatorAct } from "./operator-log-format.ts";

test("bans are noted, also those of before the operator log was open; what a hostile peer repeats is not", () => {
  let nowMs = 0;
  const noted: OperatorAct[] = [];
  const logged: string[] = [];
  const warnings = new NotedWarnings(() => nowMs);
  const log = warnings.watch((_level, message) => logged.push(message));
  log("warn", "a peer broke the protocol", { peer: "ab", banMs: 5n, reason: new Error("a frame too long") });
  log("info", "something else");
  warnings.attach((act) => noted.push(act));
  const message = "a peer broke the protocol";
  assert.deepEqual(noted, [
    {
      act: "peer.banned",
      actor: "node",
      details: { message, peer: "ab", banMs: "5", reason: "a frame too long" },
    },
  ]);
  const newest = (): OperatorAct => noted[noted.length - 1]!;
  for (let n = 0; n < 1_000; n++) log("warn", message, { peer: "cd" });
  assert.equal(noted.length, 30);
  assert.equal(newest().details["moreInThisHour"], "in the node's log alone");
  log("warn", "this node will stop: the chain needs what its program lacks");
  assert.equal(newest().act, "module.missing");
  nowMs = 3_600_000;
  log("warn", message);
  assert.equal(noted.length, 32);
  assert.equal(logged.length, 1_004);
});
