import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  createPublicClient,
  createWalletClient,
  defineChain,
  encodeFunctionData,
  type Hex,
  http,
  pad,
} from "viem";
import { createMethods } from "./methods.ts";
import { call, result } from "./testing/http-client.ts";
import { ledgerContract } from "./testing/ledger-contract.ts";
import { ACCOUNTS, type ServedChain, serveChain } from "./testing/served-chain.ts";
import { type Comparison, compare, createShape, learn, type Shape } from "./testing/shape.ts";
import { readExchanges, VECTORS_MISSING } from "./testing/vectors.ts";

/** Methods of the vectors that this server has not. */
const NOT_SERVED = ["testing_buildBlockV1"];

/** Where we differ on purpose. */
const DIFFERENCES: readonly RegExp[] = [
  // Optional keys and names of slots that their traced transactions, which are others, had no occasion for.
  /^debug_trace.*\.structLogs\[\d+\]\.(?:refund|storage(?:\.0x[0-9a-f]{64})?): is not among theirs$/,
  // geth prunes its log index; the logs here are kept as long as the receipts.
  /^eth_capabilities.*\.logs\.deleteStrategy: is missing$/,
  // The chain takes no deposits and makes no requests, so that their contracts do not exist.
  /^eth_config.*\.systemContracts\.(CONSOLIDATION|DEPOSIT|WITHDRAWAL)[A-Z_]*: is missing$/,
  // Contracts are created by legacy transactions only in their chain.
  /\.to: null is not among theirs$/,
  // As geth does, a key that is given as a whole word comes back so; their one request has a short key.
  /^eth_getProof.*\.storageProof\[1\]\.key: 0x0+ff is data,hash, theirs is quantity$/,
];

/** Methods that answer the same kind of thing learn together. */
const FAMILIES: Readonly<Record<string, string>> = {
  eth_getBlockByHash: "block",
  eth_getBlockByNumber: "block",
  eth_getTransactionByHash: "transaction",
  eth_getTransactionByBlockHashAndIndex: "transaction",
  eth_getTransactionByBlockNumberAndIndex: "transaction",
  eth_getTransactionReceipt: "receipt",
};
/** Where a thing of one family holds things of another. */
const PARTS: Readonly<
  Record<string, { readonly family: string; readonly of: (value: unknown) => unknown[] }>
> = {
  block: { family: "transaction", of: (block) => transactionsOf(block) },
  eth_getBlockReceipts: { family: "receipt", of: (receipts) => (Array.isArray(receipts) ? receipts : []) },
};

function transactionsOf(block: unknown): unknown[] {
  const found = (block as { transactions?: unknown[] } | null)?.transactions ?? [];
  return found.filter((transaction) => typeof transaction === "object");
}

/** The parts are compared by themselves. */
function withoutParts(family: string, value: unknown): unknown {
  if (value === null) return null;
  if (family === "block") {
    const { transactions, ...rest } = value as { transactions: unknown[] };
    return { ...rest, transactions: transactions.filter((transaction) => typeof transaction === "string") };
  }
  return family === "eth_getBlockReceipts" ? [] : value;
}

