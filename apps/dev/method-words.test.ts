import assert from "node:assert/strict";
import { test } from "node:test";
import { startChain } from "./testing/started-chain.ts";

const ALICE = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const STRANGER = "0x1111111111111111111111111111111111111111";
const CONTRACT = "0x00000000000000000000000000000000000000c0";

test("what is refused has the codes and the words of Hardhat's node", async (context) => {
  const { refusal } = await startChain(context);
  const refused = async (method: string, ...params: readonly unknown[]): Promise<string> => {
    const { code, message } = await refusal(method, ...params);
    return `${code} ${message}`;
  };
  const pay = { from: ALICE, to: STRANGER };
  assert.equal(
    await refused("eth_sendTransaction", { ...pay, from: STRANGER }),
    `-32000 Unknown account ${STRANGER}`,
  );
  assert.equal(await refused("eth_sign", STRANGER, "0x00"), `-32000 Unknown account ${STRANGER}`);
  assert.equal(
    await refused("eth_sendTransaction", { ...pay, gas: "0x100" }),
    "-32000 Transaction requires at least 21000 gas but got 256",
  );
  assert.equal(
    await refused("eth_sendTransaction", { ...pay, gas: "0xffffffff" }),
    "-32000 Transaction gas limit is 4294967295 and exceeds block gas limit of 30000000",
  );
  assert.equal(
    await refused("eth_sendTransaction", { ...pay, gas: "0x1c9c380" }),
    "-32000 Transaction gas limit is 30000000 and exceeds transaction gas cap of 16777216",
  );
  for (const raw of ["0x", "0x12", "0xc0", `0x02${"ff".repeat(40)}`]) {
    assert.match(await refused("eth_sendRawTransaction", raw), /^-32602 Invalid transaction/, raw);
  }
});

test("a slot is set to exactly 32 bytes: fewer could be meant for either end", async (context) => {
  const { call, refusal } = await startChain(context);
  for (const method of ["hardhat_setStorageAt", "anvil_setStorageAt"]) {
    for (const [value, bytes] of [
      ["0x1", 0],
      ["0x01", 1],
      [`0x${"00".repeat(33)}`, 33],
    ] as const) {
      const { message } = await refusal(method, CONTRACT, "0x0", value);
      assert.equal(
        message,
        `Storage value must be exactly 32 bytes long. Received ${value}, which is ${bytes} bytes long.`,
      );
    }
    await call(method, CONTRACT, "0x0", `0x${"ab".repeat(32)}`);
    assert.equal(await call("eth_getStorageAt", CONTRACT, "0x0", "latest"), `0x${"ab".repeat(32)}`);
    assert.equal((await refusal(method, CONTRACT, "0x0", "0xzz")).code, -32602);
  }
});

test("who gets the tips is eth_coinbase, and the pending block's miner", async (context) => {
  const { call } = await startChain(context);
  await call("hardhat_setCoinbase", CONTRACT);
  assert.equal(await call("eth_coinbase"), CONTRACT);
  const pending = await call("eth_getBlockByNumber", "pending", false);
  assert.equal((pending as { readonly miner: string }).miner, CONTRACT);
});

test("eth_pendingTransactions lists what waits, as it came", async (context) => {
  const { call } = await startChain(context);
  assert.deepEqual(await call("eth_pendingTransactions"), []);
  await call("evm_setAutomine", false);
  const sent: unknown[] = [];
  for (const nonce of ["0x1", "0x0"]) {
    sent.push(await call("eth_sendTransaction", { from: ALICE, to: STRANGER, gas: "0x5208", nonce }));
  }
  const waiting = (await call("eth_pendingTransactions")) as readonly { hash: string; blockHash: null }[];
  assert.deepEqual(
    waiting.map(({ hash, blockHash }) => [hash, blockHash]),
    sent.map((hash) => [hash, null]),
  );
  await call("evm_mine");
  assert.deepEqual(await call("eth_pendingTransactions"), []);
});

test("block numbers and amounts may be plain numbers, which Hardhat's node takes", async (context) => {
  const { call } = await startChain(context);
  const hash = await call("eth_sendTransaction", { from: ALICE, to: STRANGER, value: 1, gas: 21_000 });
  assert.equal(await call("eth_call", { to: STRANGER, value: 0, gas: 50_000 }, 1), "0x");
  const block = await call("eth_getBlockByNumber", 1, false);
  assert.deepEqual((block as { readonly transactions: readonly string[] }).transactions, [hash]);
  assert.equal(await call("eth_getBalance", STRANGER, 1), "0x1");
  assert.equal(await call("eth_getBalance", STRANGER, 0), "0x0");
  assert.ok(await call("eth_feeHistory", 1, 1, []));
});

test("gas is estimated at the price that a transaction pays, and at none for who cannot pay it", async (context) => {
  const { call } = await startChain(context);
  // Stops at once if GASPRICE is 0, and else stores something.
  await call("hardhat_setCode", CONTRACT, "0x3a600557005b600160005500");
  const estimate = async (from: string): Promise<number> =>
    Number(await call("eth_estimateGas", { from, to: CONTRACT }));
  assert.ok((await estimate(ALICE)) > 40_000);
  assert.ok((await estimate(STRANGER)) < 22_000);
  const hash = await call("eth_sendTransaction", { from: ALICE, to: CONTRACT });
  const receipt = await call("eth_getTransactionReceipt", hash);
  assert.equal((receipt as { readonly status: string }).status, "0x1");
});
