import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask } from "./rpc-client.ts";
import { runCli } from "./testing/cli-process.ts";
import { Sender } from "./testing/sender.ts";
import {
  blockHashes,
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";

const VICTIM = 3;
const OTHERS = [0, 1, 2];
const ALL = [0, 1, 2, 3];
/** Short, so that epochs begin between the backup and the loss. */
const EPOCH_LENGTH = 20;

const sender = new Sender();
const load = new Sender(4);
let network: TestNetwork;
let isLoadOver = false;
let loading: Promise<void> | undefined;

before(async () => {
  network = await createTestNetwork({ validators: 4, epochLength: EPOCH_LENGTH });
});

after(async () => {
  isLoadOver = true;
  await loading?.catch(() => undefined);
  await network.dispose();
});

const urlsOf = (indices: readonly number[]): readonly string[] =>
  indices.map((index) => network.urls[index]!);

async function cli(...args: readonly string[]): Promise<{ readonly [name: string]: unknown }> {
  const ended = await runCli([...args, "--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  return JSON.parse(ended.stdout) as { readonly [name: string]: unknown };
}

async function epochOf(index: number): Promise<number> {
  const set = await ask<{ readonly currentEpoch: string }>(network.urls[index]!, "ostrom_getValidators");
  return Number(set.currentEpoch);
}

/** Transfers without an end, while all else happens. */
async function keepLoading(): Promise<void> {
  while (!isLoadOver) await load.finalize(urlsOf([0, 1]), 10);
}

const backupOf = (name: string): string => join(network.directory, name);

test("a backup of a running validator is whole and verified, though blocks go on; keys are in it only if asked for", async () => {
  await network.startAll();
  await sender.finalize(urlsOf(ALL), 20);
  loading = keepLoading();
  const made = await cli("backup", "--data-dir", network.folder(VICTIM), "--out", backupOf("old"));
  assert.ok(!existsSync(join(backupOf("old"), "keys")));
  const other = backupOf("elsewhere");
  const restored = await cli("restore", "--from", backupOf("old"), "--data-dir", other);
  assert.equal(restored["height"], made["height"]);
  rmSync(other, { recursive: true });
});

test("killed, wiped and restored from an old backup under load, a validator votes again and never contradicts itself", async () => {
  const before = await epochOf(0);
  await waitUntil("two more epochs begin", 2 * LONG_WAIT_MS, async () => (await epochOf(0)) >= before + 2);
  const folder = network.folder(VICTIM);
  const votedIn = Number(readFileSync(join(folder, "keys", "has-voted"), "utf8"));
  await network.kill(VICTIM, "SIGKILL");
  const keys = join(network.directory, "keys-aside");
  cpSync(join(folder, "keys"), keys, { recursive: true });
  rmSync(folder, { recursive: true });

  const rpc = urlsOf(OTHERS).flatMap((url) => ["--rpc", url]);
  const restored = await cli("restore", "--from", backupOf("old"), "--data-dir", folder, ...rpc);
  const through = restored["mayHaveVotedThrough"] as number;
  assert.ok(through > votedIn, `careful through epoch ${through}, had voted in ${votedIn}`);
  // All of them, the old mark of votes too, as somebody might who has not read on: the log knows better.
  cpSync(keys, join(folder, "keys"), { recursive: true });
  await network.start(VICTIM);

  await sender.finalize(urlsOf(ALL), 5);
  // In epochs in which it must be careful, the others may not fail: one more, and the chain stands still (rule S14).
  await waitUntil("it need not be careful any more", 3 * LONG_WAIT_MS, () =>
    network.log(VICTIM).includes("none of its votes are in doubt any more"),
  );
  assert.ok((await epochOf(VICTIM)) >= through);
  // Nothing is final without three of four: the restored one votes.
  isLoadOver = true;
  await loading;
  await network.kill(0, "SIGKILL");
  await sender.finalize(urlsOf([1, 2, VICTIM]), 5);
  const reached = await epochOf(1);
  await waitUntil("it votes in the next epoch too", 2 * LONG_WAIT_MS, async () => {
    await sender.finalize(urlsOf([1, 2, VICTIM]), 5);
    return (await epochOf(1)) > reached;
  });
  const height = await blockNumber(network.urls[VICTIM]!, "finalized");
  assert.deepEqual(
    await blockHashes(network.urls[VICTIM]!, 0, height),
    await blockHashes(network.urls[1]!, 0, height),
  );
  for (const index of [1, 2, VICTIM]) {
    assert.deepEqual(await ask(network.urls[index]!, "ostrom_getEvidence"), [], `evidence at ${index}`);
  }
});

test("the operator log of the restored validator goes on where the backup's ended, and verifies", async () => {
  const folder = network.folder(VICTIM);
  const verified = await cli("operator-log", "verify", "--data-dir", folder);
  assert.equal(verified["isWhole"], true);
  const exported = await runCli(["operator-log", "export", "--data-dir", folder, "--from", "2020-01-01"]);
  const acts = exported.stdout
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { readonly act: string }).act);
  assert.deepEqual(
    acts.filter((act) => act.startsWith("node.") || act.startsWith("backup.")),
    ["node.started", "backup.restored", "node.started"],
  );
  const none = await runCli(["operator-log", "export", "--data-dir", folder, "--to", "2020-01-01", "--csv"]);
  assert.equal(none.stdout.trim(), "time,source,actor,act,details,sequence,hash");
});
