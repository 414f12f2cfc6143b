import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { type Bytes, concatBytes, equalBytes, hex } from "@ostrom/base";
import { IDENTITY_KINDS, type IdentityKind, lengthsOf } from "./identity-kinds.ts";
import { sm2SignatureFromDer, sm2SignatureToDer, sm2SignDer, sm2VerifyDer } from "./sm2-keys.ts";

/** What stands before the raw key in a SubjectPublicKeyInfo of each kind, byte for byte: a key in any other form is none of that kind.
 * Sources: RFC 8410 (Ed25519), RFC 9881 (ML-DSA), RFC 5480 with the curve of GM/T 0006-2012 (SM2, uncompressed). */
const SPKI_PREFIXES: Readonly<Record<IdentityKind, Bytes>> = {
  ed25519: hex("302a300506032b6570032100"),
  "ml-dsa-44": hex("30820532300b06096086480165030403110382052100"),
  sm2: hex("3059301306072a8648ce3d020106082a811ccf5501822d03420004"),
};

export type IdentityKey = { readonly kind: IdentityKind; readonly raw: Bytes };

/** The kind and the raw bytes of a public key; undefined if it is of no kind that links know. */
export function identityKeyOf(publicKey: KeyObject): IdentityKey | undefined {
  if (publicKey.type !== "public") return undefined;
  const spki = new Uint8Array(publicKey.export({ format: "der", type: "spki" }));
  for (const kind of IDENTITY_KINDS) {
    const prefix = SPKI_PREFIXES[kind];
    const isOfKind =
      spki.length === prefix.length + lengthsOf(kind).publicKey &&
      equalBytes(spki.subarray(0, prefix.length), prefix);
    if (isOfKind) return { kind, raw: spki.slice(prefix.length) };
  }
  return undefined;
}

/** @returns undefined if the bytes are no key. */
export function publicKeyOf({ kind, raw }: IdentityKey): KeyObject | undefined {
  if (raw.length !== lengthsOf(kind).publicKey) return undefined;
  const spki = Buffer.from(concatBytes(SPKI_PREFIXES[kind], raw));
  try {
    return createPublicKey({ key: spki, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

/** A new private key. */
export function createIdentityKey(kind: IdentityKind): KeyObject {
  if (kind === "ed25519") return generateKeyPairSync("ed25519").privateKey;
  if (kind === "ml-dsa-44") return generateKeyPairSync("ml-dsa-44").privateKey;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "SM2" });
  // As it is, it would sign ECDSA; read from PEM, it signs by SM2's rules.
  return createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" }));
}

/** Signs as X.509 and TLS have it: r, s of SM2 in DER. @param key of `privateKey`. */
export function signDer(privateKey: KeyObject, { kind, raw }: IdentityKey, message: Bytes): Bytes {
  return kind === "sm2"
    ? sm2SignDer(privateKey, raw, message)
    : new Uint8Array(sign(null, message, privateKey));
}

/** Signs as core/crypto's registry has it: signatures of a fixed length. */
export function signRaw(privateKey: KeyObject, key: IdentityKey, message: Bytes): Bytes {
  const signature = signDer(privateKey, key, message);
  return key.kind === "sm2" ? sm2SignatureFromDer(signature) : signature;
}

/** @param publicKey the same as `key`, if it is at hand. */
export function verifyRaw(
  key: IdentityKey,
  message: Bytes,
  signature: Bytes,
  publicKey: KeyObject | undefined = publicKeyOf(key),
): boolean {
  if (publicKey === undefined || signature.length !== lengthsOf(key.kind).signature) return false;
  if (key.kind === "sm2") return sm2VerifyDer(publicKey, key.raw, message, sm2SignatureToDer(signature));
  return verify(null, message, publicKey, signature);
}
