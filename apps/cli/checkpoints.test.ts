import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  deriveAccounts,
  installNativeCrypto,
} from "@ostrom/runtime";
import type { Hex } from "viem";
import { planRegistration } from "./checkpoint-registration.ts";
import { ask } from "./rpc-client.ts";
import { runCli } from "./testing/cli-process.ts";
import { manageValidators } from "./testing/managed-validators.ts";
import { createTestNetwork, LONG_WAIT_MS, type TestNetwork, waitUntil } from "./testing/test-network.ts";
import { connectWallet } from "./wallet.ts";

const VALIDATORS = 4;
const [OWNER] = deriveAccounts(DEVELOPMENT_MNEMONIC, 1);
/** Accounts of the validators follow the funded ones. */
const ACCOUNTS = deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT + VALIDATORS).slice(
  DEVELOPMENT_ACCOUNT_COUNT,
);
const RENEWED = 1;
const KILLED = 3;

type Told = { readonly newest: Hex | null; readonly status: string; readonly set: Hex };

let network: TestNetwork;

before(async () => {
  installNativeCrypto();
  network = await createTestNetwork({
    validators: VALIDATORS,
    extraBalances: new Map([[ACCOUNTS[RENEWED]!.address, DEVELOPMENT_BALANCE]]),
  });
  manageValidators(network, OWNER!.address);
  await network.startAll();
});

after(() => network.dispose());

function checkpointOf(url: string, epoch: number): Promise<Told | null> {
  return ask<Told | null>(url, "ostrom_getEpochCheckpoint", [`0x${epoch.toString(16)}`]);
}

function allCertify(epoch: number): Promise<void> {
  return waitUntil(`epoch ${epoch} is certified at all nodes`, 2 * LONG_WAIT_MS, async () => {
    const told = await Promise.all(
      network.urls.map((url) => ask<Told | null>(url, "ostrom_getEpochCheckpoint")),
    );
    return told.every((one) => one !== null && Number(one.newest) >= epoch);
  });
}

test("a new chain certifies its epochs by ML-DSA, through a crash and a change of key, and anybody with genesis verifies it", async () => {
  const [url] = network.urls as [string];
  const files = readdirSync(join(network.folder(0), "keys"));
  assert.ok(files.includes("checkpoint.key"));
  assert.equal(
    statSync(join(network.folder(0), "keys", "checkpoint.key")).mode & 0o077,
    0,
    "for its owner alone",
  );
  await allCertify(0);

  const folder = network.folder(RENEWED);
  const planned = await planRegistration(url, folder, "second");
  assert.equal(planned.account.toLowerCase(), ACCOUNTS[RENEWED]!.address.toLowerCase());
  const wallet = await connectWallet(url, ACCOUNTS[RENEWED]!.secretKey);
  const hash = await wallet.send({ to: planned.to as Hex, data: planned.data as Hex, value: 0n });
  const receipt = await wallet.receipt(hash);
  assert.equal(receipt.status, "success");

  await network.kill(KILLED, "SIGKILL");
  let renewed = 0;
  await waitUntil("a set names the new key", 2 * LONG_WAIT_MS, async () => {
    const told = await checkpointOf(url, renewed);
    if (told?.set.includes(planned.keyHash.slice(2)) === true) return true;
    if (told !== null) renewed += 1;
    return false;
  });
  await network.start(KILLED);
  await allCertify(renewed);

  const genesis = join(network.folder(0), "genesis.json");
  for (const rpc of [url, network.urls[KILLED]!]) {
    const args = ["checkpoints", "verify", "--genesis", genesis, "--rpc", rpc, "--json"];
    const verified = await runCli(args);
    assert.equal(verified.code, 0, verified.stderr);
    const { epoch, checkpoint } = JSON.parse(verified.stdout) as { epoch: number; checkpoint: string };
    assert.ok(epoch >= renewed, verified.stdout);
    assert.match(checkpoint, /^ostrom-checkpoint-1:/);
  }
  const listed = await runCli(["checkpoints", "--rpc", url]);
  assert.match(listed.stdout, /Epoch \d+: certified \(weight with keys 4, needed 3\)/);
  const again = await runCli(["checkpoints", "register", folder, "--rpc", url]);
  assert.match(again.stderr, /registered already; --new/);
  network.assertAgreement();
});
