import assert from "node:assert/strict";
import { test } from "node:test";
import { createChainSource } from "../chain-source.ts";
import type { Database, Row } from "../database.ts";
import { type Follower, follow } from "../follower.ts";
import { hex } from "../unwind.ts";
import {
  addressOf,
  nftLog,
  type SimulatedChain,
  startSimulatedChain,
  transferLog,
} from "./simulated-chain.ts";
import { emptyTables } from "./tables.ts";

const ZERO = `0x${"0".repeat(40)}`;
const TOKEN = addressOf(500);
const NFT = addressOf(501);
const [ALICE, BOB, CAROL] = [addressOf(10), addressOf(11), addressOf(12)] as const;
let database: Database;

/** What following a chain means, for every kind of database. @param get the database, which is open when the first test runs. */
export function followerSuite(kind: string, get: () => Database): void {
  test(`${kind}: the database of the following tests is open`, () => {
    database = get();
    assert.equal(database.kind, kind);
  });
  test(`${kind}: a chain is followed block by block; balances and holders are the sums of transfers`, async () => {
    await emptyTables(database);
    const chain = await startSimulatedChain();
    chain.add([{ to: null, created: TOKEN, logs: [transferLog(TOKEN, ZERO, ALICE, 1_000n)] }]);
    chain.add([{ logs: [transferLog(TOKEN, ALICE, BOB, 400n)] }, { failed: true }]);
    chain.add([{ logs: [transferLog(TOKEN, BOB, CAROL, 400n), nftLog(NFT, ZERO, BOB, 7n)] }]);
    await index(chain);
    const told = (await everything()) as Record<string, readonly Row[]>;
    assert.equal(told["blocks"]!.length, 4);
    assert.equal(told["transactions"]!.length, 4);
    assert.deepEqual(told["tokens"], [
      { a: TOKEN, kind: "erc20", transfer_count: "3", holder_count: "2", first_block: "1" },
      { a: NFT, kind: "erc721", transfer_count: "1", holder_count: "1", first_block: "3" },
    ]);
    assert.deepEqual(told["balances"], [
      { t: TOKEN, h: ALICE, token_id: "-1", amount: "600" },
      { t: TOKEN, h: CAROL, token_id: "-1", amount: "400" },
      { t: NFT, h: BOB, token_id: "-1", amount: "1" },
      { t: NFT, h: BOB, token_id: "7", amount: "1" },
    ]);
    assert.deepEqual(
      (await rows("SELECT array_length(topics, 1) AS n, length(topics[1]) AS w FROM logs")).map((row) => [
        row["n"],
        row["w"],
      ]),
      [
        [3, 32],
        [3, 32],
        [3, 32],
        [4, 32],
      ],
    );
    await chain.close();
  });

  test(`${kind}: an interrupted index goes on where it was; a second run changes nothing`, async () => {
    await emptyTables(database);
    const chain = await startSimulatedChain();
    for (let number = 0; number < 150; number++)
      chain.add([
        { logs: [transferLog(TOKEN, number === 0 ? ZERO : ALICE, number === 0 ? ALICE : BOB, 300n)] },
      ]);
    await index(chain);
    chain.add([{ logs: [transferLog(TOKEN, BOB, ALICE, 1n)] }]);
    await index(chain);
    const first = await everything();
    await index(chain);
    assert.deepEqual(await everything(), first);
    await emptyTables(database);
    await index(chain);
    assert.deepEqual(await everything(), first);
    await chain.close();
  });

  test(`${kind}: blocks that the chain left are unwound: the index is as if they had never been`, async () => {
    await emptyTables(database);
    const chain = await startSimulatedChain();
    chain.add([{ logs: [transferLog(TOKEN, ZERO, ALICE, 1_000n)] }]);
    for (let number = 0; number < 70; number++) chain.add();
    chain.add([{ logs: [transferLog(TOKEN, ALICE, BOB, 999n)] }]);
    chain.add([{ to: null, created: NFT, logs: [nftLog(NFT, ZERO, CAROL, 1n)] }]);
    await index(chain);
    chain.reorganise(2);
    for (let number = 0; number < 72; number++) chain.add([{ logs: [transferLog(TOKEN, ALICE, CAROL, 1n)] }]);
    await index(chain);
    const unwound = await everything();
    await emptyTables(database);
    await index(chain);
    assert.deepEqual(unwound, await everything());
    await chain.close();
  });

  test(`${kind}: a chain that became shorter is followed back`, async () => {
    await emptyTables(database);
    const chain = await startSimulatedChain();
    for (let number = 0; number < 20; number++) chain.add([{}]);
    await index(chain);
    chain.reorganise(5);
    chain.add([{}]);
    const { progress } = await index(chain);
    assert.equal(progress().indexed!.number, 6);
    assert.equal((await rows("SELECT count(*)::integer AS n FROM transactions"))[0]!["n"], 6);
    await chain.close();
  });

  test(`${kind}: an index of another chain is left alone, and said to be`, async () => {
    await emptyTables(database);
    const chain = await startSimulatedChain();
    chain.add([{}]);
    await index(chain);
    const first = await everything();
    const other = await startSimulatedChain("another");
    const stop = new AbortController();
    const follower = follow({ source: createChainSource([other.url]), database, signal: stop.signal });
    while (follower.progress().problem === undefined) await new Promise((resolve) => setImmediate(resolve));
    assert.match(follower.progress().problem!, /of another chain/);
    stop.abort();
    await follower.ended;
    assert.deepEqual(await everything(), first);
    await Promise.all([chain.close(), other.close()]);
  });

  test(`${kind}: a second index over the same database stops before it counts anything twice`, async () => {
    await emptyTables(database);
    const chain = await startSimulatedChain();
    chain.add([{}]);
    await index(chain);
    await assert.rejects(
      database.query({ text: "SELECT expect_tip(0, '\\x00')" }),
      (error: Error & { readonly code?: string }) => error.code === "OS001",
    );
    await chain.close();
  });
}

