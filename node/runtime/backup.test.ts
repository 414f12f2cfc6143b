import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { must, unwrap } from "@ostrom/base";
import { bls, keccak256 } from "@ostrom/crypto";
import { formatGenesis, type Genesis } from "@ostrom/execution";
import {
  createDisk,
  createMemoryStore,
  openLevelStore,
  openWriteAheadLog,
  readHead,
  readHeader,
  type Store,
  type StoreSnapshot,
} from "@ostrom/storage";
import { makeBackup } from "./backup.ts";
import { MANIFEST_FILE } from "./backup-manifest.ts";
import { Executor } from "./executor.ts";
import { replayJournal } from "./journal-records.ts";
import { machineEntropy } from "./machine.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { OperatorLog } from "./operator-log.ts";
import { readOperatorLog } from "./operator-log-format.ts";
import { restoreBackup, votedThrough } from "./restore.ts";
import { checkState } from "./state-check.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { simulatedGenesis, simulatedTransfer, validatorSecret } from "./testing/simulated-genesis.ts";

installNativeCrypto();

const root = mkdtempSync(join(tmpdir(), "ostrom-backup-"));
after(() => rmSync(root, { recursive: true }));
const BLOCKS = 6;

/** A genesis that can be read from a file: with proofs of possession. */
function provableGenesis(): Genesis {
  const genesis = simulatedGenesis({ validators: 4, clients: 4 });
  const { validatorSet } = genesis;
  const validators = validatorSet.validators.map((validator, index) => ({
    ...validator,
    proofOfPossession: bls().provePossession(validatorSecret(index)),
  }));
  return { ...genesis, validatorSet: { ...validatorSet, validators } };
}

/** A chain of a few blocks, and the folder of the node that has it. */
async function makeNode(): Promise<{
  readonly store: Store;
  readonly folder: string;
  readonly chain: OrderedChain;
  readonly executor: Executor;
}> {
  const folder = mkdtempSync(join(root, "node-"));
  const chain = new OrderedChain(provableGenesis());
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, 100);
  for (let height = 1; height <= BLOCKS; height++) {
    chain.append([simulatedTransfer(0, height - 1), simulatedTransfer(1, height - 1)]);
    await executor.execute(chain.inputOf(height));
  }
  writeFileSync(join(folder, "genesis.json"), JSON.stringify(formatGenesis(chain.genesis)));
  writeFileSync(join(folder, "node.json"), JSON.stringify({ name: "validator-1" }));
  mkdirSync(join(folder, "keys"));
  writeFileSync(join(folder, "keys", "consensus.key"), "0x00", { mode: 0o600 });
  writeFileSync(join(folder, "keys", "has-voted"), "3\n", { mode: 0o600 });
  const log = await OperatorLog.open(folder, Date.now);
  await log.append({ act: "node.started", actor: "node", details: {} });
  await log.close();
  return { store, folder, chain, executor };
}

const requestOf = (folder: string, out: string, withKeys = false) => ({
  folder,
  out,
  withKeys,
  maxBytesPerSecond: 0,
  minFreeBytes: 0,
});

async function backUp(withKeys = false): Promise<{ readonly out: string; readonly store: Store }> {
  const { store, folder } = await makeNode();
  const out = join(mkdtempSync(join(root, "backup-")), "b");
  unwrap(await makeBackup(store, requestOf(folder, out, withKeys), "test", Date.now));
  return { out, store };
}

const restored = (from: string, folder: string) =>
  restoreBackup({ from, folder, knownEpoch: undefined, nowMs: Date.now });

async function actsOf(folder: string): Promise<readonly string[]> {
  const acts: string[] = [];
  for await (const step of readOperatorLog(join(folder, "operator-log.jsonl")))
    acts.push(step.kind === "record" ? step.record.act : step.kind);
  return acts;
}

