import { assert, type Bytes, concatBytes, EMPTY_BYTES, must, utf8 } from "@ostrom/base";
import { bls } from "./engine.ts";
import {
  SCHEME_BLS12381,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_SM2,
  type SignatureScheme,
  signatureScheme,
} from "./schemes.ts";
import { isBlsSecretKey, isSm2SecretKey } from "./secret-keys.ts";
import { type SignatureEngine, signatureEngine, verifySignature } from "./signature-engine.ts";

/** Schemes that validators may vote with. */
export const VALIDATOR_SCHEME_IDS: readonly number[] = [
  SCHEME_BLS12381,
  SCHEME_SM2,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
];

/** First bytes of what proves possession of a key that does not aggregate; no vote begins like this. */
const POSSESSION_DOMAIN = utf8("ostrom/possession/1");

/** A signature scheme as validators use it. Keys and signatures of wrong lengths, and malformed ones, make checks false and never throw; a secret
 * key that cannot be one is a bug of the caller and throws InvariantError. Engines are looked up at each call, so that slots may be filled later.
 *
 * Where signatures do not aggregate, they are joined by writing them one after the other, in the order in which they are given, and checked by
 * exact length: there is one encoding of a list, and nothing can be added to it. */
export type ValidatorScheme = Pick<
  SignatureScheme,
  "id" | "name" | "secretKeyLength" | "publicKeyLength" | "signatureLength" | "aggregates"
> & {
  /** Bytes of a proof of possession. */
  readonly proofLength: number;
  /** Whether bytes can be a secret key: a scalar in range, or a seed of the right length. */
  readonly isSecretKey: (bytes: Bytes) => boolean;
  readonly publicKey: (secretKey: Bytes) => Bytes;
  readonly sign: (secretKey: Bytes, message: Bytes) => Bytes;
  readonly verify: (publicKey: Bytes, message: Bytes, signature: Bytes) => boolean;
  /** Shows that somebody holds the secret key. BLS: PopProve. Others: a signature of "ostrom/possession/1" and the public key. */
  readonly provePossession: (secretKey: Bytes) => Bytes;
  readonly verifyPossession: (publicKey: Bytes, proof: Bytes) => boolean;
  /** Length of the joined signatures of so many signers. */
  readonly joinedLength: (count: number) => number;
  /** @returns undefined if a signature is malformed or the list is empty. A list's signatures are not checked further. */
  readonly join: (signatures: readonly Bytes[]) => Bytes | undefined;
  /** Whether all signed the same message; keys in the order of joining. False for an empty list. */
  readonly verifyJoined: (publicKeys: readonly Bytes[], message: Bytes, joined: Bytes) => boolean;
};

/** Where genesis, key files and commands write it; the registry has a longer name. */
const BLS_NAME = "bls12-381";

const SCHEMES: ReadonlyMap<number, ValidatorScheme> = new Map(
  VALIDATOR_SCHEME_IDS.map((id) => [id, id === SCHEME_BLS12381 ? blsScheme() : listScheme(id)]),
);

/** @returns undefined for a scheme that validators cannot vote with, or that this version does not know. */
export function validatorScheme(id: number): ValidatorScheme | undefined {
  return SCHEMES.get(id);
}

/** The scheme that a public key can be of: no two have keys of one length. */
export function validatorSchemeOfKey(publicKey: Bytes): ValidatorScheme | undefined {
  return [...SCHEMES.values()].find(({ publicKeyLength }) => publicKeyLength === publicKey.length);
}

/** @returns undefined for a name that none of the schemes has. */
export function validatorSchemeByName(name: string): ValidatorScheme | undefined {
  return [...SCHEMES.values()].find((scheme) => scheme.name === name);
}

/** One member's part of joined signatures that do not aggregate. Shares memory.
 * @param place of the member among the signers, from 0. */
export function signatureInList(
  { aggregates, signatureLength }: Pick<SignatureScheme, "aggregates" | "signatureLength">,
  joined: Bytes,
  place: number,
): Bytes {
  assert(!aggregates, "an aggregate has no parts");
  return joined.subarray(place * signatureLength, (place + 1) * signatureLength);
}

function blsScheme(): ValidatorScheme {
  const scheme = known(SCHEME_BLS12381);
  return {
    ...facts(scheme),
    name: BLS_NAME,
    isSecretKey: isBlsSecretKey,
    publicKey: (secretKey) => bls().publicKey(secretKey),
    sign: (secretKey, message) => bls().sign(secretKey, message),
    verify: (publicKey, message, signature) => bls().verify(publicKey, message, signature),
    provePossession: (secretKey) => bls().provePossession(secretKey),
    verifyPossession: (publicKey, proof) => bls().verifyPossession(publicKey, proof),
    joinedLength: () => scheme.signatureLength,
    join: (signatures) => bls().aggregate(signatures),
    verifyJoined: (publicKeys, message, joined) => bls().verifyAggregate(publicKeys, message, joined),
  };
}

function listScheme(id: number): ValidatorScheme {
  const scheme = known(id);
  const { signatureLength } = scheme;
  const engine = (): SignatureEngine =>
    must(signatureEngine(id), `there must be an engine of ${scheme.name}`);
  const verify = (publicKey: Bytes, message: Bytes, signature: Bytes): boolean =>
    verifySignature(id, publicKey, message, signature);
  const possession = (publicKey: Bytes): Bytes => concatBytes(POSSESSION_DOMAIN, publicKey);
  return {
    ...facts(scheme),
    isSecretKey: (bytes) =>
      id === SCHEME_SM2 ? isSm2SecretKey(bytes) : bytes.length === scheme.secretKeyLength,
    publicKey: (secretKey) => engine().publicKey(secretKey),
    sign: (secretKey, message) => engine().sign(secretKey, message, EMPTY_BYTES),
    verify,
    provePossession: (secretKey) =>
      engine().sign(secretKey, possession(engine().publicKey(secretKey)), EMPTY_BYTES),
    verifyPossession: (publicKey, proof) => verify(publicKey, possession(publicKey), proof),
    joinedLength: (count) => count * signatureLength,
    join: (signatures) =>
      signatures.length === 0 || signatures.some(({ length }) => length !== signatureLength)
        ? undefined
        : concatBytes(...signatures),
    verifyJoined: (publicKeys, message, joined) =>
      publicKeys.length > 0 &&
      joined.length === publicKeys.length * signatureLength &&
      publicKeys.every((publicKey, place) =>
        verify(publicKey, message, signatureInList(scheme, joined, place)),
      ),
  };
}

function facts(
  scheme: SignatureScheme,
): Pick<
  ValidatorScheme,
  "id" | "name" | "secretKeyLength" | "publicKeyLength" | "signatureLength" | "aggregates" | "proofLength"
> {
  const { id, name, secretKeyLength, publicKeyLength, signatureLength, aggregates } = scheme;
  return {
    id,
    name,
    secretKeyLength,
    publicKeyLength,
    signatureLength,
    aggregates,
    proofLength: signatureLength,
  };
}

function known(id: number): SignatureScheme {
  return must(signatureScheme(id), "validators vote with known schemes");
}
