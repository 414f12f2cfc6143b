import assert from "node:assert/strict";
import { test } from "node:test";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { type Bytes, bigintToBytes, concatBytes, EMPTY_BYTES, hex, must, toHex, utf8 } from "@ostrom/base";
import {
  SCHEME_BLS12381,
  SCHEME_ML_DSA_44,
  SCHEME_P256,
  SIGNATURE_SCHEMES,
  sha256,
  signatureEngine,
  signatureScheme,
  sm3,
} from "@ostrom/crypto";
import { MemoryState, StateOverlay } from "@ostrom/state";
import { cryptographyPrecompiles, executeMessage, forkPrecompiles, type PrecompileSet } from "@ostrom/vm";
import { type Abi, decodeFunctionResult, encodeFunctionData } from "viem";
import { accountWith, CALLER, CONTRACT, TEST_BLOCK } from "../../core/vm/testing/run-code.ts";
import { compileFolder } from "../solidity/build.ts";

const MESSAGE = utf8("the commons");
const PROBE = must(
  compileFolder("languages/solidity/testing", ["languages/solidity/interfaces"]).find(
    ({ name }) => name === "CryptographyProbe",
  ),
  "the probe must be compiled",
);
const ABI = PROBE.abi as Abi;

/** @returns undefined if the call reverts. */
function ask(
  functionName: string,
  args: readonly unknown[],
  precompiles: PrecompileSet = cryptographyPrecompiles("osaka"),
): unknown {
  const state = new StateOverlay(MemoryState.of([accountWith({ address: CONTRACT, code: hex(PROBE.code) })]));
  state.beginTransaction();
  const outcome = executeMessage(
    {
      fork: "osaka",
      block: TEST_BLOCK,
      transaction: { origin: CALLER, gasPrice: 10n, blobVersionedHashes: [] },
      state,
      precompiles,
    },
    {
      caller: CALLER,
      to: CONTRACT,
      value: 0n,
      data: hex(encodeFunctionData({ abi: ABI, functionName, args })),
      gas: 10_000_000n,
    },
  );
  if (outcome.status !== "success") return undefined;
  return decodeFunctionResult({ abi: ABI, functionName, data: toHex(outcome.output) });
}

test("a contract verifies a signature of each scheme", () => {
  for (const { id, name, secretKeyLength } of SIGNATURE_SCHEMES) {
    const engine = signatureEngine(id);
    if (engine === undefined) continue;
    const secretKey = new Uint8Array(secretKeyLength).fill(3);
    const publicKey = toHex(engine.publicKey(secretKey));
    const signature = toHex(engine.sign(secretKey, MESSAGE, EMPTY_BYTES));
    const verify = (message: Bytes, key = publicKey): unknown =>
      ask("verify", [id, key, toHex(message), signature, "0x"]);
    assert.equal(verify(MESSAGE), true, name);
    assert.equal(verify(utf8("the common")), false, name);
    assert.equal(verify(MESSAGE, `${publicKey}00`), false, `${name}, a longer key`);
  }
});

test("a contract verifies a signature on a hash", () => {
  const engine = must(signatureEngine(SCHEME_P256), "P-256 signs contracts' messages");
  const secretKey = new Uint8Array(32).fill(3);
  const hash = sha256(MESSAGE);
  const signature = toHex(engine.sign(secretKey, hash, EMPTY_BYTES));
  const publicKey = toHex(engine.publicKey(secretKey));
  assert.equal(ask("verifyHash", [SCHEME_P256, publicKey, toHex(hash), signature]), true);
  assert.equal(
    ask("verifyHash", [SCHEME_P256, publicKey, toHex(MESSAGE.slice(0, 1)).padEnd(66, "0"), signature]),
    false,
  );
});

test("a contract gives ML-DSA the context that was signed", () => {
  const engine = must(signatureEngine(SCHEME_ML_DSA_44), "ML-DSA signs contracts' messages");
  const secretKey = new Uint8Array(32).fill(5);
  const context = utf8("ostrom/transaction");
  const signature = toHex(engine.sign(secretKey, MESSAGE, context));
  const parts = [SCHEME_ML_DSA_44, toHex(engine.publicKey(secretKey)), toHex(MESSAGE), signature];
  assert.equal(ask("verify", [...parts, toHex(context)]), true);
  assert.equal(ask("verify", [...parts, "0x"]), false);
});

test("the table in Solidity is the registry's", () => {
  for (let id = 0; id < 256; id++) {
    const scheme = id === SCHEME_BLS12381 ? undefined : signatureScheme(id);
    const expected = [BigInt(scheme?.publicKeyLength ?? 0), scheme?.isPostQuantum ?? false];
    assert.deepEqual(ask("describe", [id]), expected, `scheme ${id}`);
  }
});

test("a contract hashes by SM3", () => {
  for (const length of [0, 1, 55, 56, 64, 1000]) {
    const data = new Uint8Array(length).fill(length);
    assert.equal(ask("sm3", [toHex(data)]), toHex(sm3(data)));
  }
});

test("on a chain without these precompiles nothing verifies, and hashing by SM3 reverts", () => {
  const ethereum = forkPrecompiles("osaka");
  const engine = must(signatureEngine(SCHEME_P256), "P-256 signs contracts' messages");
  const secretKey = new Uint8Array(32).fill(3);
  const signature = toHex(engine.sign(secretKey, MESSAGE, EMPTY_BYTES));
  const parts = [SCHEME_P256, toHex(engine.publicKey(secretKey)), toHex(MESSAGE), signature, "0x"];
  assert.equal(ask("verify", parts, ethereum), false);
  assert.equal(ask("sm3", ["0x"], ethereum), undefined);
});

test("a contract verifies P-256 on a hash of its own (EIP-7951)", () => {
  const engine = must(signatureEngine(SCHEME_P256), "P-256 signs contracts' messages");
  const secretKey = new Uint8Array(32).fill(3);
  const words = [engine.sign(secretKey, MESSAGE, EMPTY_BYTES), engine.publicKey(secretKey)].flatMap(
    (pair) => [toHex(pair.subarray(0, 32)), toHex(pair.subarray(32))],
  );
  assert.equal(ask("p256", [toHex(sha256(MESSAGE)), ...words]), true);
  assert.equal(ask("p256", [toHex(sha256(utf8("other"))), ...words]), false);
});

test("a contract computes on BLS12-381 (EIP-2537), and what is no point reverts", () => {
  const field = (value: bigint): Bytes => bigintToBytes(value, 64);
  const g1 = (point: { readonly x: bigint; readonly y: bigint }): string =>
    toHex(concatBytes(field(point.x), field(point.y)));
  const base = bls12_381.G1.Point.BASE;
  const { x, y } = bls12_381.G2.Point.BASE.toAffine();
  const g2 = toHex(concatBytes(...[x.c0, x.c1, y.c0, y.c1].map(field)));
  const point = g1(base.toAffine());
  assert.equal(ask("blsDoubles", [point]), true);
  assert.equal(ask("blsCancels", [point, g1(base.negate().toAffine()), g2]), true);
  assert.equal(ask("blsCancels", [point, point, g2]), false);
  assert.equal(ask("blsMaps", [toHex(field(5n)), toHex(concatBytes(field(6n), field(7n)))]), true);
  assert.equal(ask("blsDoubles", [toHex(concatBytes(field(1n), field(1n)))]), undefined);
});
