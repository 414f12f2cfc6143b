import assert from "node:assert/strict";
import { test } from "node:test";
import { hex, toHex } from "@ostrom/base";
import { assemble } from "./testing/assemble.ts";
import { gasOf, runCode } from "./testing/run-code.ts";

const ALL = ["MSIZE", 0n, "RETURN"] as const;

test("MCOPY copies as if through a buffer, also where source and destination overlap (EIP-5656)", () => {
  const word = 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fn;
  const copy = (to: bigint, from: bigint, size: bigint): string =>
    toHex(runCode(assemble(word, 0n, "MSTORE", size, from, to, "MCOPY", ...ALL)).outcome.output);
  assert.equal(copy(0n, 1n, 8n), "0x010203040506070808090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  assert.equal(copy(1n, 0n, 8n), "0x000001020304050607090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  assert.equal(copy(32n, 0n, 32n).length, 2 + 128);
});

test("MCOPY pays for the farther end of what it reads and writes, and nothing for no bytes", () => {
  const cost = (to: bigint, from: bigint, size: bigint): bigint =>
    gasOf(assemble(size, from, to, "MCOPY")) - gasOf(assemble(size, from, to, "POP", "POP", "POP")) + 3n * 2n;
  assert.equal(cost(1n, 64n, 32n), 3n + 3n + 3n * 3n);
  assert.equal(cost(64n, 1n, 32n), 3n + 3n + 3n * 3n);
  assert.equal(cost(2n ** 255n, 2n ** 254n, 0n), 3n);
});

test("MSTORE8 writes the low byte, MLOAD reads across words, MSIZE counts whole words", () => {
  assert.equal(
    toHex(runCode(assemble(0x1234n, 33n, "MSTORE8", ...ALL)).outcome.output),
    `0x${"00".repeat(33)}34${"00".repeat(30)}`,
  );
  const { outcome } = runCode(assemble(0xffn, 0n, "MSTORE", 1n, "MLOAD", 0n, "MSTORE", ...ALL));
  assert.equal(toHex(outcome.output), `0x${"00".repeat(30)}ff00${"00".repeat(32)}`);
});

test("copies fill with zeros what lies beyond their source", () => {
  const data = hex("0x010203");
  const { outcome } = runCode(assemble(2n ** 256n - 1n, 0n, "MSTORE", 4n, 1n, 0n, "CALLDATACOPY", ...ALL), {
    data,
  });
  assert.equal(toHex(outcome.output), `0x02030000${"ff".repeat(28)}`);
  const far = runCode(assemble(2n ** 256n - 1n, 0n, "MSTORE", 4n, 2n ** 200n, 0n, "CODECOPY", ...ALL));
  assert.equal(toHex(far.outcome.output), `0x00000000${"ff".repeat(28)}`);
  const load = runCode(assemble(1n, "CALLDATALOAD", 0n, "MSTORE", ...ALL), { data });
  assert.equal(toHex(load.outcome.output), `0x0203${"00".repeat(30)}`);
});
