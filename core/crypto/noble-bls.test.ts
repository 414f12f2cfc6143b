import assert from "node:assert/strict";
import { test } from "node:test";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bigintToBytes, bytesToBigint, hex, toHex, utf8 } from "@ostrom/base";
import {
  BLS_GENERATOR_G2,
  BLS_NEGATED_GENERATOR_G1,
  BLS_ORDER,
  bls,
  deriveBlsSecretKey,
} from "@ostrom/crypto";

const INFINITY_KEY = Uint8Array.from({ length: 48 }, (_, i) => (i === 0 ? 0xc0 : 0));
const INFINITY_SIGNATURE = Uint8Array.from({ length: 96 }, (_, i) => (i === 0 ? 0xc0 : 0));
const MESSAGE = utf8("a vote");

function keyPair(seed: number): { secret: Uint8Array; key: Uint8Array } {
  const secret = deriveBlsSecretKey(new Uint8Array(32).fill(seed));
  return { secret, key: bls().publicKey(secret) };
}

const alice = keyPair(1);
const bob = keyPair(2);

test("the generators that are written down are those of the groups", () => {
  assert.deepEqual(BLS_GENERATOR_G2, bls12_381.G2.Point.BASE.toBytes(true));
  assert.deepEqual(BLS_NEGATED_GENERATOR_G1, bls12_381.G1.Point.BASE.negate().toBytes(true));
});

test("keys and signatures are those of the consensus specifications' vectors (sign_case_zero_message)", () => {
  const secret = hex("263dbd792f5b1be47ed85f8938c0f29586af0d3ac7b977f21c278fe1462040e3");
  assert.equal(
    toHex(bls().publicKey(secret)),
    "0xa491d1b0ecd9bb917989f0e74f0dea0422eac4a873e5e2644f368dffb9a6e20fd6e10c1b77654d067c0618f6e5a7f79a",
  );
  assert.equal(
    toHex(bls().sign(secret, new Uint8Array(32))),
    "0xb6ed936746e01f8ecf281f020953fbf1f01debd5657c4a383940b020b26507f6076334f91e2366c96e9ab279fb515809" +
      "0352ea1c5b0c9274504f4f0e7053af24802e51e4568d164fe986834f41e55c8e850ce1f98458c0cfc9ab380b55285a55",
  );
});

test("key generation is EIP-2333's (its first test case)", () => {
  const seed = hex(
    "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
  );
  const expected = 6083874454709270928345386274498605044986640685124978867557563392430687146096n;
  assert.equal(bytesToBigint(deriveBlsSecretKey(seed)), expected);
  assert.throws(() => deriveBlsSecretKey(new Uint8Array(31)), { name: "InvariantError" });
});

test("a signature verifies for its key and message alone", () => {
  const signature = bls().sign(alice.secret, MESSAGE);
  assert.equal(bls().verify(alice.key, MESSAGE, signature), true);
  assert.equal(bls().verify(bob.key, MESSAGE, signature), false);
  assert.equal(bls().verify(alice.key, utf8("another"), signature), false);
});

test("an aggregate verifies for exactly its signers", () => {
  const sum = bls().aggregate([bls().sign(alice.secret, MESSAGE), bls().sign(bob.secret, MESSAGE)]);
  assert.ok(sum);
  assert.equal(bls().verifyAggregate([bob.key, alice.key], MESSAGE, sum), true);
  assert.equal(bls().verifyAggregate([alice.key], MESSAGE, sum), false);
  assert.equal(bls().verifyAggregate([alice.key, bob.key, bob.key], MESSAGE, sum), false);
  assert.equal(bls().verifyAggregate([], MESSAGE, sum), false);
});

test("infinity is refused as a key, a signature, and a sum of either", () => {
  assert.equal(bls().verify(INFINITY_KEY, MESSAGE, INFINITY_SIGNATURE), false);
  assert.equal(bls().verifyAggregate([], MESSAGE, INFINITY_SIGNATURE), false);
  assert.equal(
    bls().verifyAggregate([INFINITY_KEY, alice.key], MESSAGE, bls().sign(alice.secret, MESSAGE)),
    false,
  );
  assert.equal(bls().aggregate([]), undefined);
  assert.equal(bls().aggregate([INFINITY_SIGNATURE]), undefined);
  const opposite = bigintToBytes(BLS_ORDER - bytesToBigint(alice.secret), 32);
  const signatures = [alice.secret, opposite].map((secret) => bls().sign(secret, MESSAGE));
  assert.equal(bls().aggregate(signatures), undefined);
  assert.equal(
    bls().verifyAggregate([alice.key, bls().publicKey(opposite)], MESSAGE, INFINITY_SIGNATURE),
    false,
  );
});

test("possession is proved by a signature that is none on any message, and no message signature proves it", () => {
  const proof = bls().provePossession(alice.secret);
  assert.equal(bls().verifyPossession(alice.key, proof), true);
  assert.equal(bls().verifyPossession(bob.key, proof), false);
  assert.equal(bls().verify(alice.key, alice.key, proof), false);
  assert.equal(bls().verifyPossession(alice.key, bls().sign(alice.secret, alice.key)), false);
});

test("secret keys out of range stop the caller", () => {
  for (const bad of [new Uint8Array(32), bigintToBytes(BLS_ORDER, 32), new Uint8Array(31).fill(1)]) {
    assert.throws(() => bls().publicKey(bad), { name: "InvariantError" });
    assert.throws(() => bls().sign(bad, MESSAGE), { name: "InvariantError" });
    assert.throws(() => bls().provePossession(bad), { name: "InvariantError" });
  }
});
