import assert from "node:assert/strict";
import { test } from "node:test";
import { startChain } from "./testing/started-chain.ts";

const ALICE = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const BOB = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const CONTRACT = "0x00000000000000000000000000000000000000c0";
/** Adds one to slot 0, and returns it. */
const COUNTER = "0x60005460010160005560005460005260206000f3";
/** balanceOf and all else: returns the slot that is the hash of the first argument and 0. */
const TOKEN = "0x600435600052600060205260406000205460005260206000f3";
/** Sends the 11 bytes in memory at 21 to the console's address: PUSH11 of its name, MSTORE, then CALL. */
const CONSOLE_CALLER = `0x6a636f6e736f6c652e6c6f6760005260006000600b6015600060005161ffff${"f1"}00`;

test("what is made of an account's transactions: receipts at once, waiting ones, raw bytes, an account whole", async (context) => {
  const { call } = await startChain(context);
  const receipt = await call("eth_sendTransactionSync", { from: ALICE, to: BOB, value: "0x1" });
  const { transactionHash, status } = receipt as {
    readonly transactionHash: string;
    readonly status: string;
  };
  assert.equal(status, "0x1");
  assert.match(String(await call("eth_getRawTransactionByHash", transactionHash)), /^0x02/);
  const account = (await call("eth_getAccountInfo", ALICE)) as {
    readonly nonce: string;
    readonly code: string;
  };
  assert.deepEqual([account.nonce, account.code], ["0x1", "0x"]);
  await call("evm_setAutomine", false);
  for (let sent = 0; sent < 3; sent++) await call("eth_sendTransaction", { from: ALICE, to: BOB });
  assert.equal(((await call("eth_pendingTransactions")) as readonly unknown[]).length, 3);
  const [made] = (await call("evm_mine_detailed")) as readonly {
    readonly transactions: readonly unknown[];
  }[];
  assert.equal(made?.transactions.length, 3, "without gas in the request, all fit into one block");
});

test("gas that nobody names is what it takes, so an account may send nearly all it has", async (context) => {
  const { call } = await startChain(context);
  await call("hardhat_setBalance", BOB, "0x5af3107a4000");
  const hash = await call("eth_sendTransaction", { from: BOB, to: ALICE, value: "0x1" });
  const sent = (await call("eth_getTransactionByHash", hash)) as { readonly gas: string };
  assert.equal(sent.gas, "0x5208");
});

test("transactions of a development chain are traced, with the states that its developer has made", async (context) => {
  const { call } = await startChain(context);
  await call("hardhat_setCode", CONTRACT, COUNTER);
  const first = await call("eth_sendTransaction", { from: ALICE, to: CONTRACT });
  await call("hardhat_setStorageAt", CONTRACT, "0x0", `0x${"0".repeat(62)}2a`);
  await call("hardhat_setBalance", CONTRACT, "0xde0b6b3a7640000");
  await call("hardhat_impersonateAccount", CONTRACT);
  const second = await call("eth_sendTransaction", { from: CONTRACT, to: CONTRACT });
  const outputs = await Promise.all(
    [first, second].map(async (hash) => {
      const trace = await call("debug_traceTransaction", hash, { tracer: "callTracer" });
      return Number((trace as { readonly output: string }).output);
    }),
  );
  assert.deepEqual(outputs, [1, 43]);
  const steps = (await call("debug_traceTransaction", second)) as { readonly structLogs: readonly unknown[] };
  assert.ok(steps.structLogs.length > 5);
  const calls = [{ from: ALICE, to: CONTRACT }];
  const [simulated] = (await call("eth_simulateV1", { blockStateCalls: [{ calls }] })) as readonly {
    readonly calls: readonly { readonly returnData: string }[];
  }[];
  assert.equal(Number(simulated?.calls[0]?.returnData), 44);
  const list = (await call("eth_createAccessList", { from: ALICE, to: CONTRACT })) as {
    readonly accessList: readonly unknown[];
  };
  assert.equal(list.accessList.length, 1);
  assert.equal(await call("ots_getApiLevel"), 8);
});

test("a token's balances are set by the slot that says them, wherever that is", async (context) => {
  const { call, refusal } = await startChain(context);
  await call("hardhat_setCode", CONTRACT, TOKEN);
  assert.equal(await call("anvil_dealERC20", BOB, CONTRACT, "0x64"), null);
  const data = `0x70a08231${"0".repeat(24)}${BOB.slice(2)}`;
  assert.equal(Number(await call("eth_call", { to: CONTRACT, data })), 100);
  assert.match((await refusal("anvil_dealERC20", BOB, ALICE, "0x64")).message, /no slot of the token/);
});

test("what a contract prints is told once, by a call and by an estimate of its gas", async (context) => {
  const told: string[] = [];
  const { call } = await startChain(context, {
    observer: { onRun: ({ kind, consoleCalls }) => void told.push(`${kind} ${consoleCalls.length}`) },
  });
  await call("hardhat_setCode", CONTRACT, CONSOLE_CALLER);
  await call("eth_estimateGas", { from: ALICE, to: CONTRACT });
  await call("eth_call", { from: ALICE, to: CONTRACT });
  await call("eth_sendTransaction", { from: ALICE, to: CONTRACT });
  assert.deepEqual(told, ["estimate 1", "call 1", "transaction 1"]);
});
