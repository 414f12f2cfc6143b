import { type KeyObject, X509Certificate } from "node:crypto";
import { type Bytes, hex, must, utf8 } from "@ostrom/base";
import { DER_TAGS, derBitString, derElement, derSequence } from "./der.ts";
import { identityKeyOf, signDer } from "./identity-keys.ts";
import type { IdentityKind } from "./identity-kinds.ts";

/** A certificate that carries a node's key to the other end of a link and says nothing else: X.509 version 1, subject and issuer
 * "CN=Ostrom node", no expiry, signed by the key itself. Links look at the key alone.
 * @param signer its public key and its private key; another than `publicKey` only where the certificate is to be a wrong one.
 * Sources: RFC 5280 (X.509), RFC 8410 (Ed25519), RFC 9881 (ML-DSA), GM/T 0015-2012 (SM2), ITU-T X.690 (DER). */
export function selfSignedCertificate(
  publicKey: KeyObject,
  signer: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
): string {
  const key = must(identityKeyOf(signer.publicKey), "who signs has a key of a known kind");
  const algorithm = derSequence(ALGORITHM_OBJECT_IDS[key.kind]);
  const commonName = derElement(DER_TAGS.utf8String, utf8("Ostrom node"));
  const name = derSequence(derElement(DER_TAGS.set, derSequence(COMMON_NAME_OBJECT_ID, commonName)));
  const validity = derSequence(
    derElement(DER_TAGS.utcTime, utf8(NOT_BEFORE)),
    derElement(DER_TAGS.generalizedTime, utf8(NOT_AFTER)),
  );
  const keyInfo = new Uint8Array(publicKey.export({ format: "der", type: "spki" }));
  const toBeSigned = derSequence(SERIAL_NUMBER, algorithm, name, validity, name, keyInfo);
  const signature = signDer(signer.privateKey, key, toBeSigned);
  return new X509Certificate(derSequence(toBeSigned, algorithm, derBitString(signature))).toString();
}

/** OBJECT IDENTIFIERs of signatures in certificates. */
export const ALGORITHM_OBJECT_IDS: Readonly<Record<IdentityKind, Bytes>> = {
  // 1.3.101.112
  ed25519: hex("06032b6570"),
  // 2.16.840.1.101.3.4.3.17
  "ml-dsa-44": hex("0609608648016503040311"),
  // 1.2.156.10197.1.501, SM2 with SM3
  sm2: hex("06082a811ccf55018375"),
};

/** INTEGER 1. */
const SERIAL_NUMBER = hex("020101");
/** OBJECT IDENTIFIER 2.5.4.3. */
const COMMON_NAME_OBJECT_ID = hex("0603550403");
/** Dates before 2050 are UTCTime, with two digits for the year: RFC 5280, 4.1.2.5. */
const NOT_BEFORE = "200101000000Z";
/** "No well-defined expiration date": RFC 5280, 4.1.2.5. */
const NOT_AFTER = "99991231235959Z";
