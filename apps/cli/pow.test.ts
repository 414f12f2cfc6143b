import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  deriveAccounts,
  installNativeCrypto,
  localPowParameters,
  provisionNetwork,
  targetFor,
} from "@ostrom/runtime";
import { DEVELOPMENT_CHAIN_ID } from "./local-network.ts";
import { ask } from "./rpc-client.ts";
import { type StartedNode, startNodeProcess, stopNodes } from "./supervisor.ts";
import { runCli } from "./testing/cli-process.ts";
import { findFreePorts } from "./testing/free-ports.ts";
import { receiptBlocks, signTransfers, submit } from "./testing/load.ts";
import { Sender } from "./testing/sender.ts";
import { blockHashes, blockNumber, LONG_WAIT_MS, waitUntil } from "./testing/test-network.ts";

const MINERS = 4;
const LONELY_ACCOUNT = 3;
const FINALITY_DEPTH = 4;
const BLOCK_INTERVAL_MS = 400;
const REWARD = 2n * 10n ** 18n;
const root = mkdtempSync(join(tmpdir(), "ostrom-pow-"));
const [port, linkPort] = (await findFreePorts(MINERS, 2)) as [number, number];
const indices = Array.from({ length: MINERS }, (_, index) => index);
const urls = indices.map((index) => `http://127.0.0.1:${port + index}`);
const folders = indices.map((index) => join(root, `validator-${index + 1}`));
const accounts = deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT + MINERS);
const rewarded = accounts.slice(DEVELOPMENT_ACCOUNT_COUNT).map(({ address }) => address);
const running = new Map<number, StartedNode>();
const sender = new Sender();

async function start(index: number): Promise<void> {
  const node = startNodeProcess({
    name: `validator-${index + 1}`,
    folder: folders[index]!,
    onReport: () => undefined,
  });
  running.set(index, node);
  const started = await node.started;
  assert.equal(started.kind, "ready", "message" in started ? started.message : "");
}

async function kill(index: number): Promise<void> {
  const node = running.get(index)!;
  node.process.kill("SIGKILL");
  await node.ended;
  running.delete(index);
}

/** Makes sure that all nodes have the same blocks up to the newest that all call final. @returns its number. */
async function assertAgreement(): Promise<number> {
  const finalized = Math.min(...(await Promise.all(urls.map((url) => blockNumber(url, "finalized")))));
  const [first, ...others] = await Promise.all(urls.map((url) => blockHashes(url, 0, finalized)));
  for (const other of others) assert.deepEqual(other, first);
  return finalized;
}

before(async () => {
  installNativeCrypto();
  // Shallow and easy, so that the test is short; all else is what ostrom up makes.
  const { pow, maxHashesPerSecond } = localPowParameters("sha256");
  const made = provisionNetwork({
    chainId: DEVELOPMENT_CHAIN_ID,
    profile: "dev",
    timestampMs: Date.now(),
    balances: new Map(
      accounts.slice(0, DEVELOPMENT_ACCOUNT_COUNT).map(({ address }) => [address, DEVELOPMENT_BALANCE]),
    ),
    validators: indices.map((index) => ({
      name: `validator-${index + 1}`,
      folder: folders[index]!,
      feeRecipient: rewarded[index]!,
      weight: 1,
      link: { host: "127.0.0.1", port: linkPort + index },
      rpc: { host: "127.0.0.1", port: port + index },
    })),
    pow: {
      ...pow,
      finalityDepth: FINALITY_DEPTH,
      targetIntervalMs: BLOCK_INTERVAL_MS,
      initialTarget: targetFor(maxHashesPerSecond, BLOCK_INTERVAL_MS),
    },
    mining: { maxHashesPerSecond },
    entropy: (length) => new Uint8Array(randomBytes(length)),
  });
  assert.ok(made.ok, "the network is made");
  await Promise.all(indices.map(start));
});

after(async () => {
  await stopNodes([...running.values()]);
  rmSync(root, { recursive: true, force: true });
});

test("a transfer is mined, and final at its depth, on all nodes alike", async () => {
  const block = await sender.finalize(urls);
  assert.ok((await assertAgreement()) >= block);
  const head = await blockNumber(urls[0]!, "latest");
  const finalized = await blockNumber(urls[0]!, "finalized");
  assert.ok(head - finalized >= FINALITY_DEPTH - 1 && finalized >= block);
});

