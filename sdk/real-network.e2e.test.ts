import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { unwrap } from "@ostrom/base";
import { DEVELOPMENT_MNEMONIC, deriveAccounts, installNativeCrypto } from "@ostrom/runtime";
import { createPublicClient, createWalletClient, encodeFunctionData, type Hex, parseAbi } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import {
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "../apps/cli/testing/test-network.ts";
import { createLightClient, type LightClient } from "./light-client.ts";
import { httpServer } from "./server.ts";
import { verifiedTransport } from "./verified-transport.ts";

const VALIDATORS = 4;
const EPOCH_LENGTH = 10;
const EPOCH_LEAD = 5;
const VALIDATOR_SET: Hex = "0x000000000000000000000000000000000056a11d";
const [OWNER, OTHER] = deriveAccounts(DEVELOPMENT_MNEMONIC, 2);
const ABI = parseAbi(["function removeValidator(bytes consensusKey)"]);

describe("light client against a network of real processes", () => {
  let network: TestNetwork;
  let genesis: unknown;

  before(async () => {
    installNativeCrypto();
    network = await createTestNetwork({ validators: VALIDATORS });
    for (let index = 0; index < VALIDATORS; index++) {
      const path = join(network.folder(index), "genesis.json");
      const json = JSON.parse(readFileSync(path, "utf8"));
      Object.assign(json, {
        epochLength: EPOCH_LENGTH,
        epochLead: EPOCH_LEAD,
        validatorSets: { kind: "managed", owner: OWNER!.address },
        consensus: { ...json.consensus, minBlockIntervalMs: 50, emptyBlockIntervalMs: 150 },
      });
      genesis = json;
      writeFileSync(path, JSON.stringify(json));
    }
    await network.startAll();
  });
  after(() => network.dispose());

  test("wallets send and read through proofs, while the set of validators changes", async (t) => {
    const light = createLightClient({ servers: network.urls, genesis, headRefreshMs: 50 });
    const transport = verifiedTransport(light);
    const chain = {
      id: unwrap(await light.chain()).rules.chainId,
      name: "Ostrom",
      nativeCurrency: { name: "Coin", symbol: "COIN", decimals: 18 },
      rpcUrls: { default: { http: network.urls } },
    };
    const viemChain = { ...chain, id: Number(chain.id) };
    const account = privateKeyToAccount(OWNER!.secretKey);
    const wallet = createWalletClient({ account, chain: viemChain, transport });
    const client = createPublicClient({ chain: viemChain, transport, pollingInterval: 50 });
    const before = await client.getBalance({ address: OTHER!.address });

    const hash = await wallet.sendTransaction({ to: OTHER!.address, value: 5n });
    const receipt = await client.waitForTransactionReceipt({ hash, timeout: LONG_WAIT_MS });
    assert.equal(receipt.status, "success");
    assert.equal(await client.getBalance({ address: OTHER!.address }), before + 5n);

    const removed = await validatorKey(network.urls[0]!, 3);
    const data = encodeFunctionData({ abi: ABI, functionName: "removeValidator", args: [removed] });
    const removal = await client.waitForTransactionReceipt({
      hash: await wallet.sendTransaction({ to: VALIDATOR_SET, data }),
      timeout: LONG_WAIT_MS,
    });
    assert.equal(removal.status, "success");
    const goal = 5 * EPOCH_LENGTH + 3;
    await untilHeight(light, goal);

    // Who starts now, from genesis or from this one's checkpoint, comes to the same.
    const fresh = createLightClient({ servers: [network.urls[1]!], genesis });
    const checkpoint = unwrap(await light.checkpoint());
    const young = createLightClient({ servers: [network.urls[2]!], checkpoint });
    for (const height of [1, EPOCH_LENGTH, EPOCH_LENGTH + 1, goal]) {
      const expected = unwrap(await light.header(height)).hash;
      assert.deepEqual(unwrap(await fresh.header(height)).hash, expected);
      assert.deepEqual(unwrap(await young.header(height)).hash, expected);
    }
    assert.equal(
      unwrap(await young.receipt(Buffer.from(hash.slice(2), "hex") as never))?.receipt.succeeded,
      true,
    );
    assert.deepEqual(light.disagreements(), []);
    t.diagnostic(checkpoint);
  });

  test("a node that joined late serves the proofs of all epochs: they are in the blocks themselves", async () => {
    await network.kill(3, "SIGKILL");
    const light = createLightClient({ servers: [network.urls[0]!], genesis, headRefreshMs: 50 });
    const height = unwrap(await light.sync()).header.number + EPOCH_LENGTH;
    await untilHeight(light, height);
    await network.start(3);
    const late = createLightClient({ servers: [network.urls[3]!], genesis, headRefreshMs: 50 });
    await untilHeight(late, height);
    assert.deepEqual(unwrap(await late.header(height)).hash, unwrap(await light.header(height)).hash);
  });
});

async function untilHeight(light: LightClient, height: number): Promise<void> {
  await waitUntil(`block ${height} is certified`, 2 * LONG_WAIT_MS, async () => {
    const head = await light.sync();
    return head.ok && head.value.header.number >= height;
  });
}

async function validatorKey(url: string, index: number): Promise<Hex> {
  const [answer] = await httpServer(url).ask([{ method: "ostrom_getValidators", params: [] }]);
  const set = unwrap(answer!) as { readonly validators: readonly { readonly consensusKey: Hex }[] };
  return set.validators[index]!.consensusKey;
}
