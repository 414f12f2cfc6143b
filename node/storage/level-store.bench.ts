// The database as a chain uses it: prints one JSON line. Run: node node/storage/level-store.bench.ts [keys to load]
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLevelStore } from "./level-store.ts";

const KEYS_OF_A_BLOCK = 500;
const BLOCKS = 200;
const READS = 100_000;
const LOAD_BATCH = 1_000;

const keyCount = Number(process.argv[2] ?? 200_000);
const folder = await mkdtemp(join(tmpdir(), "ostrom-bench-"));
const store = await openLevelStore(folder);
const keys = Array.from({ length: keyCount }, () => new Uint8Array(randomBytes(32)));
const put = (key: Uint8Array): { key: Uint8Array; value: Uint8Array } => ({
  key,
  value: new Uint8Array(randomBytes(64)),
});
const anyKey = (): Uint8Array => keys[Math.floor(Math.random() * keyCount)]!;

const loadStart = performance.now();
for (let start = 0; start < keyCount; start += LOAD_BATCH) {
  await store.write(keys.slice(start, start + LOAD_BATCH).map(put), { sync: false });
}
const loadMs = performance.now() - loadStart;

const readStart = performance.now();
for (let read = 0; read < READS; read++) store.get(anyKey());
const readMs = performance.now() - readStart;

const blockMs: number[] = [];
for (let block = 0; block < BLOCKS; block++) {
  const batch = Array.from({ length: KEYS_OF_A_BLOCK }, () => put(anyKey()));
  const start = performance.now();
  await store.write(batch, { sync: true });
  blockMs.push(performance.now() - start);
}
blockMs.sort((a, b) => a - b);
await store.close();
await rm(folder, { recursive: true });

console.log(
  JSON.stringify({
    bench: "level-store",
    keys: keyCount,
    loadPerSecond: Math.round((keyCount / loadMs) * 1_000),
    getsPerSecond: Math.round((READS / readMs) * 1_000),
    syncedBlockP50Ms: Number(blockMs[BLOCKS / 2]!.toFixed(2)),
    syncedBlockP99Ms: Number(blockMs[Math.floor(BLOCKS * 0.99)]!.toFixed(2)),
  }),
);
