import assert from "node:assert/strict";
import {
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  encapsulate,
  sign as nodeSign,
  verify as nodeVerify,
} from "node:crypto";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { type Bytes, concatBytes, EMPTY_BYTES, toHexDigits, unwrap, utf8 } from "@ostrom/base";
import {
  CIPHER_SM4_GCM,
  cipher,
  keyAgreement,
  REFERENCE_CIPHER_ENGINES,
  REFERENCE_ENGINES,
  REFERENCE_KEY_AGREEMENT,
  REFERENCE_SIGNATURE_ENGINES,
  SCHEME_SM2,
  signatureEngine,
  signatureSchemeByName,
  sm3,
} from "@ostrom/crypto";
import { installNativeCrypto } from "@ostrom/runtime";
import {
  DER_INTEGER,
  DerReader,
  derBits,
  derCount,
  derElement,
  derInteger,
  derObjectId,
  derOctets,
  derSequence,
} from "./der.ts";
import { createKeyPair, platformEntropy } from "./key-pair.ts";
import { privateKeyToPem, publicKeyToPem } from "./pem.ts";
import { openssl, WITHOUT_OPENSSL, withFolder } from "./testing/openssl.ts";

// Our engines, portable and native, against programs of others: the openssl command, and node:crypto called directly.

installNativeCrypto();
const MESSAGE = utf8("the commons");
const WORD = 32;
const ML_KEM_768 = "2.16.840.1.101.3.4.4.2";
const IDENTIFIER = ["-pkeyopt", "distid:1234567812345678"];

test("SM2 signatures go both ways between openssl and each engine", { skip: WITHOUT_OPENSSL }, () => {
  withFolder((path, folder) => {
    const pair = unwrap(createKeyPair("sm2", platformEntropy));
    writeFileSync(path("key.pem"), unwrap(privateKeyToPem(pair)));
    writeFileSync(path("public.pem"), unwrap(publicKeyToPem(pair)));
    writeFileSync(path("message"), MESSAGE);
    const how = ["-rawin", "-digest", "sm3", ...IDENTIFIER, "-in", "message"];
    const theirs = openssl(["pkeyutl", "-sign", "-inkey", "key.pem", ...how], folder);
    const reader = new DerReader(theirs).enter();
    const signature = concatBytes(...[reader.integer(), reader.integer()].map(toWord));
    for (const engine of [REFERENCE_SIGNATURE_ENGINES[SCHEME_SM2]!, signatureEngine(SCHEME_SM2)!]) {
      assert.ok(engine.verify(pair.publicKey, MESSAGE, signature, EMPTY_BYTES), engine.name);
      const ours = engine.sign(pair.secretKey, MESSAGE, EMPTY_BYTES);
      const der = derSequence(derInteger(ours.subarray(0, WORD)), derInteger(ours.subarray(WORD)));
      assert.equal(der[2], DER_INTEGER);
      writeFileSync(path("signature"), der);
      openssl(
        ["pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", ...how, "-sigfile", "signature"],
        folder,
      );
    }
  });
});

test("SM3 is openssl's, in each engine", { skip: WITHOUT_OPENSSL }, () => {
  withFolder((path, folder) => {
    for (const length of [0, 1, 55, 56, 64, 1_000]) {
      const data = platformEntropy(length);
      writeFileSync(path("data"), data);
      const theirs = openssl(["dgst", "-sm3", "-binary", "data"], folder);
      assert.deepEqual(new Uint8Array(sm3(data)), theirs);
      assert.deepEqual(new Uint8Array(REFERENCE_ENGINES.hash.sm3(data)), theirs);
    }
  });
});

