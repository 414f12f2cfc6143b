import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createMethods } from "@ostrom/rpc";
import { DEFAULT_DEVELOPMENT, startDevelopmentNode } from "./index.ts";
import { type StartedChain, startChain } from "./testing/started-chain.ts";

const ALICE = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const BOB = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const CONTRACT = "0x00000000000000000000000000000000000000c0";
/** Returns slot 0. */
const READER = "0x60005460005260206000f3";
/** Reverts with Error("no"). */
const REVERTER = `0x7f08c379a0${"0".repeat(56)}600052602060045260026024527f6e6f${"0".repeat(60)}60445260646000fd`;
const TRANSFER_GAS = "0x5208";

type Block = {
  readonly number: string;
  readonly hash: string;
  readonly timestamp: string;
  readonly baseFeePerGas: string;
  readonly gasLimit: string;
  readonly miner: string;
  readonly mixHash: string;
  readonly transactions: readonly string[];
};

function block({ call }: StartedChain, tag = "latest"): Promise<Block> {
  return call("eth_getBlockByNumber", tag, false) as Promise<Block>;
}

function pay({ call }: StartedChain, rest: object = {}): Promise<string> {
  return call("eth_sendTransaction", {
    from: ALICE,
    to: BOB,
    value: "0x1",
    gas: TRANSFER_GAS,
    ...rest,
  }) as Promise<string>;
}

test("a transaction is in a block when it is answered, and the well-known accounts are funded", async (context) => {
  const chain = await startChain(context);
  const { call } = chain;
  assert.equal(((await call("eth_accounts")) as readonly string[]).length, 20);
  assert.equal(await call("eth_getBalance", BOB, "latest"), `0x${(10_000n * 10n ** 18n).toString(16)}`);
  const hash = await pay(chain);
  const receipt = (await call("eth_getTransactionReceipt", hash)) as { readonly status: string };
  assert.equal(receipt.status, "0x1");
  assert.deepEqual((await block(chain)).transactions, [hash]);
  assert.match(String(await call("web3_clientVersion")), /^(?:hardhat|anvil|zksync)/i);
});

test("a failing transaction is in a block, and its sender hears why", async (context) => {
  const chain = await startChain(context);
  const { call, refusal } = chain;
  await call("hardhat_setCode", CONTRACT, REVERTER);
  const error = await refusal("eth_sendTransaction", { from: ALICE, to: CONTRACT, gas: "0x20000" });
  assert.equal(error.code, 3);
  assert.match(error.message, /reverted with reason string 'no'/);
  assert.match(String(error.data), /^0x08c379a0/);
  assert.equal((await block(chain)).transactions.length, 1);
  for (const method of ["eth_call", "eth_estimateGas"]) {
    const called = await refusal(method, { from: ALICE, to: CONTRACT });
    assert.deepEqual([called.code, called.message, called.data], [3, error.message, error.data]);
  }
});

test("nonces, funds and gas limits are refused in Hardhat's words", async (context) => {
  const { refusal } = await startChain(context);
  const send = (rest: object) =>
    refusal("eth_sendTransaction", { from: ALICE, to: BOB, gas: TRANSFER_GAS, ...rest });
  assert.match((await send({ nonce: "0x5" })).message, /^Nonce too high. Expected nonce to be 0 but got 5/);
  assert.match(
    (await send({ value: `0x${"f".repeat(30)}` })).message,
    /doesn't have enough funds to send tx/,
  );
  assert.match((await send({ gas: "0x2000000" })).message, /exceeds block gas limit of 30000000/);
  assert.match(
    (await send({ maxFeePerGas: "0x1", maxPriorityFeePerGas: "0x1" })).message,
    /too low for the next block/,
  );
  assert.match((await send({ from: CONTRACT })).message, /Unknown account/);
});

test("snapshots nest, and going back to one takes it and all after it away", async (context) => {
  const chain = await startChain(context);
  const { call } = chain;
  await pay(chain);
  const first = await call("evm_snapshot");
  await call("hardhat_setBalance", CONTRACT, "0x5");
  await pay(chain);
  const second = await call("evm_snapshot");
  assert.deepEqual([first, second], ["0x1", "0x2"]);
  await call("hardhat_setStorageAt", CONTRACT, "0x0", `0x${"0".repeat(62)}07`);
  await call("hardhat_mine", "0x3");
  assert.equal(await call("evm_revert", second), true);
  assert.equal((await block(chain)).number, "0x2");
  assert.equal(await call("eth_getBalance", CONTRACT, "latest"), "0x5");
  assert.equal(BigInt(String(await call("eth_getStorageAt", CONTRACT, "0x0", "latest"))), 0n);
  assert.equal(await call("evm_revert", first), true);
  assert.equal((await block(chain)).number, "0x1");
  assert.equal(await call("eth_getBalance", CONTRACT, "latest"), "0x0");
  assert.equal(await call("evm_revert", second), false);
  assert.equal(await call("evm_revert", first), false);
  assert.equal(await call("eth_getTransactionCount", ALICE, "latest"), "0x1");
  await pay(chain);
});

