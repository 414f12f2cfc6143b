import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToBigint, createRandom, toHex, Weight, wordToBytes } from "@ostrom/base";
import { bls, keccak256 } from "@ostrom/crypto";
import { MemoryState, type StateReader } from "@ostrom/state";
import { isSameValidatorSet, readNextValidatorSet } from "./next-validator-set.ts";
import { testValidator } from "./testing/test-chain.ts";
import {
  MAX_VALIDATOR_COUNT,
  type Validator,
  type ValidatorSet,
  validatorSetAccount,
  validatorSetStorage,
} from "./validator-set.ts";

const CURRENT: ValidatorSet = { schemeId: 1, validators: [0, 1, 2].map(testValidator) };
const COUNT_SLOT = 2n;
const FIRST_SLOT = bytesToBigint(keccak256(wordToBytes(COUNT_SLOT)));
/** Slots that the largest set takes: 3, and for each validator 6 and the content of 5 fields as long as may be. */
const MOST_READS = 3 + MAX_VALIDATOR_COUNT * (6 + 2 + 3 + 1 + 2 + 8);

const accept = (): boolean => true;
const refuse = (): boolean => false;

type Storage = Pick<StateReader, "storage">;

/** Storage with some slots replaced. */
function withSlots(validators: readonly Validator[], slots: Readonly<Record<string, bigint>> = {}): Storage {
  const words = new Map<bigint, bigint>();
  for (const { slot, value } of validatorSetStorage({ schemeId: 1, validators })) words.set(slot, value);
  for (const [slot, value] of Object.entries(slots)) words.set(BigInt(slot), value);
  return { storage: (_, slot) => words.get(slot) ?? 0n };
}

/** The code of what is refused; the current set goes on. */
function refusal(state: Storage): string | undefined {
  const { set, refused } = readNextValidatorSet(state, CURRENT, accept);
  if (refused !== undefined) assert.equal(set, CURRENT);
  return refused?.code;
}

test("the set that state holds is the next one, in its order", () => {
  const validators = [5, 1, 4].map(testValidator);
  const next = readNextValidatorSet(withSlots(validators), CURRENT, bls().verifyPossession);
  assert.deepEqual(next, { set: { schemeId: 1, validators }, refused: undefined, leftOut: [] });
});

test("keys that validate already need no second proof; new ones do", () => {
  const proofless = { ...testValidator(1), proofOfPossession: testValidator(2).proofOfPossession };
  const state = withSlots([testValidator(0), proofless, testValidator(3)]);
  const asked: string[] = [];
  const next = readNextValidatorSet(state, CURRENT, (publicKey, proof) => {
    asked.push(toHex(publicKey));
    return bls().verifyPossession(publicKey, proof);
  });
  assert.equal(next.refused, undefined);
  assert.deepEqual(asked, [toHex(testValidator(3).consensusKey)]);
});

test("validators without proofs are left out if the others have more than two thirds of the weight", () => {
  const weighing = (weight: number, index: number): Validator => ({
    ...testValidator(index),
    weight: Weight(weight),
  });
  const cases: readonly (readonly [readonly number[], boolean])[] = [
    [[1, 1, 1, 1], true],
    [[1, 1, 1, 2], false],
    [[2, 2, 3, 3], true],
    [[1, 1, 0, 1].map((weight) => weight || 1), true],
    [[2 ** 51, 2 ** 51, 2 ** 51, 2 ** 50], true],
  ];
  for (const [weights, isTaken] of cases) {
    // The last one is new.
    const next = readNextValidatorSet(withSlots(weights.map(weighing)), CURRENT, refuse);
    assert.deepEqual(next.leftOut, ["validator-3"]);
    assert.equal(next.refused?.code, isTaken ? undefined : "validators/possession");
    assert.deepEqual(
      next.set,
      isTaken ? { schemeId: 1, validators: weights.slice(0, 3).map(weighing) } : CURRENT,
    );
  }
});

test("keys and proofs that are no points are not proved", () => {
  const random = createRandom(5);
  const [wanted, ...others] = [0, 1, 2].map(testValidator) as [Validator, ...Validator[]];
  for (const consensusKey of [random.bytes(48), new Uint8Array(48), new Uint8Array(48).fill(255)]) {
    for (const proofOfPossession of [random.bytes(96), new Uint8Array(96), wanted.proofOfPossession]) {
      const hostile = { ...wanted, consensusKey, proofOfPossession };
      const next = readNextValidatorSet(withSlots([...others, hostile]), CURRENT, bls().verifyPossession);
      assert.deepEqual(next, {
        set: { schemeId: 1, validators: others },
        refused: undefined,
        leftOut: [wanted.name],
      });
    }
  }
});

