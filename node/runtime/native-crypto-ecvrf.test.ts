import assert from "node:assert/strict";
import { createECDH } from "node:crypto";
import { test } from "node:test";
import {
  type Bytes,
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  createRandom,
  hex,
  toHexDigits,
  utf8,
} from "@ostrom/base";
import { type EcvrfGroup, nobleEcvrf, nobleEcvrfGroup, P256_ORDER, sha256 } from "@ostrom/crypto";
import { createOpensslEcvrf, createOpensslGroup } from "./native-crypto-ecvrf.ts";

const openssl = createOpensslEcvrf();
const FIELD_ORDER = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;

function answers(publicKey: Bytes, proof: Bytes, alpha: Bytes): readonly string[] {
  return [nobleEcvrf, openssl].map((engine) => {
    const output = engine.verify(publicKey, proof, alpha);
    return output === undefined ? "refused" : toHexDigits(output);
  });
}

function agreed(publicKey: Bytes, proof: Bytes, alpha: Bytes, note: string): string {
  const [reference, native] = answers(publicKey, proof, alpha);
  assert.equal(native, reference, note);
  return reference!;
}

test("OpenSSL's engine makes the same keys and proofs as the reference, and both take them", () => {
  const random = createRandom(5);
  const keys = [1n, 2n, 3n, P256_ORDER - 1n, P256_ORDER - 2n].map((value) => bigintToBytes(value, 32));
  for (let i = 0; i < 12; i++) keys.push(sha256(random.bytes(8)));
  for (const [index, secretKey] of keys.entries()) {
    const alpha = random.bytes(index * 7);
    const publicKey = openssl.publicKey(secretKey);
    assert.deepEqual(publicKey, nobleEcvrf.publicKey(secretKey));
    const proof = openssl.prove(secretKey, alpha);
    assert.deepEqual(proof, nobleEcvrf.prove(secretKey, alpha));
    assert.notEqual(agreed(publicKey, proof, alpha, `key ${index}`), "refused");
  }
});

test("engines agree on damaged proofs, keys and inputs", () => {
  const random = createRandom(6);
  const secretKey = sha256(utf8("damaged"));
  const publicKey = openssl.publicKey(secretKey);
  const alpha = utf8("input");
  const proof = openssl.prove(secretKey, alpha);
  for (let i = 0; i < 120; i++) {
    const parts = [publicKey.slice(), proof.slice(), alpha.slice()] as const;
    const part = parts[random.below(3)]!;
    part[random.below(part.length)] = random.below(256);
    agreed(...parts, `seed 6, mutation ${i}`);
  }
});

test("engines agree where scalars and points are at their bounds", () => {
  const random = createRandom(7);
  const scalars = [0n, 1n, 2n, P256_ORDER - 1n, P256_ORDER - 2n, P256_ORDER, 2n ** 256n - 1n];
  const challenges = [0n, 1n, 2n ** 128n - 1n];
  const xs = [0n, 1n, 5n, FIELD_ORDER - 1n, FIELD_ORDER, FIELD_ORDER + 5n, 2n ** 256n - 1n];
  const points = xs.flatMap((x) =>
    [2, 3].map((sign) => concatBytes(Uint8Array.of(sign), bigintToBytes(x, 32))),
  );
  points.push(
    openssl.publicKey(bigintToBytes(1n, 32)),
    openssl.publicKey(bigintToBytes(P256_ORDER - 1n, 32)),
  );
  for (const key of points)
    for (const s of scalars) {
      const gamma = points[random.below(points.length)]!;
      const c = challenges[random.below(3)]!;
      const proof = concatBytes(gamma, bigintToBytes(c, 16), bigintToBytes(s, 32));
      assert.equal(agreed(key, proof, utf8("bounds"), `s ${s}, c ${c}`), "refused");
    }
});

/** s * first - c * second, where the points are multiples of the generator; the first may be the generator itself. */
function differenceBy<Point>(
  group: EcvrfGroup<Point>,
  s: bigint,
  first: bigint,
  c: bigint,
  second: bigint,
): readonly string[] {
  const mask = bigintToBytes(77n, 32);
  const point = (scalar: bigint): Point => group.multiplySecret(bigintToBytes(scalar, 32), "base", mask);
  const variants: readonly (Point | "base")[] = first === 1n ? [point(1n), "base"] : [point(first)];
  return variants.map((one) => {
    const found = group.difference(s, one, c, point(second));
    return found === undefined ? "infinity" : toHexDigits(group.encode(found));
  });
}

test("engines agree on differences of multiples: doubled, opposite, infinite, by 0, 1 and the order less 1", () => {
  const group = createOpensslGroup();
  const seen = new Set<string>();
  const scalars = [0n, 1n, 2n, P256_ORDER - 1n];
  const points = [1n, 2n, P256_ORDER - 1n];
  for (const s of scalars)
    for (const c of scalars)
      for (const first of points)
        for (const second of points) {
          const note = `${s} * ${first}G - ${c} * ${second}G`;
          const [expected] = differenceBy(nobleEcvrfGroup, s, first, c, second);
          for (const found of differenceBy(group, s, first, c, second)) assert.equal(found, expected, note);
          const sum = (s * first + (P256_ORDER - c) * second) % P256_ORDER;
          assert.equal(expected === "infinity", sum === 0n, note);
          seen.add(expected!);
        }
  assert.ok(seen.size > 8);
});

/** The first hash that is a point, as RFC 9381, 5.4.1.1 has it, here from the text of the RFC alone. */
function encodedToCurve(publicKey: Bytes, alpha: Bytes): Bytes {
  for (let counter = 0; ; counter++) {
    const text = concatBytes(Uint8Array.of(1, 1), publicKey, alpha, Uint8Array.of(counter, 0));
    const candidate = concatBytes(Uint8Array.of(2), sha256(text));
    try {
      createECDH("prime256v1").computeSecret(candidate);
    } catch (error) {
      if ((error as { code?: string }).code === "ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY") continue;
    }
    return candidate;
  }
}

test("a proof of nonce 0, whose U and V are infinity, is refused by both", () => {
  const secretKey = bigintToBytes(1n, 32);
  const publicKey = openssl.publicKey(secretKey);
  const alpha = utf8("nonce 0");
  // With the secret key 1, gamma is the encoded input itself.
  const gamma = encodedToCurve(publicKey, alpha);
  assert.deepEqual(openssl.prove(secretKey, alpha).subarray(0, 33), gamma);
  const text = concatBytes(Uint8Array.of(1, 2), publicKey, gamma, gamma, hex("00"), hex("00"), hex("00"));
  const challenge = sha256(text).subarray(0, 16);
  const s = bigintToBytes(bytesToBigint(challenge) % P256_ORDER, 32);
  assert.equal(agreed(publicKey, concatBytes(gamma, challenge, s), alpha, "nonce 0"), "refused");
});
