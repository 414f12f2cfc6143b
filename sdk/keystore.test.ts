import assert from "node:assert/strict";
import { test } from "node:test";
import { hex, toHex, unwrap } from "@ostrom/base";
import { privateKeyToAddress } from "viem/accounts";
import { createKeyPair, KEY_SCHEMES, type KeyPair, keyPairOf, platformEntropy, X_WING } from "./key-pair.ts";
import { describeKeystore, openKeystore, sealKeystore, wipeKeys } from "./keystore.ts";
import { isWeb3Keystore, openWeb3Keystore, sealWeb3Keystore } from "./keystore-v3.ts";

const CHEAP = { N: 16, r: 8, p: 1 };
const PASSPHRASE = "the turtle moves";

function fresh(scheme: string): KeyPair {
  return unwrap(createKeyPair(scheme, platformEntropy));
}

function codeOf(
  result: { readonly ok: true } | { readonly ok: false; readonly error: { readonly code: string } },
): string {
  return result.ok ? "" : result.error.code;
}

test("a keystore gives a hybrid account's keys, in order, and its threshold back", () => {
  const ring = { threshold: 2, keys: [fresh("ml-dsa-44"), fresh("secp256k1"), fresh("slh-dsa-sha2-128s")] };
  const text = unwrap(sealKeystore(ring, PASSPHRASE, platformEntropy, CHEAP));
  assert.deepEqual(unwrap(openKeystore(text, PASSPHRASE)), ring);
  const { keys, threshold, address } = unwrap(describeKeystore(text));
  assert.equal(threshold, 2);
  assert.equal(address?.length, 20);
  assert.deepEqual(
    keys,
    ring.keys.map(({ scheme, publicKey }) => ({ scheme, publicKey })),
  );
});

test("keys of every kind can be kept; those that only encrypt make no account", () => {
  for (const scheme of KEY_SCHEMES) {
    const ring = { threshold: scheme === X_WING ? 0 : 1, keys: [fresh(scheme)] };
    const text = unwrap(sealKeystore(ring, PASSPHRASE, platformEntropy, CHEAP));
    assert.deepEqual(unwrap(openKeystore(text, PASSPHRASE)), ring);
    assert.equal(unwrap(describeKeystore(text)).address === undefined, scheme === X_WING);
  }
});

test("the account of one secp256k1 key is Ethereum's", () => {
  const pair = fresh("secp256k1");
  const text = unwrap(sealKeystore({ threshold: 1, keys: [pair] }, PASSPHRASE, platformEntropy, CHEAP));
  const { address } = JSON.parse(text) as { readonly address: string };
  assert.equal(address, privateKeyToAddress(toHex(pair.secretKey)).toLowerCase());
});

test("no secret stands in a keystore, and none in what a refusal says", () => {
  const pair = fresh("ed25519");
  const text = unwrap(sealKeystore({ threshold: 1, keys: [pair] }, PASSPHRASE, platformEntropy, CHEAP));
  assert.ok(!text.includes(toHex(pair.secretKey).slice(2)));
  const refused = openKeystore(text, "another");
  assert.equal(codeOf(refused), "key/wrong-passphrase");
  assert.ok(!JSON.stringify(refused).includes("another"));
});

test("passphrases that look alike are alike", () => {
  const ring = { threshold: 1, keys: [fresh("p-256")] };
  const text = unwrap(sealKeystore(ring, "caf\u00e9", platformEntropy, CHEAP));
  assert.deepEqual(unwrap(openKeystore(text, "cafe\u0301")), ring);
});

test("whatever a keystore says in the clear cannot be changed unnoticed", () => {
  const ring = { threshold: 1, keys: [fresh("secp256k1"), fresh("p-256")] };
  const file = JSON.parse(unwrap(sealKeystore(ring, PASSPHRASE, platformEntropy, CHEAP)));
  const other = fresh("secp256k1");
  const changes: readonly [object, string][] = [
    [{ threshold: 2 }, "key/mismatch"],
    [{ address: `0x${"11".repeat(20)}` }, "key/mismatch"],
    [{ address: undefined, threshold: undefined }, "key/wrong-passphrase"],
    [{ keys: [{ scheme: other.scheme, publicKey: toHex(other.publicKey) }, file.keys[1]] }, "key/mismatch"],
    [{ keys: [file.keys[1], file.keys[0]] }, "key/mismatch"],
    [{ ciphertext: `${file.ciphertext.slice(0, -2)}00` }, "key/wrong-passphrase"],
    [{ kdf: { ...file.kdf, n: 32 } }, "key/wrong-passphrase"],
    [{ kdf: { ...file.kdf, n: 2 ** 29 } }, "key/too-costly"],
    [{ kdf: { ...file.kdf, n: 24 } }, "key/too-costly"],
    [{ cipher: { ...file.cipher, nonce: "0x00" } }, "key/malformed"],
    [{ cipher: { ...file.cipher, name: "none" } }, "key/unsupported"],
    [{ format: "ostrom-keystore-2" }, "key/unsupported"],
    [{ keys: [] }, "key/unsupported"],
    [{ keys: [file.keys[0], file.keys[0]] }, "key/unsupported"],
    [{ keys: [{ scheme: "rot13", publicKey: "0x00" }] }, "key/malformed"],
  ];
  for (const [change, code] of changes) {
    const changed = JSON.stringify({ ...file, ...change });
    assert.equal(codeOf(openKeystore(changed, PASSPHRASE)), code, JSON.stringify(change));
  }
});

