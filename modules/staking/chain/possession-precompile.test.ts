import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromWord, concatBytes, hashFromWord, toHex } from "@ostrom/base";
import { bls } from "@ostrom/crypto";
import { consentMessage, possessionPrecompile } from "./possession-precompile.ts";

const SECRET = hashFromWord(4711n);
const OTHER = hashFromWord(4712n);
const KEY = bls().publicKey(SECRET);
const PROOF = bls().provePossession(SECRET);
const MESSAGE = consentMessage(7n, addressFromWord(0xabcn));
const CONSENT = bls().sign(SECRET, MESSAGE);
const { run, gas } = possessionPrecompile;
const ONE = `0x${"00".repeat(31)}01`;

test("a proof of possession is verified, with a consent or without", () => {
  assert.equal(toHex(run(concatBytes(KEY, PROOF))!), ONE);
  assert.equal(toHex(run(concatBytes(KEY, PROOF, CONSENT, MESSAGE))!), ONE);
});

test("another's proof, another's consent, a consent to another account or on another chain: refused", () => {
  assert.equal(run(concatBytes(KEY, bls().provePossession(OTHER))), undefined);
  assert.equal(
    run(concatBytes(KEY, bls().sign(SECRET, KEY))),
    undefined,
    "an ordinary signature of the key is no proof",
  );
  assert.equal(run(concatBytes(KEY, PROOF, bls().sign(OTHER, MESSAGE), MESSAGE)), undefined);
  for (const message of [
    consentMessage(7n, addressFromWord(0xabdn)),
    consentMessage(8n, addressFromWord(0xabcn)),
  ]) {
    assert.equal(run(concatBytes(KEY, PROOF, CONSENT, message)), undefined);
  }
});

test("other lengths and any changed byte are refused", () => {
  for (const length of [0, 143, 145, 240, 271]) assert.equal(run(new Uint8Array(length)), undefined);
  const input = concatBytes(KEY, PROOF, CONSENT, MESSAGE);
  assert.equal(run(concatBytes(input, Uint8Array.of(0))), undefined);
  for (let offset = 0; offset < input.length; offset += 31) {
    const changed = input.slice();
    changed[offset]! ^= 1;
    assert.equal(run(changed), undefined, `byte ${offset}`);
  }
});

test("a consent costs a second verification, a refusal by length next to nothing", () => {
  assert.deepEqual(
    [gas(new Uint8Array(144)), gas(new Uint8Array(272)), gas(new Uint8Array(1))],
    [180_000n, 360_000n, 100n],
  );
});
