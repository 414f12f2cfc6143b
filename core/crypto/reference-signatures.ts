import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import { slh_dsa_sha2_128s } from "@noble/post-quantum/slh-dsa.js";
import { concatBytes } from "@ostrom/base";
import {
  SCHEME_ED25519,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_ML_DSA_87,
  SCHEME_P256,
  SCHEME_SLH_DSA_SHA2_128S,
} from "./schemes.ts";
import type { SignatureEngine, SignatureEngines } from "./signature-engine.ts";

type NobleLattice = typeof ml_dsa44;
type NobleHashBased = typeof slh_dsa_sha2_128s;

const UNCOMPRESSED = Uint8Array.of(4);

/** Portable and slow: what every other engine is compared with. */
export const REFERENCE_SIGNATURE_ENGINES: SignatureEngines = {
  [SCHEME_P256]: {
    name: "noble",
    publicKey: (secretKey) => p256.getPublicKey(secretKey, false).subarray(1),
    sign: (secretKey, message) => p256.sign(message, secretKey, { lowS: true }),
    verify: (publicKey, message, signature) =>
      isTrue(() => p256.verify(signature, message, concatBytes(UNCOMPRESSED, publicKey), { lowS: true })),
  },
  [SCHEME_ED25519]: {
    name: "noble",
    publicKey: (secretKey) => ed25519.getPublicKey(secretKey),
    sign: (secretKey, message) => ed25519.sign(message, secretKey),
    verify: (publicKey, message, signature) =>
      isTrue(() => ed25519.verify(signature, message, publicKey, { zip215: false })),
  },
  [SCHEME_ML_DSA_44]: withContext(ml_dsa44),
  [SCHEME_ML_DSA_65]: withContext(ml_dsa65),
  [SCHEME_ML_DSA_87]: withContext(ml_dsa87),
  [SCHEME_SLH_DSA_SHA2_128S]: withContext(slh_dsa_sha2_128s),
};

function withContext(scheme: NobleLattice | NobleHashBased): SignatureEngine {
  return {
    name: "noble",
    publicKey: (secretKey) => scheme.keygen(secretKey).publicKey,
    sign: (secretKey, message, context) =>
      scheme.sign(message, scheme.keygen(secretKey).secretKey, { context, extraEntropy: false }),
    verify: (publicKey, message, signature, context) =>
      isTrue(() => scheme.verify(signature, message, publicKey, { context })),
  };
}

function isTrue(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false;
  }
}