test("a changed account is what the newest block left, and older blocks keep theirs", async (context) => {
  const chain = await startChain(context);
  const { call } = chain;
  await pay(chain);
  await call("hardhat_setBalance", BOB, "0x7");
  await call("hardhat_setCode", CONTRACT, READER);
  await call("hardhat_setStorageAt", CONTRACT, "0x0", `0x${"0".repeat(62)}2a`);
  await call("anvil_setNonce", BOB, "0x9");
  await call("hardhat_mine");
  assert.equal(await call("eth_getBalance", BOB, "0x2"), "0x7");
  assert.equal(await call("eth_getBalance", BOB, "0x1"), "0x7");
  assert.equal(await call("eth_getBalance", BOB, "0x0"), `0x${(10_000n * 10n ** 18n).toString(16)}`);
  assert.equal(await call("eth_getTransactionCount", BOB, "latest"), "0x9");
  assert.equal(BigInt(String(await call("eth_call", { to: CONTRACT }))), 42n);
  assert.equal(await call("eth_getCode", CONTRACT, "0x0"), "0x");
});

test("time is the developer's: it never goes back from block to block", async (context) => {
  const chain = await startChain(context);
  const { call, refusal } = chain;
  await call("hardhat_mine");
  const start = Number((await block(chain)).timestamp);
  await call("evm_setNextBlockTimestamp", start + 100);
  await call("evm_mine");
  assert.equal(Number((await block(chain)).timestamp), start + 100);
  assert.match((await refusal("evm_setNextBlockTimestamp", start)).message, /is lower than or equal to/);
  await call("hardhat_mine", "0x5", "0x3c");
  const spaced = await block(chain);
  assert.equal(Number(spaced.timestamp) - Number((await block(chain, "0x6")).timestamp), 60);
  await call("evm_increaseTime", 3_600);
  await pay(chain);
  assert.ok(Number((await block(chain)).timestamp) >= Number(spaced.timestamp) + 3_600);
  await call("evm_mine", { blocks: 2 });
  assert.equal((await block(chain)).number, "0xa");
});

test("the next block has the fee, the randomness, the gas limit and the coinbase that it was given", async (context) => {
  const chain = await startChain(context);
  const { call } = chain;
  const randao = `0x${"ab".repeat(32)}`;
  await call("hardhat_setNextBlockBaseFeePerGas", "0x77359400");
  await call("hardhat_setPrevRandao", randao);
  await call("evm_setBlockGasLimit", "0x2625a00");
  await call("hardhat_setCoinbase", CONTRACT);
  await call("hardhat_mine");
  const made = await block(chain);
  assert.deepEqual(
    [made.baseFeePerGas, made.mixHash, made.gasLimit, made.miner],
    ["0x77359400", randao, "0x2625a00", CONTRACT],
  );
  await call("hardhat_mine");
  const next = await block(chain);
  assert.equal(BigInt(next.baseFeePerGas), (BigInt(made.baseFeePerGas) * 7n) / 8n);
  assert.notEqual(next.mixHash, randao);
});

test("anybody can be impersonated, contracts too, and nobody else can forge it", async (context) => {
  const chain = await startChain(context);
  const { call, refusal } = chain;
  await call("hardhat_setCode", CONTRACT, READER);
  await call("hardhat_setBalance", CONTRACT, "0xde0b6b3a7640000");
  await call("hardhat_impersonateAccount", CONTRACT);
  const hash = await pay(chain, { from: CONTRACT });
  const sent = (await call("eth_getTransactionByHash", hash)) as { readonly from: string };
  assert.equal(sent.from, CONTRACT);
  const raw = await call("debug_getRawTransaction", hash);
  assert.match((await refusal("eth_sendRawTransaction", raw)).message, /no true signature/);
  assert.equal(await call("hardhat_stopImpersonatingAccount", CONTRACT), true);
  assert.match(
    (await refusal("eth_sendTransaction", { from: CONTRACT, to: BOB })).message,
    /Unknown account/,
  );
  await call("anvil_autoImpersonateAccount", true);
  await pay(chain, { from: CONTRACT });
});

test("without mining by itself what was sent waits, is ordered by its tip, and can be dropped", async (context) => {
  const chain = await startChain(context);
  const { call } = chain;
  await call("evm_setAutomine", false);
  const cheap = await pay(chain, { maxPriorityFeePerGas: "0x1", maxFeePerGas: "0x77359400" });
  const dear = await pay(chain, {
    from: BOB,
    to: ALICE,
    maxPriorityFeePerGas: "0x5",
    maxFeePerGas: "0x77359400",
  });
  const gone = await pay(chain, { nonce: "0x9" });
  assert.deepEqual(await call("txpool_status"), { pending: "0x2", queued: "0x1" });
  assert.equal(await call("eth_getTransactionCount", ALICE, "pending"), "0x1");
  assert.equal(await call("hardhat_dropTransaction", gone), true);
  assert.equal(await call("hardhat_dropTransaction", gone), false);
  assert.equal((await block(chain, "pending")).transactions.length, 2);
  await call("evm_mine");
  assert.deepEqual((await block(chain)).transactions, [dear, cheap]);
  await call("evm_setAutomine", true);
  assert.equal(await call("hardhat_getAutomine"), true);
});

