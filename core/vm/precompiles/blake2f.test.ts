import assert from "node:assert/strict";
import { test } from "node:test";
import { hex, toHex } from "@ostrom/base";
import { runPrecompile } from "./index.ts";

// The test vectors of EIP-152: h and m are BLAKE2b's state and block for "abc".
const STATE =
  "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5" +
  "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b";
const BLOCK = "616263".padEnd(256, "0");
const COUNTER = "03".padEnd(32, "0");

function call(rounds: string, flag: string, gasLimit: bigint): { gas: bigint; output: string } | undefined {
  const result = runPrecompile("osaka", 9, hex(rounds + STATE + BLOCK + COUNTER + flag), gasLimit);
  return result.ok ? { gas: result.gasUsed, output: toHex(result.output) } : undefined;
}

test("F gives EIP-152's outputs (vectors 4 to 7), a gas each round", () => {
  assert.deepEqual(call("00000000", "01", 0n), {
    gas: 0n,
    output:
      "0x08c9bcf367e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5" +
      "d282e6ad7f520e511f6c3e2b8c68059b9442be0454267ce079217e1319cde05b",
  });
  assert.deepEqual(call("0000000c", "01", 12n), {
    gas: 12n,
    output:
      "0xba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1" +
      "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
  });
  assert.equal(
    call("0000000c", "00", 12n)?.output,
    "0x75ab69d3190a562c51aef8d88f1c2775876944407270c42c9844252c26d28752" +
      "98743e7f6d5ea2f2d3e8d226039cd31b4e426ac4f2d3d666a610c2116fde4735",
  );
  assert.equal(
    call("00000001", "01", 1n)?.output,
    "0xb63a380cb2897d521994a85234ee2c181b5f844d2c624c002677e9703449d2fb" +
      "a551b3a8333bcdf5f2f7e08993d53923de3d64fcc68c034e717b9293fed7a421",
  );
});

test("F fails on another length, another flag, and gas short of its rounds (vectors 0 to 3)", () => {
  assert.equal(call("0000000c", "02", 12n), undefined);
  assert.equal(call("0000000c", "01", 11n), undefined);
  assert.equal(call("00000c", "01", 100n), undefined);
  assert.equal(call("000000000c", "01", 100n), undefined);
  assert.deepEqual(runPrecompile("osaka", 9, new Uint8Array(0), 100n), { ok: false });
});
