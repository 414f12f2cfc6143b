import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { unwrap } from "@ostrom/base";
import { createKeyPair, KEY_SCHEMES, type KeyPair, platformEntropy } from "./key-pair.ts";
import {
  isEncryptedPem,
  privateKeyFromPem,
  privateKeyToPem,
  publicKeyFromPem,
  publicKeyToPem,
} from "./pem.ts";
import { openssl, WITHOUT_OPENSSL, withFolder } from "./testing/openssl.ts";

const FEW_ITERATIONS = 2_048;
const WITHOUT_STANDARD_FORM = "falcon-512";
/** node:crypto knows no form of it. */
const UNKNOWN_TO_NODE: readonly string[] = [WITHOUT_STANDARD_FORM, "x-wing"];

function fresh(scheme: string): KeyPair {
  return unwrap(createKeyPair(scheme, platformEntropy));
}

for (const scheme of KEY_SCHEMES.filter((name) => name !== WITHOUT_STANDARD_FORM)) {
  test(`PEM gives a key of ${scheme} back, private and public`, () => {
    const pair = fresh(scheme);
    assert.deepEqual(unwrap(privateKeyFromPem(unwrap(privateKeyToPem(pair)))), pair);
    const { publicKey } = pair;
    assert.deepEqual(unwrap(publicKeyFromPem(unwrap(publicKeyToPem(pair)))), { scheme, publicKey });
  });
}

for (const scheme of KEY_SCHEMES.filter((name) => !UNKNOWN_TO_NODE.includes(name))) {
  test(`node:crypto reads a PEM key of ${scheme}, and what it writes is read here`, () => {
    const pair = fresh(scheme);
    const key = createPrivateKey(unwrap(privateKeyToPem(pair)));
    assert.deepEqual(unwrap(privateKeyFromPem(String(key.export({ type: "pkcs8", format: "pem" })))), pair);
    const spki = String(createPublicKey(key).export({ type: "spki", format: "pem" }));
    assert.equal(spki, unwrap(publicKeyToPem(pair)));
  });
}

test("a key of a scheme without standard form has no PEM, and the refusal says so", () => {
  const refused = privateKeyToPem(fresh(WITHOUT_STANDARD_FORM));
  assert.equal(refused.ok ? "" : refused.error.code, "key/unsupported");
});

test("an encrypted PEM key opens with its own passphrase alone", () => {
  const pair = fresh("sm2");
  const encryption = { passphrase: "correct horse", entropy: platformEntropy, iterations: FEW_ITERATIONS };
  const text = unwrap(privateKeyToPem(pair, encryption));
  assert.ok(isEncryptedPem(text));
  assert.deepEqual(unwrap(privateKeyFromPem(text, "correct horse")), pair);
  for (const passphrase of ["wrong horse", "", undefined]) {
    const refused = privateKeyFromPem(text, passphrase);
    assert.equal(refused.ok ? "" : refused.error.code, "key/wrong-passphrase");
  }
});

test("a PEM key that is cut off, changed or of another curve is refused with a code", () => {
  const text = unwrap(privateKeyToPem(fresh("p-256")));
  const der = Buffer.from(text.replace(/-----[A-Z ]+-----|\s/g, ""), "base64");
  const codes = new Set<string>();
  for (let index = 0; index < der.length; index++) {
    for (const changed of [
      der.subarray(0, index),
      Buffer.from(der.map((byte, at) => (at === index ? byte ^ 1 : byte))),
    ]) {
      const body = changed.toString("base64");
      const read = privateKeyFromPem(`-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----`);
      if (!read.ok) codes.add(read.error.code);
      // Every byte counts: none can be changed without a refusal.
      assert.equal(read.ok, false, `byte ${index}`);
    }
  }
  assert.deepEqual([...codes].sort(), ["key/malformed", "key/mismatch", "key/unsupported"]);
});

test("openssl's SM2 keys are read here, in the clear and under a passphrase", {
  skip: WITHOUT_OPENSSL,
}, () => {
  withFolder((path, folder) => {
    openssl(["genpkey", "-algorithm", "SM2", "-out", "key.pem"], folder);
    const pair = unwrap(privateKeyFromPem(readFileSync(path("key.pem"), "utf8")));
    assert.equal(pair.scheme, "sm2");
    openssl(["ec", "-in", "key.pem", "-out", "sec1.pem"], folder);
    assert.deepEqual(unwrap(privateKeyFromPem(readFileSync(path("sec1.pem"), "utf8"))), pair);
    const told = new TextDecoder().decode(openssl(["pkey", "-in", "key.pem", "-pubout"], folder));
    assert.equal(told, unwrap(publicKeyToPem(pair)));
    for (const derivation of [["-v2", "aes-256-cbc"], ["-v2", "aes-128-cbc"], ["-scrypt"]]) {
      openssl(
        [
          "pkcs8",
          "-topk8",
          "-in",
          "key.pem",
          "-out",
          "sealed.pem",
          "-passout",
          "pass:swordfish",
          ...derivation,
        ],
        folder,
      );
      const sealed = readFileSync(path("sealed.pem"), "utf8");
      assert.deepEqual(unwrap(privateKeyFromPem(sealed, "swordfish")), pair);
    }
  });
});

test("SM2 keys from here are read by openssl, in the clear and under a passphrase", {
  skip: WITHOUT_OPENSSL,
}, () => {
  withFolder((path, folder) => {
    const pair = fresh("sm2");
    writeFileSync(path("key.pem"), unwrap(privateKeyToPem(pair)));
    const encryption = { passphrase: "swordfish", entropy: platformEntropy, iterations: FEW_ITERATIONS };
    writeFileSync(path("sealed.pem"), unwrap(privateKeyToPem(pair, encryption)));
    for (const name of ["key.pem", "sealed.pem"]) {
      const told = openssl(["pkey", "-in", name, "-passin", "pass:swordfish", "-pubout"], folder);
      assert.equal(new TextDecoder().decode(told), unwrap(publicKeyToPem(pair)));
    }
    openssl(["pkey", "-in", "key.pem", "-check", "-noout"], folder);
  });
});
