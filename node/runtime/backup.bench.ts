// How fast a backup is made and restored, and what it costs blocks: prints one JSON line. Run: node node/runtime/backup.bench.ts [accounts]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must, unwrap } from "@ostrom/base";
import { bls, keccak256 } from "@ostrom/crypto";
import { formatGenesis, type Genesis } from "@ostrom/execution";
import { openLevelStore } from "@ostrom/storage";
import { startBackup } from "./backup-client.ts";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { restoreBackup } from "./restore.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { simulatedGenesis, simulatedTransfer, validatorSecret } from "./testing/simulated-genesis.ts";

installNativeCrypto();
const ACCOUNTS = Number(process.argv[2] ?? 200_000);
const TRANSFERS_OF_A_BLOCK = 50;
const BLOCK_INTERVAL_MS = 100;
const QUIET_BLOCKS = 40;
const MEBIBYTE = 1024 * 1024;

const root = mkdtempSync(join(tmpdir(), "ostrom-bench-"));
const folder = join(root, "node");
mkdirSync(folder);

const plain = simulatedGenesis({ validators: 4, clients: TRANSFERS_OF_A_BLOCK });
const genesis: Genesis = {
  ...plain,
  alloc: [
    ...plain.alloc,
    ...Array.from({ length: ACCOUNTS }, (_, index) => ({
      address: keccak256(Uint8Array.of(index, index >> 8, index >> 16, 7)).slice(
        12,
      ) as (typeof plain.alloc)[0]["address"],
      balance: 1n,
      nonce: 0n,
      code: new Uint8Array(0),
      storage: [],
    })),
  ],
  validatorSet: {
    ...plain.validatorSet,
    validators: plain.validatorSet.validators.map((validator, index) => ({
      ...validator,
      proofOfPossession: bls().provePossession(validatorSecret(index)),
    })),
  },
};
writeFileSync(join(folder, "genesis.json"), JSON.stringify(formatGenesis(genesis)));
writeFileSync(join(folder, "node.json"), JSON.stringify({ name: "validator-1" }));

const databasePath = join(root, "chain");
const store = await openLevelStore(databasePath);
const chain = new OrderedChain(genesis, { isSigned: false });
const executor = await Executor.open(store, genesis, 100);
let height = 0;

/** Executes a block every so often, as a chain does. @returns how long each took. */
async function blocksUntil(isOver: () => boolean): Promise<readonly number[]> {
  const took: number[] = [];
  while (!isOver()) {
    height += 1;
    chain.append(
      Array.from({ length: TRANSFERS_OF_A_BLOCK }, (_, client) => simulatedTransfer(client, height - 1)),
    );
    const input = chain.inputOf(height);
    const start = performance.now();
    await executor.execute(input);
    const ms = performance.now() - start;
    took.push(ms);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, BLOCK_INTERVAL_MS - ms)));
  }
  return took;
}

function shown(took: readonly number[]): object {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (share: number): number =>
    Number((sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1));
  return { blocks: took.length, p50Ms: at(0.5), p90Ms: at(0.9), maxMs: at(1) };
}

async function measure(maxBytesPerSecond: number, out: string): Promise<object> {
  const request = { folder, out, withKeys: false, maxBytesPerSecond, minFreeBytes: 0 };
  const running = startBackup(databasePath, request, "bench");
  let isOver = false;
  const finished = running.finished.finally(() => {
    isOver = true;
  });
  const took = await blocksUntil(() => isOver);
  const { bytes, milliseconds, manifest } = unwrap(await finished);
  const rate = bytes / MEBIBYTE / (milliseconds / 1_000);
  return {
    MiB: Number((bytes / MEBIBYTE).toFixed(1)),
    entries: manifest.entries,
    MiBPerSecond: Number(rate.toFixed(1)),
    ...shown(took),
  };
}

try {
  let quietBlocks = 0;
  const quiet = shown(await blocksUntil(() => quietBlocks++ >= QUIET_BLOCKS));
  const unlimited = await measure(0, join(root, "unlimited"));
  const limited = await measure(32 * MEBIBYTE, join(root, "limited"));
  const restored = unwrap(
    await restoreBackup({
      from: join(root, "unlimited"),
      folder: join(root, "new"),
      knownEpoch: 0,
      nowMs: Date.now,
    }),
  );
  const seconds = restored.milliseconds / 1_000;
  const bytes = must(restored.manifest.files, "it has files").reduce((sum, file) => sum + file.bytes, 0);
  const restore = {
    seconds: Number(seconds.toFixed(1)),
    MiBPerSecond: Number((bytes / MEBIBYTE / seconds).toFixed(1)),
    ...restored.checked,
  };
  console.log(JSON.stringify({ bench: "backup", quiet, unlimited, limited, restore }));
} finally {
  await store.close();
  rmSync(root, { recursive: true });
}
