import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Abi,
  createPublicClient,
  createWalletClient,
  encodeDeployData,
  encodeFunctionData,
  type Hex,
  http,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { createTestNetwork, type TestNetwork } from "../cli/testing/test-network.ts";
import { type Indexer, openIndexer } from "./indexer.ts";
import { misfits, type Schema } from "./json-schema.ts";
import { BASE_PATH, ROUTES } from "./rest-handler.ts";
import { REST_SCHEMAS } from "./rest-schemas.ts";
import type { Page, RestTransaction, RestVerification } from "./rest-types.ts";
import {
  compileExample,
  EXAMPLE_PATH,
  EXAMPLE_SOURCE,
  exampleInput,
  installedVersion,
  linked,
} from "./testing/example-contracts.ts";

/** The first two development accounts, whose keys everybody knows. */
const ALICE = privateKeyToAccount("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
const BOB = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const WAIT_MS = 60_000;
const folder = mkdtempSync(join(tmpdir(), "ostrom-index-"));
let network: TestNetwork;
let indexer: Indexer;
let coin: Hex;
let library: Hex;
let transferHash: Hex;

before(async () => {
  network = await createTestNetwork({ validators: 4 });
  await network.startAll();
  const transport = http(network.urls[0]);
  const client = createPublicClient({ transport, pollingInterval: 100 });
  const wallet = createWalletClient({ account: ALICE, transport });
  const { Coin, Doubling } = compileExample();
  const mined = async (request: {
    readonly to?: Hex;
    readonly data: Hex;
  }): Promise<{ readonly hash: Hex; readonly made: Hex }> => {
    const hash = await wallet.sendTransaction({ ...request, chain: null });
    const receipt = await client.waitForTransactionReceipt({ hash, timeout: WAIT_MS });
    assert.equal(receipt.status, "success");
    return { hash, made: receipt.contractAddress! };
  };
  library = (await mined({ data: `0x${Doubling!.evm.bytecode.object}` })).made.toLowerCase() as Hex;
  const abi = Coin!.abi as Abi;
  const data = encodeDeployData({ abi, bytecode: linked(Coin!, library), args: ["Example Coin", 1_000n] });
  coin = (await mined({ data })).made.toLowerCase() as Hex;
  const call = encodeFunctionData({ abi, functionName: "transfer", args: [BOB, 400n] });
  transferHash = (await mined({ to: coin, data: call })).hash;
  indexer = await openIndexer({ nodes: network.urls, database: join(folder, "index") });
  await until(async () => (await ask<{ readonly symbol: string }>(`/tokens/${coin}`, 0)).symbol === "EXC");
});
after(async () => {
  await indexer?.close();
  await network?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!(await condition())) {
    assert.ok(Date.now() < end, "in time");
    await sleep(50);
  }
}

/** Asks, and holds the answer against the description of the interface. @param status expected; 0: any. */
async function ask<T>(path: string, status = 200, init?: RequestInit): Promise<T> {
  const response = await indexer.handle(new Request(`http://index.test${BASE_PATH}${path}`, init));
  const body = (await response.json()) as T;
  if (status !== 0) assert.equal(response.status, status, JSON.stringify(body));
  const name = new URL(`http://index.test${path}`).pathname;
  const route = ROUTES.find(
    (candidate) =>
      candidate.method === (init?.method ?? "GET") &&
      new RegExp(`^${candidate.path.replace(/\{\w+\}/g, "[^/]+")}$`).test(name),
  );
  const schema: Schema = response.ok && route !== undefined ? route.answer : REST_SCHEMAS["Problem"]!;
  assert.deepEqual(misfits(body, schema, REST_SCHEMAS), [], path);
  return body;
}

test("every route answers what its description says", async () => {
  const paths: readonly string[] = [
    "/status",
    "/blocks?limit=2",
    "/blocks/1",
    "/transactions",
    `/transactions/${transferHash}`,
    `/logs?address=${coin}`,
    "/stats",
    "/stats/series",
    "/leads",
    `/addresses/${coin}`,
    `/addresses/${BOB}/transactions`,
    `/addresses/${BOB}/transfers`,
    `/addresses/${BOB}/internal`,
    `/addresses/${BOB}/tokens`,
    "/tokens?kind=erc20&q=exam",
    `/tokens/${coin}`,
    `/tokens/${coin}/holders`,
    `/tokens/${coin}/transfers`,
    `/tokens/${coin}/ids`,
    "/contracts",
    `/contracts/${coin}`,
    "/search?q=exam",
    `/search?q=${transferHash}`,
    `/search?q=${coin}`,
    "/search?q=1",
    "/signatures/0xa9059cbb",
    "/verification/compilers",
  ];
  for (const path of paths) await ask(path);
  const described = (await (
    await indexer.handle(new Request(`http://index.test${BASE_PATH}/openapi.json`))
  ).json()) as { readonly openapi: string; readonly paths: object };
  assert.equal(described.openapi, "3.1.0");
  assert.equal(Object.keys(described.paths).length, new Set(ROUTES.map(({ path }) => path)).size);
});

test("transfers are summed up to holders; names come from the contract", async () => {
  const holders = await ask<Page<{ readonly holder: string; readonly amount: string }>>(
    `/tokens/${coin}/holders`,
  );
  assert.deepEqual(
    holders.items.map(({ holder, amount }) => [holder, amount]),
    [
      [ALICE.address.toLowerCase(), "600"],
      [BOB, "400"],
    ],
  );
  const token = await ask<{ readonly name: string; readonly decimals: number; readonly holderCount: number }>(
    `/tokens/${coin}`,
  );
  assert.deepEqual([token.name, token.decimals, token.holderCount], ["Example Coin", 6, 2]);
});

test("pages follow one another without gap or repetition", async () => {
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const suffix: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page: Page<RestTransaction> = await ask(
      `/addresses/${ALICE.address}/transactions?limit=1${suffix}`,
    );
    seen.push(...page.items.map(({ hash }) => hash));
    cursor = page.next;
  }
  assert.equal(seen.length, 3);
  assert.equal(seen[0], transferHash);
  assert.equal(new Set(seen).size, 3);
});

