import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientRoom, LEAST_CLIENT_ROOM } from "./client-room.ts";

test("there is always room for some, and for three seconds of what blocks take out", () => {
  const room = new ClientRoom(0);
  assert.equal(room.size, LEAST_CLIENT_ROOM);
  for (let nowMs = 100; nowMs <= 20_000; nowMs += 100) room.left(400, nowMs);
  // 4,000 a second.
  assert.ok(room.size > 11_900 && room.size <= 12_000, `${room.size}`);
  for (let nowMs = 20_100; nowMs <= 40_000; nowMs += 100) room.left(0, nowMs);
  assert.equal(room.size, LEAST_CLIENT_ROOM);
});

test("a clock that is set back neither shrinks the room to nothing nor makes it endless", () => {
  const room = new ClientRoom(100_000);
  for (let nowMs = 100_100; nowMs <= 110_000; nowMs += 100) room.left(400, nowMs);
  const before = room.size;
  room.left(400, 5_000);
  assert.equal(room.size, before);
  for (let nowMs = 5_100; nowMs <= 20_000; nowMs += 100) room.left(400, nowMs);
  assert.ok(room.size <= 12_000 && room.size > 11_000, `${room.size}`);
  room.left(-5, 20_100);
  assert.ok(room.size > 0);
});
