import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { must, toHex, toHexDigits } from "@ostrom/base";
import { toFunctionSelector } from "viem";
import * as layout from "./layout.ts";
import { consentMessage } from "./possession-precompile.ts";
import { BLOCK_RANDOMNESS_SELECTOR } from "./seal-epoch.ts";
import { sortitionInput } from "./sortition.ts";
import { STAKING_ABI } from "./staking-abi.ts";
import { STAKING_CODE } from "./staking-code.ts";
import { stakingV1 } from "./staking-module.ts";
import { readStakingState } from "./staking-views.ts";
import { buildStaking, type StorageVariable } from "./testing/compile-contract.ts";
import { CHAIN_ID, person } from "./testing/played-keys.ts";
import { StakingChain } from "./testing/staking-chain.ts";

const built = buildStaking();
/** EIP-170. */
const MAX_CODE_BYTES = 24_576;

test("the code is what the Solidity sources compile to (else run testing/compile-contract.ts)", () => {
  assert.equal(toHexDigits(STAKING_CODE), built.code);
  assert.ok(STAKING_CODE.length <= MAX_CODE_BYTES, `${STAKING_CODE.length} bytes`);
});

test("the ABI is that of the sources", () => {
  assert.deepEqual([...STAKING_ABI], built.abi);
});

test("the code hash of each version is pinned: other code or other addresses are another version", () => {
  assert.equal(
    toHex(stakingV1.codeHash),
    "0x47bdbdcfc28ca25fbc2922fc373e2563474fd62d72052a8fcfb5462221e31e35",
  );
});

test("state variables stand in the slots that the nodes read and write", () => {
  const slots = built.layout.storage.map(({ label, slot }) => [label, BigInt(slot)]);
  assert.deepEqual(Object.fromEntries(slots), layout.SLOT);
});

/** Fields of a structure, as the compiler describes them. */
function fieldsOf(name: string): Record<string, layout.Field> {
  const [, type] = must(
    Object.entries(built.layout.types).find(([key]) => key.startsWith(`t_struct(${name})`)),
    `no structure ${name}`,
  );
  const describe = ({ label, slot, offset, type: own }: StorageVariable) => {
    const bytes = Math.min(32, Number(built.layout.types[own]?.numberOfBytes));
    return [label, { slot: BigInt(slot), shift: BigInt(8 * offset), bits: BigInt(8 * bytes) }];
  };
  return Object.fromEntries((type.members ?? []).map(describe));
}

test("structures have their fields where the nodes read and write them", () => {
  assert.deepEqual(fieldsOf("Settings"), layout.SETTINGS);
  assert.deepEqual(fieldsOf("Clock"), layout.CLOCK);
  assert.deepEqual(fieldsOf("Totals"), layout.TOTALS);
  assert.deepEqual(fieldsOf("Staker"), layout.STAKER);
  assert.deepEqual(fieldsOf("Committee"), layout.COMMITTEE);
  assert.deepEqual(fieldsOf("Member"), layout.MEMBER);
  assert.deepEqual(fieldsOf("Delegation"), layout.DELEGATION);
  assert.deepEqual(fieldsOf("Unbonding"), layout.UNBONDING);
});

test("structures in arrays are as large as the nodes take them to be", () => {
  const slotsOf = (name: string): number => {
    const [, type] = must(
      Object.entries(built.layout.types).find(([key]) => key.startsWith(`t_struct(${name})`)),
      `no structure ${name}`,
    );
    return Number(type.numberOfBytes) / 32;
  };
  assert.equal(BigInt(slotsOf("Staker")), layout.SLOTS_OF_A_STAKER);
  assert.equal(BigInt(slotsOf("Committee")), layout.SLOTS_OF_A_COMMITTEE);
  assert.equal(slotsOf("Member"), 1);
  assert.equal(slotsOf("Unbonding"), 1);
});

test("limits and flags are the same in the contract and in the nodes", () => {
  const source = readFileSync(join(import.meta.dirname, "StakingLayout.sol"), "utf8");
  const constant = (name: string): bigint =>
    BigInt(must(new RegExp(`constant ${name} = ([\\d_]+);`).exec(source)?.[1], name).replaceAll("_", ""));
  const { JAILED, TOMBSTONED, EXITED, REWARD_SCALE_BITS, COMMISSION_PARTS } = layout;
  const { MAX_CANDIDATES, MAX_COMMITTEE, MAX_EXPECTED_SEATS, MAX_INITIAL_VALIDATORS } = layout;
  for (const [name, value] of Object.entries({
    JAILED,
    TOMBSTONED,
    EXITED,
    REWARD_SCALE_BITS,
    COMMISSION_PARTS,
  })) {
    assert.equal(constant(name), value, name);
  }
  const { MAX_UNBONDINGS, MAX_SLASHES } = layout;
  const limits = {
    MAX_CANDIDATES,
    MAX_COMMITTEE,
    MAX_EXPECTED_SEATS,
    MAX_INITIAL_VALIDATORS,
    MAX_UNBONDINGS,
    MAX_SLASHES,
  };
  for (const [name, value] of Object.entries(limits)) assert.equal(constant(name), BigInt(value), name);
});

test("nodes ask for a block's randomness by its selector", () => {
  assert.equal(toHex(BLOCK_RANDOMNESS_SELECTOR), toFunctionSelector("blockRandomness()"));
});

test("contract and nodes name alike what keys draw with and what they consent to", () => {
  const chain = new StakingChain();
  chain.nextEpoch();
  const { round, seed } = must(readStakingState(chain.state), "staking is active");
  assert.equal(chain.ask("sortitionInput"), toHex(sortitionInput(CHAIN_ID, round + 1, seed)));
  const { address } = person(3);
  assert.equal(chain.ask("consentMessage", [toHex(address)]), toHex(consentMessage(CHAIN_ID, address)));
});