describe("answers have the keys and encodings of execution-apis' vectors", {
  skip: VECTORS_MISSING ?? false,
}, () => {
  let served: ServedChain;
  /** Requests to our chain, by method: like those of the vectors, with values that exist here. */
  const requests = new Map<string, unknown[][]>();

  before(async () => {
    served = await serveChain({ sealing: "manual" });
    await buildRequests(served, requests);
  });
  after(() => served.stop());

  test("all methods that both have are compared", () => {
    const theirs = new Set(readExchanges().map(({ method }) => method));
    const ours = createMethods();
    for (const method of theirs) {
      assert.equal(ours.has(method), !NOT_SERVED.includes(method), method);
      assert.equal(requests.has(method), ours.has(method), `${method} has no request`);
    }
  });

  test("results", async (t) => {
    const exchanges = readExchanges().filter(
      ({ method, answer }) => requests.has(method) && "result" in answer,
    );
    const shapes = new Map<string, Shape>();
    const shapeOf = (family: string): Shape => {
      const shape = shapes.get(family) ?? createShape();
      shapes.set(family, shape);
      return shape;
    };
    const eachPart = (method: string, value: unknown, use: (shape: Shape, part: unknown) => void): void => {
      const family = FAMILIES[method] ?? method;
      use(shapeOf(family), withoutParts(family, value));
      const parts = PARTS[family];
      for (const part of parts?.of(value) ?? []) use(shapeOf(parts!.family), part);
    };
    for (const { method, answer } of exchanges) eachPart(method, answer.result, learn);
    const comparison: Comparison = { values: 0, differences: [] };
    const methods = new Set(exchanges.map(({ method }) => method));
    let answers = 0;
    for (const method of methods) {
      for (const params of requests.get(method) ?? []) {
        const answer = await call(served.http, method, params);
        if (answer.error !== undefined)
          assert.fail(`${method} ${JSON.stringify(params)}: ${answer.error.message}`);
        const name = `${method}(${JSON.stringify(params).slice(0, 60)})`;
        eachPart(method, answer.result, (shape, part) => compare(shape, part, name, comparison));
        answers++;
      }
    }
    const found = comparison.differences.filter((text) => !DIFFERENCES.some((known) => known.test(text)));
    assert.deepEqual(found, []);
    t.diagnostic(
      `${comparison.values} values in ${answers} answers of ${methods.size} methods compared with ${exchanges.length} exchanges`,
    );
  });

  test("errors that do not depend on the chain have the same code and message", async (t) => {
    // geth's message tells of its own language there.
    const ownWords = /cannot unmarshal/;
    // Names their genesis by its hash; what eth_simulateV1 refuses, simulate-vectors.test.ts compares.
    const ofTheirChain = /^eth_simulateV1|trace-genesis/;
    let compared = 0;
    for (const { file, method, request, answer } of readExchanges()) {
      if (answer.error === undefined || !requests.has(method) || answer.error.code === 3) continue;
      if (ofTheirChain.test(file) && !/ByNumber/.test(file)) continue;
      const ours = await call(served.http, method, request.params ?? []);
      assert.equal(ours.error?.code, answer.error.code, file);
      if (!ownWords.test(answer.error.message)) assert.equal(ours.error.message, answer.error.message, file);
      compared++;
    }
    t.diagnostic(`${compared} errors compared`);
    assert.ok(compared > 0);
  });

  test("a revert answers code 3, the reason, and the data", async () => {
    const theirs = readExchanges().filter(({ answer }) => answer.error?.code === 3);
    assert.ok(theirs.length > 0);
    const data = encodeFunctionData({ abi: ledgerContract().abi, functionName: "refuse" });
    for (const method of ["eth_call", "eth_estimateGas"]) {
      const { error } = await call(served.http, method, [{ to: ledgerAddress, data }]);
      assert.deepEqual(Object.keys(error ?? {}), Object.keys(theirs[0]!.answer.error ?? {}));
      assert.deepEqual([error?.code, error?.message], [3, "execution reverted: not today"]);
      assert.match(String(error?.data), /^0x08c379a0/);
    }
  });
});

type Account = (typeof ACCOUNTS)[0];

let ledgerAddress: Hex = "0x";

