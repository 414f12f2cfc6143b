import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeChecks, judgeHealth, judgeReadiness, REPORT_SECONDS, SILENT_SECONDS } from "./health.ts";
import { CATALOG, PROCESS, THREAD } from "./metrics-catalog.ts";
import type { Seat } from "./metrics-counters.ts";
import { READY_CONDITIONS } from "./metrics-labels.ts";

const THREADS = ["main", "execution", "signatures", "json-rpc"];

/** @param beats uptime at each thread's last beat. @param lacking conditions that do not hold. */
function seatsOf(
  beats: readonly (readonly [string, number])[],
  lacking: readonly string[] = [],
): readonly Seat[] {
  return beats.map(([name, uptimeSeconds]) => {
    const values = new Float64Array(CATALOG.slots);
    values[THREAD.beat.slot] = uptimeSeconds;
    if (name === "main")
      for (const condition of READY_CONDITIONS)
        values[PROCESS.ready.places.get(condition)!] = lacking.includes(condition) ? 0 : 1;
    return { name, values };
  });
}

function failing(checks: ReturnType<typeof judgeHealth>): readonly string[] {
  return checks.filter(({ isGood }) => !isGood).map(({ name }) => name);
}

const all = (uptimeSeconds: number) => THREADS.map((name) => [name, uptimeSeconds] as const);

describe("health", () => {
  test("is good while every thread turns", () => {
    assert.deepEqual(failing(judgeHealth(seatsOf(all(100)), 100 + SILENT_SECONDS)), []);
  });

  test("names the thread that is stuck", () => {
    const seats = seatsOf(all(100).map(([name, at]) => [name, name === "execution" ? 60 : at]));
    assert.deepEqual(failing(judgeHealth(seats, 100)), ["execution"]);
  });

  test("of a thread that was replaced the new one counts", () => {
    const seats = seatsOf([...all(100), ["execution", 10]]);
    assert.deepEqual(failing(judgeHealth(seats, 100)), []);
  });

  test("threads that have not begun yet are missed only once the node takes part", () => {
    assert.deepEqual(failing(judgeHealth(seatsOf([["main", 1]], ["started"]), 1)), []);
    assert.deepEqual(failing(judgeHealth(seatsOf([["main", 1]]), 1)), [
      "execution",
      "signatures",
      "json-rpc",
    ]);
  });
});

describe("readiness", () => {
  test("is good when all conditions hold", () => {
    assert.deepEqual(failing(judgeReadiness(seatsOf(all(100)), 100)), []);
  });

  test("names what is lacking", () => {
    for (const condition of READY_CONDITIONS)
      assert.deepEqual(failing(judgeReadiness(seatsOf(all(100), [condition]), 100)), [condition]);
  });

  test("what a main thread said that has fallen silent does not count", () => {
    assert.deepEqual(failing(judgeReadiness(seatsOf(all(100)), 100 + REPORT_SECONDS + 1)), ["answers"]);
  });

  test("a node that has said nothing yet is not ready", () => {
    assert.equal(describeChecks("ready", judgeReadiness([], 1)).isGood, false);
  });

  test("the answer is JSON that names what fails", () => {
    const { isGood, body } = describeChecks("ready", judgeReadiness(seatsOf(all(9), ["disk"]), 9));
    const { status, failing: named, checks } = JSON.parse(body) as Record<string, unknown>;
    assert.equal(isGood, false);
    assert.deepEqual([status, named], ["not ready", ["disk"]]);
    assert.deepEqual(Object.keys(checks as object), ["answers", ...READY_CONDITIONS]);
  });
});
