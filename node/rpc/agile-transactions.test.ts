import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { must, toHex } from "@ostrom/base";
import { SCHEME_ED25519, SCHEME_ML_DSA_44, signatureEngine } from "@ostrom/crypto";
import { addressOfKeys, type SignedTransaction, signAgileTransaction } from "@ostrom/execution";
import { JsonRpcProvider } from "ethers";
import { createPublicClient, type Hex, http } from "viem";
import { type ServedChain, serveChain } from "./testing/served-chain.ts";

const KEYS = [SCHEME_ED25519, SCHEME_ML_DSA_44].map((schemeId, index) => {
  const engine = must(signatureEngine(schemeId), "both have engines");
  const secretKey = new Uint8Array(32).fill(index + 1);
  return { schemeId, secretKey, publicKey: engine.publicKey(secretKey) };
});
const inlineKeys = KEYS.map(({ schemeId, publicKey }) => ({ schemeId, publicKey }));
const SENDER = addressOfKeys(2, inlineKeys);

function transfer(): SignedTransaction {
  return signAgileTransaction(
    { chainId: 1337n, maxFeePerGas: 10n ** 12n, gasLimit: 100_000n, to: SENDER, value: 1n },
    { sender: SENDER, keySetVersion: 0, validUntil: 0n, threshold: 2, inlineKeys },
    KEYS.map((key, keyIndex) => ({ keyIndex, ...key })),
  );
}

describe("a transaction of type 0x60 in JSON-RPC", () => {
  const sent = transfer();
  const hash = toHex(sent.hash) as Hex;
  let served: ServedChain;

  before(async () => {
    served = await serveChain({ accounts: [{ address: SENDER, balance: 10n ** 24n }] });
  });
  after(() => served.stop());

  test("is taken in by eth_sendRawTransaction and told with its keys, sender and signatures", async () => {
    const client = createPublicClient({ transport: http(served.http) });
    const answered = await client.sendRawTransaction({
      serializedTransaction: toHex(sent.raw) as `0x02${string}`,
    });
    assert.equal(answered, hash);
    const raw = (await client.request({ method: "eth_getTransactionByHash", params: [hash] })) as Record<
      string,
      unknown
    > | null;
    assert.equal(raw?.type, "0x60");
    assert.equal(raw?.from, toHex(SENDER));
    assert.deepEqual(raw?.threshold, "0x2");
    assert.deepEqual(
      raw?.inlineKeys,
      inlineKeys.map(({ schemeId, publicKey }) => ({
        schemeId: `0x${schemeId}`,
        publicKey: toHex(publicKey),
      })),
    );
    assert.equal((raw?.authorizations as readonly unknown[] | undefined)?.length, 2);
  });

  test("viem reads it, its receipt and its block untouched", async () => {
    const client = createPublicClient({ transport: http(served.http) });
    const receipt = await client.getTransactionReceipt({ hash });
    assert.equal(receipt.status, "success");
    assert.equal(receipt.from, toHex(SENDER));
    const read = await client.getTransaction({ hash });
    assert.equal(read.from, toHex(SENDER));
    const block = await client.getBlock({ blockNumber: receipt.blockNumber, includeTransactions: true });
    assert.equal(block.transactions[0]?.hash, hash);
  });

  test("ethers reads it, its receipt and its block untouched", async () => {
    const provider = new JsonRpcProvider(served.http, undefined, { cacheTimeout: -1 });
    try {
      const read = await provider.getTransaction(hash);
      assert.equal(read?.from.toLowerCase(), toHex(SENDER));
      assert.equal(read?.type, 0x60);
      const receipt = await provider.getTransactionReceipt(hash);
      assert.equal(receipt?.status, 1);
      const block = await provider.getBlock(receipt!.blockNumber, true);
      assert.equal(block?.prefetchedTransactions[0]?.hash, hash);
    } finally {
      provider.destroy();
    }
  });
});
