import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, toHexDigits } from "@ostrom/base";
import { SCHEME_BLS12381, SCHEME_ML_DSA_44, SCHEME_SM2 } from "@ostrom/crypto";
import type { ValidatorSet } from "@ostrom/execution";
import { readNodeOfPeer } from "./nodes.ts";
import { admin, nodeArguments, testAlliance, testNode } from "./testing/alliance.ts";
import { bytesOf, decided, MembershipLedger } from "./testing/membership-ledger.ts";
import { validatorSet } from "./validators.ts";

const KEY_BYTES = 1312;
const PROOF_BYTES = 2420;
const nextKey = (id: number): Uint8Array => bytesOf(`next ${id}`, KEY_BYTES);
const NEXT_PROOF = bytesOf("proof", PROOF_BYTES);

const rotate = (ledger: MembershipLedger, id: number, key = nextKey(id), proof = NEXT_PROOF): string =>
  ledger.send(admin(id), "setConsensusKey", id, toHex(key), toHex(proof));

const setOf = (ledger: MembershipLedger, current?: ValidatorSet): ValidatorSet =>
  validatorSet(ledger.state, current)!.set;

test("members change the scheme together: until the last node has a key of it, all go on with those of before", () => {
  const ledger = new MembershipLedger(testAlliance(4));
  const before = setOf(ledger);
  assert.equal(before.schemeId, SCHEME_BLS12381);
  for (const id of [1, 2, 3]) {
    assert.equal(rotate(ledger, id), "done");
    assert.deepEqual(setOf(ledger, before), before, `${id} of 4`);
  }
  assert.equal(rotate(ledger, 4), "done");
  const after = setOf(ledger, before);
  assert.equal(after.schemeId, SCHEME_ML_DSA_44);
  assert.deepEqual(
    after.validators.map(({ consensusKey }) => toHexDigits(consensusKey)),
    [1, 2, 3, 4].map((id) => toHexDigits(nextKey(id))),
  );
});

test("who holds a change of scheme up is suspended by the others, and a new node waits until it has a key of the set's", () => {
  const ledger = new MembershipLedger(testAlliance(4));
  const before = setOf(ledger);
  for (const id of [1, 2, 3]) rotate(ledger, id);
  const keys = {
    consensusKey: bytesOf("late", KEY_BYTES),
    proofOfPossession: NEXT_PROOF,
    transportKey: bytesOf("late link", 32),
  };
  assert.equal(ledger.send(admin(1), "addNode", ...nodeArguments(1, testNode("late", keys))), "done");
  assert.deepEqual(setOf(ledger, before), before);
  assert.equal(ledger.decide([1, 2, 3].map(admin), decided("suspend", 4)), "done");
  const after = setOf(ledger, before);
  assert.equal(after.schemeId, SCHEME_ML_DSA_44);
  assert.deepEqual(
    after.validators.map(({ name }) => name),
    ["node-1", "node-2", "node-3", "late"],
  );
});

test("key and proof must be as long as one scheme's, and a transport key of another kind spoils no set", () => {
  const ledger = new MembershipLedger(testAlliance(4));
  const before = setOf(ledger);
  assert.equal(rotate(ledger, 1, nextKey(1), bytesOf("proof", 96)), "WrongKeyLength");
  assert.equal(rotate(ledger, 1, bytesOf("key", 49), bytesOf("proof", 96)), "WrongKeyLength");
  assert.equal(rotate(ledger, 1, bytesOf("key", 48), new Uint8Array(0)), "WrongKeyLength");
  assert.equal(ledger.send(admin(1), "setTransportKey", 1, toHex(bytesOf("link", 33))), "WrongKeyLength");
  assert.equal(ledger.send(admin(1), "setTransportKey", 1, toHex(bytesOf("link", 64))), "done");
  assert.deepEqual(
    setOf(ledger, before).validators.map(({ name }) => name),
    ["node-2", "node-3", "node-4"],
  );
});

test("a consensus key that is as long as a transport key names no peer", () => {
  const ledger = new MembershipLedger(testAlliance(4));
  const key = bytesOf("sm2", 64);
  assert.equal(rotate(ledger, 1, key, bytesOf("proof", 64)), "done");
  assert.equal(readNodeOfPeer(ledger.state, toHexDigits(key)), undefined);
  const alone = { ...setOf(ledger), schemeId: SCHEME_SM2 };
  assert.equal(
    setOf(ledger, { ...alone, validators: [] }).validators.length,
    1,
    "the only one of that scheme",
  );
});
