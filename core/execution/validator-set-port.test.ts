import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, EMPTY_BYTES, hashFromWord, toHex } from "@ostrom/base";
import { bls } from "@ostrom/crypto";
import type { SlotChange } from "@ostrom/state";
import { frozenHeight, lastHeight } from "./epochs.ts";
import { addressOfSecretKey } from "./signature.ts";
import type { ContractChain } from "./testing/contract-chain.ts";
import {
  ALICE,
  AUTHORITY,
  type ModuleChainPlan,
  moduleChain,
  nameWord,
  schedule,
  transactionOf,
} from "./testing/module-chain.ts";
import { testValidator } from "./testing/test-chain.ts";
import { NO_WEIGHTS, SETS, SPOIL_PROOFS, sets, writeData } from "./testing/test-modules.ts";
import { readValidatorSet, VALIDATOR_SET_ADDRESS, validatorSetStorage } from "./validator-set.ts";
import { LEADER_SEED_SLOT, type PortReport, readLeaderSeed } from "./validator-set-port.ts";

const EPOCHS = { epochLength: 10, epochLead: 3 };
const OTHER = addressFromHex("00000000000000000000000000000000000c0dea");
const first = sets();
const second = sets("other", OTHER);

function chainOf(plan: ModuleChainPlan = {}): ContractChain {
  const chain = moduleChain({
    active: [
      [first, EMPTY_BYTES],
      [second, EMPTY_BYTES],
    ],
    ...EPOCHS,
    validatorSets: { kind: "module", name: "sets" },
    ...plan,
  });
  nonces.set(chain, 0);
  return chain;
}

const nonces = new WeakMap<ContractChain, number>();

/** Has a module answer something from now on. */
function answer(chain: ContractChain, module: "sets" | "other", slot: bigint, value: bigint): void {
  const nonce = nonces.get(chain) ?? 0;
  nonces.set(chain, nonce + 1);
  chain.execute([transactionOf(ALICE, nonce, module === "sets" ? SETS : OTHER, writeData(slot, value))]);
}

/** Past the frozen height of an epoch. */
function seal(chain: ContractChain, epoch: number): void {
  chain.advance(frozenHeight(EPOCHS, epoch));
}

/** Of the newest block. */
function portOf(chain: ContractChain): PortReport | undefined {
  return chain.applied?.port;
}

function names(chain: ContractChain): readonly string[] {
  const set = readValidatorSet(chain.state);
  assert.ok(set.ok);
  return set.value.validators.map(({ name }) => name);
}

function bySlot(a: SlotChange, b: SlotChange): number {
  return a.slot < b.slot ? -1 : 1;
}

/** Storage holds the set and the seed, and nothing that a set before left. */
function assertWhole(chain: ContractChain, indices: readonly number[], seed = 0n): void {
  const set = { schemeId: 1, validators: indices.map(testValidator) };
  const expected = [...validatorSetStorage(set), { slot: LEADER_SEED_SLOT, value: seed }];
  const found = [...chain.state.slots(VALIDATOR_SET_ADDRESS)];
  assert.deepEqual(found.sort(bySlot), expected.filter(({ value }) => value !== 0n).sort(bySlot));
}

test("the module that genesis names decides on the set of each next epoch, which replaces the one before without a trace", () => {
  const chain = chainOf({ validators: 2 });
  answer(chain, "sets", 0n, 0b1111_1111n);
  answer(chain, "sets", 1n, 77n);
  chain.advance(frozenHeight(EPOCHS, 0) - 1);
  assert.deepEqual(names(chain), ["validator-0", "validator-1"]);
  chain.execute([]);
  assert.deepEqual(chain.applied?.port, { holder: "sets", isNew: false, refused: [] });
  assertWhole(chain, [0, 1, 2, 3, 4, 5, 6, 7], 77n);
  assert.deepEqual(readLeaderSeed(chain.state), hashFromWord(77n));
  answer(chain, "sets", 0n, 0b10_0100n);
  seal(chain, 1);
  assertWhole(chain, [2, 5], 77n);
  answer(chain, "sets", 1n, 0n);
  seal(chain, 2);
  assertWhole(chain, [2, 5]);
  assert.equal(readLeaderSeed(chain.state), undefined);
});

test("a module without an answer, or with one that cannot be a set, lets the current set go on, by the epoch's number", () => {
  const chain = chainOf({ validators: 2 });
  answer(chain, "sets", 1n, 5n);
  answer(chain, "sets", 0n, 0b11n);
  seal(chain, 0);
  assertWhole(chain, [0, 1], 5n);
  let epoch = 0;
  for (const [value, code] of [
    [0n, undefined],
    [NO_WEIGHTS | 0b1n, "validators/weight"],
    [NO_WEIGHTS, "validators/count"],
    [SPOIL_PROOFS | 0b1111_0000n, "validators/possession"],
  ] as const) {
    chain.advance(lastHeight(EPOCHS, epoch));
    epoch += 1;
    answer(chain, "sets", 0n, value);
    seal(chain, epoch);
    const { port } = chain.applied!;
    assert.deepEqual([port?.holder, port?.isNew, port?.refused[0]?.failure.code], ["sets", false, code]);
    assertWhole(chain, [0, 1]);
  }
});

