import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { uint64ToBytes, utf8 } from "@ostrom/base";
import { StorageError } from "./errors.ts";
import { openLevelStore } from "./level-store.ts";
import { testStoreCompliance } from "./testing/store-compliance.ts";

async function makeFolder(): Promise<{ readonly path: string; readonly cleanUp: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "ostrom-level-"));
  return { path, cleanUp: () => rm(path, { recursive: true, force: true }) };
}

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    assert.ok(error instanceof StorageError, `expected a StorageError, not ${String(error)}`);
    return error.code;
  }
  return "no error";
}

testStoreCompliance("LevelStore", async () => {
  const folder = await makeFolder();
  const path = join(folder.path, "chain");
  return { open: () => openLevelStore(path, { create: true }), cleanUp: folder.cleanUp };
});

test("LevelStore: opening nothing without `create` is storage/missing and creates nothing", async () => {
  const folder = await makeFolder();
  assert.equal(await codeOf(openLevelStore(join(folder.path, "no"), { create: false })), "storage/missing");
  assert.equal(await codeOf(openLevelStore(folder.path, { create: false })), "storage/missing");
  assert.deepEqual(await readdir(folder.path), []);
  await folder.cleanUp();
});

test("LevelStore: another process that opens it is told storage/locked", async () => {
  const folder = await makeFolder();
  const store = await openLevelStore(folder.path, { create: true });
  const script = `
    import { openLevelStore } from ${JSON.stringify(join(import.meta.dirname, "level-store.ts"))};
    openLevelStore(process.argv[1], { create: true }).catch((error) => console.log(error.code));`;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", script, folder.path], {
    encoding: "utf8",
  });
  assert.equal(run.stdout.trim(), "storage/locked", run.stderr);
  await store.close();
  await folder.cleanUp();
});

test("LevelStore: a full disk is storage/disk-full, refuses later writes, and loses nothing written before", async () => {
  const folder = await makeFolder();
  // A limit on the size of files stands in for a full disk: LevelDB meets it in the same place.
  const script = `
    import { openLevelStore } from ${JSON.stringify(join(import.meta.dirname, "level-store.ts"))};
    const store = await openLevelStore(process.argv[1], { create: true });
    const codes = [];
    for (let number = 0; number < 8; number++) {
      const value = crypto.getRandomValues(new Uint8Array(60_000));
      await store.write([{ key: Uint8Array.of(number), value }], { sync: true }).then(
        () => codes.push("written"), (error) => codes.push(error.code));
    }
    await store.write([{ key: Uint8Array.of(99), value: Uint8Array.of(1) }], { sync: false }).catch((error) => codes.push(error.code));
    console.log(JSON.stringify(codes));`;
  const command = `ulimit -f 500; exec "$0" "$@"`;
  const run = spawnSync(
    "/bin/sh",
    ["-c", command, process.execPath, "--input-type=module", "-e", script, folder.path],
    {
      encoding: "utf8",
    },
  );
  const codes = JSON.parse(run.stdout) as string[];
  const written = codes.lastIndexOf("written") + 1;
  assert.ok(written >= 2 && written < 8, run.stdout + run.stderr);
  assert.deepEqual([...new Set(codes.slice(written))], ["storage/disk-full"]);
  const store = await openLevelStore(folder.path, { create: false });
  for (let number = 0; number < written; number++)
    assert.equal(store.get(Uint8Array.of(number))?.length, 60_000);
  assert.equal(store.get(Uint8Array.of(99)), undefined);
  await store.close();
  await folder.cleanUp();
});

const MANY = 2_000;

async function fill(path: string): Promise<void> {
  const store = await openLevelStore(path, { create: true, writeBufferBytes: 64 * 1024 });
  for (let start = 0; start < MANY; start += 100) {
    const batch = Array.from({ length: 100 }, (_, index) => ({
      key: uint64ToBytes(start + index),
      value: crypto.getRandomValues(new Uint8Array(200)),
    }));
    await store.write(batch, { sync: false });
  }
  await store.close();
}

test("LevelStore: a missing CURRENT file is storage/damaged, never a reason to start anew", async () => {
  const folder = await makeFolder();
  await fill(folder.path);
  await rm(join(folder.path, "CURRENT"));
  const before = await readdir(folder.path);
  assert.equal(await codeOf(openLevelStore(folder.path, { create: true })), "storage/damaged");
  assert.deepEqual(await readdir(folder.path), before);
  await folder.cleanUp();
});

test("LevelStore: garbage or gaps in its own files are storage/damaged", async () => {
  const damages: readonly ((path: string) => Promise<void>)[] = [
    (path) => writeFile(join(path, "CURRENT"), "garbage"),
    (path) => writeFile(join(path, "CURRENT"), "MANIFEST-999999\n"),
    async (path) => {
      for (const name of await readdir(path)) if (name.startsWith("MANIFEST")) await rm(join(path, name));
    },
    async (path) => {
      for (const name of await readdir(path)) if (name.endsWith(".ldb")) await rm(join(path, name));
    },
  ];
  for (const [index, damage] of damages.entries()) {
    const folder = await makeFolder();
    await fill(folder.path);
    await damage(folder.path);
    assert.equal(
      await codeOf(openLevelStore(folder.path, { create: true })),
      "storage/damaged",
      `damage ${index}`,
    );
    await folder.cleanUp();
  }
});

