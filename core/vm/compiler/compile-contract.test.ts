import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, EMPTY_BYTES } from "@ostrom/base";
import { createContractEngine } from "../engine/index.ts";
import { type CodeRun, difference } from "../engine/testing/compare-engines.ts";
import { assemble } from "../testing/assemble.ts";
import { compileContract } from "./compile-contract.ts";

const MAX_CODE_SIZE = 24_576;

const engine = createContractEngine({ tiers: "tier1" });

/** @returns how tier 1 differs from the reference. */
function tier1Difference(code: Bytes, gas = 1_000_000n): string | undefined {
  const run: CodeRun = { fork: "osaka", code, otherCode: EMPTY_BYTES, data: EMPTY_BYTES, gas };
  const before = engine.counts.frames.tier1;
  const found = difference(engine.execute, run);
  assert.ok(engine.counts.frames.tier1 > before, "tier 1 must have run it");
  return found;
}

function repeat<T>(count: number, part: readonly T[]): T[] {
  return Array.from({ length: count }, () => part).flat();
}

/** Behind a PUSH of two bytes for each destination, so that they can be written later. */
function withDestinations(code: Bytes, ...destinations: readonly [at: number, destination: number][]): Bytes {
  const written = code.slice();
  for (const [at, destination] of destinations) written.set([destination >> 8, destination & 0xff], at);
  return written;
}

test("code full of jump destinations that nothing jumps to becomes few bytes", () => {
  const compilation = compileContract(new Uint8Array(MAX_CODE_SIZE).fill(0x5b), "osaka");
  assert.ok(compilation.kind === "compiled" && compilation.bytes.length < 2000);
});

test("code whose jumps may have any of thousands of destinations is refused", () => {
  const code = new Uint8Array(MAX_CODE_SIZE).fill(0x5b);
  code.set(assemble(0n, "CALLDATALOAD", "JUMP"));
  assert.deepEqual(compileContract(code, "osaka"), { kind: "refused", reason: "too many entries" });
});

test("a word that goes on in a local is read before its place in memory is written", () => {
  // After a call all words are in memory. The first moves up, to where the loop that follows has it in a local, while its
  // place, which is too deep for a local, is written.
  const head = assemble(
    ...[0x11n, 0n, 0n, 0n, 0n, 0n, 9n, 0n, "CALL", "POP"],
    ...["DUP1", 0x22n, "SWAP2", "POP"],
    ...repeat(12, [1n]),
    ...["SWAP12", ...repeat(10, [2n]), 3n],
  );
  const loop = assemble("JUMPDEST", 1n, "SWAP1", "SUB", "DUP1", 0x1234n, "JUMPI");
  const tail = assemble(
    ...["POP", ...repeat(10, ["POP"])],
    ...[0n, "MSTORE", ...repeat(12, ["POP"]), 32n, "MSTORE", 64n, 0n, "RETURN"],
  );
  const code = Uint8Array.from([...head, ...loop, ...tail]);
  const at = head.length + loop.length - 3;
  assert.equal(tier1Difference(withDestinations(code, [at, head.length])), undefined);
});

test("a write to storage for which gas is short knows what was written before it without the host", () => {
  for (let gas = 22_000n; gas < 50_000n; gas += 997n) {
    const code = assemble(...[9n, 3n, "SSTORE", 0n, 3n, "SSTORE", 8n, 3n, "SSTORE", 0n, 3n, "SSTORE"]);
    assert.equal(tier1Difference(Uint8Array.from([...code, ...assemble(7n, 3n, "SSTORE")]), gas), undefined);
  }
});