test("who mines is paid; difficulty and hash rate can be seen", async () => {
  const tag = `0x${(await assertAgreement()).toString(16)}`;
  const balances = await Promise.all(
    rewarded.map((address) => ask<string>(urls[0]!, "eth_getBalance", [address, tag])),
  );
  const paid = balances.reduce((sum, balance) => sum + BigInt(balance), 0n);
  assert.ok(paid >= REWARD * BigInt(tag), "every block has its reward");
  const { difficulty } = await ask<{ difficulty: string }>(urls[0]!, "eth_getBlockByNumber", [tag, false]);
  assert.ok(BigInt(difficulty) > 1n);
  await waitUntil("the miner's rate is known", LONG_WAIT_MS, async () => {
    return BigInt(await ask<string>(urls[1]!, "eth_hashrate", [])) > 0n;
  });
  assert.equal(await ask<boolean>(urls[1]!, "eth_mining", []), true);
  const { stdout } = await runCli(["status", "--json", ...urls.flatMap((url) => ["--rpc", url])]);
  for (const line of stdout.trim().split("\n")) {
    const status = JSON.parse(line) as { mining: { difficulty: number }; peers: number };
    assert.ok(status.mining.difficulty > 1);
    assert.equal(status.peers, MINERS - 1);
  }
});

test("a node that is killed comes back, fetches what it missed, and mines on the same chain", async () => {
  await kill(3);
  const others = urls.slice(0, 3);
  await sender.finalize(others);
  await start(3);
  await sender.finalize(urls);
  await assertAgreement();
});

test("after all were killed, branches that grow apart become one: what the lighter had mined is mined again", async () => {
  const before = await assertAgreement();
  const hash = (await blockHashes(urls[0]!, before, before))[0];
  await Promise.all(indices.map(kill));
  const [light, heavy] = urls as [string, string];
  await start(0);
  assert.equal((await blockHashes(light, before, before))[0], hash);
  const transfers = signTransfers(LONELY_ACCOUNT, 0, 1);
  assert.deepEqual(await submit(light, transfers), []);
  await waitUntil(
    "it is mined",
    LONG_WAIT_MS,
    async () => (await receiptBlocks(light, transfers)).size === 1,
  );
  const replaced = await blockNumber(light, "latest");
  await kill(0);
  await start(1);
  await waitUntil("the other branch is heavier", LONG_WAIT_MS, async () => {
    return (await blockNumber(heavy, "latest")) >= replaced + 3;
  });
  await start(0);
  await waitUntil("both have it in one block", LONG_WAIT_MS, async () => {
    const found = await Promise.all([light, heavy].map((url) => receiptBlocks(url, transfers)));
    const [first, second] = found.map((blocks) => blocks.values().next().value);
    return first !== undefined && first > replaced && first === second;
  });
  await stopNodes([...running.values()]);
  const logs = folders.map((folder) => readFileSync(join(folder, "node.log"), "utf8"));
  assert.match(logs[0]!, /"a block is taken off"/);
  for (const log of logs) assert.doesNotMatch(log, /"error"/);
});

test("a network to be mined is made by ostrom init; what contradicts itself gets one line", async () => {
  const out = join(root, "made");
  const made = await runCli(
    [
      "init",
      "--chain-id",
      "77",
      "--validators",
      "1",
      "--consensus",
      "pow",
      "--pow-hash",
      "scrypt",
      "--out",
      out,
    ],
    { cwd: root },
  );
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /while one of them mines \(scrypt\)/);
  const folder = join(out, "validator-1");
  const genesis = JSON.parse(readFileSync(join(folder, "genesis.json"), "utf8"));
  assert.deepEqual([genesis.consensus.engine, genesis.consensus.hash], ["pow", "scrypt"]);
  const path = join(folder, "node.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), historyBlocks: 1 }));
  const refusals = [
    [
      ["run", "--data-dir", folder],
      /"historyBlocks" must be at least \d+, the maxReorgDepth of genesis\.json; found 1/,
    ],
    [["init", "--chain-id", "7", "--consensus", "pov"], /simplex, pow, found "pov"; did you mean pow\?/, 2],
    [["up", "--consensus", "pow", "--pow-hash", "md5"], /--pow-hash: expected one of sha256, sm3, scrypt/, 2],
    [["up", "--pow-hash", "sm3"], /only a network of --consensus pow is mined/],
  ] as const;
  await Promise.all(
    refusals.map(async ([args, says, exitCode = 1]) => {
      const { code, stderr } = await runCli(args, { cwd: root });
      assert.equal(code, exitCode, args.join(" "));
      assert.match(stderr, says);
      assert.match(stderr, /^ostrom[^\n]*: [^\n]+\n$/);
    }),
  );
});
