import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { toHex, unwrap } from "@ostrom/base";
import { SCHEME_BLS12381, SCHEME_ML_DSA_44 } from "@ostrom/crypto";
import {
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  deriveAccounts,
  installNativeCrypto,
} from "@ostrom/runtime";
import { createLightClient } from "@ostrom/sdk";
import type { Hex } from "viem";
import { ask } from "./rpc-client.ts";
import { runCli } from "./testing/cli-process.ts";
import { changeValidators, finalizedReaches, manageValidators } from "./testing/managed-validators.ts";
import {
  assertSameBlocks,
  blockHashes,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";
import type { ToldSet } from "./validator-contracts.ts";
import { connectWallet } from "./wallet.ts";

const VALIDATORS = 4;
const [OWNER, SPENDER] = deriveAccounts(DEVELOPMENT_MNEMONIC, 2);
/** Accounts of the validators follow the funded ones. */
const ACCOUNTS = deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT + VALIDATORS).slice(
  DEVELOPMENT_ACCOUNT_COUNT,
);
const RESTARTED = 2;

let network: TestNetwork;

before(async () => {
  installNativeCrypto();
  network = await createTestNetwork({
    validators: VALIDATORS,
    extraBalances: new Map(ACCOUNTS.map(({ address }) => [address, DEVELOPMENT_BALANCE])),
  });
  manageValidators(network, OWNER!.address);
  await network.startAll();
});

after(() => network.dispose());

/** What a command says as JSON. */
async function told(args: readonly string[]): Promise<Readonly<Record<string, Hex>>> {
  const { code, stdout, stderr } = await runCli([...args, "--json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

async function setOf(url: string, epoch?: number): Promise<ToldSet | null> {
  return ask<ToldSet | null>(url, "ostrom_getValidators", epoch === undefined ? [] : [epoch]);
}

/** Transfers one after the other until it is told to stop. @returns the blocks that held them. */
async function keepSpending(isOver: () => boolean): Promise<readonly number[]> {
  const wallet = await connectWallet(network.urls[1]!, SPENDER!.secretKey);
  const blocks: number[] = [];
  while (!isOver()) {
    const receipt = await wallet.receipt(await wallet.send({ to: OWNER!.address, data: "0x", value: 1n }));
    assert.equal(receipt.status, "success");
    blocks.push(Number(receipt.blockNumber));
  }
  return blocks;
}

test("validators turn from BLS12-381 to ML-DSA-44 at an epoch boundary under load, and blocks go on", async () => {
  const urls = network.urls;
  let isOver = false;
  const spending = keepSpending(() => isOver);
  const start = (await setOf(urls[0]!))!;
  assert.equal(Number(start.schemeId), SCHEME_BLS12381);
  const begun = await told(["validators", "scheme", "ml-dsa-44"]);
  await changeValidators(urls[0]!, OWNER!.secretKey, begun["data"]!);
  for (let index = 0; index < VALIDATORS; index++) {
    const args = ["keys", "rotate", network.folder(index), "--rpc", urls[0]!, "--scheme", "ml-dsa-44"];
    const { previous, scheme, file, data } = await told(args);
    assert.deepEqual([scheme, previous], ["ml-dsa-44", start.validators[index]!.consensusKey]);
    assert.match(readFileSync(file!, "utf8"), /^ml-dsa-44:0x[0-9a-f]{64}\n$/);
    await changeValidators(urls[0]!, ACCOUNTS[index]!.secretKey, data!);
  }

  let turned: ToldSet | null = null;
  await waitUntil("an epoch of ML-DSA-44 begins", 2 * LONG_WAIT_MS, async () => {
    turned = await setOf(urls[0]!);
    return Number(turned?.schemeId) === SCHEME_ML_DSA_44;
  });
  const { firstBlock, lastBlock, validators } = turned! as ToldSet;
  assert.ok(validators.every(({ consensusKey }) => consensusKey.length === 2 + 2 * 1312));
  const listed = await runCli(["validators", "--rpc", urls[0]!]);
  assert.match(listed.stdout, /weight 4, ml-dsa-44:/);
  // A quorum of the new keys goes on without one, which finds its way in when it comes back.
  await network.kill(RESTARTED, "SIGKILL");
  const others = urls.filter((_, index) => index !== RESTARTED);
  await finalizedReaches("without one", Number(firstBlock) + 5, others);
  await network.start(RESTARTED);
  await finalizedReaches("the next epoch", Number(lastBlock) + 2, urls);
  isOver = true;
  const spent = await spending;
  assert.ok(
    spent.some((height) => height < Number(firstBlock)) &&
      spent.some((height) => height > Number(firstBlock)),
  );
  // Who trusts nobody but genesis checks epochs of the one scheme, then of the other.
  const genesis = JSON.parse(readFileSync(join(network.folder(0), "genesis.json"), "utf8"));
  const light = createLightClient({ servers: urls, genesis });
  for (const height of [Number(firstBlock) - 1, Number(firstBlock), Number(lastBlock) + 1]) {
    const [proved] = await blockHashes(urls[1]!, height, height);
    assert.equal(toHex(unwrap(await light.header(height)).hash), proved);
  }
  assert.deepEqual(light.disagreements(), []);
  await assertSameBlocks(urls, Number(lastBlock));
});
