import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, hashFromWord, toHex, unwrap } from "@ostrom/base";
import { bls } from "@ostrom/crypto";
import { frozenHeight } from "./epochs.ts";
import { type NextValidatorSet, readNextValidatorSet } from "./next-validator-set.ts";
import { addressOfSecretKey } from "./signature.ts";
import { ContractChain, MANAGED_ABI } from "./testing/contract-chain.ts";
import { testKey } from "./testing/random-transactions.ts";
import { funded, testGenesis, testValidator } from "./testing/test-chain.ts";
import { readValidatorSet, type Validator } from "./validator-set.ts";

const OWNER = testKey(1);
const STRANGER = testKey(2);
/** Of `testValidator(index)`. */
const accountKey = (index: number): Bytes => testKey(900 + index);

function managedChain(validators = 3): ContractChain {
  const accounts = [OWNER, STRANGER, ...[0, 1, 2, 3].map(accountKey)].map((key) =>
    funded(addressOfSecretKey(key)),
  );
  const genesis = testGenesis({
    accounts,
    validators,
    epochLength: 16,
    validatorSets: { kind: "managed", owner: addressOfSecretKey(OWNER) },
  });
  return new ContractChain(genesis, MANAGED_ABI);
}

/** As the contract takes it. */
function argument(validator: Validator, changes: Readonly<Record<string, unknown>> = {}): unknown {
  const { address, weight, port, name, host } = validator;
  const keys = {
    consensusKey: toHex(validator.consensusKey),
    proofOfPossession: toHex(validator.proofOfPossession),
    transportKey: toHex(validator.transportKey),
  };
  return { account: toHex(address), weight: BigInt(weight), port, name, host, ...keys, ...changes };
}

const keyOf = (index: number): string => toHex(testValidator(index).consensusKey);

/** What every node would take for the next epoch. */
function next(chain: ContractChain): NextValidatorSet {
  return readNextValidatorSet(chain.state, chain.genesis.validatorSet, bls().verifyPossession);
}

const namesIn = (chain: ContractChain): readonly string[] =>
  next(chain).set.validators.map(({ name }) => name);

test("genesis writes the contract's own slots: owner, weight, and who has which key", () => {
  const chain = managedChain();
  assert.equal(String(chain.ask("owner")).toLowerCase(), toHex(addressOfSecretKey(OWNER)));
  assert.equal(chain.ask("totalWeight"), 6n);
  assert.equal(chain.ask("validatorCount"), 3n);
  assert.deepEqual(unwrap(readValidatorSet(chain.state)), chain.genesis.validatorSet);
  const taken = argument(testValidator(9), { transportKey: toHex(testValidator(1).transportKey) });
  assert.equal(chain.send(OWNER, "addValidator", [taken]), "KeyTaken");
});

test("the owner adds a validator, and every node reads it from the state", () => {
  const chain = managedChain();
  assert.equal(chain.send(OWNER, "addValidator", [argument(testValidator(3))]), "done");
  const { set, refused, leftOut } = next(chain);
  assert.deepEqual([refused, leftOut], [undefined, []]);
  assert.deepEqual(set.validators, [0, 1, 2, 3].map(testValidator));
  assert.equal(chain.ask("totalWeight"), 10n);
});

test("the owner removes validators; the last of the list takes the place, and is still found by its keys", () => {
  const chain = managedChain(4);
  assert.equal(chain.send(OWNER, "removeValidator", [keyOf(0)]), "done");
  assert.deepEqual(namesIn(chain), ["validator-3", "validator-1", "validator-2"]);
  assert.equal(chain.send(OWNER, "removeValidator", [keyOf(0)]), "UnknownValidator");
  assert.equal(chain.send(OWNER, "setWeight", [keyOf(3), 9n]), "done");
  assert.equal(chain.send(OWNER, "removeValidator", [keyOf(2)]), "done");
  assert.equal(chain.send(OWNER, "removeValidator", [keyOf(3)]), "done");
  assert.equal(chain.send(OWNER, "removeValidator", [keyOf(1)]), "LastValidator");
  assert.deepEqual(namesIn(chain), ["validator-1"]);
  assert.equal(chain.ask("totalWeight"), 2n);
  assert.equal(chain.send(OWNER, "addValidator", [argument(testValidator(0))]), "done");
  assert.deepEqual(namesIn(chain), ["validator-1", "validator-0"]);
});

test("weights stay above 0 and together below 2^53", () => {
  const chain = managedChain();
  assert.equal(chain.send(OWNER, "setWeight", [keyOf(0), 0n]), "ZeroWeight");
  assert.equal(chain.send(OWNER, "setWeight", [keyOf(0), 2n ** 53n - 6n]), "done");
  assert.equal(chain.send(OWNER, "setWeight", [keyOf(0), 2n ** 53n - 5n]), "TooMuchWeight");
  assert.equal(
    chain.send(OWNER, "addValidator", [argument(testValidator(3), { weight: 1n })]),
    "TooMuchWeight",
  );
  assert.equal(next(chain).set.validators[0]?.weight, 2 ** 53 - 6);
});

