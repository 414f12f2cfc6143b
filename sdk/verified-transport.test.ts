import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { addressFromHex, hashFromHex, toHex } from "@ostrom/base";
import { addressOfSecretKey, signTransaction } from "@ostrom/execution";
import { installNativeCrypto } from "@ostrom/runtime";
import { type Abi, createPublicClient, type PublicClient } from "viem";
import { createLightClient, type LightClient } from "./light-client.ts";
import { httpServer, type LightServer } from "./server.ts";
import { type ServedWorld, serveForgedWorld } from "./testing/forged-world.ts";
import { clientKey } from "./testing/keys.ts";
import { HONEST, onMethod, tamperedServer } from "./testing/tampering.ts";
import { tillContract } from "./testing/till-contract.ts";
import { createVerifiedProvider, PROVED_METHODS } from "./verified-provider.ts";
import { verifiedTransport } from "./verified-transport.ts";

describe("verified transport", () => {
  let served: ServedWorld;
  let server: LightServer & { tamper: typeof HONEST };
  let light: LightClient;
  let viem: PublicClient;
  const till = (): `0x${string}` => toHex(served.chain.till);
  const teller = (): `0x${string}` => toHex(served.chain.teller);
  const account = (index: number): `0x${string}` => toHex(addressOfSecretKey(clientKey(index)));
  const tillAbi: Abi = tillContract("Till").abi;
  const tellerAbi: Abi = tillContract("Teller").abi;

  before(async () => {
    installNativeCrypto();
    served = await serveForgedWorld();
    const { url, genesis, nowMs } = served.world;
    server = tamperedServer(httpServer(url));
    light = createLightClient({ servers: [server], genesis, nowMs: () => nowMs });
    viem = createPublicClient({ transport: verifiedTransport(light) });
  });
  after(() => served.stop());

  /** The node's own answer. */
  async function plain(method: string, params: readonly unknown[]): Promise<unknown> {
    const [answer] = await httpServer(served.world.url).ask([{ method, params }]);
    if (answer?.ok !== true) throw new Error(JSON.stringify(answer));
    return JSON.parse(JSON.stringify(answer.value));
  }

  test("each proved answer is the node's own, byte for byte", async () => {
    const { height, transactionHashes } = served.world;
    const provider = createVerifiedProvider(light);
    const number = (value: number): string => `0x${value.toString(16)}`;
    const call = { to: till(), data: "0x2ddbd13a" };
    const questions: (readonly [string, readonly unknown[]])[] = [
      ["eth_chainId", []],
      ["eth_blockNumber", []],
      ["net_version", []],
      ["eth_getBalance", [account(0), "latest"]],
      ["eth_getBalance", [account(2), number(40)]],
      ["eth_getBalance", [`0x${"ab".repeat(20)}`, "latest"]],
      ["eth_getTransactionCount", [account(0), "latest"]],
      ["eth_getCode", [till(), "latest"]],
      ["eth_getCode", [account(0), "latest"]],
      ["eth_getStorageAt", [till(), "0x0", "latest"]],
      ["eth_getStorageAt", [till(), "0x5", "latest"]],
      ["eth_getProof", [till(), ["0x0", `0x${"1".repeat(64)}`], "latest"]],
      ["eth_call", [call, "latest"]],
      ["eth_call", [call, number(3)]],
      ["eth_estimateGas", [{ ...call, from: account(0) }, "latest"]],
      ["eth_estimateGas", [{ from: account(0), to: account(1), value: "0x1" }, "latest"]],
      ["eth_getLogs", [{ fromBlock: "0x1", toBlock: "latest" }]],
      [
        "eth_getLogs",
        [{ fromBlock: "0x1", toBlock: "latest", address: till(), topics: [null, [word(account(1))]] }],
      ],
      ["eth_getLogs", [{ blockHash: toHex(served.chain.hashAt(12)) }]],
      ["eth_feeHistory", ["0x5", "latest", [10, 50, 90]]],
      ["eth_feeHistory", ["0x3", number(24), []]],
      ["eth_baseFee", []],
      ["eth_getUncleCountByBlockNumber", ["latest"]],
    ];
    for (const height of [0, 1, 12, 13, 24, 95]) {
      questions.push(["eth_getBlockByNumber", [number(height), true]]);
      questions.push(["eth_getBlockByNumber", [number(height), false]]);
      questions.push(["eth_getBlockByHash", [toHex(served.chain.hashAt(height)), false]]);
      questions.push(["eth_getBlockReceipts", [number(height)]]);
      questions.push(["eth_getBlockTransactionCountByNumber", [number(height)]]);
      questions.push(["eth_getTransactionByBlockNumberAndIndex", [number(height), "0x0"]]);
    }
    questions.push(["eth_getBlockByNumber", [number(height + 50), false]]);
    for (const hash of [...transactionHashes, `0x${"77".repeat(32)}`]) {
      questions.push(["eth_getTransactionByHash", [hash]], ["eth_getTransactionReceipt", [hash]]);
    }
    for (const [method, params] of questions) {
      const proved = await provider.request({ method, params });
      assert.deepEqual(proved, await plain(method, params), `${method} ${JSON.stringify(params)}`);
      assert.ok(PROVED_METHODS.includes(method), method);
    }
  });

  test("viem reads, decodes, reverts and sends through it", async () => {
    assert.equal(await viem.getChainId(), 4_242);
    assert.equal(await viem.getBlockNumber(), BigInt(served.world.height));
    const total = await viem.readContract({ address: till(), abi: tillAbi, functionName: "total" });
    assert.equal(total, 1_000n);
    const [sum, past, coins] = (await viem.readContract({
      address: teller(),
      abi: tellerAbi,
      functionName: "ask",
      args: [till(), [account(0), account(1), account(2)], 7n],
      account: account(3),
    })) as [bigint, string, bigint];
    assert.equal(sum, 1_000n);
    assert.equal(past, toHex(served.chain.hashAt(served.world.height - 7)));
    assert.ok(coins > 10n ** 24n);
    const pay = { address: till(), abi: tillAbi, functionName: "pay", args: [account(1), 1n] } as const;
    await assert.rejects(
      viem.simulateContract({ ...pay, account: account(2) }),
      (error: Error) => /Short/.test(error.message) && /wanted/.test(error.message),
    );
    assert.ok((await viem.estimateContractGas({ ...pay, account: account(0) })) > 21_000n);
    const logs = await viem.getContractEvents({
      address: till(),
      abi: tillAbi,
      eventName: "Paid",
      fromBlock: 1n,
    });
    assert.equal(logs.length, (await viem.getLogs({ fromBlock: 1n, toBlock: "latest" })).length);
    assert.ok(logs.length > 50);
  });

  test("a transaction that is sent keeps its hash, and the next nonce follows without the server", async () => {
    const sent = signTransaction(
      {
        chainId: 4_242n,
        nonce: 100n,
        gasLimit: 21_000n,
        maxFeePerGas: 10n ** 12n,
        to: addressFromHex(account(1)),
      },
      clientKey(3),
    );
    const provider = createVerifiedProvider(light);
    const raw = toHex(sent.raw);
    assert.equal(
      await provider.request({ method: "eth_sendRawTransaction", params: [raw] }),
      toHex(sent.hash),
    );
    const first = signTransaction(
      {
        chainId: 4_242n,
        nonce: 0n,
        gasLimit: 21_000n,
        maxFeePerGas: 10n ** 12n,
        to: addressFromHex(account(1)),
      },
      clientKey(3),
    );
    const count = { method: "eth_getTransactionCount", params: [account(3), "pending"] };
    assert.equal(await provider.request(count), "0x0");
    await provider.request({ method: "eth_sendRawTransaction", params: [toHex(first.raw)] });
    assert.equal(await provider.request(count), "0x1");
    server.tamper = onMethod("eth_sendRawTransaction", () => `0x${"00".repeat(32)}`);
    const other = signTransaction({ ...UNSIGNED, nonce: 1n }, clientKey(3));
    await assert.rejects(provider.request({ method: "eth_sendRawTransaction", params: [toHex(other.raw)] }));
    server.tamper = HONEST;
  });

  test("a server that lies is refused, with the reason", async () => {
    server.tamper = onMethod<{ balance: string }>("eth_getProof", (answer) => ({
      ...answer,
      balance: "0xffff",
    }));
    await assert.rejects(viem.getBalance({ address: account(0) }), /light\/wrong-value/);
    server.tamper = onMethod<{ receipts: readonly string[] }>("ostrom_getBlockBody", (answer) => ({
      ...answer,
      receipts: answer.receipts.slice(1),
    }));
    await assert.rejects(viem.getLogs({ fromBlock: 1n, toBlock: "latest" }), /light\/wrong-value/);
    server.tamper = HONEST;
  });

  test("what nothing proves is refused, unless it is allowed by name or altogether", async () => {
    const ask = { method: "txpool_status", params: [] };
    await assert.rejects(
      createVerifiedProvider(light).request(ask),
      (error: { code?: number; reason?: string }) => {
        assert.deepEqual([error.code, error.reason], [-32_004, "light/unproved"]);
        return true;
      },
    );
    const named = createVerifiedProvider(light, served.world.url, { unproved: ["txpool_status"] });
    assert.deepEqual(await named.request(ask), { pending: "0x0", queued: "0x0" });
    await assert.rejects(named.request({ method: "eth_getBlockByNumber", params: ["pending", false] }));
    const all = createVerifiedProvider(light, served.world.url, { unproved: "pass" });
    assert.deepEqual(await all.request(ask), { pending: "0x0", queued: "0x0" });
  });

  test("parameters that cannot be read are the application's fault: -32602", async () => {
    const provider = createVerifiedProvider(light);
    for (const [method, params] of [
      ["eth_getBalance", []],
      ["eth_getBalance", ["0x12", "latest"]],
      ["eth_getStorageAt", [till(), "zero"]],
      ["eth_getTransactionReceipt", ["0x00"]],
      ["eth_getLogs", [{ fromBlock: "0x5", toBlock: "0x4" }]],
      ["eth_call", [{ to: till(), data: "0x0" }]],
      ["eth_feeHistory", ["0x4", "latest", [50, 10]]],
    ] as const) {
      await assert.rejects(provider.request({ method, params }), { code: -32_602 }, method);
    }
  });

  test("a transaction's proof is a few nodes, and an account's", async (t) => {
    const asked: number[] = [];
    server.tamper = (_call, answer) => {
      asked.push(JSON.stringify(answer).length / 2);
      return answer;
    };
    await light.account(addressFromHex(account(0)));
    await light.receipt(hashFromHex(served.world.transactionHashes[0] ?? ""));
    server.tamper = HONEST;
    t.diagnostic(`bytes of the answers: ${asked.map(Math.round).join(", ")}`);
    assert.ok(asked.every((bytes) => bytes < 20_000));
  });
});

const UNSIGNED = { chainId: 4_242n, gasLimit: 21_000n, maxFeePerGas: 10n ** 12n };

function word(address: string): string {
  return `0x${"0".repeat(24)}${address.slice(2)}`;
}
