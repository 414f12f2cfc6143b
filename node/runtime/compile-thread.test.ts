import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { type CompiledModule, createContractEngine } from "@ostrom/vm";
import { difference, randomRun } from "../../core/vm/engine/testing/compare-engines.ts";
import { CompileThread, type CompileThreadOptions } from "./compile-thread.ts";

// PUSH1 1, PUSH1 2, ADD, STOP; and more jump destinations than are compiled.
const SMALL = Uint8Array.of(0x60, 1, 0x60, 2, 0x01, 0x00);
const TOO_MANY_ENTRIES = new Uint8Array(24_576).fill(0x5b);

/** Threads that do what a compiler should not. */
function workerThat(does: string): URL {
  const source = `import { workerData as port } from "node:worker_threads"; port.on("message", (request) => { ${does} });`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

function startThread(context: TestContext, options: CompileThreadOptions = {}): CompileThread {
  const thread = new CompileThread(options);
  context.after(() => thread.stop());
  return thread;
}

async function takeOne(thread: CompileThread): Promise<CompiledModule> {
  for (;;) {
    const [taken] = thread.take();
    if (taken !== undefined) return taken;
    await nextTurn();
  }
}

test("what is requested is compiled on another thread, in order, and refused code is told", async (context) => {
  const thread = startThread(context);
  assert.equal(thread.isRunning(), false);
  assert.ok(thread.request("small", SMALL, "osaka"));
  assert.ok(thread.request("big", TOO_MANY_ENTRIES, "osaka"));
  assert.deepEqual(thread.take(), []);
  const small = await takeOne(thread);
  assert.deepEqual([small.key, small.kind], ["small", "compiled"]);
  assert.deepEqual(await takeOne(thread), { key: "big", kind: "refused", reason: "too many entries" });
});

test("modules are fetched without a turn of the event loop", (context) => {
  const thread = startThread(context);
  thread.request("small", SMALL, "osaka");
  let taken: readonly CompiledModule[] = [];
  while (taken.length === 0) taken = thread.take();
  assert.equal(taken[0]!.kind, "compiled");
});

test("an engine whose code is compiled by a thread has the reference's results, before and after", async (context) => {
  const thread = startThread(context);
  const engine = createContractEngine({ tiers: "mixed", compileGas: 1, compileService: thread });
  for (let seed = 1; engine.counts.frames.tier1 === 0 || seed <= 20; seed++) {
    const run = randomRun(1 + (seed % 10));
    assert.equal(difference(engine.execute, run), undefined, `seed ${seed}`);
    await nextTurn();
  }
  assert.equal(engine.counts.nodeFaults, 0);
});

test("no more than a bounded number of codes wait", (context) => {
  const thread = startThread(context, { worker: workerThat("") });
  let accepted = 0;
  while (thread.request(`code ${accepted}`, SMALL, "osaka")) accepted++;
  assert.equal(accepted, 65);
});

test("code over which the compiler takes too long is refused, and the next one has a new thread", async (context) => {
  const worker = workerThat(
    'if (request.key !== "next") for (;;); port.postMessage({ key: request.key, kind: "compiled", emittedBytes: 0 });',
  );
  const thread = startThread(context, { worker, maxCompileMs: 50 });
  thread.request("endless", SMALL, "osaka");
  thread.request("next", SMALL, "osaka");
  assert.deepEqual(await takeOne(thread), { key: "endless", kind: "refused", reason: "took too long" });
  assert.equal((await takeOne(thread)).key, "next");
});

test("code over which the compiler dies is refused, and the next one has a new thread", async (context) => {
  const worker = workerThat(
    'if (request.key !== "next") process.exit(1); port.postMessage({ key: request.key, kind: "compiled", emittedBytes: 0 });',
  );
  const thread = startThread(context, { worker });
  thread.request("deadly", SMALL, "osaka");
  thread.request("next", SMALL, "osaka");
  assert.deepEqual(await takeOne(thread), { key: "deadly", kind: "refused", reason: "the compiler died" });
  assert.equal((await takeOne(thread)).key, "next");
});

test("a thread with nothing to do is ended, and started again when there is something", async (context) => {
  const thread = startThread(context, { idleMs: 1 });
  thread.request("first", SMALL, "osaka");
  await takeOne(thread);
  while (thread.isRunning()) await nextTurn();
  thread.request("second", SMALL, "osaka");
  assert.equal((await takeOne(thread)).key, "second");
});

test("a thread that compiles keeps no process alive", async () => {
  const source = `import { CompileThread } from ${JSON.stringify(import.meta.resolve("./compile-thread.ts"))};
    new CompileThread().request("small", Uint8Array.of(0), "osaka");`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  await new Promise((resolve) => worker.once("exit", resolve));
});
