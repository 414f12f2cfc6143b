// npm run bench -- databases [--keys 1000000] [--blocks 300]
//
// The database below the state, and two others from npm that are no dependency of the product, doing what a chain does: keys in random order
// are loaded, single keys are read, and blocks of 500 keys are written, each synced before the next. One process for each, one after the other; one
// JSON line for each. Processor time is of the whole process, the database's own threads included.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openLevelStore } from "@ostrom/storage";
import { fetchPackage } from "./fetched-package.ts";
import { quantile } from "./quantile.ts";

const KEYS_OF_A_BLOCK = 500;
const LOAD_BATCH = 1_000;
const READS = 100_000;
const VALUE_BYTES = 64;
/** What all of them may keep of their blocks. */
const CACHE_BYTES = 64 * 1024 * 1024;
const LMDB_MAP_BYTES = 16 * 1024 * 1024 * 1024;

type Pair = { readonly key: Uint8Array; readonly value: Uint8Array };

type Database = {
  /** Reads one key; where the package has no reads but asynchronous ones, many at once. */
  readonly read: (keys: readonly Uint8Array[]) => void | Promise<void>;
  readonly write: (pairs: readonly Pair[], sync: boolean) => Promise<void>;
  readonly close: () => Promise<void>;
};

const ENGINES: Readonly<Record<string, (folder: string) => Promise<Database>>> = {
  "classic-level": async (folder) => {
    const store = await openLevelStore(folder, { cacheBytes: CACHE_BYTES });
    return {
      read: (keys) => {
        for (const key of keys) found(store.get(key));
      },
      write: (pairs, sync) => store.write(pairs, { sync }),
      close: () => store.close(),
    };
  },
  lmdb: openLmdb,
  "rocksdb-native": openRocks,
};

type LmdbEnvironment = {
  get(key: Uint8Array): Uint8Array | undefined;
  put(key: Uint8Array, value: Uint8Array): unknown;
  transactionSync(work: () => void): void;
  close(): Promise<void>;
};

async function openLmdb(folder: string): Promise<Database> {
  const { open } = fetched("lmdb", "3.5.6") as { open: (options: object) => LmdbEnvironment };
  const options = { keyEncoding: "binary", encoding: "binary", mapSize: LMDB_MAP_BYTES };
  // What is loaded is not synced; the blocks are, by an environment of the same file.
  let environment = open({ path: join(folder, "data"), ...options, noSync: true });
  let isSynced = false;
  return {
    read: (keys) => {
      for (const key of keys) found(environment.get(key));
    },
    write: async (pairs, sync) => {
      if (sync && !isSynced) {
        await environment.close();
        environment = open({ path: join(folder, "data"), ...options, overlappingSync: false });
        isSynced = true;
      }
      environment.transactionSync(() => {
        for (const { key, value } of pairs) environment.put(key, value);
      });
    },
    close: () => environment.close(),
  };
}

type RocksBatch = {
  get(key: Uint8Array): Promise<Uint8Array | null>;
  put(key: Uint8Array, value: Uint8Array): Promise<void>;
  flush(): Promise<void>;
  destroy(): void;
};
type RocksDatabase = {
  ready(): Promise<void>;
  read(): RocksBatch;
  write(): RocksBatch;
  flush(): Promise<void>;
  close(): Promise<void>;
};

async function openRocks(folder: string): Promise<Database> {
  const Rocks = fetched("rocksdb-native", "3.18.1") as new (path: string, options: object) => RocksDatabase;
  const database = new Rocks(join(folder, "data"), {});
  await database.ready();
  return {
    read: async (keys) => {
      const batch = database.read();
      const values = keys.map((key) => batch.get(key));
      await batch.flush();
      for (const value of await Promise.all(values)) found(value ?? undefined);
      batch.destroy();
    },
    // The package has no synced write: its nearest thing is to flush what is in memory.
    write: async (pairs, sync) => {
      const batch = database.write();
      for (const { key, value } of pairs) void batch.put(key, value);
      await batch.flush();
      batch.destroy();
      if (sync) await database.flush();
    },
    close: () => database.close(),
  };
}

