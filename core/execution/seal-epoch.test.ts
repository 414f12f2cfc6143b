import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, hashFromWord, hex, toHex } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { MemoryState } from "@ostrom/state";
import { type AppliedBlock, applyBlock } from "./apply-block.ts";
import { genesisBlock } from "./genesis.ts";
import { GENESIS_TIME_MS, PROPOSER, testGenesis } from "./testing/test-chain.ts";
import type { MinedBlock } from "./types.ts";
import { VALIDATOR_SET_ADDRESS, validatorSetAccount } from "./validator-set.ts";

const GENESIS = testGenesis({ accounts: [], epochLength: 10 });
/** The chain's lead is half an epoch. */
const FROZEN = [5, 15, 25];

/** SSTORE(calldata's first argument, CALLER). */
const RECORDER = hex("336004355500");
/** Writes, then reverts. */
const REVERTER = hex("33600435555f5ffd");
/** Writes, then loops until its gas is gone. */
const LOOPER = hex("33600435555b600556");

function apply(
  code: Bytes,
  height: number,
  options: { readonly mined?: MinedBlock; readonly epochs?: boolean } = {},
): AppliedBlock {
  const account = { ...validatorSetAccount(GENESIS.validatorSet), code };
  const state = MemoryState.of([account]);
  const { header } = genesisBlock(GENESIS, state.stateRoot);
  return applyBlock({
    rules: GENESIS.rules,
    epochs: options.epochs === false ? undefined : GENESIS,
    parent: { ...header, number: height - 1 },
    state,
    blockHash: () => undefined,
    ordered: {
      height,
      timestampMs: GENESIS_TIME_MS + height * 1_000,
      orderDigest: keccak256(hashFromWord(BigInt(height))),
      proposer: PROPOSER,
      transactions: [],
      mined: options.mined,
    },
  });
}

function writes(applied: AppliedBlock): readonly (readonly [bigint, string])[] {
  const change = applied.changes.accounts.get(toHex(VALIDATOR_SET_ADDRESS).slice(2));
  return (change?.storage ?? []).map(({ slot, value }) => [slot, value.toString(16)]);
}

test("the system calls sealEpoch(next epoch) at the height that decides the next set, and at no other", () => {
  for (let height = 1; height <= 30; height++) {
    const epoch = FROZEN.indexOf(height);
    const expected = epoch === -1 ? [] : [[BigInt(epoch + 1), `${"f".repeat(39)}e`]];
    assert.deepEqual(writes(apply(RECORDER, height)), expected);
  }
});

test("a call that fails leaves no trace, and the block stands", () => {
  for (const code of [REVERTER, LOOPER, hex("fe")]) {
    const applied = apply(code, 5);
    assert.deepEqual(writes(applied), []);
    assert.equal(applied.header.gasUsed, 0n);
  }
});

test("without a contract, or on a chain without epochs, nothing is called", () => {
  assert.deepEqual(writes(apply(new Uint8Array(0), 5)), []);
  assert.deepEqual(writes(apply(RECORDER, 5, { epochs: false })), []);
});

test("the reward of a mined block goes to its proposer, after the transactions; none makes no account", () => {
  const key = toHex(PROPOSER).slice(2);
  const mined = apply(RECORDER, 1, { epochs: false, mined: { reward: 7n, difficulty: 9n } });
  assert.equal(mined.changes.accounts.get(key)?.account?.balance, 7n);
  assert.equal(mined.header.difficulty, 9n);
  const unpaid = apply(RECORDER, 1, { epochs: false, mined: { reward: 0n, difficulty: 9n } });
  assert.equal(unpaid.changes.accounts.has(key), false);
});
