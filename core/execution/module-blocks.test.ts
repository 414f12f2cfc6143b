import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, EMPTY_BYTES, hex, wordToBytes } from "@ostrom/base";
import type { ChainModule, SystemContext } from "./chain-module.ts";
import { frozenHeight, lastHeight } from "./epochs.ts";
import { defineModule } from "./installed-modules.ts";
import type { ContractChain } from "./testing/contract-chain.ts";
import { AUTHORITY, moduleChain, nameWord, schedule } from "./testing/module-chain.ts";
import { contractAt } from "./testing/test-chain.ts";
import { BEGUN_SLOT, COUNTER, counter, SEALED_SLOT } from "./testing/test-modules.ts";

function counterOf(chain: ContractChain): bigint {
  return chain.state.storage(COUNTER, 0n);
}

function begunAt(chain: ContractChain, height: number): bigint {
  return chain.state.storage(COUNTER, BEGUN_SLOT + BigInt(height));
}

function hasCode(chain: ContractChain): boolean {
  const account = chain.state.account(COUNTER);
  return account !== undefined && chain.state.code(account.codeHash).length > 0;
}

test("modules of genesis are activated in block 1, with their settings", () => {
  const settings = new Uint8Array(33).fill(7);
  const chain = moduleChain({ active: [[counter(1), settings]] });
  assert.equal(chain.state.account(COUNTER), undefined, "genesis has the registry alone");
  chain.execute([]);
  assert.deepEqual(chain.applied?.activations, [{ name: "counter", version: 1, failure: undefined }]);
  assert.equal(chain.state.account(COUNTER)?.nonce, 1n);
  assert.equal(counterOf(chain), 1n);
  assert.equal(
    chain.state.storage(COUNTER, 1n),
    BigInt(4 + 32 + 32 + 64),
    "selector, offset, length, padded bytes",
  );
  assert.equal(begunAt(chain, 1), 1n);
  chain.execute([]);
  assert.deepEqual(chain.applied?.activations, []);
  assert.equal(counterOf(chain), 1n, "activated once");
  assert.equal(begunAt(chain, 2), 1n);
});

const EPOCHS = { epochLength: 20, epochLead: 4 };
const BOUNDARIES: readonly (readonly [what: string, height: number])[] = [
  ["the least notice", 11],
  ["before a frozen height", frozenHeight(EPOCHS, 0) - 1],
  ["at a frozen height", frozenHeight(EPOCHS, 0)],
  ["after a frozen height", frozenHeight(EPOCHS, 0) + 1],
  ["in the last block of an epoch", lastHeight(EPOCHS, 0)],
  ["in the first block of an epoch", lastHeight(EPOCHS, 0) + 1],
  ["at the frozen height of the next epoch", frozenHeight(EPOCHS, 1)],
];

for (const [what, height] of BOUNDARIES) {
  test(`a module that is scheduled ${what} is active from that block on, and its hooks run in it`, () => {
    const chain = moduleChain({ has: [counter(1)], ...EPOCHS });
    schedule(chain, counter(1), height);
    chain.advance(height - 1);
    assert.equal(hasCode(chain), false);
    chain.execute([]);
    assert.equal(hasCode(chain), true);
    assert.equal(counterOf(chain), 1n);
    chain.advance(60);
    for (let at = 1; at <= 60; at++) {
      assert.equal(begunAt(chain, at), at >= height ? 1n : 0n, `block ${at}`);
      const isFrozen = [0, 1, 2].some((epoch) => frozenHeight(EPOCHS, epoch) === at);
      const sealed = isFrozen && at >= height ? BigInt(Math.floor(at / 20) + 1) : 0n;
      assert.equal(chain.state.storage(COUNTER, SEALED_SLOT + BigInt(at)), sealed, `block ${at}`);
    }
  });
}

test("two modules at one height are activated, and their hooks called, in the order in which they were named first", () => {
  const calls: string[] = [];
  const noted = (name: string): ChainModule =>
    defineModule({
      name,
      version: 1,
      contracts: [],
      beginBlock: ({ height }) => calls.push(`${name} ${height}`),
      sealEpoch: ({ height }, nextEpoch) => calls.push(`${name} ${height} seals ${nextEpoch}`),
    });
  const [zebra, ant] = [noted("zebra"), noted("ant")];
  const chain = moduleChain({ has: [ant, zebra], ...EPOCHS });
  schedule(chain, zebra, 16);
  schedule(chain, ant, 16);
  chain.advance(17);
  const of16 = ["zebra 16", "ant 16", "zebra 16 seals 1", "ant 16 seals 1"];
  assert.deepEqual(calls, [...of16, "zebra 17", "ant 17"]);
});

test("a later version replaces the code at its height, keeps the storage, and is activated again", () => {
  const chain = moduleChain({ has: [counter(1), counter(2)], active: [[counter(1), EMPTY_BYTES]] });
  schedule(chain, counter(2), 14, new Uint8Array(5));
  chain.advance(13);
  assert.equal(counterOf(chain), 1n);
  assert.equal(begunAt(chain, 13), 1n);
  chain.execute([]);
  assert.equal(counterOf(chain), 0x101n);
  assert.equal(begunAt(chain, 14), 2n);
  assert.equal(begunAt(chain, 2), 1n, "what the version before wrote");
  chain.execute([]);
  assert.equal(counterOf(chain), 0x101n);
  assert.equal(
    chain.send(AUTHORITY, "schedule", [nameWord("counter"), 2, wordHex(9n), 40, "0x"]),
    "NotALaterVersion",
  );
});

