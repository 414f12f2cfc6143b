import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, toHex, unwrap } from "@ostrom/base";
import {
  deriveBlsSecretKey,
  keccak256,
  SCHEME_BLS12381,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_SM2,
  validatorScheme,
} from "@ostrom/crypto";
import { type NextValidatorSet, readNextValidatorSet, verifyKeyPossession } from "./next-validator-set.ts";
import { addressOfSecretKey } from "./signature.ts";
import { ContractChain, MANAGED_ABI } from "./testing/contract-chain.ts";
import { testKey } from "./testing/random-transactions.ts";
import { funded, testGenesis, testValidator } from "./testing/test-chain.ts";
import { readValidatorSet, VALIDATOR_SET_ADDRESS } from "./validator-set.ts";

const OWNER = testKey(1);
/** Of `testValidator(index)`. */
const accountKey = (index: number): Bytes => testKey(900 + index);
const KEY_PLACE_BIT = 1n << 128n;

function managedChain(validators = 3): ContractChain {
  const accounts = [OWNER, ...[0, 1, 2, 3, 4].map(accountKey)].map((key) => funded(addressOfSecretKey(key)));
  const genesis = testGenesis({
    accounts,
    validators,
    epochLength: 16,
    validatorSets: { kind: "managed", owner: addressOfSecretKey(OWNER) },
  });
  return new ContractChain(genesis, MANAGED_ABI);
}

const made = new Map<string, { readonly key: string; readonly proof: string }>();

/** A validator's key of a scheme: another one for each number. */
function keyOf(
  schemeId: number,
  index: number,
  number = 0,
): { readonly key: string; readonly proof: string } {
  const name = `${schemeId}/${index}/${number}`;
  const known = made.get(name);
  if (known !== undefined) return known;
  const scheme = validatorScheme(schemeId)!;
  const secret = deriveBlsSecretKey(keccak256(Uint8Array.of(schemeId, index, number)));
  const keys = { key: toHex(scheme.publicKey(secret)), proof: toHex(scheme.provePossession(secret)) };
  made.set(name, keys);
  return keys;
}

const blsKey = (index: number): string => toHex(testValidator(index).consensusKey);

function setNext(
  chain: ContractChain,
  index: number,
  current: string,
  schemeId: number,
  number = 0,
): unknown {
  const { key, proof } = keyOf(schemeId, index, number);
  return chain.send(accountKey(index), "setNextKey", [current, key, proof]);
}

/** What every node would take for the next epoch. */
function next(chain: ContractChain): NextValidatorSet {
  return readNextValidatorSet(chain.state, chain.genesis.validatorSet, verifyKeyPossession);
}

const namesOf = (chain: ContractChain): readonly string[] =>
  next(chain).set.validators.map(({ name }) => name);

/** The state as a contract could have written it, with other words in some of the account's slots. */
function withWords(
  chain: ContractChain,
  words: ReadonlyMap<bigint, bigint>,
): Pick<ContractChain["state"], "storage"> {
  return {
    storage: (address, slot) =>
      (address === VALIDATOR_SET_ADDRESS ? words.get(slot) : undefined) ?? chain.state.storage(address, slot),
  };
}

test("the set changes its scheme with the last validator's key, all at once", () => {
  const chain = managedChain();
  assert.equal(setNext(chain, 0, blsKey(0), SCHEME_ML_DSA_44), "NoSchemeChange");
  assert.equal(chain.send(accountKey(0), "changeScheme", [6n]), "NotOwner");
  assert.equal(chain.send(OWNER, "changeScheme", [2n]), "WrongScheme");
  assert.equal(chain.send(OWNER, "changeScheme", [1n]), "WrongScheme");
  assert.equal(chain.send(OWNER, "changeScheme", [6n]), "done");
  for (const index of [0, 1]) {
    assert.equal(setNext(chain, index, blsKey(index), SCHEME_ML_DSA_44), "done");
    assert.equal(chain.ask("nextKeyAt", [BigInt(index)]), keyOf(SCHEME_ML_DSA_44, index).key);
  }
  assert.equal(chain.ask("nextKeyAt", [2n]), "0x");
  assert.deepEqual(next(chain).set, chain.genesis.validatorSet, "until all are ready, nothing changes");
  assert.equal(setNext(chain, 2, blsKey(2), SCHEME_ML_DSA_44), "done");
  const { set, refused, leftOut } = next(chain);
  assert.deepEqual([refused, leftOut], [undefined, []]);
  assert.equal(set.schemeId, SCHEME_ML_DSA_44);
  assert.deepEqual(
    set.validators.map(({ consensusKey }) => toHex(consensusKey)),
    [0, 1, 2].map((index) => keyOf(SCHEME_ML_DSA_44, index).key),
  );
  const [first] = chain.genesis.validatorSet.validators;
  assert.deepEqual(
    { ...set.validators[0], consensusKey: 0, proofOfPossession: 0 },
    { ...first, consensusKey: 0, proofOfPossession: 0 },
  );
  assert.equal(chain.ask("schemeId"), 6n);
  assert.equal(chain.ask("nextSchemeId"), 0n);
  const told = chain.ask("validatorAt", [1n]) as { consensusKey: string; name: string };
  assert.deepEqual([told.consensusKey, told.name], [keyOf(SCHEME_ML_DSA_44, 1).key, "validator-1"]);
});

