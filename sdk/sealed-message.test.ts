import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { concatBytes, hex, toHex, toHexDigits, unwrap, utf8 } from "@ostrom/base";
import { encodeRlp } from "@ostrom/codec";
import { CIPHER_AES_256_GCM, cipher, sha256 } from "@ostrom/crypto";
import { sm2 } from "sm-crypto-v2";
import { decryptHybrid, encryptHybrid, hpkeKeys } from "./hybrid-encryption.ts";
import { createKeyPair, type KeyPair, keyPairOf, platformEntropy, X_WING } from "./key-pair.ts";
import { privateKeyFromPem, privateKeyToPem, publicKeyFromPem } from "./pem.ts";
import {
  openMessage,
  recipientName,
  recipientsOf,
  resealMessage,
  SEALED_CHUNK_BYTES,
  SEALED_CIPHERS,
  SEALED_MAGIC,
  sealMessage,
} from "./sealed-message.ts";
import { decryptSm2, encryptSm2, sm2CiphertextFromDer, sm2CiphertextToDer } from "./sm2-encryption.ts";
import { openssl, WITHOUT_OPENSSL, withFolder } from "./testing/openssl.ts";

const MESSAGE = utf8("governing the commons");

function fresh(scheme: string): KeyPair {
  return unwrap(createKeyPair(scheme, platformEntropy));
}

function codeOf(
  result: { readonly ok: true } | { readonly ok: false; readonly error: { readonly code: string } },
): string {
  return result.ok ? "" : result.error.code;
}

test("SM2's encryption gives the standard's own example (GB/T 32918.5-2017, annex C)", () => {
  const pair = unwrap(
    keyPairOf("sm2", hex("0x3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")),
  );
  const nonce = hex("0x59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21");
  const ciphertext = unwrap(encryptSm2(pair.publicKey, utf8("encryption standard"), () => nonce.slice()));
  assert.equal(
    toHexDigits(ciphertext),
    "04" +
      "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73" +
      "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0" +
      "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766" +
      "21886ca989ca9c7d58087307ca93092d651efa",
  );
  assert.deepEqual(unwrap(decryptSm2(pair.secretKey, ciphertext)), utf8("encryption standard"));
});

