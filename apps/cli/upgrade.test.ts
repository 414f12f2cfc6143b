import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { addressFromHex } from "@ostrom/base";
import { DEVELOPMENT_MNEMONIC, deriveAccounts, importServiceModule } from "@ostrom/runtime";
import { NEW_PROBE, probe } from "../../node/runtime/testing/probe-module.ts";
import { ask } from "./rpc-client.ts";
import { runCli } from "./testing/cli-process.ts";
import { signTransfers, submit } from "./testing/load.ts";
import { blockNumber, createTestNetwork, LONG_WAIT_MS, waitUntil } from "./testing/test-network.ts";

const OLD_MAIN = join(import.meta.dirname, "testing/old-program.ts");
const NEW_MAIN = join(import.meta.dirname, "testing/new-program.ts");
const LAGGING_MAIN = join(import.meta.dirname, "testing/lagging-program.ts");
/** Ahead enough for three validators to be restarted one after another. */
const NOTICE_BLOCKS = 100;
const FORK_NOTICE_BLOCKS = 40;
/** Init code that returns CLZ(1): an instruction of Osaka (EIP-7939), invalid before. */
const COUNT_LEADING_ZEROS = "0x60011e5f5260205ff3";
const owner = addressFromHex(deriveAccounts(DEVELOPMENT_MNEMONIC, 1)[0]!.address);
const { keys = [], settings } = await importServiceModule("probe", NEW_PROBE.service!);
const network = await createTestNetwork({
  validators: 4,
  fork: "prague",
  modules: {
    modules: {
      authority: owner,
      active: [{ module: probe(1), settings, options: { word: "begin" } }],
      keys,
      accountFunds: 0n,
    },
    validatorSets: { kind: "fixed" },
  },
});
const [oldUrl, newUrl] = network.urls as readonly [string, string];
let upgradeHeight = 0;

after(() => network.dispose());

async function succeed(main: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, { main });
  assert.deepEqual([code, stderr], [0, ""], args.join(" "));
  return stdout;
}

/** Blocks come at once where there is something to order. */
async function makeBlocksUntil(height: number, url: string): Promise<void> {
  let nonce = 0;
  await waitUntil(`block ${height}`, 2 * LONG_WAIT_MS, async () => {
    if ((await submit(url, signTransfers(1, nonce, 1))).length === 0) nonce++;
    return (await blockNumber(url, "latest")) >= height;
  });
}

test("nodes refuse to start on a chain whose module their program lacks, in one line that says what to do", async () => {
  const { code, stderr } = await runCli(["run", "--data-dir", network.folder(0)]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^ostrom run: [^\n]*from block 1 on the chain uses the module probe in version 1[^\n]*install[^\n]*\n$/,
  );
});

test("a program with the module runs the chain: command, JSON-RPC and service of the module are there", async () => {
  await Promise.all(network.file.nodes.map((_, index) => network.start(index, [], OLD_MAIN)));
  await waitUntil("a block", LONG_WAIT_MS, async () => (await blockNumber(oldUrl, "latest")) >= 1);
  assert.equal(await succeed(OLD_MAIN, "probe", "version-at", "1", "--rpc", oldUrl), "1\n");
  assert.match(await succeed(OLD_MAIN, "--help"), /\n {2}probe {2,}[^\n]+ \(1 command\)\n/);
  assert.match(await succeed(OLD_MAIN, "help", "probe"), /\n {2}probe version-at {2}which version ran/);
  const seen = join(network.folder(0), "services/probe/seen.json");
  await waitUntil("the service runs in its second life", LONG_WAIT_MS, () => {
    try {
      return readFileSync(seen, "utf8") !== "";
    } catch {
      return false;
    }
  });
  const secret = readFileSync(join(network.folder(0), "keys/probe.key"), "utf8").trim();
  assert.deepEqual(JSON.parse(readFileSync(seen, "utf8")), { chainId: "0x7a69", secret: secret.slice(2) });
});

