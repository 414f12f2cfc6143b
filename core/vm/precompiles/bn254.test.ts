import assert from "node:assert/strict";
import { test } from "node:test";
import { bn254 } from "@noble/curves/bn254.js";
import { type Bytes, bigintToBytes, bytesToBigint, concatBytes, createRandom, toHex } from "@ostrom/base";
import { runPrecompile } from "./index.ts";
import {
  BN254_FIELD_ORDER,
  encodeBn254G1,
  encodeBn254G2,
  randomBn254G1,
  randomBn254G2,
  strayBn254G2,
} from "./testing/points.ts";

const [ADD, MULTIPLY, PAIRING] = [0x06, 0x07, 0x08];
const { ORDER } = bn254.fields.Fr;
const INFINITY = new Uint8Array(64);
const G2_INFINITY = new Uint8Array(128);
const ONE = toHex(bigintToBytes(1n, 32));
const ZERO = toHex(bigintToBytes(0n, 32));
const random = createRandom(1);
const base = encodeBn254G1({ x: 1n, y: 2n });
const g2Base = encodeBn254G2(bn254.G2.Point.BASE.toAffine());

function output(address: number, ...input: readonly Bytes[]): string {
  const result = runPrecompile("cancun", address, concatBytes(...input), 10_000_000n);
  return result.ok ? toHex(result.output) : "failed";
}

function word(value: bigint): Bytes {
  return bigintToBytes(value, 32);
}

test("missing input reads as zeros and further input is ignored", () => {
  assert.equal(output(ADD!), toHex(INFINITY));
  assert.equal(output(MULTIPLY!), toHex(INFINITY));
  assert.equal(output(ADD!, base), toHex(base));
  assert.equal(output(ADD!, base, INFINITY, random.bytes(50)), toHex(base));
  assert.equal(output(MULTIPLY!, base, word(1n), random.bytes(50)), toHex(base));
  assert.equal(output(MULTIPLY!, base, Uint8Array.of(0)), toHex(INFINITY));
});

test("addition agrees with multiplication, and opposite points give infinity", () => {
  const point = randomBn254G1(random);
  assert.equal(output(ADD!, point, point), output(MULTIPLY!, point, word(2n)));
  const opposite = concatBytes(
    point.subarray(0, 32),
    word(BN254_FIELD_ORDER - bytesToBigint(point.subarray(32))),
  );
  assert.equal(output(ADD!, point, opposite), toHex(INFINITY));
});

test("multiplication takes scalars of any value, modulo the group's order", () => {
  const point = randomBn254G1(random);
  assert.equal(output(MULTIPLY!, point, word(ORDER)), toHex(INFINITY));
  assert.equal(output(MULTIPLY!, point, word(ORDER + 1n)), toHex(point));
  const most = 2n ** 256n - 1n;
  assert.equal(output(MULTIPLY!, point, word(most)), output(MULTIPLY!, point, word(most % ORDER)));
  assert.equal(output(MULTIPLY!, INFINITY, word(most)), toHex(INFINITY));
});

test("points off the curve and coordinates that reach the field's order fail", () => {
  const raised = concatBytes(word(1n + BN254_FIELD_ORDER), word(2n));
  const zeroRaised = concatBytes(word(BN254_FIELD_ORDER), word(0n));
  for (const bad of [encodeBn254G1({ x: 1n, y: 1n }), encodeBn254G1({ x: 1n, y: 0n }), raised, zeroRaised]) {
    assert.equal(output(ADD!, bad, base), "failed");
    assert.equal(output(ADD!, base, bad), "failed");
    assert.equal(output(MULTIPLY!, bad, word(0n)), "failed");
    assert.equal(output(PAIRING!, bad, G2_INFINITY), "failed");
  }
});

test("a pairing is bilinear, and no pairs give one", () => {
  const a = bytesToBigint(random.bytes(32)) % ORDER;
  const aG1 = encodeBn254G1(bn254.G1.Point.BASE.multiply(a).toAffine());
  const minusG1 = encodeBn254G1(bn254.G1.Point.BASE.negate().toAffine());
  const aG2 = encodeBn254G2(bn254.G2.Point.BASE.multiply(a).toAffine());
  assert.equal(output(PAIRING!), ONE);
  assert.equal(output(PAIRING!, aG1, g2Base, minusG1, aG2), ONE);
  assert.equal(output(PAIRING!, aG1, g2Base, minusG1, g2Base), ZERO);
  assert.equal(output(PAIRING!, base, G2_INFINITY, INFINITY, g2Base), ONE);
  assert.equal(output(PAIRING!, randomBn254G1(random), randomBn254G2(random)), ZERO);
});

test("pairing refuses points outside the subgroup, also beside infinity, and parts of pairs", () => {
  const stray = strayBn254G2(random);
  assert.equal(output(PAIRING!, base, stray), "failed");
  assert.equal(output(PAIRING!, INFINITY, stray), "failed");
  assert.equal(output(PAIRING!, base, g2Base.subarray(1)), "failed");
  assert.equal(output(PAIRING!, base, g2Base, Uint8Array.of(0)), "failed");
  const raised = g2Base.slice();
  raised.set(word(bytesToBigint(g2Base.subarray(0, 32)) + BN254_FIELD_ORDER));
  assert.equal(output(PAIRING!, base, raised), "failed");
});

test("gas is EIP-1108's", () => {
  const gas = (address: number, length: number): bigint | undefined => {
    const result = runPrecompile("osaka", address, new Uint8Array(length), 10_000_000n);
    return result.ok ? result.gasUsed : undefined;
  };
  assert.equal(gas(ADD!, 128), 150n);
  assert.equal(gas(MULTIPLY!, 96), 6000n);
  assert.deepEqual([gas(PAIRING!, 0), gas(PAIRING!, 192), gas(PAIRING!, 384)], [45_000n, 79_000n, 113_000n]);
});
