import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES, must, toHex, unwrap } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { MemoryState } from "@ostrom/state";
import { applyBlock, sealBlock } from "./apply-block.ts";
import type { BlockOrigin } from "./chain-module.ts";
import { createExecutionTracer } from "./execution-trace.ts";
import { genesisState } from "./genesis.ts";
import { BlockReplay, type ReplayInput } from "./replay-block.ts";
import { addressOfSecretKey } from "./signature.ts";
import { ALICE, moduleChain, transactionOf } from "./testing/module-chain.ts";
import { GENESIS_TIME_MS, PROPOSER } from "./testing/test-chain.ts";
import { COUNTER, counter, DOUBLER, doubler, installed } from "./testing/test-modules.ts";
import { TraceBudget } from "./trace-budget.ts";
import { decodeSignedTransaction } from "./transaction.ts";

/** Calls the counter's contract from the system address, with as many bytes as the block's view, and writes down its leader. */
const watching = counter(1, {
  name: "watching",
  beginBlock: ({ state, call, origin }) => {
    state.setStorage(COUNTER, LEADER_SLOT, BigInt(must(origin, "the block was voted on").proposer + 1));
    call(COUNTER, new Uint8Array(must(origin, "the block was voted on").view));
  },
});
const LEADER_SLOT = 7_000_000n;
const ORIGIN: BlockOrigin = { epoch: 0, view: 6, proposer: 3, certified: undefined };
const MAX_TRACE_BYTES = 2 ** 20;

const modules = installed([watching, doubler()]);
const active = [
  [watching, EMPTY_BYTES],
  [doubler(), EMPTY_BYTES],
] as const;
const chain = moduleChain({ active });
const parent = chain.head;
const before = new MemoryState();
before.commit(genesisState(chain.genesis));
const raws = [
  transactionOf(ALICE, 0, COUNTER, new Uint8Array(5)),
  transactionOf(ALICE, 1, DOUBLER, new Uint8Array(32).fill(1)),
  transactionOf(ALICE, 2, COUNTER, new Uint8Array(9)),
];
const applied = applyBlock({
  rules: chain.genesis.rules,
  epochs: chain.genesis,
  parent: parent.header,
  state: chain.state,
  blockHash: chain.blockHash,
  knownSender: () => undefined,
  modules,
  ordered: {
    height: 1,
    timestampMs: GENESIS_TIME_MS + 250,
    orderDigest: keccak256(EMPTY_BYTES),
    proposer: PROPOSER,
    transactions: raws,
    origin: ORIGIN,
  },
});
const block = sealBlock(applied, chain.state.commit(applied.changes).stateRoot);

function replay(more: Partial<ReplayInput> = {}): BlockReplay {
  const { rules } = chain.genesis;
  const input = { rules, header: block.header, state: before, blockHash: chain.blockHash };
  return unwrap(BlockReplay.open({ ...input, epochs: chain.genesis, modules, origin: ORIGIN, ...more }));
}

test("a block whose modules call contracts and look at its origin runs again to the same state", () => {
  const again = replay();
  again.begin();
  assert.equal(again.state.storage(COUNTER, LEADER_SLOT), 4n);
  // The call of the hook: as long as the view.
  assert.equal(again.state.storage(COUNTER, 1n), BigInt(ORIGIN.view));
  for (const [index, raw] of raws.entries()) {
    const { gasUsed, succeeded } = unwrap(again.apply(unwrap(decodeSignedTransaction(raw))));
    const receipt = block.receipts[index];
    assert.deepEqual([succeeded, gasUsed], [receipt?.succeeded, receipt?.gasUsed]);
  }
  for (const slot of [0n, 1n, LEADER_SLOT]) {
    assert.equal(again.state.storage(COUNTER, slot), chain.state.storage(COUNTER, slot), String(slot));
  }
  const alice = addressOfSecretKey(ALICE);
  assert.equal(again.state.balance(alice), chain.state.account(alice)?.balance);
});

test("a trace has the messages of transactions alone, modules' precompiles among them, and not those of hooks", () => {
  const again = replay();
  again.begin();
  const traces = raws.map((raw) => {
    const tracer = createExecutionTracer(new TraceBudget(MAX_TRACE_BYTES));
    unwrap(again.apply(unwrap(decodeSignedTransaction(raw)), tracer));
    return tracer.trace();
  });
  assert.deepEqual(
    traces.map(({ messages }) => messages.map(({ to }) => to && toHex(to))),
    [[toHex(COUNTER)], [toHex(DOUBLER)], [toHex(COUNTER)]],
  );
  assert.deepEqual(traces[1]?.messages[0]?.output, new Uint8Array(32).fill(2));
  assert.equal(traces[1]?.steps.length, 0);
});

test("a program without the block's modules says so instead of running the block in another way", () => {
  const { rules } = chain.genesis;
  const input = { rules, header: block.header, state: before, blockHash: chain.blockHash };
  const opened = BlockReplay.open({
    ...input,
    epochs: chain.genesis,
    modules: installed([]),
    origin: ORIGIN,
  });
  assert.ok(!opened.ok);
  assert.equal(opened.error.code, "execution/module-missing");
});