/** Follows until the index has the chain's newest block. */
async function index(chain: SimulatedChain): Promise<Follower> {
  const stop = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const follower = follow({
    source: createChainSource([chain.url]),
    database,
    signal: stop.signal,
    onProblem: (problem) => reject(new Error(problem)),
    onTip: (tip) => {
      if (tip?.hash === chain.blocks().at(-1)!.block.hash) resolve();
    },
  });
  try {
    await promise;
  } finally {
    stop.abort();
    await follower.ended;
  }
  assert.equal(follower.progress().problem, undefined);
  return follower;
}

const rows = (text: string): Promise<readonly Row[]> => database.query({ text });

/** All that the index says of the chain, in one order. */
async function everything(): Promise<unknown> {
  return {
    blocks: await rows(`SELECT number::text, ${hex("hash")} AS hash, fees::text FROM blocks ORDER BY number`),
    transactions: await rows(
      `SELECT position::text, ${hex("hash")} AS hash FROM transactions ORDER BY position`,
    ),
    appearances: await rows(
      `SELECT ${hex("address")} AS a, position::text, roles FROM appearances ORDER BY address, position`,
    ),
    logs: await rows(
      `SELECT position::text, log_index, array_length(topics, 1) AS n FROM logs ORDER BY 1, 2`,
    ),
    tokens: await rows(
      `SELECT ${hex("address")} AS a, kind, transfer_count::text, holder_count::text, first_block::text FROM tokens ORDER BY 1`,
    ),
    transfers: await rows("SELECT position::text, log_index, amount::text FROM transfers ORDER BY 1, 2"),
    balances: await rows(
      `SELECT ${hex("token")} AS t, ${hex("holder")} AS h, token_id::text, amount::text FROM balances WHERE amount <> 0 ORDER BY 1, 2, 3`,
    ),
    minutes: await rows(
      "SELECT minute::text, blocks, transactions, transfers, fees::text FROM minutes ORDER BY 1",
    ),
    contracts: await rows(`SELECT ${hex("address")} AS a, position::text FROM contracts ORDER BY 1`),
    progress: await rows(`SELECT number::text, ${hex("hash")} AS hash FROM progress`),
  };
}
