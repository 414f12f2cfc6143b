import { assert, type Bytes, must } from "@ostrom/base";
import { isSignatureLength, signatureScheme } from "./schemes.ts";
import type { SignatureEngine } from "./signature-engine.ts";

/** FIPS 204, 205. */
const MAX_CONTEXT_LENGTH = 255;

/** Puts the rules that all engines of a scheme share before one: libraries take over-long keys (OpenSSL, in a SubjectPublicKeyInfo), over-long
 * signatures (libsodium) or several forms of a point, and none of that may make a second encoding of a valid signature.
 * @param schemeId of an entry of schemes.ts.
 * @param engine may throw on what it cannot read. */
export function guardSignatures(schemeId: number, engine: SignatureEngine): SignatureEngine {
  const scheme = must(signatureScheme(schemeId), "an engine must be of a known scheme");
  const maxContext = scheme.takesContext ? MAX_CONTEXT_LENGTH : 0;
  const checkSecret = (secretKey: Bytes): void =>
    assert(secretKey.length === scheme.secretKeyLength, "a secret key must have its scheme's length");
  return {
    name: engine.name,
    publicKey: (secretKey) => {
      checkSecret(secretKey);
      return engine.publicKey(secretKey);
    },
    sign: (secretKey, message, context) => {
      checkSecret(secretKey);
      assert(context.length <= maxContext, "a context must be one that its scheme takes");
      return engine.sign(secretKey, message, context);
    },
    verify: (publicKey, message, signature, context) => {
      if (publicKey.length !== scheme.publicKeyLength || !isSignatureLength(scheme, signature.length))
        return false;
      if (context.length > maxContext) return false;
      try {
        return engine.verify(publicKey, message, signature, context);
      } catch {
        return false;
      }
    },
  };
}
