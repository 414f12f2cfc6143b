import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { createRandom, hex, toHexDigits, utf8 } from "@ostrom/base";
import { keccak256, sha256, sm3 } from "./engine.ts";
import { hashFunction } from "./hash-function.ts";
import { hkdfExpand, hkdfExtract, hmac } from "./hmac.ts";
import { rfc6979Nonces } from "./rfc6979.ts";
import { HASH_KECCAK256, HASH_SHA256, HASH_SM3 } from "./schemes.ts";
import { P256_ORDER } from "./secret-keys.ts";

test("a hash id names one and the same function, and unknown ids none", () => {
  assert.equal(hashFunction(HASH_KECCAK256), keccak256);
  assert.equal(hashFunction(HASH_SHA256), sha256);
  assert.equal(hashFunction(HASH_SM3), sm3);
  assert.equal(hashFunction(0), undefined);
  assert.equal(hashFunction(4), undefined);
});

test("HMAC is OpenSSL's, for keys shorter and longer than a block", () => {
  const random = createRandom(12);
  for (const length of [0, 1, 31, 32, 63, 64, 65, 200]) {
    const [key, data] = [random.bytes(length), random.bytes(3 * length)];
    for (const [id, name] of [
      [HASH_SHA256, "sha256"],
      [HASH_SM3, "sm3"],
    ] as const)
      assert.equal(toHexDigits(hmac(id, key, data)), createHmac(name, key).update(data).digest("hex"));
  }
  assert.throws(() => hmac(HASH_KECCAK256, new Uint8Array(1), new Uint8Array(1)), { name: "InvariantError" });
});

test("HKDF gives RFC 5869's first example", () => {
  const key = hkdfExtract(HASH_SHA256, hex("000102030405060708090a0b0c"), new Uint8Array(22).fill(0x0b));
  assert.equal(toHexDigits(key), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  assert.equal(
    toHexDigits(hkdfExpand(HASH_SHA256, key, hex("f0f1f2f3f4f5f6f7f8f9"), 42)),
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  );
  assert.throws(() => hkdfExpand(HASH_SHA256, key, key, 8161), { name: "InvariantError" });
});

test("nonces are RFC 6979's (A.2.5, SHA-256, message sample)", () => {
  const secret = hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
  const nonces = rfc6979Nonces(HASH_SHA256, P256_ORDER, secret, sha256(utf8("sample")));
  const first = nonces.next().value;
  assert.equal(first, 0xa6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60n);
  assert.notEqual(nonces.next().value, first);
});