test("a dump is the whole chain: blocks, receipts, states, what waits, and the time", async (context) => {
  const chain = await startChain(context);
  const hash = await pay(chain);
  await chain.call("evm_increaseTime", 10_000);
  await chain.call("hardhat_mine", "0x2");
  await chain.call("evm_setAutomine", false);
  const waiting = await pay(chain);
  const head = await block(chain);
  const dump = await chain.node.dump();
  const other = await startChain(context, { dump, accounts: 3 });
  assert.deepEqual(await block(other), head);
  assert.deepEqual(
    await other.call("eth_getTransactionReceipt", hash),
    await chain.call("eth_getTransactionReceipt", hash),
  );
  assert.equal(
    await other.call("eth_getBalance", BOB, "0x0"),
    await chain.call("eth_getBalance", BOB, "0x0"),
  );
  await other.call("evm_mine");
  const next = await block(other);
  assert.deepEqual(next.transactions, [waiting]);
  assert.ok(Number(next.timestamp) > Number(head.timestamp));
  assert.equal(await chain.call("anvil_loadState", `0x${Buffer.from(dump).toString("hex")}`), true);
  assert.deepEqual(await block(chain), head);
  assert.match((await chain.refusal("anvil_loadState", "0x1234")).message, /cannot be read/);
});

test("a folder keeps the chain and its time from one run to the next", async (context) => {
  const dataFolder = mkdtempSync(join(tmpdir(), "ostrom-dev-"));
  context.after(() => rmSync(dataFolder, { recursive: true, force: true }));
  const first = await startChain(context, { dataFolder });
  await pay(first);
  await first.call("evm_increaseTime", 50_000);
  await first.call("hardhat_mine");
  const head = await block(first);
  const snapshot = await first.call("evm_snapshot");
  await pay(first);
  await first.call("evm_revert", snapshot);
  await first.node.stop();
  const second = await startChain(context, { dataFolder });
  assert.deepEqual(await block(second), head);
  await pay(second);
  assert.ok(Number((await block(second)).timestamp) >= Number(head.timestamp));
  await second.node.stop();
  await assert.rejects(startDevelopmentNode({ ...DEFAULT_DEVELOPMENT, port: 0, dataFolder, chainId: 5n }), {
    code: "dev/other-chain",
  });
});

test("reset begins anew with block 0, and forks of other chains are refused", async (context) => {
  const chain = await startChain(context);
  await pay(chain);
  await chain.call("hardhat_reset");
  assert.equal((await block(chain)).number, "0x0");
  assert.equal(await chain.call("eth_getTransactionCount", ALICE, "latest"), "0x0");
  assert.match(
    (await chain.refusal("hardhat_reset", { forking: { jsonRpcUrl: "http://x" } })).message,
    /cannot fork/,
  );
  await chain.refusal("anvil_setRpcUrl", "http://x");
});

test("contracts are as large as the chain allows", async (context) => {
  const size = 30_000;
  // Returns so many zero bytes as code.
  const creation = { from: ALICE, data: `0x62${size.toString(16).padStart(6, "0")}6000f3`, gas: "0xf00000" };
  const small = await startChain(context);
  assert.match((await small.refusal("eth_sendTransaction", creation)).message, /max code size/);
  const large = await startChain(context, { codeSizeLimit: 2 ** 24 });
  const hash = await large.call("eth_sendTransaction", creation);
  const receipt = (await large.call("eth_getTransactionReceipt", hash)) as {
    readonly contractAddress: string;
  };
  assert.equal(
    String(await large.call("eth_getCode", receipt.contractAddress, "latest")).length,
    2 + 2 * size,
  );
});

test("a development chain refuses to be reached by other machines unless it is told to", async () => {
  await assert.rejects(startDevelopmentNode({ ...DEFAULT_DEVELOPMENT, port: 0, host: "0.0.0.0" }), {
    code: "dev/exposed",
  });
});

test("no other chain has a development chain's methods", async (context) => {
  const { call } = await startChain(context);
  const { methods } = (await call("rpc.discover")) as {
    readonly methods: readonly { readonly name: string }[];
  };
  const own = methods.filter(({ name }) =>
    /^(?:evm|hardhat|anvil)_|^eth_sendTransaction$|^eth_sign/.test(name),
  );
  assert.ok(own.length > 60, `${own.length} methods`);
  const others = createMethods();
  assert.deepEqual(
    own.filter(({ name }) => others.has(name)),
    [],
  );
});