test("who may do what: the owner the list, a validator's account its keys and host", () => {
  const chain = managedChain();
  const added = argument(testValidator(3));
  const [newKey, proof] = [toHex(testValidator(5).consensusKey), toHex(testValidator(5).proofOfPossession)];
  for (const key of [STRANGER, accountKey(0)]) {
    assert.equal(chain.send(key, "addValidator", [added]), "NotOwner");
    assert.equal(chain.send(key, "removeValidator", [keyOf(1)]), "NotOwner");
    assert.equal(chain.send(key, "setWeight", [keyOf(1), 5n]), "NotOwner");
    assert.equal(chain.send(key, "transferOwnership", [toHex(addressOfSecretKey(key))]), "NotOwner");
  }
  for (const key of [STRANGER, OWNER, accountKey(0)]) {
    assert.equal(chain.send(key, "rotateConsensusKey", [keyOf(1), newKey, proof]), "NotThisValidator");
    assert.equal(chain.send(key, "setTransportKey", [keyOf(1), toHex(hashFromWord(7n))]), "NotThisValidator");
    assert.equal(chain.send(key, "setEndpoint", [keyOf(1), "h", 1]), "NotThisValidator");
  }
  assert.equal(
    chain.send(STRANGER, "setAccount", [keyOf(1), toHex(addressOfSecretKey(STRANGER))]),
    "NotThisValidator",
  );
  assert.deepEqual(unwrap(readValidatorSet(chain.state)), chain.genesis.validatorSet);
});

test("a validator changes its consensus key, transport key, host and account", () => {
  const chain = managedChain();
  const fresh = testValidator(5);
  const newKey = toHex(fresh.consensusKey);
  assert.equal(
    chain.send(accountKey(1), "rotateConsensusKey", [keyOf(1), newKey, toHex(fresh.proofOfPossession)]),
    "done",
  );
  assert.equal(chain.send(accountKey(1), "setTransportKey", [newKey, toHex(fresh.transportKey)]), "done");
  assert.equal(chain.send(accountKey(1), "setEndpoint", [newKey, "validator-5.example", 4_000]), "done");
  assert.equal(
    chain.send(accountKey(1), "setAccount", [newKey, toHex(addressOfSecretKey(STRANGER))]),
    "done",
  );
  assert.equal(chain.send(accountKey(1), "setEndpoint", [newKey, "h", 1]), "NotThisValidator");
  assert.equal(chain.send(STRANGER, "setEndpoint", [keyOf(1), "h", 1]), "UnknownValidator");
  const changed = {
    ...testValidator(1),
    address: addressOfSecretKey(STRANGER),
    consensusKey: fresh.consensusKey,
    proofOfPossession: fresh.proofOfPossession,
    transportKey: fresh.transportKey,
    host: "validator-5.example",
    port: 4_000,
  };
  assert.deepEqual(next(chain).set.validators, [testValidator(0), changed, testValidator(2)]);
  assert.equal(
    chain.send(OWNER, "addValidator", [argument(testValidator(1))]),
    "done",
    "its old keys are free",
  );
});

test("the old owner has nothing to say after a transfer", () => {
  const chain = managedChain();
  const zero = `0x${"00".repeat(20)}`;
  assert.equal(chain.send(OWNER, "transferOwnership", [zero]), "ZeroAddress");
  assert.equal(chain.send(OWNER, "transferOwnership", [toHex(addressOfSecretKey(STRANGER))]), "done");
  assert.equal(chain.send(OWNER, "removeValidator", [keyOf(0)]), "NotOwner");
  assert.equal(chain.send(STRANGER, "removeValidator", [keyOf(0)]), "done");
});

test("the contract refuses what every node would refuse to read", () => {
  const chain = managedChain();
  const wrong: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
    [{ consensusKey: `0x${"11".repeat(47)}` }, "WrongKeyLength"],
    [{ proofOfPossession: `0x${"11".repeat(97)}` }, "WrongKeyLength"],
    [{ transportKey: "0x" }, "WrongKeyLength"],
    [{ name: "" }, "WrongName"],
    [{ name: "n".repeat(65) }, "WrongName"],
    [{ name: "a:b" }, "WrongName"],
    [{ name: "ä" }, "WrongName"],
    [{ host: "a b" }, "WrongHost"],
    [{ host: "h".repeat(254) }, "WrongHost"],
    [{ port: 0 }, "WrongPort"],
    [{ weight: 0n }, "ZeroWeight"],
    [{ consensusKey: keyOf(0) }, "KeyTaken"],
  ];
  for (const [changes, error] of wrong) {
    assert.equal(chain.send(OWNER, "addValidator", [argument(testValidator(3), changes)]), error);
  }
  const longest = { name: "n".repeat(64), host: `${"h".repeat(249)}:::z`, port: 65_535 };
  assert.equal(chain.send(OWNER, "addValidator", [argument(testValidator(3), longest)]), "done");
  const { set, refused } = next(chain);
  assert.equal(refused, undefined);
  assert.deepEqual(set.validators[3], { ...testValidator(3), ...longest });
});

test("a validator whose new key is not proved is left out; too many of them leave the set as it was", () => {
  const chain = managedChain(4);
  const fresh = toHex(testValidator(7).consensusKey);
  const wrongProof = toHex(testValidator(6).proofOfPossession);
  assert.equal(chain.send(accountKey(0), "rotateConsensusKey", [keyOf(0), fresh, wrongProof]), "done");
  const one = next(chain);
  assert.deepEqual([one.refused, one.leftOut], [undefined, ["validator-0"]]);
  assert.deepEqual(one.set.validators, [1, 2, 3].map(testValidator));
  const [other, proof] = [toHex(testValidator(8).consensusKey), wrongProof];
  assert.equal(chain.send(accountKey(3), "rotateConsensusKey", [keyOf(3), other, proof]), "done");
  const two = next(chain);
  assert.equal(two.refused?.code, "validators/possession");
  assert.deepEqual(two.set, chain.genesis.validatorSet);
});

test("the height at which the set is read changes nothing in it: the contract needs no call", () => {
  const chain = managedChain();
  assert.equal(chain.send(OWNER, "addValidator", [argument(testValidator(3))]), "done");
  const before = next(chain).set;
  chain.advance(frozenHeight(chain.genesis, 0));
  assert.deepEqual(next(chain).set, before);
});