test("the authority alone schedules an upgrade; ostrom modules shows it, and who lacks it", async () => {
  const height = String((await blockNumber(oldUrl, "latest")) + NOTICE_BLOCKS);
  const args = ["chain", "upgrade", "--rpc", oldUrl, "--module", "probe", "--height", height];
  const stranger = await runCli([...args, "--dev", "2"], { main: NEW_MAIN });
  assert.equal(stranger.code, 1);
  assert.match(stranger.stderr, /^ostrom chain: the authority of this chain is 0xf39f[^\n]+--key-file\n$/);
  await succeed(NEW_MAIN, ...args);
  const twice = await runCli(args, { main: NEW_MAIN });
  assert.equal(twice.code, 1);
  const cancelled = ["chain", "cancel", "--rpc", oldUrl, "--module", "probe", "--height", height];
  assert.match(
    await succeed(NEW_MAIN, ...cancelled),
    /at once: module probe at block \d+ is no longer scheduled/,
  );
  assert.doesNotMatch(await succeed(NEW_MAIN, "modules", "--rpc", oldUrl), /scheduled/);
  assert.match(
    await succeed(NEW_MAIN, ...args),
    /Decided\. What happens when:\n {2}at once: nodes whose program lacks probe 2/,
  );
  upgradeHeight = Number(height);
  const shown = await succeed(NEW_MAIN, "modules", "--rpc", oldUrl);
  assert.match(
    shown,
    new RegExp(`probe {2}version 2, scheduled for block ${height}, [^\\n]+ THE NODE LACKS IT`),
  );
  await waitUntil("an old node warns", LONG_WAIT_MS, () => network.log(0).includes("this node will stop"));
});

test("old and new programs run side by side; the old one stops before the block, the chain goes on by the new ones", async () => {
  for (const index of [1, 2, 3]) {
    await network.kill(index, "SIGTERM");
    await network.start(index, [], NEW_MAIN);
  }
  assert.ok(
    (await blockNumber(newUrl, "latest")) < upgradeHeight,
    "the validators are renewed before the upgrade",
  );
  await makeBlocksUntil(upgradeHeight + 3, newUrl);
  const old = network.node(0)!;
  const { code } = await old.ended;
  assert.equal(code, 1);
  const log = network.log(0);
  assert.match(
    log,
    new RegExp(`ostrom run: from block ${upgradeHeight} on the chain uses the module probe in version 2`),
  );
  assert.match(log, new RegExp(`All through block ${upgradeHeight - 1} is kept`));
  const versionAt = (height: number) =>
    succeed(NEW_MAIN, "probe", "version-at", String(height), "--rpc", newUrl);
  assert.equal(await versionAt(upgradeHeight - 1), "1\n");
  assert.equal(await versionAt(upgradeHeight), "2\n");
});

test("the old program does not start again; the new one goes on in the same folder, to the same blocks", async () => {
  await assert.rejects(network.start(0, [], OLD_MAIN), /uses the module probe in version 2/);
  await network.start(0, [], NEW_MAIN);
  const target = (await blockNumber(newUrl, "latest")) + 1;
  await waitUntil(
    "the renewed node catches up",
    LONG_WAIT_MS,
    async () => (await blockNumber(oldUrl, "latest")) >= target,
  );
  network.assertAgreement();
});

test("Ethereum's next rule set begins at a height that state names; a program without it stops there", async () => {
  const count = (height: number) =>
    ask<string>(newUrl, "eth_call", [{ data: COUNT_LEADING_ZEROS }, `0x${height.toString(16)}`]);
  const head = await blockNumber(newUrl, "latest");
  await assert.rejects(count(head), /opcode|instruction/);
  const [fork, ...old] = ["osaka", "cancun", "prague"] as const;
  await network.kill(0, "SIGTERM");
  await network.start(0, [], LAGGING_MAIN);
  const height = (await blockNumber(newUrl, "latest")) + FORK_NOTICE_BLOCKS;
  await succeed(NEW_MAIN, "chain", "upgrade", "--rpc", newUrl, "--fork", fork, "--height", String(height));
  await makeBlocksUntil(height + 3, newUrl);
  assert.equal(BigInt(await count(height)), 255n);
  await assert.rejects(count(height - 1), /opcode|instruction/);
  assert.equal((await network.node(0)!.ended).code, 1);
  assert.match(
    network.log(0),
    new RegExp(
      `from block ${height} on the chain follows the rule set ${fork}; this program has ${old.join(", ")}`,
    ),
  );
  network.assertAgreement();
});
