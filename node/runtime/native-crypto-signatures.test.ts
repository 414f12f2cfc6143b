import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, createRandom, EMPTY_BYTES, toHexDigits, utf8 } from "@ostrom/base";
import {
  CIPHER_AES_256_GCM,
  CIPHER_SM4_GCM,
  REFERENCE_CIPHER_ENGINES,
  REFERENCE_KEY_AGREEMENT,
  REFERENCE_SIGNATURE_ENGINES,
  SCHEME_FALCON_512,
  SCHEME_SLH_DSA_SHA2_128S,
  SIGNATURE_SCHEMES,
  type SignatureEngine,
  signatureEngineNames,
} from "@ostrom/crypto";
import { installNativeCrypto, loadNativeSignatures } from "./native-crypto.ts";
import { createNativeCiphers, createNativeKeyAgreement } from "./native-crypto-ciphers.ts";

const native = loadNativeSignatures();
const random = createRandom(30);

test("installing puts native engines into the slots of all schemes that have one", () => {
  installNativeCrypto();
  const { "webauthn-p256": _, ...names } = signatureEngineNames();
  assert.deepEqual(names, {
    secp256k1: "libsecp256k1",
    "p-256": "openssl",
    ed25519: "libsodium",
    sm2: "wasm+openssl",
    "ml-dsa-44": "openssl",
    "ml-dsa-65": "openssl",
    "ml-dsa-87": "openssl",
    "slh-dsa-sha2-128s": "openssl",
    "falcon-512": "noble",
  });
});

for (const scheme of SIGNATURE_SCHEMES) {
  const engine = native[scheme.id];
  const portable = REFERENCE_SIGNATURE_ENGINES[scheme.id];
  if (engine === undefined || portable === undefined) continue;
  test(`${scheme.name}: both engines derive one key, accept each other's signatures, and give plain arrays`, () => {
    const secret = random.bytes(scheme.secretKeyLength);
    const key = engine.publicKey(secret);
    assert.equal(toHexDigits(key), toHexDigits(portable.publicKey(secret)));
    for (const message of [EMPTY_BYTES, utf8("x"), random.bytes(400)]) {
      // The portable SLH-DSA signs in seconds: the vectors' place is taken by what OpenSSL signs.
      const signers: SignatureEngine[] =
        scheme.id === SCHEME_SLH_DSA_SHA2_128S ? [engine] : [engine, portable];
      if (scheme.id === SCHEME_SLH_DSA_SHA2_128S && message.length > 1) continue;
      for (const signer of signers) {
        const signature = signer.sign(secret, message, EMPTY_BYTES);
        assert.equal(Object.getPrototypeOf(signature), Uint8Array.prototype);
        assert.equal(engine.verify(key, message, signature, EMPTY_BYTES), true);
        assert.equal(portable.verify(key, message, signature, EMPTY_BYTES), true);
      }
    }
    assert.throws(() => engine.sign(secret.subarray(1), EMPTY_BYTES, EMPTY_BYTES), {
      name: "InvariantError",
    });
  });
}

test("secret scalars out of range stop the caller, in every engine alike", () => {
  for (const scheme of SIGNATURE_SCHEMES.filter(({ name }) => ["secp256k1", "p-256", "sm2"].includes(name))) {
    for (const secret of [new Uint8Array(32), new Uint8Array(32).fill(0xff)]) {
      for (const engine of [native[scheme.id]!, REFERENCE_SIGNATURE_ENGINES[scheme.id]!]) {
        assert.throws(() => engine.publicKey(secret), { name: "InvariantError" });
        assert.throws(() => engine.sign(secret, EMPTY_BYTES, EMPTY_BYTES), { name: "InvariantError" });
      }
    }
  }
});

test("Falcon stays portable", () => {
  assert.equal(native[SCHEME_FALCON_512], undefined);
});

test("ciphers of both engines give the same bytes, and open each other's", () => {
  const engines = createNativeCiphers();
  for (const id of [CIPHER_AES_256_GCM, CIPHER_SM4_GCM]) {
    const [ours, theirs] = [REFERENCE_CIPHER_ENGINES[id]!, engines[id]!];
    for (let length = 0; length <= 100; length += 7) {
      const [key, nonce] = [random.bytes(ours.keyLength), random.bytes(12)];
      const [additional, plain] = [random.bytes(random.below(40)), random.bytes(length)];
      const sealed = ours.seal(key, nonce, additional, plain);
      assert.deepEqual(theirs.seal(key, nonce, additional, plain), sealed);
      assert.deepEqual(theirs.open(key, nonce, additional, sealed), plain);
      const changed = sealed.slice();
      const index = random.below(changed.length);
      changed[index] = (changed[index] ?? 0) ^ 1;
      for (const engine of [ours, theirs]) {
        assert.equal(engine.open(key, nonce, additional, changed), undefined);
        assert.equal(engine.open(key, nonce, additional, sealed.subarray(0, 15)), undefined);
      }
    }
  }
});

test("key agreements of both engines give the same secrets, and refuse the same", () => {
  const engine = createNativeKeyAgreement();
  const pair = [REFERENCE_KEY_AGREEMENT, engine];
  for (let i = 0; i < 5; i++) {
    const [secret, other, seed] = [random.bytes(32), random.bytes(32), random.bytes(64)];
    secret[0] = other[0] = 1;
    const agree = (first: Bytes, second: Bytes): (Bytes | undefined)[] =>
      pair.flatMap((each) => [
        each.x25519(first, each.x25519PublicKey(second)),
        each.sm2SharedPoint(first, each.sm2PublicKey(second)),
      ]);
    assert.deepEqual(agree(secret, other), agree(other, secret));
    const [key, sameKey] = pair.map((each) => each.mlKem768PublicKey(seed)) as [Bytes, Bytes];
    assert.deepEqual(key, sameKey);
    const sealed = engine.mlKem768Encapsulate(key, random.bytes(32));
    for (const each of pair) {
      assert.deepEqual(each.mlKem768Decapsulate(seed, sealed!.ciphertext), sealed!.sharedSecret);
      assert.equal(each.mlKem768Decapsulate(seed, sealed!.ciphertext.subarray(1)), undefined);
      assert.equal(each.mlKem768Encapsulate(new Uint8Array(1184).fill(0xff), secret), undefined);
      assert.equal(each.x25519(secret, new Uint8Array(32)), undefined);
      assert.equal(each.sm2SharedPoint(secret, new Uint8Array(64)), undefined);
    }
  }
});
