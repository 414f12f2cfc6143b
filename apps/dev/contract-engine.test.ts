import assert from "node:assert/strict";
import { test } from "node:test";
import { startChain } from "./testing/started-chain.ts";

const ALICE = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const CONTRACT = "0x00000000000000000000000000000000000000c0";
/** Counts to 100,000 and returns it: some four million gas. */
const LOOP = "0x60005b600101620186a0811060025760005260206000f3";
const RUNS = 16;
/** Calls the console with nothing. */
const CONSOLE_CALLER = "0x600060006000600060006a636f6e736f6c652e6c6f675af100";
/** Calls itself with all its gas until there is none, or the stack of calls is full. */
const DEEP = "0x60006000600060006000305af100";

test("gas, results and what is printed stay the same when the contract engine takes over", async (context) => {
  const printed: number[] = [];
  const chain = await startChain(context, {
    observer: { onRun: ({ consoleCalls }) => void printed.push(consoleCalls.length) },
  });
  const { call } = chain;
  const request = { from: ALICE, to: CONTRACT, gas: "0x1c9c380" };
  const costs = new Set<unknown>();
  await call("hardhat_setCode", CONTRACT, LOOP);
  for (let run = 0; run < RUNS; run++) {
    assert.equal(Number(await call("eth_call", request)), 100_000);
    const receipt = await call("eth_sendTransactionSync", { ...request, gas: "0x989680" });
    costs.add((receipt as { readonly gasUsed: string }).gasUsed);
  }
  assert.equal(costs.size, 1);
  assert.ok(printed.every((count) => count === 0));
  printed.length = 0;
  await call("hardhat_setCode", CONTRACT, CONSOLE_CALLER);
  await call("eth_call", request);
  await call("eth_sendTransaction", { from: ALICE, to: CONTRACT, gas: "0x989680" });
  assert.deepEqual(printed, [1, 1]);
});

test("calls within calls are as deep as Ethereum's, in this thread too", async (context) => {
  const { call } = await startChain(context);
  await call("hardhat_setCode", CONTRACT, DEEP);
  assert.equal(await call("eth_call", { from: ALICE, to: CONTRACT, gas: "0x1c9c380" }), "0x");
});
