import assert from "node:assert/strict";
import { test } from "node:test";
import { type Failure, type Result, unwrap, utf8 } from "@ostrom/base";
import {
  bls,
  type Certificate,
  deriveBlsSecretKey,
  formCertificate,
  HASH_SCHEMES,
  hashScheme,
  readCertificate,
  readSigners,
  SCHEME_BLS12381,
  SCHEME_SECP256K1,
  SIGNATURE_SCHEMES,
  signatureScheme,
  verifyCertificate,
  writeSigners,
} from "@ostrom/crypto";

const MEMBERS = 10;
const MESSAGE = utf8("block 7");
const secrets = Array.from({ length: MEMBERS }, (_, i) => deriveBlsSecretKey(new Uint8Array(32).fill(i + 1)));
const keys = secrets.map((secret) => bls().publicKey(secret));
const weights = secrets.map((_, i) => (i === 0 ? 10 : 1));
const votes = [9, 0, 3].map((index) => ({ index, signature: bls().sign(secrets[index]!, MESSAGE) }));
const certificate = unwrap(formCertificate(MEMBERS, votes));

function codeOf<T>(result: Result<T, Failure>): string {
  return result.ok ? "ok" : result.error.code;
}

function verify(changed: Partial<Certificate>, threshold = 12): string {
  return codeOf(verifyCertificate(keys, weights, threshold, MESSAGE, { ...certificate, ...changed }));
}

test("a certificate holds for exactly the weight that signed", () => {
  assert.equal(verify({}, 12), "ok");
  assert.equal(verify({}, 13), "certificate/insufficient-weight");
});

test("a certificate names its signers, from the lowest bit of the first byte", () => {
  assert.deepEqual(certificate.signers, Uint8Array.of(0b0000_1001, 0b0000_0010));
  assert.deepEqual(unwrap(readSigners(MEMBERS, certificate.signers)), [0, 3, 9]);
});

test("a certificate refuses another message, other signers, another signature and another set", () => {
  assert.equal(
    codeOf(verifyCertificate(keys, weights, 1, utf8("block 8"), certificate)),
    "certificate/bad-signature",
  );
  assert.equal(verify({ signers: writeSigners(MEMBERS, [0, 3, 8]) }), "certificate/bad-signature");
  assert.equal(verify({ signature: votes[0]!.signature }), "certificate/bad-signature");
  assert.equal(verify({ signature: new Uint8Array(96) }), "certificate/bad-signature");
  const others = [...keys.slice(1), keys[0]!];
  assert.equal(
    codeOf(verifyCertificate(others, weights, 1, MESSAGE, certificate)),
    "certificate/bad-signature",
  );
});

test("a certificate of nobody has no weight", () => {
  assert.equal(verify({ signers: new Uint8Array(2) }, 1), "certificate/insufficient-weight");
});

test("a bitmap has exactly the bytes and bits of its set", () => {
  for (const signers of [Uint8Array.of(9), Uint8Array.of(9, 2, 0), Uint8Array.of(9, 0b0000_0110)]) {
    assert.equal(verify({ signers }), "certificate/malformed-signers");
  }
  assert.equal(codeOf(readSigners(8, Uint8Array.of(255))), "ok");
  assert.equal(codeOf(readSigners(7, Uint8Array.of(255))), "certificate/malformed-signers");
});

test("the form of what comes from outside is checked before anything is computed", () => {
  assert.equal(codeOf(readCertificate(MEMBERS, certificate)), "ok");
  assert.equal(verify({ scheme: 77 }), "certificate/unknown-scheme");
  assert.equal(verify({ scheme: SCHEME_SECP256K1 }), "certificate/unknown-scheme");
  assert.equal(verify({ signature: new Uint8Array(95) }), "certificate/malformed-signature");
});

test("no certificate is formed of no votes or of bytes that are no signature", () => {
  assert.equal(codeOf(formCertificate(MEMBERS, [])), "certificate/malformed-signature");
  const broken = [...votes, { index: 1, signature: new Uint8Array(96).fill(0x99) }];
  assert.equal(codeOf(formCertificate(MEMBERS, broken)), "certificate/malformed-signature");
});

test("votes twice by one member, and of no member, stop the caller", () => {
  assert.throws(() => formCertificate(MEMBERS, [...votes, votes[0]!]), { name: "InvariantError" });
  assert.throws(() => writeSigners(MEMBERS, [MEMBERS]), { name: "InvariantError" });
});

test("ids of schemes are permanent and distinct", () => {
  assert.deepEqual(
    HASH_SCHEMES.map(({ id, multicodec }) => [id, multicodec]),
    [
      [1, 0x1b],
      [2, 0x12],
      [3, 0x534d],
    ],
  );
  assert.deepEqual(
    SIGNATURE_SCHEMES.map(({ id, multicodec }) => [id, multicodec]),
    [
      [1, 0xea],
      [2, 0xe7],
      [3, 0x1200],
      [4, 0xed],
      [5, 0x1206],
      [6, 0x1210],
      [7, 0x1211],
      [8, 0x1212],
      [9, 0x1220],
      [10, 0x30000a],
      [11, 0x30000b],
    ],
  );
  assert.equal(signatureScheme(SCHEME_BLS12381)?.publicKeyLength, 48);
  assert.equal(hashScheme(0), undefined);
  assert.equal(signatureScheme(0), undefined);
});
