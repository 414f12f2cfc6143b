import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, createRandom, EMPTY_BYTES, hex, toHexDigits, utf8 } from "@ostrom/base";
import { signSm2WithNonce, sm2MessageHash } from "./noble-sm2.ts";
import { REFERENCE_SIGNATURE_ENGINES } from "./reference-signatures.ts";
import {
  SCHEME_ML_DSA_44,
  SCHEME_SLH_DSA_SHA2_128S,
  SCHEME_SM2,
  SIGNATURE_SCHEMES,
  signatureScheme,
} from "./schemes.ts";
import { signatureEngine, verifySignature } from "./signature-engine.ts";

const MESSAGE = utf8("a transaction");

for (const scheme of SIGNATURE_SCHEMES) {
  const engine = signatureEngine(scheme.id);
  // Its signing takes seconds in JavaScript; the standard's vectors and node:crypto's signatures stand for it.
  if (engine === undefined || scheme.id === SCHEME_SLH_DSA_SHA2_128S || !scheme.hasFixedSignatureLength)
    continue;
  test(`${scheme.name}: a signature verifies for its key and message alone, in one length`, () => {
    const secret = createRandom(scheme.id).bytes(scheme.secretKeyLength);
    const key = engine.publicKey(secret);
    assert.equal(key.length, scheme.publicKeyLength);
    const signature = engine.sign(secret, MESSAGE, EMPTY_BYTES);
    assert.equal(signature.length, scheme.signatureLength);
    const verify = (publicKey: Bytes, message: Bytes, given: Bytes): boolean =>
      verifySignature(scheme.id, publicKey, message, given);
    assert.equal(verify(key, MESSAGE, signature), true);
    assert.equal(verify(key, utf8("another"), signature), false);
    assert.equal(verify(key, MESSAGE, Uint8Array.of(...signature, 0)), false);
    assert.equal(verify(key, MESSAGE, signature.subarray(0, -1)), false);
    assert.equal(verify(Uint8Array.of(...key, 0), MESSAGE, signature), false);
    assert.equal(verify(key.subarray(0, -1), MESSAGE, signature), false);
    assert.equal(verify(new Uint8Array(key.length), MESSAGE, signature), false);
    assert.equal(verify(key, MESSAGE, new Uint8Array(signature.length)), false);
    assert.deepEqual(engine.sign(secret, MESSAGE, EMPTY_BYTES), signature);
    assert.throws(() => engine.sign(secret.subarray(1), MESSAGE, EMPTY_BYTES), { name: "InvariantError" });
  });
}

test("a context separates signatures of schemes that have one, and is refused by those that have none", () => {
  const secret = new Uint8Array(32).fill(7);
  const engine = REFERENCE_SIGNATURE_ENGINES[SCHEME_ML_DSA_44]!;
  const key = engine.publicKey(secret);
  const signature = engine.sign(secret, MESSAGE, utf8("here"));
  assert.equal(engine.verify(key, MESSAGE, signature, utf8("here")), true);
  assert.equal(engine.verify(key, MESSAGE, signature, utf8("there")), false);
  assert.equal(engine.verify(key, MESSAGE, signature, new Uint8Array(256)), false);
  const sm2 = REFERENCE_SIGNATURE_ENGINES[SCHEME_SM2]!;
  const plain = sm2.sign(secret, MESSAGE, EMPTY_BYTES);
  assert.equal(sm2.verify(sm2.publicKey(secret), MESSAGE, plain, EMPTY_BYTES), true);
  assert.equal(sm2.verify(sm2.publicKey(secret), MESSAGE, plain, utf8("x")), false);
  assert.throws(() => sm2.sign(secret, MESSAGE, utf8("x")), { name: "InvariantError" });
});

test("SM2 gives the standard's example (GB/T 32918.5-2017, appendix A.2)", () => {
  const secret = hex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
  const key = REFERENCE_SIGNATURE_ENGINES[SCHEME_SM2]!.publicKey(secret);
  assert.equal(
    toHexDigits(key),
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020" +
      "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
  );
  const hash = sm2MessageHash(key, utf8("message digest"));
  assert.equal(toHexDigits(hash), "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640");
  const nonce = 0x59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21n;
  const signature = signSm2WithNonce(secret, hash, nonce)!;
  assert.equal(
    toHexDigits(signature),
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3" +
      "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
  );
  assert.equal(verifySignature(SCHEME_SM2, key, utf8("message digest"), signature), true);
});

test("unknown schemes and schemes without an engine verify nothing", () => {
  assert.equal(verifySignature(0, EMPTY_BYTES, MESSAGE, EMPTY_BYTES), false);
  assert.equal(verifySignature(255, EMPTY_BYTES, MESSAGE, EMPTY_BYTES), false);
  assert.equal(signatureScheme(255), undefined);
});
