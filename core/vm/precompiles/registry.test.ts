import assert from "node:assert/strict";
import { test } from "node:test";
import { addressToWord, hex, toHex } from "@ostrom/base";
import { isPrecompile, precompileAddresses, runPrecompile } from "./index.ts";

const PLENTY = 10_000_000n;

test("each fork has its precompiles", () => {
  const numbers = (fork: "cancun" | "prague" | "osaka"): bigint[] =>
    precompileAddresses(fork).map(addressToWord);
  const upTo = (last: number): bigint[] => Array.from({ length: last }, (_, i) => BigInt(i + 1));
  assert.deepEqual(numbers("cancun"), upTo(0x0a));
  assert.deepEqual(numbers("prague"), upTo(0x11));
  assert.deepEqual(numbers("osaka"), [...upTo(0x11), 0x100n]);
  assert.equal(isPrecompile("cancun", 0x0b), false);
  assert.equal(isPrecompile("prague", 0x0bn), true);
  assert.equal(isPrecompile("osaka", 0x12), false);
  assert.equal(isPrecompile("prague", 0x100), false);
});

test("an address that only looks like a precompile's in its low bits is none", () => {
  for (const address of [0n, 1n << 32n, (1n << 64n) + 1n, (1n << 160n) - 1n]) {
    assert.equal(isPrecompile("osaka", address), false);
    assert.deepEqual(runPrecompile("osaka", address, new Uint8Array(0), PLENTY), { ok: false });
  }
});

test("a call needs exactly its price", () => {
  const input = new Uint8Array(33);
  assert.deepEqual(runPrecompile("osaka", 4, input, 20n), { ok: false });
  assert.deepEqual(runPrecompile("osaka", 4, input, 21n), { ok: true, gasUsed: 21n, output: input });
});

test("the output shares no memory with the input", () => {
  const input = Uint8Array.of(1, 2, 3);
  const result = runPrecompile("osaka", 4, input, PLENTY);
  assert.ok(result.ok);
  result.output[0] = 9;
  assert.equal(input[0], 1);
});

test("hashes of nothing are the published ones, RIPEMD-160's in a whole word", () => {
  const outputs = [2, 3].map((address) => {
    const result = runPrecompile("cancun", address, new Uint8Array(0), PLENTY);
    return result.ok ? [result.gasUsed, toHex(result.output)] : [];
  });
  assert.deepEqual(outputs, [
    [60n, "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    [600n, "0x0000000000000000000000009c1185a5c5e9fc54612808977ee8f548b2258d31"],
  ]);
});

test("ecrecover answers EIP-155's sender in a word, and nothing for a v that is neither 27 nor 28", () => {
  const call = (v: string): string => {
    const input = hex(
      `daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53${v}` +
        "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276" +
        "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
    );
    const result = runPrecompile("osaka", 1, input, 3000n);
    assert.ok(result.ok);
    return toHex(result.output);
  };
  assert.equal(
    call("1b".padStart(64, "0")),
    "0x0000000000000000000000009d8a62f656a8d1615c1294fd71e9cfb3e4855a4f",
  );
  for (const v of ["1d", "00", "1a", "011b"]) assert.equal(call(v.padStart(64, "0")), "0x");
  assert.equal(call(`01${"1b".padStart(62, "0")}`), "0x");
});
