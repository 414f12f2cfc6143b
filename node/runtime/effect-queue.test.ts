import assert from "node:assert/strict";
import { test } from "node:test";
import { EffectQueue } from "./effect-queue.ts";

const unexpected = (error: unknown): never => {
  throw error;
};

test("effects are performed one after another, in order, also those pushed meanwhile", async () => {
  const performed: string[] = [];
  const barrier = Promise.withResolvers<void>();
  const queue = new EffectQueue<string>((effects) => {
    const effect = effects[0]!;
    if (effect !== "wait") {
      performed.push(effect);
      return 1;
    }
    return barrier.promise.then(() => {
      performed.push("waited");
      queue.push(["pushed while performing"]);
      return 1;
    });
  }, unexpected);
  queue.push(["a", "wait", "b"]);
  queue.push(["c"]);
  assert.deepEqual(performed, ["a"], "nothing overtakes an effect that waits");
  barrier.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(performed, ["a", "waited", "b", "c", "pushed while performing"]);
});

test("the performer may take several effects at once", () => {
  const taken: number[][] = [];
  const queue = new EffectQueue<number>((effects) => {
    const run = effects.slice(0, effects[0] === 1 ? 2 : 1);
    taken.push([...run]);
    return run.length;
  }, unexpected);
  queue.push([1, 2, 3]);
  assert.deepEqual(taken, [[1, 2], [3]]);
});

test("an effect that pushes effects is followed by those that were there before", () => {
  const performed: string[] = [];
  const queue = new EffectQueue<string>((effects) => {
    const effect = effects[0]!;
    performed.push(effect);
    if (effect === "a") queue.push(["after b"]);
    return 1;
  }, unexpected);
  queue.push(["a", "b"]);
  assert.deepEqual(performed, ["a", "b", "after b"]);
});

for (const how of ["throws", "rejects"] as const) {
  test(`an effect that ${how} is reported once, and nothing is performed after it`, async () => {
    const performed: string[] = [];
    const failures: unknown[] = [];
    const queue = new EffectQueue<string>(
      (effects) => {
        performed.push(effects[0]!);
        if (effects[0] !== "bad") return 1;
        const error = new Error("the disk is full");
        if (how === "throws") throw error;
        return Promise.reject(error);
      },
      (error) => failures.push(error),
    );
    queue.push(["a", "bad", "never"]);
    await new Promise((resolve) => setImmediate(resolve));
    queue.push(["neither"]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(performed, ["a", "bad"]);
    assert.equal(failures.length, 1);
  });
}

test("stop drops what waits and resolves when what is under way has ended", async () => {
  const performed: string[] = [];
  const barrier = Promise.withResolvers<void>();
  const queue = new EffectQueue<string>(async (effects) => {
    await barrier.promise;
    performed.push(effects[0]!);
    return 1;
  }, unexpected);
  queue.push(["under way", "waiting"]);
  let hasStopped = false;
  const stopped = queue.stop().then(() => {
    hasStopped = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(hasStopped, false);
  barrier.resolve();
  await stopped;
  queue.push(["late"]);
  assert.deepEqual(performed, ["under way"]);
  await queue.stop();
});
