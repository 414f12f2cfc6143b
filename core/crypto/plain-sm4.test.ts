import assert from "node:assert/strict";
import { test } from "node:test";
import { hex, toHexDigits } from "@ostrom/base";
import { CIPHER_SM4_GCM, cipher } from "./cipher-engine.ts";
import { sm4Block, sm4RoundKeys } from "./plain-sm4.ts";

const KEY = hex("0123456789abcdeffedcba9876543210");

test("SM4 gives the standard's first example, and back (GB/T 32907-2016, appendix A.1)", () => {
  const roundKeys = sm4RoundKeys(KEY);
  const sealed = sm4Block(roundKeys, KEY);
  assert.equal(toHexDigits(sealed), "681edf34d206965e86b3e94f536e4246");
  assert.deepEqual(sm4Block(roundKeys.toReversed(), sealed), KEY);
});

test("SM4 gives the standard's second example: one million times over (GB/T 32907-2016, appendix A.2)", () => {
  const roundKeys = sm4RoundKeys(KEY);
  let block = KEY;
  for (let round = 0; round < 1_000_000; round++) block = sm4Block(roundKeys, block);
  assert.equal(toHexDigits(block), "595298c7c6fd271f0402f804c33d3f66");
});

test("SM4-GCM gives RFC 8998's example (appendix A.1), and refuses whatever was changed", () => {
  const nonce = hex("00001234567800000000abcd");
  const additional = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const plain = hex(
    "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd" +
      "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
  );
  const engine = cipher(CIPHER_SM4_GCM)!;
  const sealed = engine.seal(KEY, nonce, additional, plain);
  assert.equal(
    toHexDigits(sealed),
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735" +
      "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d" +
      "83de3541e4c2b58177e065a9bf7b62ec",
  );
  assert.deepEqual(engine.open(KEY, nonce, additional, sealed), plain);
  for (const index of [0, 63, 64, 79]) {
    const changed = sealed.map((byte, at) => (at === index ? byte ^ 1 : byte));
    assert.equal(engine.open(KEY, nonce, additional, changed), undefined);
  }
  assert.equal(engine.open(KEY, nonce, additional.subarray(1), sealed), undefined);
  assert.equal(engine.open(KEY, nonce, additional, sealed.subarray(0, 15)), undefined);
  assert.throws(() => engine.seal(KEY, nonce.subarray(1), additional, plain), { name: "InvariantError" });
});
