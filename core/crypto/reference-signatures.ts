import { p256 } from "@noble/curves/nist.js";
import { falcon512padded } from "@noble/post-quantum/falcon.js";
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import { slh_dsa_sha2_128s } from "@noble/post-quantum/slh-dsa.js";
import { concatBytes, utf8 } from "@ostrom/base";
import { guardSignatures } from "./guarded-signatures.ts";
import { hkdfExpand, hmac } from "./hmac.ts";
import { nobleEd25519 } from "./noble-ed25519.ts";
import { nobleSecp256k1 } from "./noble-secp256k1.ts";
import { nobleSm2 } from "./noble-sm2.ts";
import {
  HASH_SHA256,
  SCHEME_ED25519,
  SCHEME_FALCON_512,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_ML_DSA_87,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SCHEME_SLH_DSA_SHA2_128S,
  SCHEME_SM2,
  SCHEME_WEBAUTHN_P256,
} from "./schemes.ts";
import { recoveringSignatures } from "./secp256k1-signatures.ts";
import { assertP256SecretKey } from "./secret-keys.ts";
import type { SignatureEngine, SignatureEngines } from "./signature-engine.ts";
import { webauthnSignatures } from "./webauthn.ts";

type NobleLattice = typeof ml_dsa44;
type NobleHashBased = typeof slh_dsa_sha2_128s;

const UNCOMPRESSED = Uint8Array.of(4);
const FALCON_SAMPLER = utf8("ostrom/falcon/1");
const FALCON_SEED_LENGTH = 48;

const nobleP256Signatures: SignatureEngine = {
  name: "noble",
  publicKey: (secretKey) => {
    assertP256SecretKey(secretKey);
    return p256.getPublicKey(secretKey, false).slice(1);
  },
  sign: (secretKey, message) => {
    assertP256SecretKey(secretKey);
    return p256.sign(message, secretKey, { lowS: true });
  },
  verify: (publicKey, message, signature) =>
    p256.verify(signature, message, concatBytes(UNCOMPRESSED, publicKey), { lowS: true }),
};

/** Round-3 Falcon with signatures padded to one length. Signing works with floating-point numbers, as the scheme is defined; verifying does not. */
const nobleFalcon: SignatureEngine = {
  name: "noble",
  publicKey: (secretKey) => falcon512padded.keygen(secretKey).publicKey,
  // The sampler's randomness is derived from key and message: as good as random to others, and never the same for two messages.
  sign: (secretKey, message) =>
    falcon512padded.sign(message, falcon512padded.keygen(secretKey).secretKey, {
      extraEntropy: hkdfExpand(
        HASH_SHA256,
        hmac(HASH_SHA256, secretKey, message),
        FALCON_SAMPLER,
        FALCON_SEED_LENGTH,
      ),
    }),
  verify: (publicKey, message, signature) => falcon512padded.verify(signature, message, publicKey),
};

/** Portable and slow: what every other engine is compared with. */
export const REFERENCE_SIGNATURE_ENGINES: SignatureEngines = {
  [SCHEME_SECP256K1]: guardSignatures(
    SCHEME_SECP256K1,
    recoveringSignatures("noble", () => nobleSecp256k1),
  ),
  [SCHEME_P256]: guardSignatures(SCHEME_P256, nobleP256Signatures),
  [SCHEME_ED25519]: guardSignatures(SCHEME_ED25519, nobleEd25519),
  [SCHEME_SM2]: guardSignatures(SCHEME_SM2, nobleSm2),
  [SCHEME_ML_DSA_44]: guardSignatures(SCHEME_ML_DSA_44, withContext(ml_dsa44)),
  [SCHEME_ML_DSA_65]: guardSignatures(SCHEME_ML_DSA_65, withContext(ml_dsa65)),
  [SCHEME_ML_DSA_87]: guardSignatures(SCHEME_ML_DSA_87, withContext(ml_dsa87)),
  [SCHEME_SLH_DSA_SHA2_128S]: guardSignatures(SCHEME_SLH_DSA_SHA2_128S, withContext(slh_dsa_sha2_128s)),
  [SCHEME_FALCON_512]: guardSignatures(SCHEME_FALCON_512, nobleFalcon),
  [SCHEME_WEBAUTHN_P256]: guardSignatures(SCHEME_WEBAUTHN_P256, webauthnSignatures(nobleP256Signatures)),
};

function withContext(scheme: NobleLattice | NobleHashBased): SignatureEngine {
  return {
    name: "noble",
    publicKey: (secretKey) => scheme.keygen(secretKey).publicKey,
    sign: (secretKey, message, context) =>
      scheme.sign(message, scheme.keygen(secretKey).secretKey, { context, extraEntropy: false }),
    verify: (publicKey, message, signature, context) =>
      scheme.verify(signature, message, publicKey, { context }),
  };
}
