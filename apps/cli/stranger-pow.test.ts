import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { unwrap } from "@ostrom/base";
import {
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  deriveAccounts,
  installNativeCrypto,
  localPowParameters,
  provisionJoiner,
  provisionNetwork,
  targetFor,
} from "@ostrom/runtime";
import { DEVELOPMENT_CHAIN_ID } from "./local-network.ts";
import { type StartedNode, startNodeProcess, stopNodes } from "./supervisor.ts";
import { findFreePorts } from "./testing/free-ports.ts";
import { receiptBlocks, signTransfers, submit } from "./testing/load.ts";
import { blockHashes, blockNumber, LONG_WAIT_MS, waitUntil } from "./testing/test-network.ts";

const MINER = "validator-1";
const STRANGERS = ["first", "second"] as const;
const ACCOUNT = 4;
const FINALITY_DEPTH = 4;
const BLOCK_INTERVAL_MS = 400;
const root = mkdtempSync(join(tmpdir(), "ostrom-stranger-pow-"));
const [port, linkPort] = (await findFreePorts(1 + STRANGERS.length, 2)) as [number, number];
const names = [MINER, ...STRANGERS];
const urls = names.map((_, index) => `http://127.0.0.1:${port + index}`);
const running: StartedNode[] = [];
const entropy = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

before(() => {
  installNativeCrypto();
  const { pow, maxHashesPerSecond } = localPowParameters("sha256");
  const accounts = deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT + 1);
  const made = provisionNetwork({
    chainId: DEVELOPMENT_CHAIN_ID,
    profile: "public",
    timestampMs: Date.now(),
    balances: new Map(accounts.map(({ address }) => [address, DEVELOPMENT_BALANCE])),
    validators: [
      {
        name: MINER,
        folder: join(root, MINER),
        feeRecipient: accounts.at(-1)!.address,
        weight: 1,
        link: { host: "127.0.0.1", port: linkPort },
        rpc: { host: "127.0.0.1", port },
      },
    ],
    pow: {
      ...pow,
      finalityDepth: FINALITY_DEPTH,
      targetIntervalMs: BLOCK_INTERVAL_MS,
      initialTarget: targetFor(maxHashesPerSecond, BLOCK_INTERVAL_MS),
    },
    mining: { maxHashesPerSecond },
    entropy,
  });
  assert.ok(made.ok, "the network is made");
});

after(async () => {
  await stopNodes(running);
  rmSync(root, { recursive: true, force: true });
});

async function start(name: string): Promise<void> {
  const node = startNodeProcess({ name, folder: join(root, name), onReport: () => undefined });
  running.push(node);
  const started = await node.started;
  assert.equal(started.kind, "ready", "message" in started ? started.message : "");
}

test("mined chains: strangers join one behind the other by one address each, and what they send is mined", async () => {
  await start(MINER);
  for (const [index, name] of STRANGERS.entries()) {
    const own = index + 1;
    unwrap(
      provisionJoiner(
        {
          name,
          folder: join(root, name),
          link: { host: "127.0.0.1", port: linkPort + own },
          rpc: { host: "127.0.0.1", port: port + own },
          bootstrap: [`127.0.0.1:${linkPort + index}`],
        },
        join(root, MINER, "genesis.json"),
        entropy,
      ),
    );
    await start(name);
  }
  const transfers = signTransfers(ACCOUNT, 0, 3);
  assert.deepEqual(await submit(urls[2]!, transfers), []);
  await waitUntil("all are mined", 2 * LONG_WAIT_MS, async () => {
    return (await receiptBlocks(urls[2]!, transfers)).size === transfers.length;
  });
  const final = await blockNumber(urls[0]!, "finalized");
  await waitUntil("all have what is final", 2 * LONG_WAIT_MS, async () => {
    const heights = await Promise.all(urls.map((url) => blockNumber(url, "latest")));
    return heights.every((height) => height >= final);
  });
  const [first, ...others] = await Promise.all(urls.map((url) => blockHashes(url, 0, final)));
  for (const other of others) assert.deepEqual(other, first);
});
