import assert from "node:assert/strict";
import { test } from "node:test";
import { hex, toHex, utf8 } from "@ostrom/base";
import { aesCbcDecrypt, aesCbcEncrypt, aesCtr } from "./aes-modes.ts";
import { isPayableScryptCost, pbkdf2Key, scryptKey } from "./password-keys.ts";

test("scrypt gives RFC 7914's keys (section 12)", () => {
  assert.equal(
    toHex(scryptKey(utf8("password"), utf8("NaCl"), { N: 1024, r: 8, p: 16 }, 64)),
    "0xfdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
  );
});

test("PBKDF2 gives RFC 7914's key (section 11)", () => {
  assert.equal(
    toHex(pbkdf2Key(utf8("Password"), utf8("NaCl"), 80_000, 64)),
    "0x4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
  );
});

test("costs that no machine should pay, or that scrypt does not have, are told", () => {
  const cheap = { N: 2 ** 14, r: 8, p: 1 };
  assert.ok(isPayableScryptCost(cheap));
  assert.ok(isPayableScryptCost({ N: 2 ** 18, r: 8, p: 1 }));
  for (const change of [
    { N: 1 },
    { N: 3 },
    { N: 2 ** 22 },
    { N: Number.NaN },
    { r: 0 },
    { p: 2 ** 10 },
    { p: 1.5 },
    // Cheap by N * r * p, but half a minute of PBKDF2 and 512 MiB.
    { N: 2, r: 1, p: 2 ** 22 },
    { N: 2, r: 2 ** 20 },
  ])
    assert.equal(isPayableScryptCost({ ...cheap, ...change }), false, JSON.stringify(change));
});

test("AES in counter and chaining mode gives SP 800-38A's ciphertexts (F.5.1, F.2.1)", () => {
  const key = hex("0x2b7e151628aed2a6abf7158809cf4f3c");
  const plain = hex("0x6bc1bee22e409f96e93d7e117393172a");
  const counter = hex("0xf0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  assert.equal(toHex(aesCtr(key, counter, plain)), "0x874d6191b620e3261bef6864990db6ce");
  const iv = hex("0x000102030405060708090a0b0c0d0e0f");
  const chained = aesCbcEncrypt(key, iv, plain);
  assert.equal(toHex(chained.subarray(0, 16)), "0x7649abac8119b246cee98e9b12e9197d");
  assert.deepEqual(aesCbcDecrypt(key, iv, chained), plain);
  assert.equal(aesCbcDecrypt(key, iv, chained.subarray(0, 16)), undefined);
});