test("under the new scheme the list is managed as before, by the new keys, and can change once more and back", () => {
  const chain = managedChain();
  chain.send(OWNER, "changeScheme", [6n]);
  for (const index of [0, 1, 2]) setNext(chain, index, blsKey(index), SCHEME_ML_DSA_44);
  const keys = [0, 1, 2, 3].map((index) => keyOf(SCHEME_ML_DSA_44, index).key);
  assert.equal(chain.send(OWNER, "setWeight", [blsKey(1), 9n]), "UnknownValidator");
  assert.equal(chain.send(OWNER, "setWeight", [keys[1], 9n]), "done");
  const other = keyOf(SCHEME_ML_DSA_44, 1, 7);
  assert.equal(
    chain.send(accountKey(1), "rotateConsensusKey", [keys[1], blsKey(5), toHex(new Uint8Array(96))]),
    "WrongKeyLength",
  );
  assert.equal(chain.send(accountKey(1), "rotateConsensusKey", [keys[1], other.key, other.proof]), "done");
  const fourth = testValidator(3);
  const { key, proof } = keyOf(SCHEME_ML_DSA_44, 3);
  const added = {
    account: toHex(fourth.address),
    weight: 4n,
    port: fourth.port,
    name: fourth.name,
    host: fourth.host,
    consensusKey: key,
    proofOfPossession: proof,
    transportKey: toHex(fourth.transportKey),
  };
  assert.equal(chain.send(OWNER, "addValidator", [added]), "done");
  assert.equal(chain.send(OWNER, "removeValidator", [keys[0]]), "done");
  assert.deepEqual(namesOf(chain), ["validator-3", "validator-1", "validator-2"]);
  assert.deepEqual(
    next(chain).set.validators.map(({ consensusKey }) => toHex(consensusKey)),
    [keys[3], other.key, keys[2]],
  );
  // Back to BLS12-381, each with a new key, because the old ones are taken.
  chain.send(OWNER, "changeScheme", [1n]);
  assert.equal(setNext(chain, 3, keys[3]!, SCHEME_BLS12381), "done");
  assert.equal(setNext(chain, 1, other.key, SCHEME_BLS12381), "done");
  assert.equal(setNext(chain, 2, keys[2]!, SCHEME_BLS12381), "done");
  const { set } = next(chain);
  assert.equal(set.schemeId, SCHEME_BLS12381);
  assert.deepEqual(
    set.validators.map(({ consensusKey }) => toHex(consensusKey)),
    [3, 1, 2].map((index) => keyOf(SCHEME_BLS12381, index).key),
  );
  assert.deepEqual(unwrap(readValidatorSet(chain.state)), set);
});

test("who is not ready holds the change up until it is removed; who joins in between must hand in a key too", () => {
  const chain = managedChain(4);
  chain.send(OWNER, "changeScheme", [5n]);
  for (const index of [0, 1, 2]) assert.equal(setNext(chain, index, blsKey(index), SCHEME_SM2), "done");
  assert.equal(chain.ask("readyCount"), 3n);
  assert.equal(chain.send(OWNER, "removeValidator", [blsKey(1)]), "done");
  assert.equal(chain.ask("readyCount"), 2n);
  assert.equal(next(chain).set.schemeId, SCHEME_BLS12381);
  assert.equal(chain.send(OWNER, "removeValidator", [blsKey(3)]), "done");
  const { set, leftOut } = next(chain);
  assert.deepEqual([set.schemeId, leftOut], [SCHEME_SM2, []]);
  assert.deepEqual(namesOf(chain), ["validator-0", "validator-2"]);
});

