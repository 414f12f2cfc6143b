import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { MODULES } from "@ostrom/modules";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { planModules } from "./network-profile.ts";
import { ask } from "./rpc-client.ts";
import { runCli } from "./testing/cli-process.ts";
import { signTransfers, submit } from "./testing/load.ts";
import { blockNumber, createTestNetwork, LONG_WAIT_MS, waitUntil } from "./testing/test-network.ts";

const ORGANISATIONS = [0, 1, 2, 3];
/** Of the first organisation's accounts; the users send. */
const OPERATOR = 4;
const USER = 5;
const OTHER_USER = 6;
const AUDITOR = 8;
const GUARDED = 0;
const OPEN = 1;

const accounts = deriveAccounts(DEVELOPMENT_MNEMONIC, AUDITOR + 1);
const address = (index: number): string => accounts[index]!.address;
const set = [`membership.users=${address(USER)}`];
const network = await createTestNetwork({
  validators: ORGANISATIONS.length,
  profile: "alliance",
  modules: await planModules("alliance", { main: "", modules: MODULES }, { values: { set } }, undefined),
  epochLength: 200,
});
const guarded = network.urls[GUARDED]!;
const open = network.urls[OPEN]!;

after(() => network.dispose());

async function membership(admin: number, ...args: readonly string[]): Promise<string> {
  const ended = await runCli(["membership", ...args, "--rpc", open, "--dev", String(admin), "--json"]);
  assert.equal(ended.code, 0, `${args.join(" ")}: ${ended.stderr}`);
  return ended.stdout;
}

function keyFile(account: number): string {
  const path = join(network.directory, `${account}.key`);
  writeFileSync(path, accounts[account]!.secretKey);
  chmodSync(path, 0o600);
  return path;
}

const genesis = (): string => join(network.folder(GUARDED), "genesis.json");

async function tokenOf(account: number): Promise<string> {
  const made = await runCli(["token", "create", "--account-key", keyFile(account), "--genesis", genesis()]);
  assert.equal(made.code, 0, made.stderr);
  return made.stdout.trim();
}

test("roles that a vote of the organisation's admin gives open the node's methods, and are gone when taken back", async () => {
  const path = join(network.folder(GUARDED), "node.json");
  const configuration = JSON.parse(readFileSync(path, "utf8")) as { rpc: object };
  const rpc = { ...configuration.rpc, authentication: "jwt", anonymousReads: false };
  writeFileSync(path, JSON.stringify({ ...configuration, rpc }));
  await network.startAll();
  await waitUntil("blocks", LONG_WAIT_MS, async () => (await blockNumber(open, "latest")) >= 2);

  const operator = await tokenOf(OPERATOR);
  await assert.rejects(ask(guarded, "admin_nodeInfo", [], operator), /needs the role operator/);
  await membership(0, "account", "set", address(OPERATOR), "operator");
  await membership(0, "account", "set", address(OTHER_USER), "sender");
  await membership(0, "account", "set", address(AUDITOR), "auditor");
  const here = async (): Promise<boolean> =>
    ask(guarded, "admin_nodeInfo", [], operator).then(
      () => true,
      () => false,
    );
  await waitUntil("the operator is known", LONG_WAIT_MS, here);
  await membership(0, "account", "set", address(OPERATOR), "none");
  await waitUntil("the operator is known no more", LONG_WAIT_MS, async () => !(await here()));
  // Another organisation's operator is nobody here.
  await membership(1, "account", "set", address(OPERATOR), "operator");
  assert.equal(await here(), false);
});

test("an auditor of an organisation with a filter observes what concerns it, verified, and can read nothing else", async () => {
  await membership(0, "propose-filter", "1", "--filter", address(USER));
  // It is the first of the chain.
  const proposal = "1";
  for (const admin of [1, 2, 3]) await membership(admin, "vote", proposal);
  await runCli(["membership", "execute", proposal, "--rpc", open, "--dev", "1"]);
  const token = await tokenOf(AUDITOR);
  type Self = { readonly observes: unknown };
  await waitUntil("the filter counts", LONG_WAIT_MS, async () => {
    const { observes } = await ask<Self>(guarded, "rpc_whoAmI", [], token);
    return JSON.stringify(observes) === JSON.stringify([address(USER).toLowerCase()]);
  });
  const seen = signTransfers(USER, 0, 2);
  const hidden = signTransfers(OTHER_USER, 0, 2);
  assert.deepEqual(await submit(open, [...seen, ...hidden]), []);
  const sent = [...seen, ...hidden];
  await waitUntil("all are final", LONG_WAIT_MS, async () => {
    const found = await Promise.all(
      sent.map(({ hash }) =>
        ask<{ readonly blockNumber: string } | null>(open, "eth_getTransactionReceipt", [hash]),
      ),
    );
    const final = await blockNumber(open, "finalized");
    return found.every((receipt) => receipt !== null && Number(receipt.blockNumber) < final);
  });
  const to = (await blockNumber(open, "finalized")) - 1;
  await waitUntil("the guarded node is as far", LONG_WAIT_MS, async () => {
    return Number(await ask<string>(guarded, "eth_blockNumber", [], token)) > to + 1;
  });
  const flags = [
    "observe",
    "--rpc",
    guarded,
    "--genesis",
    genesis(),
    "--account-key",
    keyFile(AUDITOR),
    "--to",
    String(to),
  ];
  const observed = await runCli(flags);
  assert.equal(observed.code, 0, observed.stderr);
  const lines = observed.stdout
    .trimEnd()
    .split("\n")
    .map(
      (line) =>
        JSON.parse(line) as {
          transactions: { hash: string; from: string; to: string | null }[];
          unexplained?: unknown;
        },
    );
  const shown = lines.flatMap(({ transactions }) => transactions);
  for (const { hash } of seen)
    assert.ok(
      shown.some((one) => one.hash === hash),
      "what the user sent is shown",
    );
  for (const { hash } of hidden.slice(0, 1))
    assert.ok(!shown.some((one) => one.hash === hash), "what others sent is not");
  assert.deepEqual(
    lines.flatMap(({ unexplained }) => unexplained ?? []),
    [],
  );
  await assert.rejects(ask(guarded, "eth_getTransactionByHash", [hidden[0]!.hash], token), /may not call/);
  await assert.rejects(ask(guarded, "eth_getBlockByNumber", ["latest", true], token), /may not call/);
});

test("the operator log's export adds the members' acts of the period", async () => {
  const exported = await runCli([
    "operator-log",
    "export",
    "--data-dir",
    network.folder(GUARDED),
    "--rpc",
    open,
  ]);
  assert.equal(exported.code, 0, exported.stderr);
  const rows = exported.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { source: string; act: string; actor: string });
  const ofChain = rows.filter(({ source }) => source === "chain");
  assert.ok(ofChain.length >= 5, exported.stdout.slice(0, 2_000));
  assert.ok(
    ofChain.every(({ act }) => /^(?:membership|registry)\.[A-Z]\w+$/.test(act)),
    ofChain.map(({ act }) => act).join(),
  );
  assert.ok(ofChain.some(({ actor }) => actor.toLowerCase() === address(0).toLowerCase()));
});
