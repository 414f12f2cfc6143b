import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, before, test } from "node:test";
import { SUITES, type SuiteName } from "@ostrom/execution";
import {
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  deriveAccounts,
  installNativeCrypto,
} from "@ostrom/runtime";
import type { Hex } from "viem";
import type { PlannedRegistration } from "./checkpoint-registration.ts";
import { ask } from "./rpc-client.ts";
import { type StartedNode, startNodeProcess, stopNodes } from "./supervisor.ts";
import { runInProcess } from "./testing/in-process.ts";
import { changeValidators, manageValidators } from "./testing/managed-validators.ts";
import { provisionNewcomer } from "./testing/newcomer.ts";
import { createTestNetwork, LONG_WAIT_MS, type TestNetwork, waitUntil } from "./testing/test-network.ts";
import { askSet } from "./validator-contracts.ts";

const VALIDATORS = 4;
const [OWNER, JOINER] = deriveAccounts(DEVELOPMENT_MNEMONIC, 2);
/** Accounts of the validators follow the funded ones. */
const ACCOUNTS = deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT + VALIDATORS).slice(
  DEVELOPMENT_ACCOUNT_COUNT,
);
const EPOCHS = { epochLength: 10, epochLead: 4 };
const RENEWED = 1;
const KILLED = 3;
const NEWCOMER = "validator-5";

type Told = { readonly newest: Hex | null; readonly status: string; readonly set: Hex };

let network: TestNetwork | undefined;
let joined: StartedNode | undefined;

before(() => void installNativeCrypto());

afterEach(async () => {
  if (joined !== undefined) await stopNodes([joined]);
  await network?.dispose();
  [joined, network] = [undefined, undefined];
});

async function start(suite: SuiteName, validators: number): Promise<TestNetwork> {
  const made = await createTestNetwork({
    validators,
    suite: { name: suite, suite: SUITES[suite] },
    extraBalances: new Map(
      ACCOUNTS.slice(0, validators).map(({ address }) => [address, DEVELOPMENT_BALANCE]),
    ),
  });
  network = made;
  manageValidators(made, OWNER!.address, EPOCHS);
  await made.startAll();
  return made;
}

const genesisOf = ({ folder }: TestNetwork): string => join(folder(0), "genesis.json");

