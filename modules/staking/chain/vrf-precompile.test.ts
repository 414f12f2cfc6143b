import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, bigintToBytes, concatBytes, createRandom, utf8 } from "@ostrom/base";
import { ecvrf, ecvrfOutput, P256_ORDER, sha256 } from "@ostrom/crypto";
import { installNativeCrypto } from "../../../node/runtime/native-crypto.ts";
import { vrfPrecompile } from "./vrf-precompile.ts";

installNativeCrypto();

const SECRET = sha256(utf8("a validator"));
const KEY = ecvrf().publicKey(SECRET);
const ALPHA = sha256(utf8("what is drawn"));
const PROOF = ecvrf().prove(SECRET, ALPHA);

const run = (...parts: readonly Bytes[]): Bytes | undefined => vrfPrecompile.run(concatBytes(...parts));

test("a proof of the key and the input gives the output", () => {
  assert.deepEqual(run(KEY, PROOF, ALPHA), ecvrfOutput(PROOF));
});

test("the output lies in memory of its own", () => {
  const input = concatBytes(KEY, PROOF, ALPHA);
  const output = vrfPrecompile.run(input)!;
  const before = output.slice();
  input.fill(0);
  assert.deepEqual(output, before);
});

test("any other length is refused, for little", () => {
  for (const length of [0, 1, 81, 114, 145, 147, 178, 100_000]) {
    const input = concatBytes(KEY, PROOF, ALPHA, new Uint8Array(length)).slice(0, length);
    assert.equal(vrfPrecompile.run(input), undefined);
    assert.equal(vrfPrecompile.gas(input), 100n);
  }
  assert.equal(vrfPrecompile.gas(new Uint8Array(146)), 60_000n);
});

test("a turned bit anywhere is refused", () => {
  const random = createRandom(4);
  const input = concatBytes(KEY, PROOF, ALPHA);
  for (let at = 0; at < input.length; at++) {
    const turned = input.slice();
    turned[at]! ^= 1 << random.below(8);
    assert.equal(vrfPrecompile.run(turned), undefined, `byte ${at}`);
  }
});

test("another's proof, another input, a response beyond the order and noise are refused", () => {
  const other = sha256(utf8("another validator"));
  assert.equal(run(KEY, ecvrf().prove(other, ALPHA), ALPHA), undefined);
  assert.equal(run(ecvrf().publicKey(other), PROOF, ALPHA), undefined);
  assert.equal(run(KEY, PROOF, sha256(ALPHA)), undefined);
  assert.equal(run(KEY, PROOF.subarray(0, 49), bigintToBytes(P256_ORDER, 32), ALPHA), undefined);
  const random = createRandom(5);
  for (let i = 0; i < 50; i++) assert.equal(vrfPrecompile.run(random.bytes(146)), undefined);
  assert.equal(vrfPrecompile.run(new Uint8Array(146)), undefined);
});