test("a validator whose new key is not proved is left out of what is written, if the others are enough", () => {
  const chain = chainOf({ validators: 8, verifyPossession: bls().verifyPossession });
  answer(chain, "sets", 0n, 0b1111_1110n);
  seal(chain, 0);
  assertWhole(chain, [1, 2, 3, 4, 5, 6, 7]);
  // Weights are 1 to 8: only the first key is new now.
  answer(chain, "sets", 0n, SPOIL_PROOFS | 0b1111_1111n);
  seal(chain, 1);
  assert.deepEqual(
    names(chain),
    [1, 2, 3, 4, 5, 6, 7].map((index) => `validator-${index}`),
  );
});

test("a handover happens at the first epoch from the one named for which the new holder has a valid set; until then the old one goes on", () => {
  const chain = chainOf({ validators: 2 });
  answer(chain, "sets", 0n, 0b11n);
  answer(chain, "other", 0n, 0b1100n);
  assert.equal(chain.send(AUTHORITY, "handOver", [nameWord("other"), 2]), "done");
  seal(chain, 0);
  assert.deepEqual(chain.applied?.port, { holder: "sets", isNew: false, refused: [] });
  answer(chain, "other", 0n, NO_WEIGHTS);
  answer(chain, "sets", 0n, 0b111n);
  seal(chain, 1);
  assert.deepEqual(
    chain.applied?.port?.refused.map(({ name }) => name),
    ["other"],
  );
  assertWhole(chain, [0, 1, 2]);
  answer(chain, "other", 0n, 0n);
  seal(chain, 2);
  assert.deepEqual(chain.applied?.port, { holder: "sets", isNew: false, refused: [] });
  assert.equal(chain.ask("nextHolder"), nameWord("other"));
  answer(chain, "other", 0n, 0b11_0000n);
  seal(chain, 3);
  assert.deepEqual(chain.applied?.port, { holder: "other", isNew: true, refused: [] });
  assertWhole(chain, [4, 5]);
  assert.equal(chain.ask("holder"), nameWord("other"));
  assert.deepEqual([chain.ask("nextHolder"), chain.ask("fromEpoch")], [`0x${"00".repeat(32)}`, 0n]);
  answer(chain, "sets", 0n, 0b1n);
  seal(chain, 4);
  assertWhole(chain, [4, 5]);
});

test("a handover that is taken back in the frozen block itself does not happen, and one that is asked for there does", () => {
  const chain = chainOf({ validators: 2 });
  answer(chain, "other", 0n, 0b1100n);
  assert.equal(chain.send(AUTHORITY, "handOver", [nameWord("other"), 1]), "done");
  chain.advance(frozenHeight(EPOCHS, 0) - 1);
  assert.equal(chain.send(AUTHORITY, "cancelHandOver", []), "done");
  assert.equal(chain.applied?.port?.isNew, false);
  chain.advance(frozenHeight(EPOCHS, 1) - 1);
  assert.equal(chain.send(AUTHORITY, "handOver", [nameWord("other"), 2]), "done");
  assert.equal(chain.applied?.port?.isNew, true);
  assertWhole(chain, [2, 3]);
});

test("a module that is not active yet is not asked", () => {
  const chain = chainOf({ has: [first, second], active: [[first, EMPTY_BYTES]], validators: 2 });
  schedule(chain, second, 15);
  assert.equal(chain.send(AUTHORITY, "handOver", [nameWord("other"), 1]), "done");
  seal(chain, 0);
  assert.deepEqual(chain.applied?.port, { holder: "sets", isNew: false, refused: [] });
  chain.advance(15);
  answer(chain, "other", 0n, 0b1n);
  seal(chain, 1);
  assert.equal(chain.applied?.port?.holder, "other");
});

for (const kind of ["fixed", "managed"] as const) {
  test(`a chain whose set is ${kind} hands over to a module: a contract loses its code, so that nobody else decides`, () => {
    const owner = addressOfSecretKey(ALICE);
    const validatorSets = kind === "fixed" ? ({ kind } as const) : ({ kind, owner } as const);
    const chain = chainOf({ validators: 3, validatorSets });
    seal(chain, 0);
    assert.equal(portOf(chain), undefined);
    assert.deepEqual(names(chain).length, 3);
    answer(chain, "sets", 0n, 0b1_0001n);
    assert.equal(chain.send(AUTHORITY, "handOver", [nameWord("sets"), 1]), "done");
    seal(chain, 1);
    assert.equal(portOf(chain)?.isNew, true);
    assert.deepEqual(names(chain), ["validator-0", "validator-4"]);
    const account = chain.state.account(VALIDATOR_SET_ADDRESS);
    assert.equal(toHex(chain.state.code(account!.codeHash)), "0x");
    assert.equal(account?.nonce, 1n);
  });
}
