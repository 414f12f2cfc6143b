import { type Bytes, type Failure, fail, fromHex, must, ok, type Result, toHex } from "@ostrom/base";
import {
  deriveBlsSecretKey,
  SCHEME_BLS12381,
  type ValidatorScheme,
  validatorScheme,
  validatorSchemeByName,
} from "@ostrom/crypto";

/** What a validator signs its votes with: a secret key, and the scheme that it is of. */
export type ConsensusSecret = { readonly schemeId: number; readonly secret: Bytes };

/** So much entropy makes a secret of any scheme. */
const CONSENSUS_SECRET_BYTES = 32;

/** @param schemeId of validators; a broken invariant otherwise. */
export function schemeOfSecret({ schemeId }: Pick<ConsensusSecret, "schemeId">): ValidatorScheme {
  return must(validatorScheme(schemeId), "keys are of validators' schemes");
}

/** Makes a new secret. What cannot be a secret of the scheme is drawn again. */
export function createConsensusSecret(schemeId: number, entropy: (length: number) => Bytes): ConsensusSecret {
  if (schemeId === SCHEME_BLS12381)
    return { schemeId, secret: deriveBlsSecretKey(entropy(CONSENSUS_SECRET_BYTES)) };
  const { isSecretKey } = schemeOfSecret({ schemeId });
  let secret = entropy(CONSENSUS_SECRET_BYTES);
  while (!isSecretKey(secret)) secret = entropy(CONSENSUS_SECRET_BYTES);
  return { schemeId, secret };
}

/** A key file's one line: hex, after the scheme's name and a colon unless it is BLS12-381's. */
export function formatConsensusSecret(key: ConsensusSecret): string {
  const digits = toHex(key.secret);
  return key.schemeId === SCHEME_BLS12381 ? `${digits}\n` : `${schemeOfSecret(key).name}:${digits}\n`;
}

/** Reads what `formatConsensusSecret` wrote. Errors: `keys/invalid`; the message holds nothing of the text. */
export function parseConsensusSecret(text: string): Result<ConsensusSecret, Failure<"keys/invalid">> {
  const line = text.trim();
  const colon = line.indexOf(":");
  const scheme =
    colon === -1 ? validatorScheme(SCHEME_BLS12381) : validatorSchemeByName(line.slice(0, colon));
  if (scheme === undefined)
    return fail("keys/invalid", "expected the name of a scheme that validators vote by before the colon");
  const secret = fromHex(line.slice(colon + 1));
  if (!secret.ok || !scheme.isSecretKey(secret.value))
    return fail(
      "keys/invalid",
      `expected a secret key of ${scheme.name} of ${scheme.secretKeyLength} bytes in hex`,
    );
  return ok({ schemeId: scheme.id, secret: secret.value });
}

/** What others must know of a consensus key before a set can name it. */
export type PublicKey = {
  readonly schemeId: number;
  readonly publicKey: Bytes;
  readonly proofOfPossession: Bytes;
};

export function publicKeyOfSecret(key: ConsensusSecret): PublicKey {
  const scheme = schemeOfSecret(key);
  return {
    schemeId: key.schemeId,
    publicKey: scheme.publicKey(key.secret),
    proofOfPossession: scheme.provePossession(key.secret),
  };
}
