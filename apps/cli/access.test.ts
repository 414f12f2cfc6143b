import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { ask } from "./rpc-client.ts";
import { runCli } from "./testing/cli-process.ts";
import { signTransfers, submit } from "./testing/load.ts";
import { createTestNetwork, LONG_WAIT_MS, type TestNetwork, waitUntil } from "./testing/test-network.ts";

const OPERATOR = 5;
const AUDITOR = 6;
const STRANGER = 7;
const GUARDED = 0;

const accounts = deriveAccounts(DEVELOPMENT_MNEMONIC, STRANGER + 1);
let network: TestNetwork;

before(async () => {
  network = await createTestNetwork({ validators: 4 });
  const path = join(network.folder(GUARDED), "node.json");
  const configuration = JSON.parse(readFileSync(path, "utf8")) as { rpc: object };
  const roles = { [accounts[OPERATOR]!.address]: ["operator"], [accounts[AUDITOR]!.address]: ["auditor"] };
  const rpc = { ...configuration.rpc, authentication: "jwt", anonymousReads: false, accounts: roles };
  writeFileSync(path, JSON.stringify({ ...configuration, rpc }));
  await network.startAll();
});

after(() => network.dispose());

const fileOf = (name: string): string => join(network.directory, name);
const genesis = (): string => join(network.folder(GUARDED), "genesis.json");

function keyFile(account: number): string {
  const path = fileOf(`${account}.key`);
  writeFileSync(path, `${accounts[account]!.secretKey}\n`);
  chmodSync(path, 0o600);
  return path;
}

async function tokenOf(account: number, ...flags: readonly string[]): Promise<string> {
  const made = await runCli([
    "token",
    "create",
    "--account-key",
    keyFile(account),
    "--genesis",
    genesis(),
    ...flags,
  ]);
  assert.equal(made.code, 0, made.stderr);
  return made.stdout.trim();
}

test("a node that asks who asks answers each role what is its own, from a token made on the command line", async () => {
  const url = network.urls[GUARDED]!;
  await assert.rejects(ask(url, "eth_chainId"), /say who you are/);
  const [operator, auditor, stranger] = await Promise.all(
    [OPERATOR, AUDITOR, STRANGER].map((one) => tokenOf(one)),
  );
  assert.equal(await ask(url, "eth_chainId", [], operator), "0x7a69");
  const info = await ask<{ readonly peerId: string }>(url, "admin_nodeInfo", [], operator);
  await assert.rejects(ask(url, "admin_nodeInfo", [], auditor), /needs the role operator/);
  await assert.rejects(ask(url, "eth_chainId", [], stranger), /needs any role/);
  const log = await ask<{ readonly records: readonly { readonly actor: string }[] }>(
    url,
    "ostrom_getOperatorLog",
    [],
    auditor,
  );
  const actors = log.records.map(({ actor }) => actor);
  assert.ok(actors.includes(accounts[OPERATOR]!.address.toLowerCase()));
  const elsewhere = await tokenOf(OPERATOR, "--node", "00".repeat(32));
  await assert.rejects(ask(url, "eth_chainId", [], elsewhere), /meant for another node/);
  assert.equal(await ask(url, "eth_chainId", [], await tokenOf(OPERATOR, "--node", info.peerId)), "0x7a69");
});

test("the program takes its token from OSTROM_TOKEN, and without one is told that it needs one", async () => {
  const asked = ["status", "--rpc", network.urls[GUARDED]!];
  const known = await runCli(asked, { environment: { OSTROM_TOKEN: await tokenOf(OPERATOR) } });
  assert.equal(known.code, 0, known.stderr);
  assert.notEqual((await runCli(asked)).code, 0);
});

test("a key that others may read makes no token, and a chain must be named", async () => {
  const path = keyFile(STRANGER);
  chmodSync(path, 0o644);
  const exposed = await runCli(["token", "create", "--account-key", path, "--genesis", genesis()]);
  assert.match(exposed.stderr, /can be read by others than its owner: run chmod 600/);
  const unnamed = await runCli(["token", "create", "--account-key", keyFile(STRANGER)]);
  assert.match(unnamed.stderr, /say which chain the token is for/);
});

