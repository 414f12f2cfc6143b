import assert from "node:assert/strict";
import { test } from "node:test";
import { HandshakeLine } from "./handshake-line.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("handshakes in line: one in a turn, in the order in which they came, never at once", async () => {
  const line = new HandshakeLine(100);
  const done: number[] = [];
  for (let count = 0; count < 5; count++) line.add(() => done.push(count));
  assert.deepEqual(done, []);
  for (let turns = 1; turns <= 5; turns++) {
    await turn();
    assert.ok(done.length <= turns);
  }
  for (let turns = 0; turns < 5; turns++) await turn();
  assert.deepEqual(done, [0, 1, 2, 3, 4]);
});

test("handshakes in line: no more than allowed; the rest waits for time to pass", async () => {
  const line = new HandshakeLine(10);
  let done = 0;
  for (let count = 0; count < 50; count++)
    line.add(() => {
      done += 1;
    });
  for (let turns = 0; turns < 100; turns++) await turn();
  assert.equal(done, 20, "what may come at once after a quiet time");
  line.tick(500);
  for (let turns = 0; turns < 100; turns++) await turn();
  assert.equal(done, 25);
  line.tick(1_000_000);
  for (let turns = 0; turns < 100; turns++) await turn();
  assert.equal(done, 45, "a long quiet time earns no more than a short one");
});

test("handshakes in line: who has gone costs nothing", async () => {
  const line = new HandshakeLine(1);
  const done: string[] = [];
  const leave = line.add(() => done.push("gone"));
  line.add(() => done.push("first"));
  line.add(() => done.push("second"));
  leave();
  for (let turns = 0; turns < 20; turns++) await turn();
  assert.deepEqual(done, ["first", "second"]);
});