async function ostrom(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runInProcess(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function newestAt(url: string): Promise<number> {
  const told = await ask<Told | null>(url, "ostrom_getEpochCheckpoint");
  return told === null || told.newest === null ? -1 : Number(told.newest);
}

function allCertify(epoch: number, urls: readonly string[]): Promise<void> {
  return waitUntil(`epoch ${epoch} is certified at all nodes`, 2 * LONG_WAIT_MS, async () => {
    const newest = await Promise.all(urls.map(newestAt));
    return newest.every((one) => one >= epoch);
  });
}

/** Waits until a set is decided that names these keys. @returns its epoch. */
async function decided(url: string, keyHashes: readonly string[]): Promise<number> {
  let epoch = 0;
  await waitUntil("a set names the keys", 2 * LONG_WAIT_MS, async () => {
    const told = await ask<Told | null>(url, "ostrom_getEpochCheckpoint", [`0x${epoch.toString(16)}`]);
    if (told === null) return false;
    if (keyHashes.every((hash) => told.set.includes(hash.slice(2)))) return true;
    epoch += 1;
    return false;
  });
  return epoch;
}

async function register(url: string, secretKey: Hex, planned: PlannedRegistration): Promise<string> {
  await changeValidators(url, secretKey, planned.data as Hex, planned.to as Hex);
  return planned.keyHash;
}

async function plan(url: string, folder: string, ...flags: readonly string[]): Promise<PlannedRegistration> {
  return JSON.parse(await ostrom("checkpoints", "register", folder, "--rpc", url, "--json", ...flags));
}

/** From genesis alone. @returns the newest epoch that is proved, and those without a checkpoint. */
async function verified(
  of: TestNetwork,
  rpc: string,
): Promise<{ readonly epoch: number; readonly missing: readonly number[]; readonly checkpoint: string }> {
  return JSON.parse(
    await ostrom("checkpoints", "verify", "--genesis", genesisOf(of), "--rpc", rpc, "--json"),
  );
}

/** A machine that has nothing of the chain but genesis; the owner lets it in. @returns its folder. */
async function joins(of: TestNetwork): Promise<{ readonly folder: string; readonly url: string }> {
  const { folder, url, admission } = await provisionNewcomer(of, NEWCOMER);
  joined = startNodeProcess({ name: NEWCOMER, folder, onReport: () => undefined });
  assert.equal((await joined.started).kind, "ready");
  await changeValidators(of.urls[0]!, OWNER!.secretKey, admission(JOINER!.address));
  return { folder, url };
}

async function isDecidedWith(url: string, name: string): Promise<boolean> {
  const current = (await askSet(url))!;
  const next = await askSet(url, Number(current.currentEpoch) + 1);
  return (next ?? current).validators.some((validator) => validator.name === name);
}

test("a new chain certifies its epochs by ML-DSA, through a crash, a change of key and a newcomer, and anybody with genesis verifies it", async () => {
  const of = await start("ethereum", VALIDATORS);
  const [url] = of.urls as [string];
  assert.ok(readdirSync(join(of.folder(0), "keys")).includes("checkpoint.key"));
  assert.equal(statSync(join(of.folder(0), "keys", "checkpoint.key")).mode & 0o077, 0, "for its owner alone");
  const newcomer = await joins(of);
  const planned = await plan(url, of.folder(RENEWED), "--new", "second");
  assert.equal(planned.account.toLowerCase(), ACCOUNTS[RENEWED]!.address.toLowerCase());
  const second = await register(url, ACCOUNTS[RENEWED]!.secretKey, planned);
  await of.kill(KILLED, "SIGKILL");
  await waitUntil("the newcomer is to validate", 2 * LONG_WAIT_MS, () => isDecidedWith(url, NEWCOMER));
  await of.start(KILLED);
  const fifth = await register(url, JOINER!.secretKey, await plan(url, newcomer.folder));
  const renewed = await decided(url, [second, fifth]);
  const all = [...of.urls, newcomer.url];
  await allCertify(renewed, all);
  for (const rpc of [url, of.urls[KILLED]!, newcomer.url]) {
    const { epoch, checkpoint } = await verified(of, rpc);
    assert.ok(epoch >= renewed);
    assert.match(checkpoint, /^ostrom-checkpoint-1:/);
  }
  assert.match(
    await ostrom("checkpoints", "--rpc", url),
    /Epoch \d+: certified \(weight with keys 5, needed 4\)/,
  );
  const again = await runInProcess(["checkpoints", "register", newcomer.folder, "--rpc", url]);
  assert.match(again.stderr, /registered already; --new/);
  of.assertAgreement();
});

test("a chain of suite sm has them, and a validator's new SM2 key has its checkpoint key from its first epoch on", async () => {
  const of = await start("sm", 1);
  const [url] = of.urls as [string];
  const folder = of.folder(0);
  const warned = await ostrom("keys", "rotate", folder, "--name", "unused");
  assert.match(warned, /WARNING: [^\n]*checkpoint[^\n]*\n[^\n]*\n {2}ostrom checkpoints register/);
  const rotation = ["keys", "rotate", folder, "--name", "next", "--rpc", url];
  const { publicKey, data, checkpoint } = JSON.parse(await ostrom(...rotation, "--json"));
  const { secretKey } = ACCOUNTS[0]!;
  const keyHash = await register(url, secretKey, checkpoint);
  await changeValidators(url, secretKey, data);
  let epoch = 0;
  await waitUntil("the new key votes", 2 * LONG_WAIT_MS, async () => {
    const set = (await askSet(url))!;
    epoch = Number(set.currentEpoch);
    return set.validators[0]!.consensusKey === publicKey;
  });
  assert.equal(await decided(url, [keyHash]), 0, "the checkpoint key is that of genesis");
  await allCertify(epoch, of.urls);
  const proved = await verified(of, url);
  assert.ok(proved.epoch >= epoch);
  assert.deepEqual(proved.missing, [], "no epoch is without");
});
