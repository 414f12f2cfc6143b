import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { type Bytes, bigintToBytes, bytesToBigint, concatBytes, createRandom, toHex } from "@ostrom/base";
import { BLS_ORDER } from "@ostrom/crypto";
import { runPrecompile } from "./index.ts";
import {
  BLS_FIELD_ORDER,
  blsField,
  encodeBlsG1,
  encodeBlsG2,
  randomBlsG1,
  randomBlsG2,
  strayBlsG1,
  strayBlsG2,
} from "./testing/points.ts";

const VECTORS = resolve(import.meta.dirname, "../../../../shared/vectors/crypto/rfc9380");
const [G1_ADD, G1_MSM, G2_ADD, G2_MSM, PAIRING, MAP_FP, MAP_FP2] = [0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11];
const G1_INFINITY = new Uint8Array(128);
const G2_INFINITY = new Uint8Array(256);
const ONE = bigintToBytes(1n, 32);
const ZERO = bigintToBytes(0n, 32);
const random = createRandom(1);
const g1Base = encodeBlsG1(bls12_381.G1.Point.BASE.toAffine());
const g2Base = encodeBlsG2(bls12_381.G2.Point.BASE.toAffine());

function call(address: number, ...input: readonly Bytes[]): { gas: number; output: Bytes } | undefined {
  const result = runPrecompile("prague", address, concatBytes(...input), 1n << 40n);
  return result.ok ? { gas: Number(result.gasUsed), output: result.output } : undefined;
}

function output(address: number, ...input: readonly Bytes[]): string {
  const result = call(address, ...input);
  return result === undefined ? "failed" : toHex(result.output);
}

function scalar(value: bigint): Bytes {
  return bigintToBytes(value, 32);
}

/** Groups differ in nothing that these tests ask. */
const GROUPS = [
  { add: G1_ADD!, msm: G1_MSM!, random: randomBlsG1, stray: strayBlsG1, infinity: G1_INFINITY, base: g1Base },
  { add: G2_ADD!, msm: G2_MSM!, random: randomBlsG2, stray: strayBlsG2, infinity: G2_INFINITY, base: g2Base },
];

test("addition has infinity as its neutral element, commutes, and agrees with multiplication by two", () => {
  for (const group of GROUPS) {
    const [a, b] = [group.random(random), group.random(random)];
    assert.equal(output(group.add, a, group.infinity), toHex(a));
    assert.equal(output(group.add, group.infinity, group.infinity), toHex(group.infinity));
    assert.equal(output(group.add, a, b), output(group.add, b, a));
    assert.equal(output(group.add, a, a), output(group.msm, a, scalar(2n)));
    const opposite = call(group.msm, a, scalar(BLS_ORDER - 1n));
    assert.ok(opposite);
    assert.equal(output(group.add, a, opposite.output), toHex(group.infinity));
  }
});

test("addition takes points outside the subgroup; multiplication and pairing refuse them", () => {
  for (const group of GROUPS) {
    const stray = group.stray(random);
    assert.equal(output(group.add, stray, group.infinity), toHex(stray));
    assert.notEqual(output(group.add, stray, group.random(random)), "failed");
    assert.equal(output(group.msm, stray, scalar(0n)), "failed");
    assert.equal(output(group.msm, group.random(random), scalar(1n), stray, scalar(1n)), "failed");
  }
  assert.equal(output(PAIRING!, strayBlsG1(random), g2Base), "failed");
  assert.equal(output(PAIRING!, g1Base, strayBlsG2(random)), "failed");
  assert.equal(output(PAIRING!, G1_INFINITY, strayBlsG2(random)), "failed");
});

test("multiplication takes scalars of any value, modulo the group's order", () => {
  for (const group of GROUPS) {
    const point = group.random(random);
    assert.equal(output(group.msm, point, scalar(0n)), toHex(group.infinity));
    assert.equal(output(group.msm, point, scalar(BLS_ORDER)), toHex(group.infinity));
    assert.equal(output(group.msm, point, scalar(BLS_ORDER + 1n)), toHex(point));
    const most = 2n ** 256n - 1n;
    assert.equal(output(group.msm, point, scalar(most)), output(group.msm, point, scalar(most % BLS_ORDER)));
    assert.equal(output(group.msm, group.infinity, scalar(most)), toHex(group.infinity));
  }
});

test("sums of products are those of the multiples of the generator, by tables and by buckets", () => {
  for (const group of GROUPS) {
    for (const terms of [1, 2, 3, 17, 300]) {
      let expected = 0n;
      const input: Bytes[] = [];
      const distinct = Array.from({ length: Math.min(terms, 5) }, (_, i) => {
        const factor = BigInt(i * 7 + 3);
        return { factor, point: call(group.msm, group.base, scalar(factor))!.output };
      });
      for (let i = 0; i < terms; i++) {
        const { factor, point } = distinct[i % distinct.length]!;
        const times = bytesToBigint(random.bytes(32));
        input.push(point, scalar(times));
        expected += factor * times;
      }
      // Three hundred subgroup checks are slow in G2, and the code is the same.
      if (terms > 20 && group.msm === G2_MSM) continue;
      assert.equal(output(group.msm, ...input), output(group.msm, group.base, scalar(expected % BLS_ORDER)));
    }
  }
});

