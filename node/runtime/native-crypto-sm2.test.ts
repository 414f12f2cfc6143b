import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Bytes,
  bigintToBytes,
  bytesToBigint,
  createRandom,
  EMPTY_BYTES,
  toHexDigits,
} from "@ostrom/base";
import { REFERENCE_SIGNATURE_ENGINES, SCHEME_SM2, SM2_ORDER, Sm2Points, writeSm2Point } from "@ostrom/crypto";
import { ENGINE_SUBSET, readValidModule } from "@ostrom/wasm";
import { sm2 as independent } from "sm-crypto-v2";
import { createEmittedSm2, createOpensslSm2 } from "./native-crypto-sm2.ts";
import { encodeSm2Field } from "./native-crypto-sm2-field.ts";
import { createSm2Arithmetic } from "./native-crypto-sm2-points.ts";

const portable = REFERENCE_SIGNATURE_ENGINES[SCHEME_SM2]!;
const engines = [portable, createOpensslSm2(), createEmittedSm2()];
const arithmetic = createSm2Arithmetic();

function scalar(value: bigint): Bytes {
  return bigintToBytes(value, 32);
}

test("the emitted module is valid by our own validator", () => {
  assert.ok(readValidModule(encodeSm2Field(1), ENGINE_SUBSET).ok);
});

test("sums of multiples are the portable ones, for scalars at the limits and at random", () => {
  const random = createRandom(20);
  const edges = [
    1n,
    2n,
    3n,
    (1n << 43n) - 1n,
    1n << 43n,
    1n << 215n,
    SM2_ORDER >> 1n,
    SM2_ORDER - 2n,
    SM2_ORDER - 1n,
  ];
  const key = Sm2Points.BASE.multiply(bytesToBigint(random.bytes(31)) + 2n);
  const table = arithmetic.tableOf(writeSm2Point(key))!;
  const pairs = edges.flatMap((first) => edges.map((second) => [first, second] as const));
  for (let i = 0; i < 100; i++)
    pairs.push([bytesToBigint(random.bytes(31)), bytesToBigint(random.bytes(31))]);
  for (const [ofBase, ofKey] of pairs) {
    const sum = arithmetic.sumOfMultiples(scalar(ofBase), scalar(ofKey), table);
    const expected = Sm2Points.BASE.multiplyUnsafe(ofBase).add(key.multiplyUnsafe(ofKey)).toAffine().x;
    assert.equal(sum?.hasX(expected), true);
    assert.equal(sum?.hasX(expected ^ 1n), false);
  }
});

test("one scalar may be zero; two zeros, points that cancel and points that coincide are left to others", () => {
  const secret = 5n;
  const table = arithmetic.tableOf(writeSm2Point(Sm2Points.BASE.multiply(secret)))!;
  assert.equal(
    arithmetic.sumOfMultiples(scalar(7n), scalar(0n), table)?.hasX(Sm2Points.BASE.multiply(7n).toAffine().x),
    true,
  );
  assert.equal(
    arithmetic.sumOfMultiples(scalar(0n), scalar(7n), table)?.hasX(Sm2Points.BASE.multiply(35n).toAffine().x),
    true,
  );
  assert.equal(arithmetic.sumOfMultiples(scalar(0n), scalar(0n), table), undefined);
  assert.equal(arithmetic.sumOfMultiples(scalar(SM2_ORDER - 35n), scalar(7n), table), undefined);
  // The key is the base point itself: both tables are alike, and the first column meets two equal points.
  const base = arithmetic.tableOf(writeSm2Point(Sm2Points.BASE))!;
  assert.equal(arithmetic.sumOfMultiples(scalar(9n), scalar(9n), base), undefined);
});

test("signatures by the base point as a key, where sums meet equal points, verify in every engine", () => {
  const secret = scalar(1n);
  const message = new Uint8Array(5);
  for (const signer of engines) {
    const key = signer.publicKey(secret);
    assert.equal(toHexDigits(key), toHexDigits(writeSm2Point(Sm2Points.BASE)));
    const signature = signer.sign(secret, message, EMPTY_BYTES);
    for (const verifier of engines) assert.equal(verifier.verify(key, message, signature, EMPTY_BYTES), true);
  }
});

test("tables of keys that went are made again, and keys off the curve have none", () => {
  const few = createSm2Arithmetic(4);
  const keys = Array.from({ length: 7 }, (_, index) =>
    writeSm2Point(Sm2Points.BASE.multiply(BigInt(index + 2))),
  );
  for (const key of [...keys, ...keys.toReversed(), ...keys]) {
    const sum = few.sumOfMultiples(scalar(0n), scalar(1n), few.tableOf(key)!);
    assert.equal(sum?.hasX(bytesToBigint(key.subarray(0, 32))), true);
  }
  assert.equal(arithmetic.tableOf(new Uint8Array(64)), undefined);
  assert.equal(arithmetic.tableOf(new Uint8Array(64).fill(0xff)), undefined);
});

test("SM2 interoperates with sm-crypto-v2 both ways", () => {
  const random = createRandom(21);
  for (let i = 0; i < 5; i++) {
    const secret = random.bytes(31);
    const padded = scalar(bytesToBigint(secret) + 1n);
    const message = random.bytes(1 + random.below(100));
    const key = portable.publicKey(padded);
    const options = { der: false, hash: true, publicKey: `04${toHexDigits(key)}` };
    const theirs = independent.doSignature(message, toHexDigits(padded), options);
    for (const engine of engines) {
      assert.equal(engine.verify(key, message, Uint8Array.fromHex(theirs), EMPTY_BYTES), true);
      const ours = toHexDigits(engine.sign(padded, message, EMPTY_BYTES));
      assert.equal(
        independent.doVerifySignature(message, ours, `04${toHexDigits(key)}`, { der: false, hash: true }),
        true,
      );
    }
  }
});
