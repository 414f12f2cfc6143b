import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Address, bytesToBigint, toHex, unwrap } from "@ostrom/base";
import { keccak256, sm3 } from "@ostrom/crypto";
import { addressOfSecretKey, encodeHeader, formatGenesis } from "@ostrom/execution";
import { installNativeCrypto } from "@ostrom/runtime";
import { createLightClient, type LightClientOptions } from "./light-client.ts";
import { httpServer } from "./server.ts";
import { type EpochChain, makeEpochChain } from "./testing/epoch-chain.ts";
import { checkpointAt } from "./testing/forged-world.ts";
import { clientKey } from "./testing/keys.ts";
import { onField, tamperedServer } from "./testing/tampering.ts";

const START_MS = 1_800_000_000_000;
const EPOCHS = 4;
const LENGTH = 6;
const HEAD = EPOCHS * LENGTH;
const NOW_MS = START_MS + (HEAD + 3) * 1_000;

describe("light client of a chain whose hash function is SM3", () => {
  let chain: EpochChain;
  let served: { readonly url: string; readonly stop: () => Promise<void> };
  const clientOf = (change: Partial<LightClientOptions> = {}) =>
    createLightClient({
      servers: [served.url],
      genesis: formatGenesis(chain.genesis),
      nowMs: () => NOW_MS,
      ...change,
    });

  before(async () => {
    installNativeCrypto();
    const timing = { timestampMs: START_MS, intervalMs: 1_000 };
    chain = await makeEpochChain({
      epochs: EPOCHS,
      epochLength: LENGTH,
      epochLead: 2,
      ...timing,
      hash: "sm3",
    });
    served = await chain.serve();
  });
  after(() => served.stop());

  test("from genesis it goes from set to set and ends at the newest certified header, named by SM3", async () => {
    const head = unwrap(await clientOf().sync());
    assert.equal(head.header.number, HEAD);
    assert.deepEqual(head.hash, chain.hashAt(HEAD));
    assert.deepEqual(Uint8Array.from(head.hash), Uint8Array.from(sm3(encodeHeader(head.header))));
  });

  test("from a checkpoint it learns the hash function from parameters that the trusted genesis hash covers", async () => {
    const head = unwrap(
      await clientOf({ genesis: undefined, checkpoint: checkpointAt(chain, LENGTH) }).sync(),
    );
    assert.deepEqual(head.hash, chain.hashAt(HEAD));
  });

  test("parameters that name another hash function are refused", async () => {
    const lying = tamperedServer(httpServer(served.url));
    lying.tamper = onField("ostrom_getGenesis", "parameters", (text) => text.replace('"sm3"', '"keccak256"'));
    const client = clientOf({
      servers: [lying],
      genesis: undefined,
      checkpoint: checkpointAt(chain, LENGTH),
    });
    const synced = await client.sync();
    assert.equal(synced.ok ? "ok" : synced.error.code, "light/wrong-chain");
  });

  test("accounts, slots, code, transactions, receipts, logs, older headers and calls are proved by SM3", async () => {
    const client = clientOf();
    const till = chain.till as Address;
    const sender = addressOfSecretKey(clientKey(0));
    assert.ok((unwrap(await client.account(sender))?.nonce ?? 0n) > 0n);
    const absent = unwrap(await client.proof(new Uint8Array(20).fill(9) as Address, [1n]));
    assert.deepEqual([absent.account, absent.slots], [undefined, [0n]]);
    assert.deepEqual(Uint8Array.from(absent.storageRoot), Uint8Array.from(sm3(Uint8Array.of(0x80))));
    assert.ok(unwrap(await client.code(till)).length > 0);
    for (const hash of chain.transactionHashes) {
      const receipt = unwrap(await client.receipt(hash));
      assert.equal(receipt?.receipt.succeeded, true, toHex(hash));
      assert.deepEqual(keccak256(receipt.transaction.raw), hash);
    }
    assert.ok(unwrap(await client.logs(1, HEAD)).length > 0);
    assert.deepEqual(unwrap(await client.header(1)).hash, chain.hashAt(1));
    const slot = unwrap(await client.storage(till, 0n));
    const called = unwrap(await client.call({ request: { from: sender, to: till } }));
    assert.ok(slot >= 0n && bytesToBigint(called.output) >= 0n);
  });
});
