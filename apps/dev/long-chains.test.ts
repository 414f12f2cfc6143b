import assert from "node:assert/strict";
import { test } from "node:test";
import { type StartedChain, startChain } from "./testing/started-chain.ts";

const ALICE = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const BOB = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const CONTRACT = "0x00000000000000000000000000000000000000c0";
/** Logs nothing of interest, without a topic. */
const LOGGER = "0x60016000a000";
const MANY = 2 ** 32;

type Block = {
  readonly number: string;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: string;
  readonly baseFeePerGas: string;
  readonly transactions: readonly string[];
};

function block({ call }: StartedChain, number: string): Promise<Block | null> {
  return call("eth_getBlockByNumber", number, false) as Promise<Block | null>;
}

function pay({ call }: StartedChain, rest: object = {}): Promise<unknown> {
  return call("eth_sendTransaction", { from: ALICE, to: BOB, value: "0x1", ...rest });
}

test("billions of blocks are there at once, each with its time and a hash that leads to it", async (context) => {
  const chain = await startChain(context);
  const { call } = chain;
  const before = await block(chain, "latest");
  await call("hardhat_mine", `0x${MANY.toString(16)}`, "0x3c");
  assert.equal(Number(await call("eth_blockNumber")), MANY);
  const one = await block(chain, "0x1000");
  const below = (await call("eth_getBlockByHash", one?.parentHash, false)) as Block;
  assert.deepEqual([one?.transactions, below.number], [[], "0xfff"]);
  assert.equal(Number(one?.timestamp) - Number(below.timestamp), 60);
  const newest = await block(chain, "latest");
  assert.equal(Number(newest?.timestamp) - Number((await block(chain, "0x1"))?.timestamp), 60 * (MANY - 1));
  assert.ok(Number(newest?.timestamp) > Number(before?.timestamp));
  const base = Number((await block(chain, "0x64"))?.baseFeePerGas);
  assert.ok(base < Number((await block(chain, "0x63"))?.baseFeePerGas));
});

test("each block between the first and the newest links to the one before it", async (context) => {
  const chain = await startChain(context);
  await chain.call("hardhat_mine", "0x2710");
  for (const number of [2, 3, 4, 5_000, 9_743, 9_744, 9_745, 10_000]) {
    const [parent, child] = await Promise.all([
      block(chain, `0x${(number - 1).toString(16)}`),
      block(chain, `0x${number.toString(16)}`),
    ]);
    assert.equal(child?.parentHash, parent?.hash, `block ${number}`);
    assert.ok(Number(child?.timestamp) > Number(parent?.timestamp));
  }
});

test("states and logs of before are found over billions of blocks", async (context) => {
  const chain = await startChain(context);
  const { call } = chain;
  const begin = await call("eth_getBalance", BOB, "latest");
  await call("hardhat_setCode", CONTRACT, LOGGER);
  await call("eth_sendTransaction", { from: ALICE, to: CONTRACT });
  await pay(chain);
  await call("hardhat_mine", `0x${MANY.toString(16)}`);
  await pay(chain);
  assert.equal(await call("eth_getBalance", BOB, "0x1"), begin);
  assert.equal(BigInt(String(await call("eth_getBalance", BOB, "0x20000"))), BigInt(String(begin)) + 1n);
  assert.equal(BigInt(String(await call("eth_getBalance", BOB, "latest"))), BigInt(String(begin)) + 2n);
  for (const address of [undefined, CONTRACT]) {
    const logs = await call("eth_getLogs", {
      fromBlock: "0x0",
      toBlock: "latest",
      ...(address && { address }),
    });
    assert.equal((logs as readonly unknown[]).length, 1);
  }
  assert.deepEqual(await call("eth_getLogs", { fromBlock: "0x0", address: BOB }), []);
});

test("a snapshot takes billions of blocks back, and a dump keeps them", async (context) => {
  const chain = await startChain(context);
  const { call } = chain;
  const id = await call("evm_snapshot");
  await call("anvil_mine", `0x${MANY.toString(16)}`);
  const dump = await call("anvil_dumpState");
  const one = await block(chain, "0x1000");
  assert.equal(await call("evm_revert", id), true);
  assert.equal(await block(chain, "0x1000"), null);
  await call("anvil_loadState", dump);
  assert.deepEqual(await block(chain, "0x1000"), one);
});

test("more blocks than time has are refused", async (context) => {
  const { refusal } = await startChain(context);
  assert.match((await refusal("hardhat_mine", "0x100000000", "0x100000000")).message, /end after all time/);
  assert.equal((await refusal("hardhat_mine", "many")).code, -32602);
});

test("newest blocks are taken off, reserved ones too, with what they have done", async (context) => {
  const chain = await startChain(context);
  const { call, refusal } = chain;
  await pay(chain);
  await pay(chain);
  const kept = await block(chain, "0x2");
  await call("hardhat_mine", "0x2710");
  await pay(chain);
  await call("anvil_rollback");
  assert.equal(await call("eth_getTransactionCount", ALICE, "latest"), "0x2");
  await call("anvil_rollback", 5_000);
  assert.equal(Number(await call("eth_blockNumber")), 5_002);
  await call("anvil_rollback", 5_000);
  assert.deepEqual(await block(chain, "latest"), kept);
  await call("anvil_rollback", 1);
  assert.equal(await call("eth_getTransactionCount", ALICE, "latest"), "0x1");
  assert.match((await refusal("anvil_rollback", 2)).message, /past genesis/);
  await pay(chain);
});

test("a reorganisation puts other blocks, with other transactions, in place of the newest", async (context) => {
  const chain = await startChain(context);
  const { call } = chain;
  await pay(chain);
  const gone = String(await pay(chain));
  const old = await block(chain, "0x2");
  const begin = BigInt(String(await call("eth_getBalance", BOB, "0x1")));
  await call("anvil_reorg", 1, [[{ from: ALICE, to: BOB, value: "0x7" }, 0]]);
  const now = await block(chain, "latest");
  assert.deepEqual([now?.number, now?.transactions.length], ["0x2", 1]);
  assert.notEqual(now?.hash, old?.hash);
  assert.equal(await call("eth_getTransactionReceipt", gone), null);
  assert.equal(BigInt(String(await call("eth_getBalance", BOB, "latest"))), begin + 7n);
});