test("SM4 goes both ways between openssl and each engine", { skip: WITHOUT_OPENSSL }, (context) => {
  context.diagnostic("openssl 3.0 has no SM4-GCM: its counter mode checks ciphertexts, node:crypto the tags");
  withFolder((path, folder) => {
    const [key, nonce] = [platformEntropy(16), platformEntropy(12)];
    // GCM encrypts with the counter from 2 on (SP 800-38D, 7.1).
    const counter = toHexDigits(concatBytes(nonce, Uint8Array.of(0, 0, 0, 2)));
    const how = ["enc", "-sm4-ctr", "-K", toHexDigits(key), "-iv", counter];
    writeFileSync(path("message"), MESSAGE);
    const theirs = openssl([...how, "-in", "message"], folder);
    const node = createCipheriv("sm4-gcm" as "aes-128-gcm", key, nonce);
    node.setAAD(MESSAGE);
    const byNode = concatBytes(node.update(MESSAGE), node.final(), node.getAuthTag());
    for (const engine of [REFERENCE_CIPHER_ENGINES[CIPHER_SM4_GCM]!, cipher(CIPHER_SM4_GCM)!]) {
      const sealed = engine.seal(key, nonce, MESSAGE, MESSAGE);
      assert.deepEqual(sealed.subarray(0, MESSAGE.length), theirs, engine.name);
      assert.deepEqual(sealed, new Uint8Array(byNode), engine.name);
      assert.deepEqual(
        engine.open(key, nonce, MESSAGE, concatBytes(theirs, byNode.subarray(MESSAGE.length))),
        MESSAGE,
      );
      writeFileSync(path("sealed"), sealed.subarray(0, MESSAGE.length));
      assert.deepEqual(openssl([...how, "-d", "-in", "sealed"], folder), MESSAGE);
    }
  });
});

for (const scheme of ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87", "slh-dsa-sha2-128s"]) {
  test(`${scheme} signatures go both ways between noble and node:crypto`, () => {
    const noble = REFERENCE_SIGNATURE_ENGINES[signatureSchemeByName(scheme)!.id]!;
    const pair = unwrap(createKeyPair(scheme, platformEntropy));
    assert.deepEqual(noble.publicKey(pair.secretKey), pair.publicKey);
    const secretKey = createPrivateKey(unwrap(privateKeyToPem(pair)));
    const publicKey = createPublicKey(unwrap(publicKeyToPem(pair)));
    const theirs = new Uint8Array(nodeSign(null, MESSAGE, secretKey));
    assert.ok(noble.verify(pair.publicKey, MESSAGE, theirs, EMPTY_BYTES));
    assert.ok(!noble.verify(pair.publicKey, utf8("another"), theirs, EMPTY_BYTES));
    const ours = noble.sign(pair.secretKey, MESSAGE, EMPTY_BYTES);
    assert.ok(nodeVerify(null, MESSAGE, publicKey, ours));
    assert.ok(!nodeVerify(null, utf8("another"), publicKey, ours));
  });
}

test("ML-KEM-768 secrets go both ways between each engine and node:crypto", () => {
  const seed = platformEntropy(64);
  const algorithm = derSequence(derObjectId(ML_KEM_768));
  const secretKey = createPrivateKey({
    key: Buffer.from(derSequence(derCount(0), algorithm, derOctets(derElement(0x80, seed)))),
    format: "der",
    type: "pkcs8",
  });
  for (const engine of [REFERENCE_KEY_AGREEMENT, keyAgreement()]) {
    const publicBytes = engine.mlKem768PublicKey(seed);
    const publicKey = createPublicKey({
      key: Buffer.from(derSequence(algorithm, derBits(publicBytes))),
      format: "der",
      type: "spki",
    });
    const theirs = encapsulate(publicKey);
    const opened = engine.mlKem768Decapsulate(seed, new Uint8Array(theirs.ciphertext));
    assert.deepEqual(opened, new Uint8Array(theirs.sharedKey), engine.name);
    const ours = engine.mlKem768Encapsulate(publicBytes, platformEntropy(WORD))!;
    assert.deepEqual(
      new Uint8Array(decapsulate(secretKey, ours.ciphertext)),
      new Uint8Array(ours.sharedSecret),
    );
  }
});

function toWord(integer: Bytes): Bytes {
  return concatBytes(new Uint8Array(WORD - integer.length), integer);
}