test("what is restored is the chain and state of the backup, the operator log goes on, and no vote is in it", async () => {
  const { out, store } = await backUp();
  const folder = join(mkdtempSync(join(root, "restored-")), "n");
  const outcome = unwrap(await restored(out, folder));
  assert.equal(outcome.manifest.head.height, BLOCKS);
  assert.equal(outcome.checked.blocks, BLOCKS + 1);
  assert.ok(outcome.checked.accounts > 3);
  const again = await openLevelStore(join(folder, "data", "chain"), { create: false });
  assert.deepEqual(readHead(again), readHead(store));
  const all = async (from: Store): Promise<string[]> => {
    const lines: string[] = [];
    for await (const [key, value] of from.entries({
      start: new Uint8Array(0),
      end: new Uint8Array(64).fill(255),
    }))
      lines.push(`${Buffer.from(key).toString("hex")} ${Buffer.from(value).toString("hex")}`);
    return lines;
  };
  assert.deepEqual(await all(again), await all(store));
  await again.close();
  const { log, records } = await openWriteAheadLog(
    createDisk(join(folder, "data", "log")),
    machineEntropy.bytes,
  );
  await log.close();
  const through = outcome.mayHaveVotedThrough;
  assert.deepEqual(replayJournal(records).lost, { kind: "lost", through, votedIn: [] });
  assert.deepEqual(replayJournal(records).records, [], "no vote is restored");
  assert.deepEqual(readdirSync(join(folder, "keys")), ["has-voted"], "keys only where they were asked for");
  assert.deepEqual(await actsOf(folder), ["node.started", "backup.restored"]);
});

test("keys are in the backup only if asked for, readable by their owner alone, and the mark of votes never is", async () => {
  const { out } = await backUp(true);
  assert.deepEqual(readdirSync(join(out, "keys")), ["consensus.key"]);
  assert.equal(statSync(join(out, "keys", "consensus.key")).mode & 0o777, 0o600);
  assert.equal(statSync(out).mode & 0o077, 0);
  const folder = join(mkdtempSync(join(root, "restored-")), "n");
  const { mayHaveVotedThrough } = unwrap(await restored(out, folder));
  assert.equal(readFileSync(join(folder, "keys", "has-voted"), "utf8"), `${mayHaveVotedThrough}\n`);
  assert.equal(statSync(join(folder, "keys", "consensus.key")).mode & 0o777, 0o600);
  assert.notEqual(
    mayHaveVotedThrough,
    3,
    "what the lost node knew when it was backed up says nothing of later votes",
  );
});

test("a backup is of one moment: blocks that come meanwhile are not in it, and are not held up", async () => {
  const { store, folder, chain, executor } = await makeNode();
  const out = join(mkdtempSync(join(root, "backup-")), "b");
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const snapshot = (): StoreSnapshot => {
    begin();
    return store.snapshot();
  };
  const making = makeBackup({ ...store, snapshot }, requestOf(folder, out), "test", Date.now);
  await begun;
  for (let height = BLOCKS + 1; height <= BLOCKS + 20; height++) {
    chain.append([simulatedTransfer(0, height - 1)]);
    await executor.execute(chain.inputOf(height));
  }
  const { manifest } = unwrap(await making);
  assert.equal(manifest.head.height, BLOCKS);
  const target = join(mkdtempSync(join(root, "restored-")), "n");
  assert.equal(unwrap(await restored(out, target)).checked.blocks, BLOCKS + 1);
  assert.equal(must(readHead(store), "there is a head").height, BLOCKS + 20);
});

test("changed, cut off, missing or surplus bytes anywhere are refused, and nothing is left behind", async () => {
  const { out } = await backUp();
  const names = (JSON.parse(readFileSync(join(out, MANIFEST_FILE), "utf8")) as { files: { name: string }[] })
    .files;
  for (const { name } of names) {
    const path = join(out, name);
    const whole = readFileSync(path);
    const changes: (() => void)[] = [
      () => writeFileSync(path, Buffer.from(whole.map((byte, at) => (at === 9 ? byte ^ 1 : byte)))),
      () => truncateSync(path, whole.length - 1),
      () => writeFileSync(path, Buffer.concat([whole, Buffer.of(0)])),
      () => rmSync(path),
    ];
    for (const [index, change] of changes.entries()) {
      change();
      const folder = join(mkdtempSync(join(root, "restored-")), "n");
      const outcome = await restored(out, folder);
      assert.ok(!outcome.ok, `${name}, change ${index}`);
      assert.ok(!existsSync(folder));
      writeFileSync(path, whole);
    }
  }
  rmSync(join(out, MANIFEST_FILE));
  const outcome = await restored(out, join(root, "none"));
  assert.equal(outcome.ok ? "" : outcome.error.code, "backup/unfinished");
});

