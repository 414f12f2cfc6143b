import { type Bytes, must } from "@ostrom/base";
import { type SignatureScheme, signatureEngine, signatureSchemeByName } from "@ostrom/crypto";
import type { KeyPair } from "./key-pair.ts";

/** One key of an account, wherever it is: a file, a passkey, a device. */
export type AccountSigner = {
  /** Of core/crypto's registry. */
  readonly schemeId: number;
  readonly publicKey: Bytes;
  /** Signs whole messages. @param context of ML-DSA and SLH-DSA; empty for other schemes. */
  readonly sign: (message: Bytes, context: Bytes) => Promise<Bytes>;
};

/** The signer of a key whose secret is here. The secret is not copied: it signs as long as its owner does not zero it.
 * @param pair of a scheme that signs: not of X-Wing. */
export function keyPairSigner({ scheme, secretKey, publicKey }: KeyPair): AccountSigner {
  const { id } = must(signatureSchemeByName(scheme), "the scheme must be one that signs");
  const engine = must(signatureEngine(id), "the scheme must be one that signs");
  return {
    schemeId: id,
    publicKey,
    sign: async (message, context) => engine.sign(secretKey, message, context),
  };
}

/** The scheme of keys of accounts. @returns undefined for other names. */
export function schemeOfName(name: string): SignatureScheme | undefined {
  const scheme = signatureSchemeByName(name);
  return scheme !== undefined && signatureEngine(scheme.id) !== undefined ? scheme : undefined;
}
