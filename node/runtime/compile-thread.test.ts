import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { must } from "@ostrom/base";
import { type CompiledModule, compileRiscv, createContractEngine, type FinishedRiscv } from "@ostrom/vm";
import { difference, randomRun } from "../../core/vm/engine/testing/compare-engines.ts";
import { randomProgram } from "../../core/vm/riscv/testing/random-program.ts";
import { observe, REFERENCE, tiers } from "../../core/vm/riscv/testing/run-program.ts";
import { CompileThread, type CompileThreadOptions } from "./compile-thread.ts";

// PUSH1 1, PUSH1 2, ADD, STOP; and PUSH0, CALLDATALOAD, JUMP to any of more destinations than are compiled.
const SMALL = Uint8Array.of(0x60, 1, 0x60, 2, 0x01, 0x00);
const TOO_MANY_ENTRIES = new Uint8Array(24_576).fill(0x5b);
TOO_MANY_ENTRIES.set([0x5f, 0x35, 0x56]);

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
    const [taken] = thread.evm.take();
    if (taken !== undefined) return taken;
    await nextTurn();
  }
}

test("what is requested is compiled on another thread, in order, and refused code is told", async (context) => {
  const thread = startThread(context);
  assert.equal(thread.isRunning(), false);
  assert.ok(thread.evm.request("small", SMALL, "osaka"));
  assert.ok(thread.evm.request("big", TOO_MANY_ENTRIES, "osaka"));
  assert.deepEqual(thread.evm.take(), []);
  const small = await takeOne(thread);
  assert.deepEqual([small.key, small.kind], ["small", "compiled"]);
  assert.deepEqual(await takeOne(thread), { key: "big", kind: "refused", reason: "too many entries" });
});

test("modules are fetched without a turn of the event loop", (context) => {
  const thread = startThread(context);
  thread.evm.request("small", SMALL, "osaka");
  let taken: readonly CompiledModule[] = [];
  while (taken.length === 0) taken = thread.evm.take();
  assert.equal(taken[0]!.kind, "compiled");
});

test("an engine whose code is compiled by a thread has the reference's results, before and after", async (context) => {
  const thread = startThread(context);
  const engine = createContractEngine({ tiers: "mixed", compileGas: 1, compileService: thread.evm });
  for (let seed = 1; engine.counts.frames.tier1 === 0 || seed <= 20; seed++) {
    const run = randomRun(1 + (seed % 10));
    assert.equal(difference(engine.execute, run), undefined, `seed ${seed}`);
    await nextTurn();
  }
  assert.equal(engine.counts.nodeFaults, 0);
});

async function takeOneProgram(thread: CompileThread): Promise<FinishedRiscv> {
  for (;;) {
    const [taken] = thread.riscv.take();
    if (taken !== undefined) return taken;
    await nextTurn();
  }
}

test("one thread compiles for the EVM and RISC-V, and tells each what is its own", async (context) => {
  const thread = startThread(context);
  const file = randomProgram(1);
  // A part of a larger array, as code is.
  const code = new Uint8Array(file.length + 3);
  code.set(file, 3);
  thread.evm.request("one", SMALL, "osaka");
  thread.riscv.request("one", code.subarray(3));
  thread.riscv.request("two", SMALL);
  const { key, compiled } = await takeOneProgram(thread);
  assert.equal(key, "one");
  const expected = must(compileRiscv(file), "it can be compiled");
  assert.deepEqual(compiled?.entries, expected.entries);
  assert.equal(compiled?.emittedBytes, expected.emittedBytes);
  assert.deepEqual(await takeOneProgram(thread), { key: "two", compiled: undefined });
  assert.equal((await takeOne(thread)).key, "one");
});

test("programs run in the interpreter until the thread has compiled them, then in what it posted", async (context) => {
  const thread = startThread(context);
  const asked: string[] = [];
  let isCompiled = false;
  const engine = tiers({
    tiers: "mixed",
    compileFuel: 0,
    compileService: {
      request: (key, file) => {
        asked.push(key);
        return thread.riscv.request(key, file);
      },
      take: () => {
        const finished = thread.riscv.take();
        isCompiled ||= finished.some(({ compiled }) => compiled !== undefined);
        return finished;
      },
    },
  });
  for (let seed = 1; seed <= 4; seed++) {
    const file = randomProgram(seed);
    const expected = observe(REFERENCE, file);
    isCompiled = false;
    assert.equal(observe(engine, file), expected);
    while (!isCompiled) {
      await nextTurn();
      assert.equal(observe(engine, file), expected, `seed ${seed}`);
    }
    assert.equal(observe(engine, file), expected, `seed ${seed}, compiled`);
  }
  assert.equal(new Set(asked).size, 4, "each is asked for once");
});

test("a runner that is made anew is not given what another asked for under its name", async (context) => {
  const thread = startThread(context);
  const options = { tiers: "mixed", compileFuel: 0, compileService: thread.riscv } as const;
  const first = tiers(options);
  for (let seed = 1; seed <= 3; seed++) observe(first, randomProgram(seed));
  const second = tiers(options);
  for (let seed = 3; seed >= 1; seed--) {
    for (let message = 0; message < 20; message++) {
      assert.equal(observe(second, randomProgram(seed)), observe(REFERENCE, randomProgram(seed)));
      await nextTurn();
    }
  }
});

test("no more than a bounded number of codes of both kinds wait", (context) => {
  const thread = startThread(context, { worker: workerThat("") });
  let accepted = 0;
  const ask = (key: string): boolean =>
    accepted % 2 === 0 ? thread.evm.request(key, SMALL, "osaka") : thread.riscv.request(key, SMALL);
  while (ask(`code ${accepted}`)) accepted++;
  assert.equal(accepted, 65);
});

test("code over which the compiler takes too long is refused, and the next one has a new thread", async (context) => {
  const worker = workerThat(
    'if (request.key !== "next") for (;;); port.postMessage({ kind: "evm", finished: { key: request.key, kind: "compiled", emittedBytes: 0 } });',
  );
  const thread = startThread(context, { worker, maxCompileMs: 50 });
  thread.evm.request("endless", SMALL, "osaka");
  thread.evm.request("next", SMALL, "osaka");
  assert.deepEqual(await takeOne(thread), { key: "endless", kind: "refused", reason: "took too long" });
  assert.equal((await takeOne(thread)).key, "next");
});

test("code over which the compiler dies is refused, and the next one has a new thread", async (context) => {
  const worker = workerThat(
    'if (request.key !== "next") process.exit(1); port.postMessage({ kind: "evm", finished: { key: request.key, kind: "compiled", emittedBytes: 0 } });',
  );
  const thread = startThread(context, { worker });
  thread.evm.request("deadly", SMALL, "osaka");
  thread.evm.request("next", SMALL, "osaka");
  assert.deepEqual(await takeOne(thread), { key: "deadly", kind: "refused", reason: "the compiler died" });
  assert.equal((await takeOne(thread)).key, "next");
});

test("a thread with nothing to do is ended, and started again when there is something", async (context) => {
  const thread = startThread(context, { idleMs: 1 });
  thread.evm.request("first", SMALL, "osaka");
  await takeOne(thread);
  while (thread.isRunning()) await nextTurn();
  thread.evm.request("second", SMALL, "osaka");
  assert.equal((await takeOne(thread)).key, "second");
});

test("a thread that compiles keeps no process alive", async () => {
  const source = `import { CompileThread } from ${JSON.stringify(import.meta.resolve("./compile-thread.ts"))};
    new CompileThread().evm.request("small", Uint8Array.of(0), "osaka");`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  await new Promise((resolve) => worker.once("exit", resolve));
});