test("what is cancelled in the last block before its height does not begin", () => {
  const chain = moduleChain({ has: [counter(1)] });
  schedule(chain, counter(1), 12);
  chain.advance(10);
  assert.equal(chain.send(AUTHORITY, "cancel", [nameWord("counter"), 12]), "done");
  chain.advance(14);
  assert.equal(hasCode(chain), false);
});

test("in the block in which it begins a version cannot be cancelled any more", () => {
  const chain = moduleChain({ has: [counter(1)] });
  schedule(chain, counter(1), 12);
  chain.advance(11);
  assert.equal(chain.send(AUTHORITY, "cancel", [nameWord("counter"), 12]), "NothingScheduled");
  assert.equal(hasCode(chain), true);
});

test("a module whose activate fails is active without what the call would have written, and the report says why", () => {
  for (const [code, message] of [
    ["6001600055fe", /invalid opcode/],
    ["60016000555f5ffd", /reverted with 0x$/],
  ] as const) {
    const module = counter(1, { contracts: [{ address: COUNTER, code: hex(code) }] });
    const chain = moduleChain({ active: [[module, EMPTY_BYTES]] });
    chain.execute([]);
    assert.match(chain.applied?.activations[0]?.failure ?? "", message);
    assert.equal(counterOf(chain), 0n);
    assert.equal(begunAt(chain, 1), 1n);
  }
});

const LEDGER = addressFromHex("00000000000000000000000000000000000c0def");
/** SSTORE(first word, CALLER); reverts if the second word is not 0. */
const LEDGER_CODE = hex("33600035556020356012575b00" + "5b5b5b5b5b" + "5b5f5ffd");

test("a hook's call is a transaction of its own: if it fails, nothing of it stays, and what the hook wrote does", () => {
  const outcomes: string[] = [];
  const module = counter(1, {
    beginBlock: (context: SystemContext) => {
      const { state, call, height } = context;
      if (height !== 2) return;
      state.setStorage(COUNTER, 10n, 1n);
      outcomes.push(call(LEDGER, new Uint8Array([...wordToBytes(5n), ...wordToBytes(1n)])).status);
      state.setStorage(COUNTER, 11n, 1n);
      outcomes.push(call(LEDGER, new Uint8Array([...wordToBytes(6n), ...wordToBytes(0n)])).status);
      outcomes.push(call(LEDGER, new Uint8Array(64), 2_000n).status);
    },
  });
  const chain = moduleChain({
    active: [[module, EMPTY_BYTES]],
    accounts: [contractAt(LEDGER, LEDGER_CODE)],
  });
  chain.advance(2);
  assert.deepEqual(outcomes, ["revert", "success", "fault"]);
  assert.deepEqual(
    [10n, 11n].map((slot) => chain.state.storage(COUNTER, slot)),
    [1n, 1n],
  );
  assert.equal(chain.state.storage(LEDGER, 5n), 0n);
  assert.equal(chain.state.storage(LEDGER, 6n), 2n ** 160n - 2n, "called from the system address");
  assert.equal(chain.head.header.gasUsed, 0n, "outside the block's gas");
});

test("what a hook throws is a fault of the node: no block comes of it", () => {
  for (const hook of ["beginBlock", "sealEpoch"] as const) {
    const module = counter(1, {
      [hook]: () => {
        throw new Error("broken");
      },
    });
    const chain = moduleChain({ active: [[module, EMPTY_BYTES]], epochLength: 4, epochLead: 1 });
    assert.throws(() => chain.advance(4), /broken/);
    assert.equal(chain.head.header.number, hook === "beginBlock" ? 0 : 2);
  }
});

test("a program without the module, or with other code of that version, cannot execute the block: it throws what is missing", () => {
  const otherCode = counter(1, { contracts: [{ address: COUNTER, code: hex("00") }] });
  for (const has of [[], [otherCode]]) {
    const chain = moduleChain({ has, active: [[counter(1), EMPTY_BYTES]] });
    assert.throws(() => chain.execute([]), /from block 1 on the chain uses the module counter in version 1/);
  }
});

test("hooks learn the block's height, epoch, time, chain and origin", () => {
  const seen: unknown[] = [];
  const module = counter(1, {
    beginBlock: ({ height, epoch, timestamp, chainId, origin }) =>
      seen.push([height, epoch, timestamp, chainId, origin]),
  });
  const chain = moduleChain({ active: [[module, EMPTY_BYTES]], epochLength: 2, epochLead: 1 });
  chain.advance(3);
  const { timestamp } = chain.head.header;
  assert.deepEqual(seen[2], [3, 1, timestamp, 1337n, undefined]);
});

function wordHex(word: bigint): string {
  return `0x${word.toString(16).padStart(64, "0")}`;
}