test("functions that call each other, from several heights of the stack, return to where they were called", () => {
  // main: f(3) + f(4), where f(n) is 1 for 0, else n * f(n - 1).
  const f = 30;
  const main = assemble(
    ...[0x1111n, 3n, 0x1111n, "JUMP", "JUMPDEST", 0x1111n, 4n, 0x1111n, "JUMP", "JUMPDEST"],
  );
  const rest = assemble("ADD", 0n, "MSTORE", 32n, 0n, "RETURN");
  const body = assemble(
    ...["JUMPDEST", "DUP1", 0x1111n, "JUMPI", "POP", 1n, "SWAP1", "JUMP"],
    ...["JUMPDEST", "DUP1", 0x1111n, "SWAP1", 1n, "SWAP1", "SUB", 0x1111n, "JUMP"],
    ...["JUMPDEST", "MUL", "SWAP1", "JUMP"],
  );
  const code = new Uint8Array(f + body.length);
  code.set(main);
  code.set(rest, main.length);
  code.set(body, f);
  const destinations = [...code.keys()].filter((at) => code[at] === 0x5b);
  const pushes = [...code.keys()].filter((at) => code[at] === 0x11 && code[at + 1] === 0x11);
  const [afterFirst, afterSecond, start, recursion, afterRecursion] = destinations as [
    number,
    number,
    number,
    number,
    number,
  ];
  const order = [afterFirst, start, afterSecond, start, recursion, afterRecursion, start];
  assert.equal(pushes.length, order.length);
  const linked = withDestinations(code, ...pushes.map((at, i) => [at, order[i]!] as [number, number]));
  assert.equal(tier1Difference(linked), undefined);
});

test("stacks that are one word too deep or too shallow fail in loops too", () => {
  // Pushes a word each time round, or takes one.
  for (const instruction of ["PC", "POP"]) {
    const head = assemble(...repeat(40, [1n]));
    const loop = assemble("JUMPDEST", instruction, 0x1234n, "JUMP");
    const code = Uint8Array.from([...head, ...loop]);
    assert.equal(tier1Difference(withDestinations(code, [code.length - 3, head.length])), undefined);
  }
});

test("powers of powers of two are what they are", () => {
  for (const base of [2n, 4n, 256n, 2n ** 64n, 2n ** 255n]) {
    for (const exponent of [
      0n,
      1n,
      3n,
      31n,
      32n,
      127n,
      128n,
      255n,
      256n,
      2n ** 62n,
      2n ** 63n,
      2n ** 64n,
      2n ** 255n,
    ]) {
      // Through memory, so that the compiler does not know the exponent.
      const code = assemble(
        ...[exponent, 0n, "MSTORE", 0n, "MLOAD", base, "EXP", 0n, "MSTORE", 32n, 0n, "RETURN"],
      );
      assert.equal(tier1Difference(code), undefined, `${base}^${exponent}`);
    }
  }
});

test("a product divided by a factor is the other, unless the product has overflowed or the factor is 0", () => {
  const values = [0n, 1n, 3n, 2n ** 64n, 2n ** 127n + 1n, 2n ** 128n, 2n ** 200n + 5n, 2n ** 256n - 1n];
  for (const a of values) {
    for (const b of values) {
      const code = assemble(
        ...[a, 0n, "MSTORE", b, 32n, "MSTORE", 0n, "MLOAD", 32n, "MLOAD"],
        ...["DUP2", "DUP2", "MUL", "DUP2", "DUP2", "DIV", 0n, "MSTORE", "DUP3", "SWAP1", "DIV"],
        ...[32n, "MSTORE", 64n, 0n, "RETURN"],
      );
      assert.equal(tier1Difference(code), undefined, `${a} * ${b}`);
    }
  }
});

test("small copies of code are what the code is, and zeros behind its end", () => {
  for (const size of [0n, 1n, 15n, 16n, 33n, 100n]) {
    for (const from of [0n, 3n, 20n, 5000n, 2n ** 255n]) {
      const code = assemble(
        ...[2n ** 255n - 1n, 0n, "MSTORE", size, from, 0x40n, "CODECOPY"],
        ...[0xe0n, 0n, "RETURN"],
      );
      assert.equal(tier1Difference(code), undefined, `${size} from ${from}`);
    }
  }
});
