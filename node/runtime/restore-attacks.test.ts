import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { unwrap } from "@ostrom/base";
import { bls } from "@ostrom/crypto";
import { formatGenesis } from "@ostrom/execution";
import { createMemoryStore } from "@ostrom/storage";
import { makeBackup } from "./backup.ts";
import { MANIFEST_FILE } from "./backup-manifest.ts";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { type RestoreRequest, restoreBackup, votedThrough } from "./restore.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { simulatedGenesis, validatorSecret } from "./testing/simulated-genesis.ts";

const root = mkdtempSync(join(tmpdir(), "ostrom-restore-attacks-"));
after(() => rmSync(root, { recursive: true }));
const out = join(root, "backup");

before(async () => {
  installNativeCrypto();
  const genesis = simulatedGenesis({ validators: 4, clients: 1 });
  const { validatorSet } = genesis;
  const validators = validatorSet.validators.map((validator, index) => ({
    ...validator,
    proofOfPossession: bls().provePossession(validatorSecret(index)),
  }));
  const chain = new OrderedChain({ ...genesis, validatorSet: { ...validatorSet, validators } });
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, 100);
  for (let height = 1; height <= 2; height++) {
    chain.append([]);
    await executor.execute(chain.inputOf(height));
  }
  const folder = join(root, "node");
  mkdirSync(folder);
  writeFileSync(join(folder, "genesis.json"), JSON.stringify(formatGenesis(chain.genesis)));
  writeFileSync(join(folder, "node.json"), JSON.stringify({ name: "validator-1" }));
  const request = { folder, out, withKeys: false, maxBytesPerSecond: 0, minFreeBytes: 0 };
  unwrap(await makeBackup(store, request, "test", Date.now));
});

async function codeOf(request: Partial<RestoreRequest> = {}): Promise<string> {
  const folder = join(mkdtempSync(join(root, "restored-")), "n");
  const restored = await restoreBackup({
    from: out,
    folder,
    knownEpoch: undefined,
    nowMs: Date.now,
    ...request,
  });
  assert.equal(existsSync(folder), restored.ok);
  return restored.ok ? "ok" : restored.error.code;
}

test("one of four validators cannot be restored as if it were alone: it would forget its votes", async () => {
  assert.equal(await codeOf({ isAlone: true }), "restore/not-alone");
  assert.equal(await codeOf(), "ok");
});

test("who is cut off from the network, and is asked where it is, lowers nothing", () => {
  const hour = 3_600_000;
  const head = { height: 250, hash: "", stateRoot: "", epoch: 2, timestampMs: 0 };
  const options = { epochLength: 100, minIntervalMs: 1_000, nowMs: () => 10 * hour };
  const since = (knownAtMs: number): number =>
    votedThrough({ head }, { ...options, knownEpoch: 5, knownAtMs });
  assert.equal(since(10 * hour), 6);
  assert.equal(since(9 * hour), 5 + 36 + 1, "36 epochs of 100 s can have begun since its newest block");
  assert.equal(since(11 * hour), 6, "clocks differ");
});

test("a file of a backup that is a pipe, a device or a folder is refused before it is read", {
  skip: process.platform === "win32",
}, async () => {
  const path = join(out, "chain-000001.segment");
  const whole = readFileSync(path);
  const changes = [
    () => execFileSync("mkfifo", [path]),
    () => symlinkSync("/dev/zero", path),
    () => mkdirSync(path),
  ];
  for (const change of changes) {
    rmSync(path);
    change();
    assert.equal(await codeOf(), "backup/damaged");
    rmSync(path, { recursive: true });
    writeFileSync(path, whole);
  }
  assert.equal(await codeOf(), "ok");
});

test("a manifest that leaves a segment out, doubles it or says another head is refused, whatever its sums are", async () => {
  const path = join(out, MANIFEST_FILE);
  const text = readFileSync(path, "utf8");
  type Listed = {
    files: { name: string; bytes: number; sha256: string }[];
    head: { height: number };
    entries: number;
  };
  const changes: readonly ((manifest: Listed) => void)[] = [
    (manifest) => {
      manifest.files = manifest.files.filter(({ name }) => !name.endsWith(".segment"));
      manifest.entries = 0;
    },
    (manifest) => {
      const segment = manifest.files.find(({ name }) => name.endsWith(".segment"))!;
      writeFileSync(join(out, "chain-000002.segment"), readFileSync(join(out, segment.name)));
      manifest.files.push({ ...segment, name: "chain-000002.segment" });
    },
    (manifest) => {
      manifest.head.height = 1;
    },
    (manifest) => {
      const other = Buffer.from(readFileSync(join(out, "genesis.json"), "utf8").replace("0", "1"));
      const file = manifest.files.find(({ name }) => name === "genesis.json")!;
      file.bytes = other.length;
      file.sha256 = `0x${createHash("sha256").update(other).digest("hex")}`;
    },
  ];
  for (const [index, change] of changes.entries()) {
    const manifest = JSON.parse(text) as Listed;
    change(manifest);
    writeFileSync(path, JSON.stringify(manifest));
    assert.equal(await codeOf(), "backup/damaged", `change ${index}`);
  }
  writeFileSync(path, text);
});
