import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, hex, toHexDigits } from "@ostrom/base";
import { REFERENCE_ENGINES } from "@ostrom/crypto";
import { ENGINE_SUBSET, readValidModule } from "@ostrom/wasm";
import { loadNativeCrypto } from "../../../node/runtime/native-crypto.ts";
import { encodeBlake2 } from "./emitted-blake2.ts";
import { encodeKeccak } from "./emitted-keccak.ts";
import { encodeModular } from "./emitted-modular.ts";
import { ARITHMETIC_SUBJECTS } from "./testing/arithmetic-cases.ts";
import {
  BN254_TWIST_COFACTOR,
  BN254_TWIST_COFACTOR_PRIMES,
  bn254TwistPointOfOrder,
  pointPools,
} from "./testing/special-points.ts";

// Native engines against the reference ones. engines.fuzz.ts asks much more.

const ROUNDS = 1000;
const native = loadNativeCrypto();
const pools = pointPools(createRandom(1));

for (const [index, { name, share, make }] of ARITHMETIC_SUBJECTS.entries()) {
  test(`${name}: native and reference engines agree on honest and hostile inputs`, () => {
    const random = createRandom(100 + index);
    const answers = new Set<string>();
    for (let i = 0; i < (ROUNDS * share) / 1000; i++) {
      const { input, ask } = make(random, pools);
      const expected = ask(REFERENCE_ENGINES);
      assert.equal(ask(native), expected, input);
      answers.add(expected);
    }
    assert.ok(answers.size > 1, "one answer to all says nothing");
  });
}

test("emitted modules are valid in the engine's subset", () => {
  for (const module of [encodeBlake2(), encodeKeccak(), encodeModular()]) {
    assert.ok(readValidModule(module, ENGINE_SUBSET).ok);
  }
});

test("blake2f: engines agree on rounds that take several calls", () => {
  const block = createRandom(4).bytes(208);
  for (const rounds of [49_999, 50_000, 50_001, 100_007]) {
    const [ours, theirs] = [native, REFERENCE_ENGINES].map((engines) =>
      engines.blake2.compress(rounds, block, true),
    );
    assert.deepEqual(ours, theirs);
  }
});

test("BN254's subgroup check refuses a point of each prime order that divides the twist's cofactor", () => {
  // What the check accepts is a group; if it holds more than the subgroup, it holds one of these, up to sign and multiple,
  // because each prime divides the cofactor once.
  const product = BN254_TWIST_COFACTOR_PRIMES.reduce((left, right) => left * right, 1n);
  assert.equal(product, BN254_TWIST_COFACTOR);
  const random = createRandom(2);
  const member = pools.bn254G1.members[0]!;
  for (const prime of BN254_TWIST_COFACTOR_PRIMES) {
    const pair = new Uint8Array([...member, ...bn254TwistPointOfOrder(random, prime)]);
    assert.equal(native.bn254.pairing(pair), undefined);
  }
});

test("P-256: keys that clash with each substitute message are verified all the same", async () => {
  const { p256 } = await import("@noble/curves/nist.js");
  const { Fn } = p256.Point;
  for (const text of ["0", "1", "2"]) {
    const substitute = BigInt(
      `0x${toHexDigits(REFERENCE_ENGINES.hash.sha256(new TextEncoder().encode(text)))}`,
    );
    for (const sign of [1n, -1n, 0n]) {
      // The key is d G; a hash of h' + sign r d makes the difference's multiple of G the key itself or its negative.
      const secret = 77_777n;
      const key = p256.Point.BASE.multiply(secret);
      const nonce = 123_456_789n;
      const r = Fn.create(p256.Point.BASE.multiply(nonce).toAffine().x);
      const hashValue = Fn.create(substitute + sign * r * secret);
      const s = Fn.mul(Fn.inv(nonce), Fn.add(hashValue, Fn.mul(r, secret)));
      if (s === 0n) continue;
      const bytes = (value: bigint): Uint8Array => hex(value.toString(16).padStart(64, "0"));
      const signature = new Uint8Array([...bytes(r), ...bytes(s)]);
      const publicKey = key.toBytes(false).subarray(1);
      for (const engine of [REFERENCE_ENGINES.p256, native.p256]) {
        assert.equal(engine.verify(bytes(hashValue), signature, publicKey), true);
        assert.equal(engine.verify(bytes(Fn.create(hashValue + 1n)), signature, publicKey), false);
      }
    }
  }
});

test("multi-scalar multiplications and pairings agree beyond what is computed at once", () => {
  const repeat = (count: number, parts: readonly Uint8Array[]): Uint8Array =>
    new Uint8Array(
      Array.from({ length: count }, () => parts)
        .flat()
        .flatMap((part) => [...part]),
    );
  const scalar = createRandom(3).bytes(32);
  const { blsG1, blsG2, bn254G1, bn254G2 } = pools;
  const g1 = repeat(300, [blsG1.members[0]!, scalar, blsG1.members[2]!, scalar]);
  const g2 = repeat(150, [blsG2.members[0]!, scalar, blsG2.members[2]!, scalar]);
  const bls = repeat(20, [blsG1.members[0]!, blsG2.members[0]!, blsG1.members[1]!, blsG2.members[0]!]);
  const bn = repeat(20, [bn254G1.members[0]!, bn254G2.members[0]!, bn254G1.members[1]!, bn254G2.members[0]!]);
  for (const ask of [
    ({ bls12381 }: typeof REFERENCE_ENGINES) => bls12381.sumOfMultiplesG1(g1),
    ({ bls12381 }: typeof REFERENCE_ENGINES) => bls12381.sumOfMultiplesG2(g2),
    ({ bls12381 }: typeof REFERENCE_ENGINES) => bls12381.pairing(bls),
    ({ bn254 }: typeof REFERENCE_ENGINES) => bn254.pairing(bn),
  ]) {
    assert.deepEqual(ask(native), ask(REFERENCE_ENGINES));
  }
});
