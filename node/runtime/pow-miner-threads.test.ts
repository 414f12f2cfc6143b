import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bigintToBytes, bytesToBigint } from "@ostrom/base";
import { workHash } from "@ostrom/crypto";
import { POW_HASH_NAMES } from "@ostrom/execution";
import { DEFAULT_CONFIGURATION } from "./configuration.ts";
import { machineClock } from "./machine.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import type { Miner, MiningJob } from "./pow-miner.ts";
import { startMinerThreads } from "./pow-miner-threads.ts";
import { targetFor } from "./pow-parameters.ts";

installNativeCrypto();
const NONCE_BYTES = 8;
const IMPOSSIBLE = 1n;

function startMiner(context: TestContext, threads = 1, maxHashesPerSecond = 0): Miner {
  const settings = { ...DEFAULT_CONFIGURATION.mining, threads, maxHashesPerSecond };
  const miner = startMinerThreads(settings, machineClock, (error) => assert.fail(error));
  context.after(() => miner.stop());
  return miner;
}

function jobOf(hash: MiningJob["hash"], seed: number, target: bigint): MiningJob {
  return { hash, header: new Uint8Array(200).fill(seed), target };
}

function mine(miner: Miner, job: MiningJob): Promise<bigint> {
  return new Promise((resolve) => miner.search(job, resolve));
}

function assertWork({ hash, header, target }: MiningJob, nonce: bigint): void {
  const tried = header.slice();
  tried.set(bigintToBytes(nonce, NONCE_BYTES), tried.length - NONCE_BYTES);
  assert.ok(bytesToBigint(workHash(hash)(tried)) <= target);
}

for (const hash of POW_HASH_NAMES) {
  test(`${hash}: the nonce that is found meets the target`, async (context) => {
    const job = jobOf(hash, 7, targetFor(hash === "scrypt" ? 16 : 2_000, 1_000));
    assertWork(job, await mine(startMiner(context), job));
  });
}

test("several threads search one header in different places, and one nonce is told", async (context) => {
  const miner = startMiner(context, 2);
  const found: bigint[] = [];
  for (let seed = 0; seed < 4; seed++) {
    const job = jobOf("sha256", seed, targetFor(2_000, 1_000));
    const nonce = await mine(miner, job);
    assertWork(job, nonce);
    found.push(nonce);
  }
  assert.equal(found.length, 4);
});

test("a newer search takes the place of an older one, which finds nothing any more", async (context) => {
  const miner = startMiner(context);
  miner.search(jobOf("sha256", 1, 2n ** 256n - 1n), () => assert.fail("it was replaced"));
  miner.search(jobOf("sha256", 2, IMPOSSIBLE), () => assert.fail("nothing meets this target"));
  const job = jobOf("sm3", 3, targetFor(1_000, 1_000));
  assertWork(job, await mine(miner, job));
  miner.search(jobOf("sha256", 4, 2n ** 256n - 1n), () => assert.fail("it was ended"));
  miner.pause();
  const next = jobOf("sha256", 5, targetFor(1_000, 1_000));
  assertWork(next, await mine(miner, next));
});

test("a limited miner finds what an unlimited one does, and tells how fast it searches", async (context) => {
  const miner = startMiner(context, 1, 50_000);
  const job = jobOf("sha256", 9, targetFor(2_000, 1_000));
  assertWork(job, await mine(miner, job));
  assert.ok(miner.hashesPerSecond() > 0);
});
