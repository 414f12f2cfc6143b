import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToBigint } from "@ostrom/base";
import { returning } from "./testing/assemble.ts";
import { gasOf, runCode } from "./testing/run-code.ts";

const MAX = 2n ** 256n - 1n;
const MIN_SIGNED = 2n ** 255n;

/** @param operands top of the stack first. */
function compute(name: string, ...operands: readonly bigint[]): bigint {
  const { outcome } = runCode(returning(...[...operands].reverse(), name));
  assert.equal(outcome.status, "success");
  return bytesToBigint(outcome.output);
}

const minus = (value: bigint): bigint => 2n ** 256n - value;

test("arithmetic is modulo 2^256, and division by zero is zero", () => {
  assert.equal(compute("ADD", MAX, 2n), 1n);
  assert.equal(compute("SUB", 1n, 2n), MAX);
  assert.equal(compute("MUL", MAX, MAX), 1n);
  assert.equal(compute("EXP", 2n, 256n), 0n);
  assert.equal(compute("EXP", 0n, 0n), 1n);
  assert.equal(compute("EXP", 3n, 5n), 243n);
  for (const name of ["DIV", "SDIV", "MOD", "SMOD"]) assert.equal(compute(name, 5n, 0n), 0n);
  assert.equal(compute("ADDMOD", MAX, MAX, 0n), 0n);
  assert.equal(compute("ADDMOD", MAX, 2n, 10n), (MAX + 2n) % 10n);
  assert.equal(compute("MULMOD", MAX, MAX, 12n), (MAX * MAX) % 12n);
});

test("signed division rounds to zero, and the remainder has the dividend's sign", () => {
  assert.equal(compute("SDIV", minus(7n), 2n), minus(3n));
  assert.equal(compute("SDIV", MIN_SIGNED, MAX), MIN_SIGNED);
  assert.equal(compute("SMOD", minus(7n), 3n), minus(1n));
  assert.equal(compute("SMOD", 7n, minus(3n)), 1n);
});

test("SIGNEXTEND and SAR keep the sign, BYTE counts from the most significant", () => {
  assert.equal(compute("SIGNEXTEND", 0n, 0xffn), MAX);
  assert.equal(compute("SIGNEXTEND", 0n, 0x17fn), 0x7fn);
  assert.equal(compute("SIGNEXTEND", 31n, MAX - 1n), MAX - 1n);
  assert.equal(compute("SIGNEXTEND", MAX, 0xffn), 0xffn);
  assert.equal(compute("SAR", 1n, MIN_SIGNED), 3n << 254n);
  assert.equal(compute("SAR", 256n, MIN_SIGNED), MAX);
  assert.equal(compute("SAR", MAX, 1n), 0n);
  assert.equal(compute("SHL", 255n, 3n), MIN_SIGNED);
  assert.equal(compute("SHL", 256n, 1n), 0n);
  assert.equal(compute("SHR", 255n, MIN_SIGNED), 1n);
  assert.equal(compute("BYTE", 31n, 0x1234n), 0x34n);
  assert.equal(compute("BYTE", 32n, MAX), 0n);
});

test("CLZ counts the zero bits above the highest one (EIP-7939)", () => {
  assert.equal(compute("CLZ", 0n), 256n);
  assert.equal(compute("CLZ", 1n), 255n);
  assert.equal(compute("CLZ", MAX), 0n);
  assert.equal(compute("CLZ", MAX >> 1n), 1n);
});

test("EXP pays 50 for each byte of its exponent (EIP-160)", () => {
  const cost = (exponent: bigint): bigint => gasOf(returning(exponent, 2n, "EXP"));
  assert.equal(cost(0xffn) - cost(0n), 50n + 1n);
  assert.equal(cost(0x100n) - cost(0xffn), 50n);
});
