import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { assert, type Bytes, bigintToBytes, bytesToBigint, concatBytes } from "@ostrom/base";
import {
  assertP256SecretKey,
  createDecodedKeyCache,
  guardSignatures,
  P256_ORDER,
  REFERENCE_SIGNATURE_ENGINES,
  recoveringSignatures,
  SCHEME_ED25519,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_ML_DSA_87,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SCHEME_SLH_DSA_SHA2_128S,
  SCHEME_SM2,
  SCHEME_WEBAUTHN_P256,
  type Secp256k1Engine,
  type SignatureEngine,
  type SignatureEngines,
  webauthnSignatures,
} from "@ostrom/crypto";
import { createSodiumEd25519, type SodiumBinding } from "./native-crypto-ed25519.ts";
import { rawPublicKeyOf, readPublicKeyInfo, readRawKey } from "./native-crypto-keys.ts";
import { P256_KEY_PREFIX } from "./native-crypto-p256.ts";
import { createSecretKeyCache } from "./native-crypto-secrets.ts";
import { createEmittedSm2 } from "./native-crypto-sm2.ts";

const MAX_CACHED_KEYS = 1024;
const WORD = 32;
const HALF_ORDER = P256_ORDER >> 1n;

/** What precedes the scalar in a DER PrivateKeyInfo of P-256 without its public key (RFC 5958, 5915). */
const P256_PRIVATE_PREFIX: Bytes = Uint8Array.fromHex(
  "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420",
);

type ContextKey = { readonly key: KeyObject; readonly context: Bytes };

/** The native engines of core/crypto's signature slots. Falcon has none: the portable one stays in its slot. */
export function createNativeSignatures(secp256k1: Secp256k1Engine, sodium: SodiumBinding): SignatureEngines {
  const p256 = createOpensslP256Signatures();
  return {
    [SCHEME_SECP256K1]: guardSignatures(
      SCHEME_SECP256K1,
      recoveringSignatures(secp256k1.name, () => secp256k1),
    ),
    [SCHEME_P256]: guardSignatures(SCHEME_P256, p256),
    [SCHEME_WEBAUTHN_P256]: guardSignatures(SCHEME_WEBAUTHN_P256, webauthnSignatures(p256)),
    [SCHEME_ED25519]: guardSignatures(SCHEME_ED25519, createSodiumEd25519(sodium)),
    [SCHEME_SM2]: guardSignatures(SCHEME_SM2, createEmittedSm2()),
    [SCHEME_ML_DSA_44]: guardSignatures(SCHEME_ML_DSA_44, createOpensslMlDsa("ml-dsa-44")),
    [SCHEME_ML_DSA_65]: guardSignatures(SCHEME_ML_DSA_65, createOpensslMlDsa("ml-dsa-65")),
    [SCHEME_ML_DSA_87]: guardSignatures(SCHEME_ML_DSA_87, createOpensslMlDsa("ml-dsa-87")),
    [SCHEME_SLH_DSA_SHA2_128S]: guardSignatures(SCHEME_SLH_DSA_SHA2_128S, createOpensslSlhDsa()),
  };
}

function createOpensslP256Signatures(): SignatureEngine {
  const readKey = createDecodedKeyCache(
    (bytes) => readPublicKeyInfo(concatBytes(P256_KEY_PREFIX, bytes)),
    MAX_CACHED_KEYS,
  );
  const secretKeyOf = (secretKey: Bytes): KeyObject => {
    assertP256SecretKey(secretKey);
    const encoded = Buffer.concat([P256_PRIVATE_PREFIX, secretKey]);
    const key = createPrivateKey({ key: encoded, format: "der", type: "pkcs8" });
    encoded.fill(0);
    return key;
  };
  return {
    name: "openssl",
    publicKey: (secretKey) => {
      const encoded = createPublicKey(secretKeyOf(secretKey)).export({ format: "der", type: "spki" });
      return new Uint8Array(encoded.subarray(P256_KEY_PREFIX.length));
    },
    sign: (secretKey, message) => {
      const signature = sign("sha256", message, { key: secretKeyOf(secretKey), dsaEncoding: "ieee-p1363" });
      const s = bytesToBigint(signature.subarray(WORD));
      if (s <= HALF_ORDER) return new Uint8Array(signature);
      return concatBytes(signature.subarray(0, WORD), bigintToBytes(P256_ORDER - s, WORD));
    },
    verify: (keyBytes, message, signature) => {
      if (bytesToBigint(signature.subarray(WORD)) > HALF_ORDER) return false;
      const key = readKey(keyBytes);
      return key !== undefined && verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature);
    },
  };
}

function createOpensslMlDsa(name: string): SignatureEngine {
  const readKey = createDecodedKeyCache(
    (bytes) => readRawKey(createPublicKey, bytes, "raw-public", name),
    MAX_CACHED_KEYS,
  );
  const secretKeyOf = createSecretKeyCache((seed) => readRawKey(createPrivateKey, seed, "raw-seed", name));
  return {
    name: "openssl",
    publicKey: (seed) => rawPublicKeyOf(secretKeyOf(seed)),
    sign: (seed, message, context) => signWithContext(secretKeyOf(seed), message, context),
    verify: (keyBytes, message, signature, context) => {
      const key = readKey(keyBytes);
      return key !== undefined && verifyWithContext(key, message, signature, context);
    },
  };
}

/** OpenSSL takes no seed for this scheme but the seed and the root of the tree, which the portable engine computes once for each key. */
function createOpensslSlhDsa(): SignatureEngine {
  const name = "slh-dsa-sha2-128s";
  const rootLength = 16;
  const reference = REFERENCE_SIGNATURE_ENGINES[SCHEME_SLH_DSA_SHA2_128S];
  assert(reference !== undefined, "the portable engine is there");
  const secretKeyOf = createSecretKeyCache((seed) => {
    const root = reference.publicKey(seed).subarray(-rootLength);
    return readRawKey(createPrivateKey, concatBytes(seed, root), "raw-private", name);
  });
  return {
    name: "openssl",
    publicKey: (seed) => rawPublicKeyOf(secretKeyOf(seed)),
    sign: (seed, message, context) => signWithContext(secretKeyOf(seed), message, context),
    verify: (keyBytes, message, signature, context) =>
      verifyWithContext(
        readRawKey(createPublicKey, keyBytes, "raw-public", name),
        message,
        signature,
        context,
      ),
  };
}

function signWithContext(key: KeyObject, message: Bytes, context: Bytes): Bytes {
  const withContext: ContextKey = { key, context };
  return new Uint8Array(sign(null, message, withContext));
}

function verifyWithContext(key: KeyObject, message: Bytes, signature: Bytes, context: Bytes): boolean {
  const withContext: ContextKey = { key, context };
  return verify(null, message, withContext, signature);
}
