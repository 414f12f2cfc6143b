import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Address,
  addressFromHex,
  addressFromWord,
  addressToWord,
  Epoch,
  Gas,
  Hash,
  Height,
  hashFromHex,
  hashFromWord,
  InvariantError,
  toHex,
  View,
  Wei,
  Weight,
  wordToBytes,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "./index.ts";

test("addresses have 20 bytes and hashes 32", () => {
  assert.equal(Address(new Uint8Array(20)).length, 20);
  assert.equal(Hash(new Uint8Array(32)).length, 32);
  for (const length of [0, 19, 21, 32]) assert.throws(() => Address(new Uint8Array(length)), InvariantError);
  for (const length of [0, 20, 31, 33]) assert.throws(() => Hash(new Uint8Array(length)), InvariantError);
  assert.throws(() => addressFromHex("0x01"), InvariantError);
  assert.throws(() => hashFromHex(`0x${"01".repeat(31)}`), InvariantError);
  assert.equal(toHex(ZERO_ADDRESS), `0x${"00".repeat(20)}`);
  assert.equal(toHex(ZERO_HASH), `0x${"00".repeat(32)}`);
});

test("counts are safe integers that are not negative", () => {
  for (const make of [Height, View, Epoch, Weight]) {
    for (const value of [0, 1, Number.MAX_SAFE_INTEGER]) assert.equal(make(value), value);
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => make(value), InvariantError);
    }
  }
});

test("amounts are not negative", () => {
  for (const make of [Wei, Gas]) {
    assert.equal(make(0n), 0n);
    assert.equal(make(1n << 200n), 1n << 200n);
    assert.throws(() => make(-1n), InvariantError);
  }
});

test("an address is the low 160 bits of a word", () => {
  const word = (0xffn << 160n) | 0x1234n;
  assert.equal(toHex(addressFromWord(word)), `0x${"00".repeat(18)}1234`);
  assert.equal(addressToWord(addressFromWord(word)), 0x1234n);
  assert.equal(toHex(addressFromWord((1n << 256n) - 1n)), `0x${"ff".repeat(20)}`);
});

test("a word is 32 bytes, big-endian", () => {
  assert.equal(toHex(wordToBytes(0x0102n)), `0x${"00".repeat(30)}0102`);
  assert.equal(toHex(hashFromWord((1n << 256n) - 1n)), `0x${"ff".repeat(32)}`);
  assert.throws(() => wordToBytes(1n << 256n), InvariantError);
  assert.throws(() => hashFromWord(-1n), InvariantError);
});