export function run(argv: readonly string[]): void | Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      keys: { type: "string", default: "1000000" },
      blocks: { type: "string", default: "300" },
      engine: { type: "string" },
    },
  });
  const [keys, blocks] = [Number(values.keys), Number(values.blocks)];
  if (values.engine !== undefined) return measure(values.engine, keys, blocks);
  for (const engine of Object.keys(ENGINES)) {
    const child = [join(import.meta.dirname, "main.ts"), "databases", ...argv, "--engine", engine];
    const { status } = spawnSync(process.execPath, child, { stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
  }
}

async function measure(engine: string, keyCount: number, blocks: number): Promise<void> {
  const open = ENGINES[engine];
  if (open === undefined) throw new Error(`no such engine: ${engine}; there are ${Object.keys(ENGINES)}`);
  const folder = mkdtempSync(join(tmpdir(), "ostrom-bench-"));
  const database = await open(folder);
  const load = await timed(async () => {
    for (let start = 0; start < keyCount; start += LOAD_BATCH)
      await database.write(
        pairs(LOAD_BATCH, (index) => start + index, 0),
        false,
      );
  });
  const anyKey = randomIndex(keyCount);
  const reads = await timed(async () => {
    for (let done = 0; done < READS; done += LOAD_BATCH)
      await database.read(Array.from({ length: LOAD_BATCH }, () => keyOf(anyKey())));
  });
  // The first synced write may open the file anew.
  await database.write(pairs(KEYS_OF_A_BLOCK, anyKey, 1), true);
  const blockMs: number[] = [];
  const written = await timed(async () => {
    for (let block = 0; block < blocks; block++) {
      const batch = pairs(KEYS_OF_A_BLOCK, anyKey, block + 2);
      blockMs.push((await timed(() => database.write(batch, true))).ms);
    }
  });
  await database.close();
  const diskMb = sizeOf(folder) / 1e6;
  rmSync(folder, { recursive: true });
  const writtenKeys = blocks * KEYS_OF_A_BLOCK;
  console.log(
    JSON.stringify({
      bench: "databases",
      engine,
      keys: keyCount,
      loadPerSecond: Math.round((keyCount / load.ms) * 1_000),
      readsPerSecond: Math.round((READS / reads.ms) * 1_000),
      readCpuUs: Number((reads.cpuUs / READS).toFixed(1)),
      syncedBlockP50Ms: Number(quantile(blockMs, 0.5).toFixed(2)),
      syncedBlockP99Ms: Number(quantile(blockMs, 0.99).toFixed(2)),
      writtenKeyCpuUs: Number((written.cpuUs / writtenKeys).toFixed(1)),
      diskMb: Math.round(diskMb),
      rssMb: Math.round(process.memoryUsage.rss() / 1e6),
    }),
  );
}

async function timed(
  work: () => void | Promise<void>,
): Promise<{ readonly ms: number; readonly cpuUs: number }> {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - start, cpuUs: user + system };
}

function keyOf(index: number): Uint8Array {
  return new Uint8Array(createHash("sha256").update(String(index)).digest());
}

function pairs(count: number, indexOf: (at: number) => number, version: number): readonly Pair[] {
  return Array.from({ length: count }, (_, at) => {
    const key = keyOf(indexOf(at));
    const value = new Uint8Array(VALUE_BYTES).fill(version);
    value.set(key);
    return { key, value };
  });
}

/** The same numbers in each run. */
function randomIndex(below: number): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function found(value: unknown): void {
  if (value === undefined) throw new Error("a key that was written is not there");
}

function fetched(name: string, version: string): unknown {
  const folder = fetchPackage(name, version);
  return createRequire(join(folder, "package.json"))(name);
}

function sizeOf(folder: string): number {
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const stat = statSync(join(folder, name));
    if (stat.isFile()) bytes += stat.size;
  }
  return bytes;
}