test("a change that is called off leaves no trace; its keys count for no other", () => {
  const chain = managedChain();
  chain.send(OWNER, "changeScheme", [6n]);
  for (const index of [0, 1]) setNext(chain, index, blsKey(index), SCHEME_ML_DSA_44);
  assert.equal(chain.send(OWNER, "changeScheme", [0n]), "done");
  assert.equal(setNext(chain, 2, blsKey(2), SCHEME_ML_DSA_44), "NoSchemeChange");
  assert.deepEqual(next(chain).set, chain.genesis.validatorSet);
  assert.equal(chain.send(OWNER, "changeScheme", [7n]), "done");
  assert.equal(chain.ask("readyCount"), 0n);
  assert.equal(chain.ask("nextKeyAt", [0n]), "0x");
  assert.equal(setNext(chain, 0, blsKey(0), SCHEME_ML_DSA_44), "WrongKeyLength");
  for (const index of [0, 1, 2])
    assert.equal(setNext(chain, index, blsKey(index), SCHEME_ML_DSA_65), "done", `${index}`);
  assert.equal(next(chain).set.schemeId, SCHEME_ML_DSA_65);
});

test("a key that is handed in again replaces the first, and a rotated key stays ready", () => {
  const chain = managedChain();
  chain.send(OWNER, "changeScheme", [5n]);
  for (const number of [0, 1, 0]) assert.equal(setNext(chain, 0, blsKey(0), SCHEME_SM2, number), "done");
  assert.equal(chain.ask("readyCount"), 1n);
  const rotated = keyOf(SCHEME_BLS12381, 0, 3);
  assert.equal(
    chain.send(accountKey(0), "rotateConsensusKey", [blsKey(0), rotated.key, rotated.proof]),
    "done",
  );
  const { key, proof } = keyOf(SCHEME_SM2, 0);
  assert.equal(chain.send(accountKey(1), "setNextKey", [blsKey(1), key, proof]), "KeyTaken");
  assert.equal(chain.send(accountKey(1), "setNextKey", [blsKey(0), key, proof]), "UnknownValidator");
  assert.equal(chain.send(accountKey(1), "setNextKey", [rotated.key, key, proof]), "NotThisValidator");
  for (const index of [1, 2]) assert.equal(setNext(chain, index, blsKey(index), SCHEME_SM2), "done");
  assert.equal(next(chain).set.schemeId, SCHEME_SM2);
});

test("who proves no possession of its new key is left out; if too many do, the current set goes on by its scheme", () => {
  const chain = managedChain(4);
  chain.send(OWNER, "changeScheme", [5n]);
  const wrong = keyOf(SCHEME_SM2, 9).proof;
  const isProved = (unproved: number) => (index: number) => index !== unproved;
  for (const index of [0, 1, 2, 3]) {
    const { key, proof } = keyOf(SCHEME_SM2, index);
    const sent = isProved(0)(index) ? proof : wrong;
    assert.equal(chain.send(accountKey(index), "setNextKey", [blsKey(index), key, sent]), "done");
  }
  const { set, leftOut } = next(chain);
  assert.deepEqual([set.schemeId, leftOut], [SCHEME_SM2, ["validator-0"]]);
  const refusesAll = readNextValidatorSet(chain.state, chain.genesis.validatorSet, () => false);
  assert.equal(refusesAll.refused?.code, "validators/possession");
  assert.deepEqual(refusesAll.set, chain.genesis.validatorSet);
});

test("a set of an unknown scheme or place of keys, or of keys of another length than the scheme's, is refused", () => {
  const chain = managedChain();
  const code = (word: bigint): string => {
    const read = readValidatorSet(withWords(chain, new Map([[1n, word]])));
    return read.ok ? "ok" : read.error.code;
  };
  assert.equal(code(1n), "ok");
  assert.equal(code(0n), "validators/scheme");
  assert.equal(code(2n), "validators/scheme");
  assert.equal(code(2n ** 128n - 1n), "validators/scheme");
  assert.equal(code(5n), "validators/unreadable");
  assert.equal(code(6n), "validators/unreadable");
  assert.equal(code(1n | KEY_PLACE_BIT), "validators/unreadable");
  assert.equal(code(1n | (2n * KEY_PLACE_BIT)), "validators/unreadable");
});