test("a manifest cannot name a file outside of the backup", async () => {
  const { out } = await backUp();
  const path = join(out, MANIFEST_FILE);
  const manifest = JSON.parse(readFileSync(path, "utf8")) as { files: { name: string }[] };
  for (const name of [
    "../genesis.json",
    "/etc/passwd",
    "keys/../../x",
    "keys/has-voted",
    "data/log/log-1.wal",
  ]) {
    writeFileSync(path, JSON.stringify({ ...manifest, files: [{ ...manifest.files[0]!, name }] }));
    const outcome = await restored(out, join(mkdtempSync(join(root, "restored-")), "n"));
    assert.equal(outcome.ok ? "" : outcome.error.code, "backup/damaged", name);
  }
});

test("a folder that is not empty is neither overwritten by a backup nor by a restore", async () => {
  const { store, folder } = await makeNode();
  const { out } = await backUp();
  const made = await makeBackup(store, requestOf(folder, out), "test", Date.now);
  assert.equal(made.ok ? "" : made.error.code, "backup/exists");
  const outcome = await restored(out, folder);
  assert.equal(outcome.ok ? "" : outcome.error.code, "restore/exists");
  assert.ok(existsSync(join(folder, "node.json")));
});

test("a backup that would leave too little room removes itself", async () => {
  const { store, folder } = await makeNode();
  const out = join(mkdtempSync(join(root, "backup-")), "b");
  const made = await makeBackup(
    store,
    { ...requestOf(folder, out), minFreeBytes: 2 ** 52 },
    "test",
    Date.now,
  );
  assert.equal(made.ok ? "" : made.error.code, "backup/no-room");
  assert.ok(!existsSync(out));
});

test("the state check finds a changed account, slot or node, whatever its checksum says", async () => {
  const { store } = await makeNode();
  const stateRoot = must(readHeader(store, BLOCKS), "it is stored").header.stateRoot;
  assert.ok((await checkState(store, stateRoot, keccak256)).ok);
  for (const table of ["a", "s", "t", "u"]) {
    const start = Uint8Array.of(table.charCodeAt(0));
    const end = Uint8Array.of(table.charCodeAt(0) + 1);
    for await (const [key, value] of store.entries({ start, end, limit: 3 })) {
      const changed = value.slice();
      changed[changed.length - 1]! ^= 1;
      await store.write([{ key, value: changed }], { sync: true });
      assert.ok(!(await checkState(store, stateRoot, keccak256)).ok, `table ${table}`);
      await store.write([{ key, value: undefined }], { sync: true });
      assert.ok(!(await checkState(store, stateRoot, keccak256)).ok, `table ${table}, removed`);
      await store.write([{ key, value }], { sync: true });
    }
  }
  assert.ok((await checkState(store, stateRoot, keccak256)).ok);
});

test("votes may have been cast through the epoch that others are in and one more, or through all that can have begun", () => {
  const head = { height: 250, hash: "", stateRoot: "", epoch: 2, timestampMs: 1_000_000 };
  const options = { epochLength: 100, minIntervalMs: 100, nowMs: () => 1_000_000 + 100_000 };
  assert.equal(votedThrough({ head }, { ...options, knownEpoch: 7 }), 8);
  assert.equal(
    votedThrough({ head }, { ...options, knownEpoch: 1 }),
    3,
    "who is behind this backup lowers nothing",
  );
  assert.equal(votedThrough({ head }, { ...options, knownEpoch: undefined }), 2 + 10 + 1);
  assert.equal(votedThrough({ head }, { ...options, knownEpoch: undefined, nowMs: () => 0 }), 3);
});