test("an operator elsewhere has a backup made under a name; a path, or keys, are for who has the machine", async () => {
  const url = network.urls[GUARDED]!;
  await waitUntil(
    "a block",
    LONG_WAIT_MS,
    async () => Number(await ask(network.urls[1]!, "eth_blockNumber")) > 0,
  );
  const flags = ["backup", "--rpc", url, "--token-file", fileOf("operator.token")];
  writeFileSync(fileOf("operator.token"), await tokenOf(OPERATOR), { mode: 0o600 });
  const refused = await runCli([...flags, "--out", "/tmp/elsewhere"]);
  assert.match(refused.stderr, /only who has this machine's operator secret may name a path/);
  assert.match((await runCli([...flags, "--out", "b", "--with-keys"])).stderr, /operator secret/);
  const made = await runCli([...flags, "--out", "b", "--json"]);
  assert.equal(made.code, 0, made.stderr);
  assert.equal(
    (JSON.parse(made.stdout) as { path: string }).path,
    join(network.folder(GUARDED), "backups", "b"),
  );
});

test("an auditor observes the chain block by block, verified, and goes on where the stored lines end", async () => {
  const transfers = signTransfers(0, 0, 3);
  assert.deepEqual(await submit(network.urls[1]!, transfers), []);
  await waitUntil("they are final here", LONG_WAIT_MS, async () => {
    const token = await tokenOf(OPERATOR);
    const last = await ask<{ readonly blockNumber: string } | null>(
      network.urls[GUARDED]!,
      "eth_getTransactionReceipt",
      [transfers[2]!.hash],
      token,
    );
    const final = await ask<{ readonly number: string }>(
      network.urls[GUARDED]!,
      "eth_getBlockByNumber",
      ["finalized", false],
      token,
    );
    return last !== null && Number(final.number) >= Number(last.blockNumber) + 1;
  });
  const final = await ask<{ readonly number: string }>(network.urls[1]!, "eth_getBlockByNumber", [
    "finalized",
    false,
  ]);
  const to = Number(final.number) - 1;
  const flags = [
    "observe",
    "--rpc",
    network.urls[GUARDED]!,
    "--genesis",
    genesis(),
    "--account-key",
    keyFile(AUDITOR),
  ];
  const store = ["--store", fileOf("seen.jsonl")];
  const first = await runCli([...flags, ...store, "--to", String(to - 1)]);
  assert.equal(first.code, 0, first.stderr);
  const second = await runCli([...flags, ...store, "--to", String(to)]);
  assert.equal(second.code, 0, second.stderr);
  assert.equal(second.stdout.trim().split("\n").length, 1, "only what was not stored yet");
  const lines = readFileSync(fileOf("seen.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map(
      (line) =>
        JSON.parse(line) as { block: number; transactions: { hash: string }[]; unexplained?: unknown },
    );
  assert.deepEqual(
    lines.map(({ block }) => block),
    Array.from({ length: to + 1 }, (_, block) => block),
  );
  const seen = lines.flatMap(({ transactions }) => transactions.map(({ hash }) => hash));
  assert.deepEqual(
    transfers.map(({ hash }) => hash).filter((hash) => !seen.includes(hash)),
    [],
  );
  const stranger = await runCli([...flags.slice(0, -1), keyFile(STRANGER), "--to", "1"]);
  assert.match(stranger.stderr, /needs any role/);
});

test("no token stands in a log of the node", () => {
  const log =
    network.log(GUARDED) + readFileSync(join(network.folder(GUARDED), "operator-log.jsonl"), "utf8");
  assert.doesNotMatch(log, /eyJ/, "JSON Web Tokens begin so");
  assert.ok(
    !log.includes(
      readFileSync(join(network.folder(GUARDED), "keys", "operator.secret"), "utf8")
        .trim()
        .slice(2),
    ),
  );
});
