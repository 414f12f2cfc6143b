import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { toHex } from "@ostrom/base";
import { call, post, type RpcAnswer, result } from "./testing/http-client.ts";
import { ALICE, BOB, transfer } from "./testing/raw-transactions.ts";
import { type ServedChain, serveChain } from "./testing/served-chain.ts";

type BlockJson = {
  number: string;
  hash: string | null;
  nonce: string | null;
  miner: string | null;
  transactions: unknown[];
};

describe("blocks and state by tag, number and hash", () => {
  let served: ServedChain;
  let url = "";
  const block = async (tag: unknown, isFull = false): Promise<BlockJson | null> =>
    (await result(url, "eth_getBlockByNumber", [tag, isFull])) as BlockJson | null;
  const balanceOfBob = (parameter?: unknown): Promise<unknown> =>
    result(url, "eth_getBalance", parameter === undefined ? [toHex(BOB)] : [toHex(BOB), parameter]);
  const BOB_START = 10_000n * 10n ** 18n;
  const plus = (wei: bigint): string => `0x${(BOB_START + wei).toString(16)}`;

  before(async () => {
    served = await serveChain({ sealing: "manual", certifies: false, historyBlocks: 3 });
    url = served.http;
    for (let nonce = 0; nonce < 6; nonce++) {
      await result(url, "eth_sendRawTransaction", [transfer(nonce).raw]);
      served.chain.seal();
    }
    served.chain.certify(4);
  });
  after(() => served.stop());

  test("latest is the newest executed block; safe and finalized are the newest certified one", async () => {
    assert.equal((await block("latest"))?.number, "0x6");
    assert.equal((await block("safe"))?.number, "0x4");
    assert.equal((await block("finalized"))?.number, "0x4");
    assert.equal((await block("earliest"))?.number, "0x0");
    assert.equal(await result(url, "eth_blockNumber"), "0x6");
    assert.equal(await balanceOfBob("latest"), plus(6n));
    assert.equal(await balanceOfBob("finalized"), plus(4n));
    assert.equal(await balanceOfBob(), plus(6n));
  });

  test("EIP-1898's objects name a block by number or hash", async () => {
    const { hash } = (await block("0x5"))!;
    assert.equal(await balanceOfBob({ blockNumber: "0x5" }), plus(5n));
    assert.equal(await balanceOfBob({ blockHash: hash }), plus(5n));
    assert.equal(await balanceOfBob({ blockHash: hash, requireCanonical: true }), plus(5n));
    assert.equal(await balanceOfBob(hash), plus(5n));
    const unknown = await call(url, "eth_getBalance", [toHex(BOB), { blockHash: `0x${"12".repeat(32)}` }]);
    assert.deepEqual([unknown.error?.code, unknown.error?.message], [-32000, "header for hash not found"]);
  });

  test("a block that is not there yet is null, and its state an error", async () => {
    assert.equal(await block("0x7"), null);
    assert.equal(await result(url, "eth_getBlockTransactionCountByNumber", ["0x7"]), null);
    const answer = await call(url, "eth_getBalance", [toHex(BOB), "0x7"]);
    assert.deepEqual([answer.error?.code, answer.error?.message], [-32000, "header not found"]);
    assert.equal(
      (await call(url, "eth_call", [{ to: toHex(BOB) }, "0x7"])).error?.message,
      "header not found",
    );
  });

  test("state that is pruned is an error that says so", async () => {
    for (const [method, params] of [
      ["eth_getBalance", [toHex(BOB), "0x1"]],
      ["eth_getProof", [toHex(BOB), [], "0x1"]],
    ] as const) {
      const answer = await call(url, method, params);
      assert.equal(answer.error?.code, -32000);
      assert.match(answer.error.message, /historical state of block 1 is not available/);
    }
  });

  test("the pending block is latest and the pool, without hash, nonce and miner", async () => {
    const waiting = transfer(6);
    await result(url, "eth_sendRawTransaction", [waiting.raw]);
    const pending = (await block("pending", true))!;
    assert.deepEqual([pending.number, pending.hash, pending.nonce, pending.miner], ["0x7", null, null, null]);
    const [transaction] = pending.transactions as { hash: string; blockHash: unknown }[];
    assert.deepEqual([transaction?.hash, transaction?.blockHash], [waiting.hash, null]);
    assert.equal(await result(url, "eth_getTransactionCount", [toHex(ALICE), "pending"]), "0x7");
    assert.equal(await result(url, "eth_getTransactionCount", [toHex(ALICE), "latest"]), "0x6");
    assert.equal(await result(url, "eth_getBlockTransactionCountByNumber", ["pending"]), "0x1");
    assert.equal(await balanceOfBob("pending"), plus(6n));
  });

  test("fee history covers the blocks that are there, with tips by gas share", async () => {
    const history = (await result(url, "eth_feeHistory", ["0x400", "latest", [0, 50, 100]])) as Record<
      string,
      unknown[]
    >;
    assert.equal(history.oldestBlock as unknown, "0x0");
    assert.equal(history.baseFeePerGas?.length, 8);
    assert.equal(history.gasUsedRatio?.length, 7);
    assert.deepEqual(history.reward?.[0], ["0x0", "0x0", "0x0"]);
    assert.deepEqual(history.reward?.[6], ["0x1", "0x1", "0x1"]);
    const last = (await block("0x6")) as unknown as { gasUsed: string; gasLimit: string };
    assert.equal(history.gasUsedRatio?.[6], Number(last.gasUsed) / Number(last.gasLimit));
    assert.equal(
      (await call(url, "eth_feeHistory", ["0x1", "0x99"])).error?.message,
      "request beyond head block",
    );
    assert.equal((await call(url, "eth_feeHistory", ["0x1", "latest", [50, 10]])).error?.code, -32602);
    assert.equal((await call(url, "eth_feeHistory", ["0x1", "latest", [101]])).error?.code, -32602);
    assert.equal(
      ((await result(url, "eth_feeHistory", [2, "latest"])) as { oldestBlock: string }).oldestBlock,
      "0x5",
    );
  });

  test("a batch of a thousand requests is answered whole", async () => {
    const batch = Array.from({ length: 1_000 }, (_, id) => ({
      jsonrpc: "2.0",
      id,
      method: "eth_getBlockByNumber",
      params: ["latest", true],
    }));
    const answers = JSON.parse((await post(url, JSON.stringify(batch))).text) as RpcAnswer[];
    assert.ok(answers.every(({ result: found }) => (found as BlockJson).number === "0x6"));
  });

  test("bodies that are pruned answer 4444, genesis stays", async () => {
    served.chain.prune(6);
    const fresh = await call(url, "eth_getBlockByNumber", ["0x0", true]);
    assert.equal(fresh.error, undefined);
    const other = await serveChain({ sealing: "manual" });
    for (let i = 0; i < 3; i++) other.chain.seal();
    other.chain.prune(2);
    for (const [method, params] of [
      ["eth_getBlockByNumber", ["0x1", true]],
      ["eth_getBlockReceipts", ["0x1"]],
      ["debug_getRawBlock", ["0x1"]],
    ] as const) {
      const answer = await call(other.http, method, params);
      assert.deepEqual(
        [answer.error?.code, answer.error?.message],
        [4444, "pruned history unavailable"],
        method,
      );
    }
    assert.equal((await call(other.http, "eth_getBlockByNumber", ["0x2", true])).error, undefined);
    await other.stop();
  });
});
