import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, type Bytes, equalBytes, must, toHex } from "@ostrom/base";
import { readNextValidatorSet, type ValidatorSet } from "@ostrom/execution";
import { validatorSetStorage } from "../../../core/execution/validator-set.ts";
import { admin, testAlliance } from "./testing/alliance.ts";
import { bytesOf, decided, MembershipLedger } from "./testing/membership-ledger.ts";
import { validatorSet } from "./validators.ts";

const UNPROVED = bytesOf("proof of nobody", 96);
const verifyPossession = (_: Bytes, proof: Bytes): boolean => !equalBytes(proof, UNPROVED);

const setOf = (ledger: MembershipLedger): ValidatorSet => must(validatorSet(ledger.state), "active").set;

/** What every node would take for the next epoch. */
function next(ledger: MembershipLedger, current: ValidatorSet): readonly string[] | string {
  const slots = new Map(validatorSetStorage(setOf(ledger)).map(({ slot, value }) => [slot, value]));
  const state = { storage: (_: Address, slot: bigint) => slots.get(slot) ?? 0n };
  const { set, refused } = readNextValidatorSet(state, current, verifyPossession);
  return refused?.code ?? set.validators.map(({ name }) => name);
}

test("a member with a third of the weight that has no proof of its key holds up the others' changes only until it is suspended", () => {
  const ledger = new MembershipLedger(testAlliance(3));
  const current = setOf(ledger);
  const key = toHex(bytesOf("new", 48));
  assert.equal(ledger.send(admin(1), "setConsensusKey", 1, key, toHex(UNPROVED)), "done");
  assert.equal(next(ledger, current), "validators/possession");
  assert.equal(ledger.decide([2, 3].map(admin), decided("suspend", 1)), "done");
  assert.deepEqual(next(ledger, current), ["node-2", "node-3"]);
  const four = new MembershipLedger(testAlliance(4));
  const before = setOf(four);
  assert.equal(four.send(admin(1), "setConsensusKey", 1, key, toHex(UNPROVED)), "done");
  assert.deepEqual(next(four, before), ["node-2", "node-3", "node-4"], "one with less is left out at once");
});
