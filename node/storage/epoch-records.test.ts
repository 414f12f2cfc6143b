import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, Hash, hex, Weight } from "@ostrom/base";
import type { Validator, ValidatorSet } from "@ostrom/execution";
import {
  type EvidenceKind,
  evidenceOperations,
  readEvidenceFrom,
  readSealProof,
  readStoredValidatorSet,
  type StoredEvidence,
  sealProofOperation,
  validatorSetOperation,
} from "./epoch-records.ts";
import { createMemoryStore } from "./memory-store.ts";

function validator(index: number): Validator {
  return {
    name: `validator-${index}`,
    address: hex("00000000000000000000000000000000000000aa") as Address,
    weight: Weight(2 ** 52 + index),
    consensusKey: new Uint8Array(48).fill(index + 1),
    proofOfPossession: new Uint8Array(96).fill(index + 1),
    transportKey: new Uint8Array(32).fill(index + 1),
    host: index === 0 ? "::1" : "node.example",
    port: 65_535,
  };
}

const SET: ValidatorSet = { schemeId: 1, validators: [validator(0), validator(1)] };

function evidence(epoch: number, index: number, kind: EvidenceKind, byte = 1): StoredEvidence {
  return { epoch, validator: index, kind, bytes: Uint8Array.of(byte, 2, 3) };
}

test("epoch records: the set of each epoch reads as it was written", async () => {
  const store = createMemoryStore();
  const other = { schemeId: 1, validators: [validator(3)] };
  await store.write([validatorSetOperation(0, SET), validatorSetOperation(2 ** 40, other)], { sync: true });
  assert.deepEqual(readStoredValidatorSet(store, 0), SET);
  assert.deepEqual(readStoredValidatorSet(store, 2 ** 40), other);
  assert.equal(readStoredValidatorSet(store, 1), undefined);
});

test("epoch records: a set keeps the seed that its leaders are drawn by", async () => {
  const store = createMemoryStore();
  const seeded = { ...SET, leaderSeed: Hash(new Uint8Array(32).fill(9)) };
  const operation = validatorSetOperation(2, seeded);
  await store.write([operation], { sync: true });
  assert.deepEqual(readStoredValidatorSet(store, 2), seeded);
  const longer = operation.value!.slice();
  longer[longer.length - 33]! -= 1;
  await store.write([{ key: operation.key, value: longer }], { sync: true });
  assert.throws(() => readStoredValidatorSet(store, 2), { code: "storage/damaged" });
});

test("epoch records: a set that cannot be read is damage", async () => {
  const store = createMemoryStore();
  const { key } = validatorSetOperation(0, SET);
  for (const value of [Uint8Array.of(1), hex("c20180"), validatorSetOperation(0, SET).value!.subarray(1)]) {
    await store.write([{ key, value }], { sync: true });
    assert.throws(() => readStoredValidatorSet(store, 0), { code: "storage/damaged" });
  }
});

test("epoch records: what shows that an epoch's last block is final is kept for each epoch", async () => {
  const store = createMemoryStore();
  const proof = Uint8Array.of(7, 7);
  await store.write([sealProofOperation(3, proof)], { sync: true });
  const read = readSealProof(store, 3);
  assert.deepEqual(read, proof);
  read?.fill(0);
  assert.deepEqual(readSealProof(store, 3), proof, "it shares no memory with the store");
  assert.equal(readSealProof(store, 4), undefined);
});

test("epoch records: evidence is told oldest epoch first, from an epoch on, up to a limit", async () => {
  const store = createMemoryStore();
  assert.deepEqual(readEvidenceFrom(store, 0, 10), []);
  const pieces = [
    evidence(5, 1, "votes"),
    evidence(2, 3, "results"),
    evidence(5, 1, "results"),
    evidence(5, 0, "votes"),
    evidence(9, 0, "votes"),
  ];
  for (const piece of pieces) await store.write(evidenceOperations(store, piece), { sync: true });
  const [a, b, c, d, e] = pieces;
  assert.deepEqual(readEvidenceFrom(store, 0, 10), [b, a, c, d, e]);
  assert.deepEqual(readEvidenceFrom(store, 3, 10), [a, c, d, e]);
  assert.deepEqual(readEvidenceFrom(store, 3, 2), [a, c]);
  assert.deepEqual(readEvidenceFrom(store, 10, 10), []);
});

test("epoch records: of each epoch, validator and kind the first piece stays", async () => {
  const store = createMemoryStore();
  const first = evidence(5, 1, "votes");
  await store.write(evidenceOperations(store, first), { sync: true });
  assert.deepEqual(evidenceOperations(store, evidence(5, 1, "votes", 9)), []);
  assert.equal(evidenceOperations(store, evidence(5, 2, "votes")).length, 1);
  assert.equal(evidenceOperations(store, evidence(6, 1, "votes")).length, 2);
  assert.deepEqual(readEvidenceFrom(store, 0, 10), [first]);
});