test("a pairing is bilinear", () => {
  const a = bytesToBigint(random.bytes(32)) % BLS_ORDER;
  const [aG1, minusG1] = [a, BLS_ORDER - 1n].map((times) => call(G1_MSM!, g1Base, scalar(times))!.output);
  const aG2 = call(G2_MSM!, g2Base, scalar(a))!.output;
  assert.equal(output(PAIRING!, aG1!, g2Base, minusG1!, aG2), toHex(ONE));
  assert.equal(output(PAIRING!, aG1!, g2Base, minusG1!, g2Base), toHex(ZERO));
  assert.equal(output(PAIRING!, g1Base, g2Base), toHex(ZERO));
});

test("a pair with infinity counts as one", () => {
  assert.equal(output(PAIRING!, G1_INFINITY, G2_INFINITY), toHex(ONE));
  assert.equal(output(PAIRING!, g1Base, G2_INFINITY, G1_INFINITY, g2Base), toHex(ONE));
  assert.equal(output(PAIRING!, g1Base, g2Base, G1_INFINITY, g2Base), toHex(ZERO));
});

test("field elements must be canonical: below p, with sixteen zeros in front", () => {
  const overflow = (address: number, valid: Bytes, from: number): void => {
    for (const at of [from, from + 15]) {
      const padded = valid.slice();
      padded[at] = 1;
      assert.equal(output(address, padded), "failed");
    }
    const raised = valid.slice();
    const value = bytesToBigint(valid.subarray(from, from + 64)) + BLS_FIELD_ORDER;
    raised.set(blsField(value), from);
    assert.equal(output(address, raised), "failed");
  };
  for (let at = 0; at < 256; at += 64) overflow(G1_ADD!, concatBytes(g1Base, g1Base), at);
  for (let at = 0; at < 512; at += 64) overflow(G2_ADD!, concatBytes(g2Base, g2Base), at);
  for (let at = 0; at < 128; at += 64) overflow(G1_MSM!, concatBytes(g1Base, scalar(1n)), at);
  for (let at = 0; at < 384; at += 64) overflow(PAIRING!, concatBytes(g1Base, g2Base), at);
  overflow(MAP_FP!, blsField(5n), 0);
  for (const at of [0, 64]) overflow(MAP_FP2!, concatBytes(blsField(5n), blsField(6n)), at);
});

test("points off the curve fail, among them all with y = 0 but infinity", () => {
  const zero = blsField(0n);
  const one = blsField(1n);
  for (const [x, y] of [
    [one, one],
    [one, zero],
    [zero, one],
  ] as const) {
    assert.equal(output(G1_ADD!, x, y, G1_INFINITY), "failed");
    assert.equal(output(G2_ADD!, x, zero, y, zero, G2_INFINITY), "failed");
    assert.equal(output(G1_MSM!, x, y, scalar(0n)), "failed");
    assert.equal(output(PAIRING!, x, y, G2_INFINITY), "failed");
  }
});

test("input of another length fails", () => {
  for (const address of [G1_ADD!, G1_MSM!, G2_ADD!, G2_MSM!, PAIRING!, MAP_FP!, MAP_FP2!]) {
    for (const length of [0, 1, 63, 65, 127, 129, 161, 255, 257, 289, 383, 385, 511, 513]) {
      assert.equal(output(address, new Uint8Array(length)), "failed", `${address} ${length}`);
    }
  }
});

test("gas is EIP-2537's", () => {
  const gas = (address: number, ...input: Bytes[]): number | undefined => call(address, ...input)?.gas;
  const many = (count: number, length: number): Bytes => new Uint8Array(count * length);
  assert.equal(gas(G1_ADD!, g1Base, g1Base), 375);
  assert.equal(gas(G2_ADD!, g2Base, g2Base), 600);
  assert.equal(gas(MAP_FP!, blsField(1n)), 5500);
  assert.equal(gas(MAP_FP2!, blsField(1n), blsField(1n)), 23_800);
  assert.equal(gas(PAIRING!, many(3, 384)), 37_700 + 3 * 32_600);
  assert.deepEqual(
    [1, 2, 3, 128, 129].map((terms) => gas(G1_MSM!, many(terms, 160))),
    [12_000, 22_776, 30_528, 797_184, 803_412],
  );
  assert.deepEqual(
    [1, 2, 3, 128, 129].map((terms) => gas(G2_MSM!, many(terms, 288))),
    [22_500, 45_000, 62_302, 1_509_120, 1_520_910],
  );
});

type Suite = {
  readonly vectors: readonly {
    readonly u: readonly string[];
    readonly P: { readonly x: string; readonly y: string };
  }[];
};

const skip = existsSync(VECTORS) ? false : "../shared/vectors is not here";

test("mapping gives the points of RFC 9380's suites", { skip }, () => {
  let mapped = 0;
  for (const [name, map, add] of [
    ["BLS12381G1", MAP_FP!, G1_ADD!],
    ["BLS12381G2", MAP_FP2!, G2_ADD!],
  ] as const) {
    const encode = (value: string): Bytes =>
      concatBytes(...value.split(",").map((part) => blsField(BigInt(part))));
    for (const encoding of ["NU", "RO"]) {
      const file = resolve(VECTORS, `${name}_XMD_SHA-256_SSWU_${encoding}_.json.gz`);
      const suite = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Suite;
      for (const { u, P } of suite.vectors) {
        // Clearing the cofactor is linear, so the sum of the mapped points is the point of the sum.
        const points = u.map((element) => call(map, encode(element))!.output);
        const sum = points.length === 1 ? toHex(points[0]!) : output(add, ...points);
        assert.equal(sum, toHex(concatBytes(encode(P.x), encode(P.y))));
        mapped++;
      }
    }
  }
  assert.equal(mapped, 20);
});
