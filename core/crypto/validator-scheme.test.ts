import assert from "node:assert/strict";
import { test } from "node:test";
import { unwrap, utf8 } from "@ostrom/base";
import {
  deriveBlsSecretKey,
  formCertificate,
  readCertificate,
  SCHEME_BLS12381,
  SCHEME_ML_DSA_44,
  SCHEME_SECP256K1,
  signatureInList,
  VALIDATOR_SCHEME_IDS,
  type ValidatorScheme,
  validatorScheme,
  validatorSchemeByName,
  validatorSchemeOfKey,
  verifyCertificate,
  verifySignature,
} from "@ostrom/crypto";

const MESSAGE = utf8("block 7");
const SCHEMES: readonly ValidatorScheme[] = VALIDATOR_SCHEME_IDS.map((id) => validatorScheme(id)!);
/** Below the order of each curve. */
const secrets = [1, 2, 3].map((seed) => deriveBlsSecretKey(new Uint8Array(32).fill(seed)));

test("validators vote by BLS12-381, SM2, ML-DSA-44 and ML-DSA-65, and by nothing else", () => {
  assert.deepEqual(
    SCHEMES.map(({ name }) => name),
    ["bls12-381", "sm2", "ml-dsa-44", "ml-dsa-65"],
  );
  for (const id of [0, SCHEME_SECP256K1, 3, 4, 8, 9, 10, 11, 99])
    assert.equal(validatorScheme(id), undefined);
  assert.equal(validatorSchemeByName("ed25519"), undefined);
  assert.equal(validatorSchemeByName("ml-dsa-44")?.id, SCHEME_ML_DSA_44);
  const lengths = new Set(SCHEMES.map(({ publicKeyLength }) => publicKeyLength));
  assert.equal(lengths.size, SCHEMES.length, "a key tells its scheme by its length");
});

for (const scheme of SCHEMES) {
  const keys = secrets.map(scheme.publicKey);
  const signatures = secrets.map((secret) => scheme.sign(secret, MESSAGE));
  const joined = scheme.join(signatures)!;

  test(`${scheme.name}: lengths are those of the registry, and a key is known by its own`, () => {
    assert.equal(keys[0]!.length, scheme.publicKeyLength);
    assert.equal(signatures[0]!.length, scheme.signatureLength);
    assert.equal(joined.length, scheme.joinedLength(3));
    assert.equal(validatorSchemeOfKey(keys[0]!), scheme);
    assert.ok(scheme.isSecretKey(secrets[0]!));
    assert.ok(!scheme.isSecretKey(secrets[0]!.subarray(1)));
  });

  test(`${scheme.name}: joined signatures hold for exactly these signers in this order of joining`, () => {
    assert.ok(scheme.verifyJoined(keys, MESSAGE, joined));
    assert.ok(!scheme.verifyJoined(keys.slice(1), MESSAGE, joined));
    assert.ok(!scheme.verifyJoined([], MESSAGE, joined));
    assert.ok(!scheme.verifyJoined([], MESSAGE, new Uint8Array(0)));
    assert.ok(!scheme.verifyJoined(keys, utf8("block 8"), joined));
    assert.ok(!scheme.verifyJoined(keys, MESSAGE, Uint8Array.of(...joined, 0)));
    assert.ok(!scheme.verifyJoined(keys, MESSAGE, joined.subarray(0, -1)));
    assert.equal(scheme.join([]), undefined);
    assert.equal(scheme.join([signatures[0]!, signatures[1]!.subarray(1)]), undefined);
    if (scheme.aggregates) return;
    assert.ok(!scheme.verifyJoined([...keys].reverse(), MESSAGE, joined));
    assert.deepEqual(signatureInList(scheme, joined, 1), signatures[1]);
  });

  test(`${scheme.name}: a proof of possession is of its own key alone, and no vote is one`, () => {
    const proof = scheme.provePossession(secrets[0]!);
    assert.equal(proof.length, scheme.proofLength);
    assert.ok(scheme.verifyPossession(keys[0]!, proof));
    assert.ok(!scheme.verifyPossession(keys[1]!, proof));
    assert.ok(!scheme.verifyPossession(keys[0]!, scheme.sign(secrets[0]!, keys[0]!)));
    assert.ok(!scheme.verifyPossession(keys[0]!, new Uint8Array(0)));
    assert.ok(!scheme.verifyPossession(new Uint8Array(0), proof));
    if (scheme.id === SCHEME_BLS12381) return;
    const message = Uint8Array.of(...utf8("ostrom/possession/1"), ...keys[0]!);
    assert.ok(verifySignature(scheme.id, keys[0]!, message, proof));
  });

  test(`${scheme.name}: a certificate is formed of votes in any order, and read only in its exact form`, () => {
    const votes = [2, 0].map((index) => ({ index, signature: signatures[index]! }));
    const certificate = unwrap(formCertificate(3, votes, scheme.id));
    assert.deepEqual(certificate.signers, Uint8Array.of(0b101));
    assert.ok(verifyCertificate(keys, [1, 1, 1], 2, MESSAGE, certificate).ok);
    assert.ok(!verifyCertificate(keys, [1, 1, 1], 3, MESSAGE, certificate).ok);
    const codes = [
      certificate.signature.subarray(1),
      Uint8Array.of(...certificate.signature, 0),
      new Uint8Array(0),
    ].map((signature) => readCertificate(3, { ...certificate, signature }));
    for (const read of codes)
      assert.equal(read.ok ? "ok" : read.error.code, "certificate/malformed-signature");
    const unknown = readCertificate(3, { ...certificate, scheme: SCHEME_SECP256K1 });
    assert.equal(unknown.ok ? "ok" : unknown.error.code, "certificate/unknown-scheme");
  });
}

test("a list names as many signers as it has signatures", () => {
  const scheme = validatorScheme(SCHEME_ML_DSA_44)!;
  const votes = [0, 1].map((index) => ({ index, signature: scheme.sign(secrets[index]!, MESSAGE) }));
  const certificate = unwrap(formCertificate(3, votes, scheme.id));
  for (const signers of [0b001, 0b111]) {
    const read = readCertificate(3, { ...certificate, signers: Uint8Array.of(signers) });
    assert.equal(read.ok ? "ok" : read.error.code, "certificate/malformed-signature");
  }
});
