import assert from "node:assert/strict";
import { test } from "node:test";
import { ml_kem768_x25519 } from "@noble/post-quantum/hybrid.js";
import { hex, toHex } from "@ostrom/base";
import { xWingDecapsulate, xWingEncapsulate, xWingPublicKey } from "./x-wing.ts";

// draft-connolly-cfrg-xwing-kem-09, appendix C.
const X_WING_CASES = [
  {
    seed: "0x7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
    randomness:
      "0x3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2" +
      "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
    secret: "0xd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384",
  },
  {
    seed: "0xbadfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea",
    randomness:
      "0x17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdef" +
      "aee7eef47cb0fca9767be1fda69419dfb927e9df07348b196691abaeb580b32d",
    secret: "0xf2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150",
  },
] as const;

test("X-Wing gives its draft's secrets, and noble's keys and ciphertexts", () => {
  for (const { seed, randomness, secret } of X_WING_CASES) {
    const publicKey = xWingPublicKey(hex(seed));
    const made = xWingEncapsulate(publicKey, hex(randomness))!;
    assert.equal(toHex(made.sharedSecret), secret);
    assert.equal(toHex(xWingDecapsulate(hex(seed), made.ciphertext)!), secret);
    assert.deepEqual(publicKey, ml_kem768_x25519.keygen(hex(seed)).publicKey);
    assert.deepEqual(made.ciphertext, ml_kem768_x25519.encapsulate(publicKey, hex(randomness)).cipherText);
  }
});

test("X-Wing refuses keys and ciphertexts of other lengths, and X25519 keys of small order", () => {
  const { seed, randomness } = X_WING_CASES[0];
  const publicKey = xWingPublicKey(hex(seed));
  const { ciphertext } = xWingEncapsulate(publicKey, hex(randomness))!;
  assert.equal(xWingEncapsulate(publicKey.subarray(1), hex(randomness)), undefined);
  assert.equal(xWingDecapsulate(hex(seed), ciphertext.subarray(1)), undefined);
  assert.equal(xWingEncapsulate(publicKey.fill(0, -32), hex(randomness)), undefined);
  assert.equal(xWingDecapsulate(hex(seed), ciphertext.fill(0, -32)), undefined);
});