test("a threshold of more keys than there are, or of keys that do not sign, is refused", () => {
  const keys = [fresh("secp256k1"), fresh(X_WING)];
  for (const ring of [
    { threshold: 3, keys },
    { threshold: 1, keys },
    { threshold: 2, keys: [keys[0]!] },
    { threshold: 0, keys: [] },
  ])
    assert.equal(codeOf(sealKeystore(ring, PASSPHRASE, platformEntropy, CHEAP)), "key/unsupported");
});

test("wiped keys are zeros", () => {
  const ring = { threshold: 1, keys: [fresh("secp256k1")] };
  wipeKeys(ring);
  assert.deepEqual(ring.keys[0]!.secretKey, new Uint8Array(32));
});

// The two test vectors of the definition of Web3 Secret Storage (Ethereum wiki, now at ethereum.org).
const WEB3_SECRET = hex("0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d");
const WEB3_PASSPHRASE = "testpassword";
const WEB3_PBKDF2 = {
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "6087dab2f9fdbbfaddc31a909735c1e6" },
    ciphertext: "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
    kdf: "pbkdf2",
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: "hmac-sha256",
      salt: "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
    },
    mac: "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
};
const WEB3_SCRYPT = {
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "83dbcc02d8ccb40e466191a123791e0e" },
    ciphertext: "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
    kdf: "scrypt",
    kdfparams: {
      dklen: 32,
      n: 262144,
      p: 8,
      r: 1,
      salt: "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
    },
    mac: "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
};

test("the definition's own files of Web3 Secret Storage open, by PBKDF2 and by scrypt", () => {
  for (const file of [WEB3_PBKDF2, WEB3_SCRYPT]) {
    assert.ok(isWeb3Keystore(JSON.stringify(file)));
    assert.deepEqual(unwrap(openWeb3Keystore(JSON.stringify(file), WEB3_PASSPHRASE)).secretKey, WEB3_SECRET);
  }
});

test("a secp256k1 key exported to Web3 Secret Storage opens again, with its own passphrase alone", () => {
  const pair = unwrap(keyPairOf("secp256k1", WEB3_SECRET));
  const text = sealWeb3Keystore(pair, PASSPHRASE, platformEntropy, CHEAP);
  assert.deepEqual(unwrap(openWeb3Keystore(text, PASSPHRASE)), pair);
  assert.equal(codeOf(openWeb3Keystore(text, "another")), "key/wrong-passphrase");
  assert.equal(
    (JSON.parse(text) as { readonly address: string }).address,
    "008aeeda4d805471df9b2a5b0f38a0c3bcba786b",
  );
});

test("a Web3 keystore of another version, cost or address is refused with a code", () => {
  const pair = unwrap(keyPairOf("secp256k1", WEB3_SECRET));
  const file = JSON.parse(sealWeb3Keystore(pair, PASSPHRASE, platformEntropy, CHEAP));
  const { crypto } = file;
  const changes: readonly [object, string][] = [
    [{ version: 1 }, "key/unsupported"],
    [{ address: "11".repeat(20) }, "key/mismatch"],
    [{ crypto: { ...crypto, cipher: "rc4" } }, "key/unsupported"],
    [{ crypto: { ...crypto, kdf: "md5" } }, "key/unsupported"],
    [{ crypto: { ...crypto, kdfparams: { ...crypto.kdfparams, n: 2 ** 29 } } }, "key/too-costly"],
    [{ crypto: { ...crypto, cipherparams: {} } }, "key/malformed"],
    [{ crypto: { ...crypto, mac: "00".repeat(32) } }, "key/wrong-passphrase"],
  ];
  for (const [change, code] of changes)
    assert.equal(codeOf(openWeb3Keystore(JSON.stringify({ ...file, ...change }), PASSPHRASE)), code);
});
