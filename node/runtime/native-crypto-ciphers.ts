import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
} from "node:crypto";
import { concatBytes } from "@ostrom/base";
import {
  CIPHER_AES_256_GCM,
  CIPHER_SM4_GCM,
  CIPHER_TAG_LENGTH,
  type CipherEngine,
  type CipherEngines,
  guardCipher,
  guardKeyAgreement,
  type KeyAgreementEngine,
  REFERENCE_KEY_AGREEMENT,
} from "@ostrom/crypto";
import { rawPublicKeyOf, readRawKey } from "./native-crypto-keys.ts";

/** OpenSSL's ciphers for core/crypto's slots. */
export function createNativeCiphers(): CipherEngines {
  return {
    [CIPHER_AES_256_GCM]: opensslGcm("aes-256-gcm", 32),
    [CIPHER_SM4_GCM]: opensslGcm("sm4-gcm", 16),
  };
}

/** OpenSSL has SM4-GCM; Node's declarations name only AES in this mode. */
function opensslGcm(cipherName: string, keyLength: number): CipherEngine {
  const name = cipherName as "aes-256-gcm";
  return guardCipher({
    name: "openssl",
    keyLength,
    seal: (key, nonce, additional, plain) => {
      const cipher = createCipheriv(name, key, nonce, { authTagLength: CIPHER_TAG_LENGTH });
      cipher.setAAD(additional);
      const sealed = cipher.update(plain);
      cipher.final();
      return concatBytes(sealed, cipher.getAuthTag());
    },
    open: (key, nonce, additional, sealed) => {
      const decipher = createDecipheriv(name, key, nonce, { authTagLength: CIPHER_TAG_LENGTH });
      decipher.setAAD(additional);
      decipher.setAuthTag(sealed.subarray(-CIPHER_TAG_LENGTH));
      const plain = decipher.update(sealed.subarray(0, -CIPHER_TAG_LENGTH));
      decipher.final();
      return new Uint8Array(plain);
    },
  });
}

/** OpenSSL's agreements. It has neither the second coordinate of an SM2 multiple nor an encapsulation with given randomness: those stay portable. */
export function createNativeKeyAgreement(): KeyAgreementEngine {
  return guardKeyAgreement({
    ...REFERENCE_KEY_AGREEMENT,
    name: "openssl+noble",
    x25519PublicKey: (secretKey) =>
      rawPublicKeyOf(readRawKey(createPrivateKey, secretKey, "raw-private", "x25519")),
    x25519: (secretKey, publicKey) =>
      new Uint8Array(
        diffieHellman({
          privateKey: readRawKey(createPrivateKey, secretKey, "raw-private", "x25519"),
          publicKey: readRawKey(createPublicKey, publicKey, "raw-public", "x25519"),
        }),
      ),
    sm2PublicKey: (secretKey) => {
      const exchange = createECDH("SM2");
      exchange.setPrivateKey(secretKey);
      return new Uint8Array(exchange.getPublicKey().subarray(1));
    },
    mlKem768PublicKey: (secretKey) =>
      rawPublicKeyOf(readRawKey(createPrivateKey, secretKey, "raw-seed", "ml-kem-768")),
    mlKem768Decapsulate: (secretKey, ciphertext) =>
      new Uint8Array(
        decapsulate(readRawKey(createPrivateKey, secretKey, "raw-seed", "ml-kem-768"), ciphertext),
      ),
  });
}