test("what is wrong with a question is said, with a stable code", async () => {
  const cases: readonly (readonly [string, number, string])[] = [
    ["/blocks/x", 400, "bad-request"],
    ["/blocks/999999999", 404, "not-found"],
    ["/blocks?limit=101", 400, "bad-request"],
    ["/blocks?cursor=bm9uZQ", 400, "bad-request"],
    ["/blocks?page=2", 400, "bad-request"],
    [`/transactions/0x${"0".repeat(64)}`, 404, "not-found"],
    ["/addresses/0x12", 400, "bad-request"],
    [`/tokens/${BOB}`, 404, "not-found"],
    ["/nothing", 404, "not-found"],
    ["/search", 400, "bad-request"],
    ["/tokens?kind=erc777", 400, "bad-request"],
  ];
  for (const [path, status, code] of cases)
    assert.equal((await ask<{ readonly code: string }>(path, status)).code, code, path);
});

test("an answer that only a new block changes is not sent twice", async () => {
  const url = `http://index.test${BASE_PATH}/blocks/1`;
  for (;;) {
    const first = await indexer.handle(new Request(url));
    const etag = first.headers.get("etag")!;
    const before = indexer.progress().indexedHash;
    const second = await indexer.handle(new Request(url, { headers: { "if-none-match": etag } }));
    // A block that came between the two changes the mark.
    if (before !== indexer.progress().indexedHash || second.status === 200) continue;
    assert.equal(second.status, 304);
    break;
  }
});

async function verify(request: object): Promise<RestVerification> {
  const begun = await ask<RestVerification>("/verification", 202, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ address: coin, compiler: installedVersion(), ...request }),
  });
  let latest = begun;
  await until(async () => {
    latest = await ask<RestVerification>(`/verification/${begun.id}`);
    return latest.state !== "pending";
  });
  return latest;
}

test("other sources, an unknown compiler and sources that do not compile are refused by name", async () => {
  const other = await verify({
    input: exampleInput(EXAMPLE_SOURCE.replace("2 * value", "3 * value").replace("<", ">")),
  });
  assert.deepEqual([other.state, other.code], ["failed", "no-match"]);
  const missing = await verify({ input: exampleInput(), compiler: "0.4.11" });
  assert.deepEqual([missing.state, missing.code], ["failed", "compiler-unavailable"]);
  const broken = await verify({ input: exampleInput("contract {") });
  assert.deepEqual([broken.state, broken.code], ["failed", "compilation-failed"]);
  assert.ok(broken.errors[0]!.includes("ParserError"));
});

test("a comment that differs is a partial match; the very sources are a full one, with library, immutable and arguments", async () => {
  const comment = await verify({
    input: exampleInput(EXAMPLE_SOURCE.replace("library", "/* other */ library")),
  });
  assert.deepEqual([comment.state, comment.match, comment.detail], ["verified", "partial", null]);
  const wrong = await verify({ input: exampleInput(), constructorArguments: "00" });
  assert.equal(wrong.code, "constructor-arguments");
  const full = await verify({ input: exampleInput(), qualifiedName: `${EXAMPLE_PATH}:Coin` });
  assert.deepEqual([full.state, full.match, full.detail], ["verified", "full", null]);
  const source = await ask<{
    readonly libraries: object;
    readonly constructorArguments: string;
    readonly storageLayout: object | null;
  }>(`/contracts/${coin}/source`);
  assert.deepEqual(source.libraries, { [`${EXAMPLE_PATH}:Doubling`]: library });
  assert.ok(source.constructorArguments.includes(Buffer.from("Example Coin").toString("hex")));
  assert.notEqual(source.storageLayout, null);
  const { method } = await ask<RestTransaction>(`/transactions/${transferHash}`);
  assert.equal(method, "transfer(address,uint256)");
  const verified = await ask<Page<object>>("/contracts?verified=true");
  assert.equal(verified.items.length, 1);
});

test("a library is verified from the compiler's metadata and its sources", async () => {
  const { Doubling } = compileExample();
  const done = await verify({
    address: library,
    metadata: JSON.parse(Doubling!.metadata),
    sources: { [EXAMPLE_PATH]: EXAMPLE_SOURCE },
  });
  assert.deepEqual([done.state, done.match, done.detail], ["verified", "full", null]);
});
