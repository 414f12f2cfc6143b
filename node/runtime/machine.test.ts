import assert from "node:assert/strict";
import { test } from "node:test";
import { machineClock } from "./machine.ts";

/** Node's timers fire at once beyond this delay. */
const LONGEST_MS = 2 ** 31 - 1;

test("a delay beyond what the machine's timers can hold is waited for all the same", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let fired = 0;
  machineClock.after(2 * LONGEST_MS + 5, () => fired++);
  context.mock.timers.tick(LONGEST_MS);
  context.mock.timers.tick(LONGEST_MS);
  context.mock.timers.tick(4);
  assert.equal(fired, 0);
  context.mock.timers.tick(1);
  assert.equal(fired, 1);
});

test("a long delay can be cancelled at any time, and a negative one is none", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let fired = 0;
  const cancel = machineClock.after(2 * LONGEST_MS, () => fired++);
  context.mock.timers.tick(LONGEST_MS);
  cancel();
  context.mock.timers.tick(2 * LONGEST_MS);
  assert.equal(fired, 0);
  machineClock.after(-5, () => fired++);
  context.mock.timers.tick(1);
  assert.equal(fired, 1);
});