test("LevelStore: a changed bit in a table never reads as a value", async () => {
  const folder = await makeFolder();
  await fill(folder.path);
  const table = (await readdir(folder.path)).find((name) => name.endsWith(".ldb"));
  assert.ok(table !== undefined);
  const path = join(folder.path, table);
  const bytes = await readFile(path);
  // In the middle of the first block, where keys and values lie.
  bytes[1_000] = bytes[1_000]! ^ 0x10;
  await writeFile(path, bytes);
  const store = await openLevelStore(folder.path, { create: false });
  const outcomes = { good: 0, damaged: 0, absent: 0 };
  for (let number = 0; number < MANY; number++) {
    try {
      if (store.get(uint64ToBytes(number))?.length === 200) outcomes.good += 1;
      else outcomes.absent += 1;
    } catch (error) {
      assert.ok(error instanceof StorageError && error.code === "storage/damaged");
      outcomes.damaged += 1;
    }
  }
  assert.ok(outcomes.damaged >= 1, JSON.stringify(outcomes));
  assert.equal(outcomes.good + outcomes.damaged + outcomes.absent, MANY);
  await store.close();
  await folder.cleanUp();
});

const GUEST = `
  const { parentPort, workerData } = require("node:worker_threads");
  import(workerData.module).then(async ({ openLevelStore }) => {
    const store = await openLevelStore(workerData.path, { create: false });
    const before = store.get(new Uint8Array([1]));
    const snapshot = store.snapshot();
    parentPort.on("message", async (message) => {
      if (message === "read") parentPort.postMessage([store.get(new Uint8Array([1])), snapshot.get(new Uint8Array([1]))]);
      if (message === "write") {
        await store.write([{ key: new Uint8Array([2]), value: new Uint8Array([22]) }], { sync: true });
        parentPort.postMessage("written");
      }
      if (message === "close") {
        await snapshot.release();
        await store.close();
        process.exit(0);
      }
    });
    parentPort.postMessage(before);
  });`;

function once<T>(worker: Worker, event: string): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once(event, resolve);
  });
}

test("LevelStore: threads of one process share it: each sees what the others wrote, but in its snapshots", async () => {
  const folder = await makeFolder();
  const store = await openLevelStore(folder.path, { create: true });
  await store.write([{ key: utf8("\u0001"), value: utf8("old") }], { sync: false });
  const workerData = { module: join(import.meta.dirname, "level-store.ts"), path: folder.path };
  const guests = [
    new Worker(GUEST, { eval: true, workerData }),
    new Worker(GUEST, { eval: true, workerData }),
  ];
  const greetings = await Promise.all(guests.map((guest) => once(guest, "message")));
  assert.deepEqual(greetings, [utf8("old"), utf8("old")]);

  await store.write([{ key: utf8("\u0001"), value: utf8("new") }], { sync: false });
  for (const guest of guests) {
    guest.postMessage("read");
    assert.deepEqual(await once(guest, "message"), [utf8("new"), utf8("old")]);
  }
  guests[0]!.postMessage("write");
  assert.equal(await once(guests[0]!, "message"), "written");
  assert.deepEqual(store.get(Uint8Array.of(2)), Uint8Array.of(22));

  // One goes in order, the other is cut off, as a worker that crashed would be.
  guests[0]!.postMessage("close");
  assert.equal(await once(guests[0]!, "exit"), 0);
  await guests[1]!.terminate();
  assert.deepEqual(store.get(utf8("\u0001")), utf8("new"));
  await store.close();
  const again = await openLevelStore(folder.path, { create: false });
  assert.deepEqual(again.get(Uint8Array.of(2)), Uint8Array.of(22));
  await again.close();
  await folder.cleanUp();
});

test("LevelStore: threads close in any order: the first may close while another goes on reading", async () => {
  const folder = await makeFolder();
  // In a process of its own: where this fails, the process dies.
  const script = `
    import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
    import { openLevelStore } from ${JSON.stringify(join(import.meta.dirname, "level-store.ts"))};
    const keyOf = (number) => new TextEncoder().encode("key " + number);
    const path = process.argv[2];
    const options = { writeBufferBytes: 65_536, cacheBytes: 65_536 };
    if (isMainThread) {
      const store = await openLevelStore(path, options);
      for (let start = 0; start < 4_000; start += 100) {
        const numbers = Array.from({ length: 100 }, (_, index) => start + index);
        const value = crypto.getRandomValues(new Uint8Array(300));
        await store.write(numbers.map((number) => ({ key: keyOf(number), value })), { sync: false });
      }
      const worker = new Worker(process.argv[1], { argv: [path] });
      await new Promise((resolve) => worker.once("message", resolve));
      await store.close();
      worker.postMessage("read");
      await new Promise((resolve) => worker.once("exit", resolve));
      const again = await openLevelStore(path, { create: false });
      console.log("again", again.get(keyOf(1))?.length);
      await again.close();
    } else {
      const store = await openLevelStore(path, { create: false });
      store.get(keyOf(1));
      parentPort.once("message", async () => {
        let found = 0;
        for (let number = 0; number < 4_000; number++) if (store.get(keyOf(number))?.length === 300) found += 1;
        console.log("found", found);
        await store.close();
      });
      parentPort.postMessage("ready");
    }`;
  const file = join(folder.path, "threads.mjs");
  await writeFile(file, script);
  const run = spawnSync(process.execPath, [file, join(folder.path, "chain")], { encoding: "utf8" });
  assert.deepEqual([run.stdout, run.signal], ["found 4000\nagain 300\n", null], run.stderr);
  await folder.cleanUp();
});