test("a set that cannot be is refused, and the current one goes on", () => {
  const one = [testValidator(5)];
  const two = [5, 6].map(testValidator);
  const twin = (changes: Partial<Validator>) => [testValidator(5), { ...testValidator(6), ...changes }];
  const slotOf = (index: number): string => String(FIRST_SLOT + BigInt(index));
  const packed = (weight: bigint, port: bigint): bigint => (weight << 160n) | (port << 224n);
  const cases: readonly (readonly [string | undefined, Storage])[] = [
    [undefined, withSlots(one)],
    ["validators/unreadable", withSlots(one, { 0: 2n })],
    ["validators/unreadable", { storage: () => 0n }],
    ["validators/unreadable", { storage: () => 2n ** 256n - 1n }],
    ["validators/scheme", withSlots(one, { 1: 2n })],
    ["validators/scheme", withSlots(one, { 1: 2n ** 256n - 1n })],
    ["validators/count", withSlots(one, { 2: 0n })],
    ["validators/count", withSlots(one, { 2: 1025n })],
    ["validators/count", withSlots(one, { 2: 2n ** 255n })],
    ["validators/unreadable", withSlots(one, { 2: 2n })],
    ["validators/weight", withSlots(one, { [slotOf(0)]: packed(0n, 1n) })],
    ["validators/unreadable", withSlots(one, { [slotOf(0)]: packed(1n, 0n) })],
    [undefined, withSlots(one, { [slotOf(0)]: packed(2n ** 53n - 1n, 1n) })],
    ["validators/unreadable", withSlots(one, { [slotOf(0)]: packed(2n ** 53n, 1n) })],
    ["validators/unreadable", withSlots(one, { [slotOf(0)]: packed(2n ** 64n - 1n, 1n) })],
    ["validators/weight", withSlots(two, { [slotOf(0)]: packed(2n ** 53n - 7n, 1n) })],
    ["validators/duplicate", withSlots(twin({ consensusKey: testValidator(5).consensusKey }))],
    ["validators/duplicate", withSlots(twin({ transportKey: testValidator(5).transportKey }))],
    [undefined, withSlots(twin({ name: "validator-5", host: "127.0.0.1", port: 30_315 }))],
    ["validators/unreadable", withSlots(twin({ consensusKey: new Uint8Array(47) }))],
    ["validators/unreadable", withSlots(twin({ consensusKey: new Uint8Array(49) }))],
    ["validators/unreadable", withSlots(twin({ proofOfPossession: new Uint8Array(0) }))],
    ["validators/unreadable", withSlots(twin({ transportKey: new Uint8Array(31) }))],
    ["validators/unreadable", withSlots(twin({ name: "" }))],
    ["validators/unreadable", withSlots(twin({ name: "n".repeat(65) }))],
    ["validators/unreadable", withSlots(twin({ name: "a\n" }))],
    ["validators/unreadable", withSlots(twin({ host: "h".repeat(254) }))],
    ["validators/unreadable", withSlots(twin({ host: "http://h" }))],
    // Lengths that Solidity never writes, and one that nobody could read.
    ["validators/unreadable", withSlots(one, { [slotOf(4)]: (31n << 1n) | 1n })],
    ["validators/unreadable", withSlots(one, { [slotOf(4)]: 32n << 1n })],
    ["validators/unreadable", withSlots(one, { [slotOf(5)]: 2n ** 256n - 1n })],
    ["validators/unreadable", withSlots(one, { [slotOf(1)]: 2n ** 200n + 1n })],
  ];
  cases.forEach(([code, state], index) => {
    assert.equal(refusal(state), code, `case ${index}`);
  });
});

test("reading is bounded, whatever lengths storage tells", () => {
  const base = testValidator(0);
  const longest = Array.from({ length: MAX_VALIDATOR_COUNT }, (_, index) => {
    const seed = keccak256(wordToBytes(BigInt(index)));
    return {
      ...base,
      consensusKey: new Uint8Array([...seed, ...seed.subarray(0, 16)]),
      transportKey: seed,
      name: "n".repeat(64),
      host: "h".repeat(253),
    };
  });
  const full = withSlots(longest);
  let reads = 0;
  const counted = (state: Storage): Storage => ({
    storage: (address, slot) => {
      reads++;
      return state.storage(address, slot);
    },
  });
  assert.equal(
    readNextValidatorSet(counted(full), CURRENT, accept).set.validators.length,
    MAX_VALIDATOR_COUNT,
  );
  assert.equal(reads, MOST_READS);
  const random = createRandom(11);
  for (let i = 0; i < 500; i++) {
    reads = 0;
    // Mostly words that pass as lengths, so that reading goes far.
    const word = (): bigint =>
      random.chance(1, 3) ? bytesToBigint(random.bytes(32)) : BigInt(random.below(600));
    const head: Readonly<Record<string, bigint>> = { 0: 1n, 1: 1n, 2: BigInt(1 + random.below(1024)) };
    const hostile: Storage = { storage: (_, slot) => head[String(slot)] ?? word() };
    readNextValidatorSet(counted(hostile), CURRENT, refuse);
    assert.ok(reads <= MOST_READS);
  }
});

test("two sets are the same if members, keys, weights and order are; names and hosts do not count", () => {
  assert.ok(isSameValidatorSet(CURRENT, { schemeId: 1, validators: [0, 1, 2].map(testValidator) }));
  const [first, ...rest] = CURRENT.validators as [Validator, ...Validator[]];
  const changed = (changes: Partial<Validator>): ValidatorSet => ({
    schemeId: 1,
    validators: [{ ...first, ...changes }, ...rest],
  });
  assert.ok(isSameValidatorSet(CURRENT, changed({ host: "elsewhere", port: 1, name: "x" })));
  const other = testValidator(9);
  for (const set of [
    changed({ weight: Weight(7) }),
    changed({ consensusKey: other.consensusKey }),
    changed({ transportKey: other.transportKey }),
    changed({ address: other.address }),
    { schemeId: 1, validators: rest },
    { schemeId: 1, validators: [...rest, first] },
  ]) {
    assert.ok(!isSameValidatorSet(CURRENT, set));
  }
});

test("the account of the set is what is read", () => {
  const state = MemoryState.of([validatorSetAccount(CURRENT)]);
  assert.deepEqual(readNextValidatorSet(state, CURRENT, refuse).set, CURRENT);
});
