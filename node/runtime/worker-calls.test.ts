import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MessageChannel, Worker } from "node:worker_threads";
import { connectWorker, type Peer, watchWorker } from "./worker-calls.ts";

type Vocabulary = {
  readonly double: { readonly argument: number; readonly answer: number };
  readonly refuse: { readonly argument: undefined; readonly answer: undefined };
  readonly never: { readonly argument: undefined; readonly answer: undefined };
  readonly unclonable: { readonly argument: undefined; readonly answer: unknown };
};
type Events = { readonly news: { readonly text: string } };

function setUp(context: TestContext) {
  const { port1, port2 } = new MessageChannel();
  context.after(() => port1.close());
  const inside: Peer<Record<never, never>, object, Events> = connectWorker<
    Vocabulary,
    Record<never, never>,
    Events
  >(port2, {
    double: async (value) => 2 * value,
    refuse: () => {
      throw Object.assign(new Error("the disk is full"), { code: "storage/disk-full" });
    },
    never: () => new Promise<never>(() => undefined),
    unclonable: () => () => undefined,
  });
  const outside = connectWorker<Record<never, never>, Vocabulary, object, Events>(port1, {});
  return { inside, outside };
}

test("calls are answered, each by its own answer", async (context) => {
  const { outside } = setUp(context);
  assert.deepEqual(await Promise.all([outside.call("double", 1), outside.call("double", 20)]), [2, 40]);
});

test("what a handler throws travels with its message and code", async (context) => {
  const { outside } = setUp(context);
  await assert.rejects(outside.call("refuse", undefined), {
    message: "the disk is full",
    code: "storage/disk-full",
  });
});

test("a method that nobody handles is refused", async (context) => {
  const { outside } = setUp(context);
  await assert.rejects(outside.call("unknown" as "double", 1), /no handler/);
});

test("what cannot cross threads rejects the call, in either direction", async (context) => {
  const { outside } = setUp(context);
  await assert.rejects(outside.call("unclonable", undefined), {
    name: "Error",
    message: /could not be cloned/,
  });
  await assert.rejects(outside.call("double", (() => 1) as unknown as number), /could not be cloned/);
  assert.equal(await outside.call("double", 2), 4);
});

test("close rejects what waits and refuses what comes", async (context) => {
  const { outside } = setUp(context);
  const waiting = outside.call("never", undefined);
  outside.close("the node is stopping");
  assert.equal(outside.isClosed(), true);
  await assert.rejects(waiting, /the node is stopping/);
  await assert.rejects(outside.call("double", 1), /the node is stopping/);
});

test("events reach all listeners, in order, and none after close", async (context) => {
  const { inside, outside } = setUp(context);
  const heard: string[] = [];
  outside.on("news", ({ text }) => heard.push(`1 ${text}`));
  outside.on("news", ({ text }) => heard.push(`2 ${text}`));
  inside.emit("news", { text: "a" });
  inside.emit("news", { text: "b" });
  await outside.call("double", 1);
  assert.deepEqual(heard, ["1 a", "2 a", "1 b", "2 b"]);
  inside.close("gone");
  inside.emit("news", { text: "c" });
  assert.equal(heard.length, 4);
});

test("a worker that fails, or just ends, is told once and rejects what was asked of it", async () => {
  for (const code of ["throw new Error('broken')", "process.exit(3)"]) {
    const source = `const { parentPort } = require("node:worker_threads"); parentPort.once("message", () => { ${code} });`;
    const worker = new Worker(source, { eval: true });
    const peer: Peer<Vocabulary, object, object> = connectWorker(worker, {});
    const told: string[] = [];
    watchWorker(worker, "test", peer, (error) => told.push(error.message));
    await assert.rejects(
      peer.call("double", 1),
      /the test worker (failed: broken|ended by itself, with code 3)/,
    );
    await worker.terminate();
    assert.equal(told.length, 1, told.join());
  }
});

test("a worker whose end was asked for is not told", async () => {
  const worker = new Worker("setInterval(() => {}, 1000)", { eval: true });
  const peer: Peer<Vocabulary, object, object> = connectWorker(worker, {});
  const told: Error[] = [];
  watchWorker(worker, "test", peer, (error) => told.push(error));
  peer.close("the node is stopping");
  await worker.terminate();
  assert.deepEqual(told, []);
});