/** A short chain with every kind of transaction that it takes, and requests for all of it. */
async function buildRequests(
  { chain, http: url }: ServedChain,
  requests: Map<string, unknown[][]>,
): Promise<void> {
  const { abi, bytecode } = ledgerContract();
  const [alice, bob, carol] = ACCOUNTS as [Account, Account, Account];
  const viemChain = defineChain({
    id: 1337,
    name: "test",
    nativeCurrency: { name: "Coin", symbol: "COIN", decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  const wallet = createWalletClient({ chain: viemChain, transport: http(url), account: alice });
  const reader = createPublicClient({ chain: viemChain, transport: http(url) });
  const deployed = await wallet.deployContract({ abi, bytecode, args: [1_000n] });
  chain.seal();
  ledgerAddress = (await reader.getTransactionReceipt({ hash: deployed })).contractAddress as Hex;

  const to = bob.address;
  const gasPrice = 10n ** 10n;
  const fees = { maxFeePerGas: gasPrice, maxPriorityFeePerGas: 1n };
  const accessList = [{ address: ledgerAddress, storageKeys: [pad("0x0"), pad("0x1")] }];
  const authorization = await wallet.signAuthorization({ account: bob, contractAddress: ledgerAddress });
  let nonce = 1;
  const hashes = [deployed];
  const moving = { address: ledgerAddress, abi, functionName: "move", gas: 200_000n } as const;
  hashes.push(
    await wallet.sendTransaction({ type: "legacy", to, value: 1n, gas: 21_000n, gasPrice, nonce: nonce++ }),
  );
  hashes.push(
    await wallet.sendTransaction({ type: "eip2930", to, gas: 50_000n, gasPrice, accessList, nonce: nonce++ }),
  );
  hashes.push(await wallet.writeContract({ ...moving, args: [to, 1n, "moved"], ...fees, nonce: nonce++ }));
  hashes.push(
    await wallet.writeContract({ ...moving, args: [to, 10n ** 9n, "reverts"], ...fees, nonce: nonce++ }),
  );
  hashes.push(
    await wallet.sendTransaction({
      to,
      authorizationList: [authorization],
      gas: 100_000n,
      ...fees,
      nonce: nonce++,
    }),
  );
  chain.seal();
  const waiting = [
    await wallet.sendTransaction({ type: "legacy", to, value: 1n, gas: 21_000n, gasPrice, nonce: nonce++ }),
    await wallet.writeContract({ ...moving, args: [to, 1n, "waits"], ...fees, nonce: nonce++ }),
  ];
  const toSubmit = await wallet.signTransaction({
    to,
    gas: 21_000n,
    ...fees,
    nonce: nonce++,
    chainId: 1337,
    type: "eip1559",
  });

  const block = (await result(url, "eth_getBlockByNumber", ["0x2", false])) as { hash: Hex };
  const total = { to: ledgerAddress, data: encodeFunctionData({ abi, functionName: "total" }) };
  const refuse = { to: ledgerAddress, data: encodeFunctionData({ abi, functionName: "refuse" }) };
  const unknownHash = `0x${"de".repeat(32)}`;
  const transactions = [...hashes, unknownHash].map((hash) => [hash]);
  const blockTags = ["0x0", "0x1", "0x2", "latest", "safe", "finalized", "earliest"];
  const add = (method: string, ...lists: unknown[][]): void => void requests.set(method, lists);

  for (const method of [
    "eth_baseFee",
    "eth_blobBaseFee",
    "eth_blockNumber",
    "eth_capabilities",
    "eth_chainId",
    "eth_config",
    "eth_syncing",
    "net_version",
    "txpool_content",
    "txpool_status",
  ]) {
    add(method, []);
  }
  add("debug_getRawBlock", ["0x0"], ["0x2"]);
  add("debug_getRawHeader", ["0x0"], ["0x2"]);
  add("debug_getRawReceipts", ["0x0"], ["0x2"]);
  add("debug_getRawTransaction", ...hashes.map((hash) => [hash]));
  add("debug_traceBlockByHash", [block.hash]);
  add("debug_traceBlockByNumber", ["0x2"], ["0x2", { enableMemory: true, enableReturnData: true }]);
  add("debug_traceTransaction", ...hashes.map((hash) => [hash]));
  add("eth_simulateV1", [{ blockStateCalls: [{ calls: [total] }], traceTransfers: true }, "latest"]);
  add("eth_call", [total, "latest"], [{ ...total, from: to, gas: "0xea60" }, "latest"]);
  add("eth_createAccessList", [total, "latest"], [refuse, "latest"]);
  add("eth_estimateGas", [{ to: carol.address }], [total]);
  add("eth_feeHistory", ["0x2", "latest", [5, 95]]);
  add("eth_getBalance", [to], [to, "latest"], [to, block.hash]);
  add("eth_getBlockByHash", [block.hash, true], [block.hash, false], [unknownHash, true]);
  add(
    "eth_getBlockByNumber",
    ...blockTags.flatMap((tag) => [
      [tag, true],
      [tag, false],
    ]),
    ["0x3e8", true],
  );
  add("eth_getBlockReceipts", ...blockTags.map((tag) => [tag]), [block.hash], [unknownHash]);
  add("eth_getBlockTransactionCountByHash", [block.hash]);
  add("eth_getBlockTransactionCountByNumber", ["0x0"], ["0x2"]);
  add("eth_getCode", [ledgerAddress], [to], [alice.address]);
  add("eth_getLogs", [{ fromBlock: "0x0", toBlock: "latest" }], [{ blockHash: block.hash }]);
  add(
    "eth_getProof",
    [ledgerAddress, []],
    [ledgerAddress, ["0x0", pad("0xff")], block.hash],
    [unknownHash.slice(0, 42), []],
  );
  add("eth_getStorageAt", [ledgerAddress, "0x0"], [ledgerAddress, pad("0xff"), "latest"]);
  add("eth_getStorageValues", [{ [ledgerAddress]: ["0x0", "0x1"], [to]: ["0x0"] }, "latest"]);
  add("eth_getTransactionByBlockHashAndIndex", [block.hash, "0x0"], [block.hash, "0x4"]);
  add("eth_getTransactionByBlockNumberAndIndex", ["0x2", "0x0"], ["0x1", "0x0"]);
  add("eth_getTransactionByHash", ...transactions);
  add("eth_getTransactionCount", [alice.address], [alice.address, "latest"]);
  add("eth_getTransactionReceipt", ...transactions);
  add("eth_sendRawTransaction", [toSubmit]);
  add("txpool_contentFrom", [`0x${"00".repeat(20)}`]);
  if (waiting.length !== 2) throw new Error("two transactions must wait in the pool");
}
