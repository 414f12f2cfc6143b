import assert from "node:assert/strict";
import { after, test } from "node:test";
import { MODULES } from "@ostrom/modules";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { planModules } from "./network-profile.ts";
import { ask } from "./rpc-client.ts";
import { runCli } from "./testing/cli-process.ts";
import { signTransfers, submit } from "./testing/load.ts";
import { blockNumber, createTestNetwork, LONG_WAIT_MS, waitUntil } from "./testing/test-network.ts";

const ORGANISATIONS = [0, 1, 2, 3];
const EPOCH_LENGTH = 30;
/** An account that the first organisation lets send, and one that nobody does. */
const USER = 5;
const STRANGER = 7;
const PUMP_INTERVAL_MS = 100;
const GRADUATION_WAIT_MS = 4 * LONG_WAIT_MS;

const accounts = deriveAccounts(DEVELOPMENT_MNEMONIC, STRANGER + 1);
const program = { main: "", modules: MODULES };
const set = [`membership.users=${accounts[USER]!.address}`];
const network = await createTestNetwork({
  validators: ORGANISATIONS.length,
  profile: "alliance",
  modules: await planModules("alliance", program, { values: { set } }, undefined),
  epochLength: EPOCH_LENGTH,
});
const rpc = network.urls[0]!;
let isPumping = true;
let nonce = 0;

/** Blocks come at once where there is something to order. */
const pump = (async () => {
  while (isPumping) {
    await new Promise((resolve) => setTimeout(resolve, PUMP_INTERVAL_MS));
    const [problem] = await submit(rpc, signTransfers(USER, nonce, 1)).catch(() => ["not up"]);
    if (problem === undefined) nonce++;
  }
})();

after(async () => {
  isPumping = false;
  await pump;
  await network.dispose();
});

async function succeed(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli([...args, "--rpc", rpc]);
  assert.deepEqual([code, stderr], [0, ""], args.join(" "));
  return stdout;
}

type Port = { readonly holder: string | null; readonly handOver: { readonly to: string } | null };

async function port(): Promise<Port> {
  const { registry } = await ask<{ readonly registry: { readonly validatorSets: Port } }>(
    rpc,
    "ostrom_getModules",
  );
  return registry.validatorSets;
}

test("an alliance begins with its members' validators, and strangers may not send", async () => {
  await network.startAll();
  await waitUntil("blocks", LONG_WAIT_MS, async () => (await blockNumber(rpc, "latest")) >= 3);
  assert.deepEqual(await port(), { holder: "membership", handOver: null });
  const { code, stderr } = await runCli([
    "send",
    "--rpc",
    rpc,
    "--dev",
    String(STRANGER),
    "--value",
    "1",
    "--to",
    accounts[0]!.address,
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /membership: no organisation of this chain lets/);
});

test("ostrom chain graduate proposes; nothing happens until the members have voted", async () => {
  const head = await blockNumber(rpc, "latest");
  const told = await succeed("chain", "graduate", "--dev", "0", "--height", String(head + 2 * EPOCH_LENGTH));
  assert.match(
    told,
    /Proposed: nothing happens until the members have voted[^\n]*\n {2}as soon as the vote has passed/,
  );
  assert.match(told, /staking 1 becomes active/);
  assert.deepEqual(await port(), { holder: "membership", handOver: null });
  const [line = ""] = (await succeed("membership", "proposals", "--json")).split("\n");
  const id = Number((JSON.parse(line) as { readonly id: string }).id);
  for (const member of [1, 2]) await succeed("membership", "vote", String(id), "--dev", String(member));
  if ((await port()).handOver === null) await succeed("membership", "execute", String(id), "--dev", "0");
  assert.equal((await port()).handOver?.to, "staking");
});

test("once staking is active, the members bond; at an epoch's boundary stake decides, and no block is missed", async () => {
  await waitUntil("staking is active", GRADUATION_WAIT_MS, async () =>
    /staking {2}version 1, active since/.test(await succeed("modules")),
  );
  for (const index of ORGANISATIONS) {
    const { name, linkPort } = network.file.nodes[index]!;
    await succeed(
      ...["staking", "bond", "--amount", "9000", "--dev", String(index), "--keys", network.folder(index)],
      ...["--host", `127.0.0.1:${linkPort}`, "--name", name],
    );
  }
  await waitUntil(
    "staking holds the port",
    GRADUATION_WAIT_MS,
    async () => (await port()).holder === "staking",
  );
  const told = await ask<{ readonly currentEpoch: string }>(rpc, "ostrom_getValidators");
  const next = Number(told.currentEpoch) + 1;
  await waitUntil("an epoch begins whose set stake has decided", GRADUATION_WAIT_MS, async () => {
    const current = await ask<{ readonly currentEpoch: string }>(rpc, "ostrom_getValidators");
    return Number(current.currentEpoch) > next;
  });
  const { stdout } = await runCli([
    "send",
    "--rpc",
    rpc,
    "--dev",
    String(STRANGER),
    "--value",
    "1",
    "--to",
    accounts[0]!.address,
  ]);
  assert.match(stdout, /success in block/);
  network.assertAgreement();
});
