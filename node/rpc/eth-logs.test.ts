import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Address, addressFromHex, createRandom, type Hash, Hash as toHash } from "@ostrom/base";
import { logsBloom } from "@ostrom/execution";
import type { Log } from "@ostrom/state";
import { bloomMayMatch, createCriteria, logMatches } from "./log-search.ts";
import { call, result } from "./testing/http-client.ts";
import { EMITTER_INIT_CODE, EMITTER_TOPIC, transfer } from "./testing/raw-transactions.ts";
import { type ServedChain, serveChain } from "./testing/served-chain.ts";

type LogJson = {
  blockNumber: string;
  logIndex: string;
  transactionIndex: string;
  address: string;
  topics: string[];
};

const EMITTER = "5fbdb2315678afecb367f032d93f642f64180aa3";

describe("logs", () => {
  let served: ServedChain;
  let url = "";
  let nonce = 0;
  let nowMs = 0;
  const emit = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const { raw } = transfer(nonce++, { to: addressFromHex(EMITTER), gasLimit: 50_000n, value: 0n });
      await result(url, "eth_sendRawTransaction", [raw]);
    }
    served.chain.seal();
  };
  const logs = async (filter: unknown): Promise<LogJson[]> =>
    (await result(url, "eth_getLogs", [filter])) as LogJson[];

  before(async () => {
    served = await serveChain(
      { sealing: "manual" },
      { logRangeBlocks: 10, logResults: 6, filters: 4, filterIdleMs: 60_000 },
      () => nowMs,
    );
    url = served.http;
    const create = transfer(nonce++, {
      to: undefined,
      data: EMITTER_INIT_CODE,
      gasLimit: 200_000n,
      value: 0n,
    });
    await result(url, "eth_sendRawTransaction", [create.raw]);
    served.chain.seal();
    for (const count of [2, 0, 3]) await emit(count);
  });
  after(() => served.stop());

  test("are found over ranges, tags and by block hash, numbered within their block", async () => {
    const found = await logs({ fromBlock: "earliest", toBlock: "latest" });
    assert.deepEqual(
      found.map(({ blockNumber, logIndex, transactionIndex }) => [blockNumber, logIndex, transactionIndex]),
      [
        ["0x2", "0x0", "0x0"],
        ["0x2", "0x1", "0x1"],
        ["0x4", "0x0", "0x0"],
        ["0x4", "0x1", "0x1"],
        ["0x4", "0x2", "0x2"],
      ],
    );
    assert.equal((await logs({})).length, 3);
    assert.equal((await logs({ fromBlock: "0x3", toBlock: "0x3" })).length, 0);
    const { hash } = (await result(url, "eth_getBlockByNumber", ["0x2"])) as { hash: string };
    assert.equal((await logs({ blockHash: hash })).length, 2);
    assert.equal(
      (await call(url, "eth_getLogs", [{ blockHash: EMITTER_TOPIC }])).error?.message,
      "unknown block",
    );
  });

  test("are chosen by address and by topics in their places", async () => {
    const all = { fromBlock: "0x0", toBlock: "latest" };
    const other = `0x${"77".repeat(32)}`;
    assert.equal((await logs({ ...all, address: `0x${EMITTER}` })).length, 5);
    assert.equal((await logs({ ...all, address: [`0x${"00".repeat(20)}`, `0x${EMITTER}`] })).length, 5);
    assert.equal((await logs({ ...all, address: `0x${"00".repeat(20)}` })).length, 0);
    assert.equal((await logs({ ...all, topics: [EMITTER_TOPIC] })).length, 5);
    assert.equal((await logs({ ...all, topics: [[other, EMITTER_TOPIC]] })).length, 5);
    assert.equal((await logs({ ...all, topics: [null] })).length, 5);
    assert.equal((await logs({ ...all, topics: [] })).length, 5);
    assert.equal((await logs({ ...all, topics: [other] })).length, 0);
    assert.equal((await logs({ ...all, topics: [EMITTER_TOPIC, null] })).length, 0);
  });

  test("are limited in range and number", async () => {
    for (let i = 0; i < 8; i++) served.chain.seal();
    const wide = await call(url, "eth_getLogs", [{ fromBlock: "0x0", toBlock: "latest" }]);
    assert.deepEqual([wide.error?.code, wide.error?.data], [-32005, { limit: 10 }]);
    await emit(7);
    const many = await call(url, "eth_getLogs", [{}]);
    assert.equal(many.error?.code, -32005);
    assert.match(many.error.message, /more than 6 results/);
  });

  test("a filter tells each log once, also when more happened than one poll may tell", async () => {
    const id = await result(url, "eth_newFilter", [{ topics: [EMITTER_TOPIC] }]);
    const changes = async (): Promise<number> =>
      ((await result(url, "eth_getFilterChanges", [id])) as unknown[]).length;
    assert.equal(await changes(), 0);
    await emit(2);
    assert.deepEqual(await Promise.all([changes(), changes()]), [2, 0]);
    await emit(4);
    for (let i = 0; i < 25; i++) served.chain.seal();
    await emit(1);
    assert.deepEqual([await changes(), await changes(), await changes(), await changes()], [4, 0, 1, 0]);
    assert.equal(await result(url, "eth_uninstallFilter", [id]), true);
  });

  test("filters are bounded in number, and an unpolled one goes", async () => {
    const ids = [];
    for (let i = 0; i < 4; i++) ids.push(await result(url, "eth_newBlockFilter"));
    assert.equal((await call(url, "eth_newBlockFilter")).error?.code, -32005);
    nowMs += 40_000;
    served.chain.seal();
    assert.equal(((await result(url, "eth_getFilterChanges", [ids[0]])) as unknown[]).length, 1);
    nowMs += 40_000;
    assert.equal((await call(url, "eth_getFilterChanges", [ids[1]])).error?.message, "filter not found");
    assert.deepEqual(await result(url, "eth_getFilterChanges", [ids[0]]), []);
    assert.equal((await call(url, "eth_getFilterLogs", [ids[0]])).error?.message, "filter not found");
  });
});

test("the bloom never hides a log that matches", () => {
  const random = createRandom(7);
  const addresses = Array.from({ length: 4 }, () => random.bytes(20) as Address);
  const topics = Array.from({ length: 6 }, () => toHash(random.bytes(32)));
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)]!;
  let matched = 0;
  for (let round = 0; round < 2_000; round++) {
    const log: Log = {
      address: pick(addresses),
      topics: Array.from({ length: random.below(5) }, () => pick(topics)),
      data: new Uint8Array(0),
    };
    const wantedTopics: Hash[][] = Array.from({ length: random.below(4) }, () =>
      Array.from({ length: random.below(3) }, () => pick(topics)),
    );
    const criteria = createCriteria(
      random.below(2) === 0 ? [] : [pick(addresses), pick(addresses)],
      wantedTopics,
    );
    if (!logMatches(log, criteria)) continue;
    matched++;
    assert.ok(bloomMayMatch(logsBloom([log]), criteria));
  }
  assert.ok(matched > 100);
});