test("openssl decrypts what SM2 encrypts here, and the other way", { skip: WITHOUT_OPENSSL }, () => {
  withFolder((path, folder) => {
    openssl(["genpkey", "-algorithm", "SM2", "-out", "key.pem"], folder);
    const pair = unwrap(privateKeyFromPem(readFileSync(path("key.pem"), "utf8")));
    writeFileSync(
      path("sealed"),
      sm2CiphertextToDer(unwrap(encryptSm2(pair.publicKey, MESSAGE, platformEntropy))),
    );
    const opened = openssl(["pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "sealed"], folder);
    assert.deepEqual(opened, MESSAGE);
    writeFileSync(path("message"), MESSAGE);
    const ours = fresh("sm2");
    writeFileSync(path("ours.pem"), unwrap(privateKeyToPem(ours)));
    const theirs = openssl(["pkeyutl", "-encrypt", "-inkey", "ours.pem", "-in", "message"], folder);
    assert.deepEqual(unwrap(decryptSm2(ours.secretKey, unwrap(sm2CiphertextFromDer(theirs)))), MESSAGE);
    const { publicKey } = unwrap(
      publicKeyFromPem(new TextDecoder().decode(openssl(["pkey", "-in", "key.pem", "-pubout"], folder))),
    );
    assert.deepEqual(publicKey, pair.publicKey);
  });
});

test("sm-crypto-v2 decrypts what SM2 encrypts here, and the other way, for messages of many lengths", () => {
  const pair = fresh("sm2");
  const [secret, point] = [toHexDigits(pair.secretKey), `04${toHexDigits(pair.publicKey)}`];
  for (const length of [1, 2, 31, 32, 33, 64, 1_000]) {
    const message = platformEntropy(length);
    const ciphertext = toHexDigits(unwrap(encryptSm2(pair.publicKey, message, platformEntropy))).slice(2);
    assert.deepEqual(sm2.doDecrypt(ciphertext, secret, 1, { output: "array" }), message);
    const theirs = hex(`0x04${sm2.doEncrypt(message, point, 1)}`);
    assert.deepEqual(unwrap(decryptSm2(pair.secretKey, theirs)), message);
  }
});

test("an SM2 ciphertext that is changed, cut off or for another key is refused", () => {
  const pair = fresh("sm2");
  const ciphertext = unwrap(encryptSm2(pair.publicKey, MESSAGE, platformEntropy));
  for (let index = 0; index < ciphertext.length; index += 3) {
    const changed = ciphertext.map((byte, at) => (at === index ? byte ^ 0x10 : byte));
    assert.match(codeOf(decryptSm2(pair.secretKey, changed)), /^encryption\/(malformed|tampered)$/);
  }
  assert.equal(codeOf(decryptSm2(pair.secretKey, ciphertext.subarray(0, 97))), "encryption/malformed");
  assert.equal(codeOf(decryptSm2(fresh("sm2").secretKey, ciphertext)), "encryption/tampered");
  assert.equal(codeOf(encryptSm2(new Uint8Array(64), MESSAGE, platformEntropy)), "encryption/key");
  assert.equal(
    codeOf(sm2CiphertextFromDer(concatBytes(sm2CiphertextToDer(ciphertext), hex("0x00")))),
    "encryption/malformed",
  );
});

test("HPKE's key schedule gives RFC 9180's keys (A.1.1)", () => {
  // KEM X25519, HKDF-SHA256, AES-128-GCM.
  const suite = concatBytes(utf8("HPKE"), hex("0x002000010001"));
  const shared = hex("0xfe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc");
  const { key, nonce } = hpkeKeys(suite, 16, shared, hex("0x4f6465206f6e2061204772656369616e2055726e"));
  assert.equal(toHex(key), "0x4531685d41d65f03dc48f6b8302c05b0");
  assert.equal(toHex(nonce), "0x56d890e5accaaf011cff4b7d");
});

test("a hybrid ciphertext opens with its key, info and additional data alone", () => {
  const pair = fresh(X_WING);
  const [info, additional] = [utf8("report"), utf8("2026")];
  const ciphertext = unwrap(encryptHybrid(pair.publicKey, MESSAGE, platformEntropy, info, additional));
  assert.deepEqual(unwrap(decryptHybrid(pair.secretKey, ciphertext, info, additional)), MESSAGE);
  assert.equal(codeOf(decryptHybrid(pair.secretKey, ciphertext, additional, info)), "encryption/tampered");
  assert.equal(
    codeOf(decryptHybrid(fresh(X_WING).secretKey, ciphertext, info, additional)),
    "encryption/tampered",
  );
  // Either half, ML-KEM's or X25519's, changes everything.
  for (const index of [5, 1_090, ciphertext.length - 1]) {
    const changed = ciphertext.map((byte, at) => (at === index ? byte ^ 1 : byte));
    assert.equal(codeOf(decryptHybrid(pair.secretKey, changed, info, additional)), "encryption/tampered");
  }
  assert.equal(
    codeOf(decryptHybrid(pair.secretKey, ciphertext.subarray(0, 1_100), info)),
    "encryption/malformed",
  );
  assert.equal(codeOf(encryptHybrid(pair.publicKey.subarray(1), MESSAGE, platformEntropy)), "encryption/key");
});

for (const [name, cipherId] of Object.entries(SEALED_CIPHERS)) {
  test(`a message sealed with ${name} opens for each recipient, of either kind, and for nobody else`, () => {
    const recipients = [fresh("sm2"), fresh(X_WING), fresh(X_WING)];
    for (const length of [0, 1, SEALED_CHUNK_BYTES, SEALED_CHUNK_BYTES + 1]) {
      const message = new Uint8Array(length).fill(7);
      const sealed = unwrap(sealMessage(recipients, message, platformEntropy, cipherId));
      for (const pair of recipients)
        assert.deepEqual(unwrap(openMessage(sealed, [fresh("sm2"), pair])), message);
      assert.equal(codeOf(openMessage(sealed, [fresh("sm2"), fresh(X_WING)])), "encryption/not-for-this-key");
      assert.deepEqual(unwrap(recipientsOf(sealed)), recipients.map(recipientName));
    }
  });
}

test("who gives recipients different keys shows no two of them different messages", () => {
  const [one, other] = [fresh(X_WING), fresh(X_WING)];
  const [key, otherKey] = [platformEntropy(32), platformEntropy(32)];
  const info = utf8("ostrom/sealed/1");
  const slots = [
    { pair: one, given: key },
    { pair: other, given: otherKey },
  ].map(({ pair, given }) => [
    utf8(pair.scheme),
    hex(`0x${recipientName(pair).name}`),
    unwrap(encryptHybrid(pair.publicKey, given, platformEntropy, info)),
  ]);
  const committed = sha256(concatBytes(utf8("ostrom/sealed/1/commitment"), key));
  const header = encodeRlp([Uint8Array.of(CIPHER_AES_256_GCM), slots, committed]);
  const length = Uint8Array.of(0, 0, header.length >> 8, header.length & 0xff);
  const head = concatBytes(SEALED_MAGIC, length, header);
  const nonce = new Uint8Array(12).fill(1, 11);
  const sealedBy = (by: Uint8Array): Uint8Array =>
    concatBytes(head, cipher(CIPHER_AES_256_GCM)!.seal(by, nonce, sha256(head), MESSAGE));
  assert.deepEqual(unwrap(openMessage(sealedBy(key), [one])), MESSAGE);
  assert.equal(codeOf(openMessage(sealedBy(otherKey), [other])), "encryption/tampered");
});

test("a sealed message that is changed anywhere, cut off or put in another order is refused", () => {
  const pair = fresh("sm2");
  const message = new Uint8Array(2 * SEALED_CHUNK_BYTES).map((_, index) => index >> 8);
  const sealed = unwrap(sealMessage([pair], message, platformEntropy));
  const header = sealed.length - 2 * (SEALED_CHUNK_BYTES + 16);
  for (let index = 0; index < sealed.length; index += index < header ? 1 : 30_011) {
    const changed = sealed.map((byte, at) => (at === index ? byte ^ 1 : byte));
    assert.match(codeOf(openMessage(changed, [pair])), /^encryption\//, `byte ${index}`);
  }
  const [first, second] = [
    sealed.subarray(header, header + SEALED_CHUNK_BYTES + 16),
    sealed.subarray(header + SEALED_CHUNK_BYTES + 16),
  ];
  const head = sealed.subarray(0, header);
  for (const parts of [
    [head],
    [head, first],
    [head, second],
    [head, second, first],
    [head, first, second, second],
  ])
    assert.equal(codeOf(openMessage(concatBytes(...parts), [pair])), "encryption/tampered");
});

test("resealing gives a new ciphertext to new keys, which the old ones do not open", () => {
  const [old, next] = [fresh("sm2"), fresh(X_WING)];
  const sealed = unwrap(sealMessage([old], MESSAGE, platformEntropy, SEALED_CIPHERS["sm4-gcm"]));
  const resealed = unwrap(resealMessage(sealed, [old], [next], platformEntropy));
  assert.deepEqual(unwrap(openMessage(resealed, [next])), MESSAGE);
  assert.equal(codeOf(openMessage(resealed, [old])), "encryption/not-for-this-key");
  assert.equal(codeOf(resealMessage(sealed, [next], [next], platformEntropy)), "encryption/not-for-this-key");
});

test("nothing is sealed to a key that only signs, to nobody, or with an unknown cipher", () => {
  assert.equal(codeOf(sealMessage([fresh("ed25519")], MESSAGE, platformEntropy)), "encryption/key");
  assert.equal(codeOf(sealMessage([], MESSAGE, platformEntropy)), "encryption/unsupported");
  assert.equal(codeOf(sealMessage([fresh("sm2")], MESSAGE, platformEntropy, 99)), "encryption/unsupported");
});
