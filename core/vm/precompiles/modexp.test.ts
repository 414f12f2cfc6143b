import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, bigintToBytes, bytesToBigint, concatBytes, createRandom, hex } from "@ostrom/base";
import { modularPower } from "@ostrom/crypto";
import type { Fork } from "../types.ts";
import { runPrecompile } from "./index.ts";

const PLENTY = 1n << 60n;

function lengths(base: bigint, exponent: bigint, modulus: bigint): Bytes {
  return concatBytes(...[base, exponent, modulus].map((length) => bigintToBytes(length, 32)));
}

function gasOf(fork: Fork, input: Bytes): bigint | undefined {
  const result = runPrecompile(fork, 5, input, PLENTY);
  return result.ok ? result.gasUsed : undefined;
}

test("powers are those of repeated multiplication", () => {
  for (let modulus = 1n; modulus < 14n; modulus++) {
    for (let base = 0n; base < 16n; base++) {
      let expected = 1n % modulus;
      for (let exponent = 0n; exponent < 40n; exponent++) {
        assert.equal(modularPower(base, exponent, modulus), expected);
        expected = (expected * base) % modulus;
      }
    }
  }
});

test("powers obey the laws of exponents at any size, modulus even or odd", () => {
  const random = createRandom(1);
  for (let i = 0; i < 60; i++) {
    const modulus = bytesToBigint(random.bytes(1 + random.below(100))) + 1n;
    const base = bytesToBigint(random.bytes(1 + random.below(100)));
    const [first, second] = [random.bytes(random.below(40)), random.bytes(random.below(40))].map(
      bytesToBigint,
    );
    const product = modularPower(base, first!, modulus) * modularPower(base, second!, modulus);
    assert.equal(modularPower(base, first! + second!, modulus), product % modulus);
  }
});

test("EIP-198's example: Fermat's little theorem on secp256k1's field", () => {
  const fieldOrder = 2n ** 256n - 2n ** 32n - 977n;
  const input = concatBytes(
    lengths(1n, 32n, 32n),
    Uint8Array.of(3),
    bigintToBytes(fieldOrder - 1n, 32),
    bigintToBytes(fieldOrder, 32),
  );
  const expected = { ok: true, gasUsed: 1360n, output: bigintToBytes(1n, 32) };
  assert.deepEqual(runPrecompile("cancun", 5, input, PLENTY), expected);
  assert.deepEqual(runPrecompile("osaka", 5, input, PLENTY), { ...expected, gasUsed: 4080n });
});

test("missing input reads as zeros, and a modulus of zero gives zeros", () => {
  assert.deepEqual(runPrecompile("cancun", 5, new Uint8Array(0), PLENTY), {
    ok: true,
    gasUsed: 200n,
    output: new Uint8Array(0),
  });
  const cutOff = concatBytes(lengths(1n, 1n, 3n), hex("0502"));
  assert.deepEqual(runPrecompile("cancun", 5, cutOff, PLENTY), {
    ok: true,
    gasUsed: 200n,
    output: new Uint8Array(3),
  });
});

test("without base and modulus an exponent of any length costs the minimum, until EIP-7883 prices it", () => {
  assert.equal(gasOf("cancun", lengths(0n, 2n ** 255n, 0n)), 200n);
  assert.equal(gasOf("osaka", lengths(0n, 1024n, 0n)), 16n * 16n * 992n);
});

test("from Osaka on no part may be longer than 1024 bytes (EIP-7823)", () => {
  assert.equal(gasOf("osaka", lengths(1024n, 1024n, 1024n)) !== undefined, true);
  for (const long of [lengths(1025n, 0n, 0n), lengths(0n, 1025n, 0n), lengths(0n, 0n, 1025n)]) {
    assert.equal(gasOf("osaka", long), undefined);
    assert.notEqual(gasOf("cancun", long), undefined);
  }
});

test("lengths beyond any memory only cost gas", () => {
  for (const huge of [
    lengths(2n ** 256n - 1n, 1n, 1n),
    lengths(1n, 1n, 2n ** 64n),
    lengths(1n, 2n ** 255n, 1n),
  ]) {
    assert.deepEqual(runPrecompile("cancun", 5, huge, 30_000_000n), { ok: false });
  }
});

test("gas follows the examples of EIP-2565 and EIP-7883", () => {
  const head = (exponentLength: number): Bytes => {
    const exponent = new Uint8Array(exponentLength);
    exponent[0] = 0x80;
    return exponent;
  };
  const cases: [number, number, number, bigint, bigint][] = [
    // base, exponent and modulus lengths, gas before and from Osaka, computed by hand from the formulas
    [32, 1, 32, 200n, 500n],
    [33, 1, 32, 200n, 500n],
    [64, 32, 64, 5440n, 32640n],
    [64, 33, 64, 5610n, 34688n],
    [256, 3, 256, 7850n, 47104n],
  ];
  for (const [base, exponent, modulus, before, after] of cases) {
    const input = concatBytes(
      lengths(BigInt(base), BigInt(exponent), BigInt(modulus)),
      new Uint8Array(base),
      head(exponent),
      new Uint8Array(modulus),
    );
    assert.equal(gasOf("prague", input), before);
    assert.equal(gasOf("osaka", input), after);
  }
});
