import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from "node:crypto";
import { type Bytes, concatBytes, hex, unwrap, utf8 } from "@ostrom/base";
import { DER_TAGS, derBitString, derElement, derInteger, derSequence } from "../der.ts";
import { type Identity, identityFromPem } from "../identity.ts";

/** An authority with a key of a scheme that the machine's openssl may not know. */
export type WrittenAuthority = {
  readonly name: string;
  readonly der: Bytes;
  readonly privateKey: KeyObject;
  readonly algorithm: Bytes;
};

type Scheme = "ml-dsa-44" | "ml-dsa-65" | "ed25519";

const ALGORITHMS: Readonly<Record<Scheme, Bytes>> = {
  "ml-dsa-44": hex("0609608648016503040311"),
  "ml-dsa-65": hex("0609608648016503040312"),
  ed25519: hex("06032b6570"),
};
const CONTEXT_0 = 0xa0;
const CONTEXT_3 = 0xa3;
const BOOLEAN = 0x01;
/** basicConstraints, 2.5.29.19. */
const BASIC_CONSTRAINTS = hex("0603551d13");
const COMMON_NAME = hex("0603550403");
const YEARS_10: readonly [string, string] = ["260101000000Z", "350101000000Z"];
let serial = 1;

export function writeAuthority(
  scheme: Scheme,
  validity: readonly [string, string] = YEARS_10,
): WrittenAuthority {
  const { publicKey, privateKey } =
    scheme === "ed25519"
      ? generateKeyPairSync("ed25519")
      : scheme === "ml-dsa-44"
        ? generateKeyPairSync("ml-dsa-44")
        : generateKeyPairSync("ml-dsa-65");
  const name = `authority-${++serial}`;
  const algorithm = ALGORITHMS[scheme];
  const der = write({ name, issuer: name, isAuthority: true, publicKey, validity, privateKey, algorithm });
  return { name, der, privateKey, algorithm };
}

/** The identity with a certificate that the authority has issued over its key. */
export function issueWritten(
  identity: Identity,
  { name, privateKey, algorithm }: WrittenAuthority,
  options: { readonly isAuthority?: boolean; readonly validity?: readonly [string, string] } = {},
): Identity {
  const der = write({
    name: "node-1",
    issuer: name,
    isAuthority: options.isAuthority ?? false,
    publicKey: createPublicKey(createPrivateKey(identity.privateKeyPem)),
    validity: options.validity ?? YEARS_10,
    privateKey,
    algorithm,
  });
  return unwrap(identityFromPem(identity.privateKeyPem, new X509Certificate(der).toString()));
}

export function parsed({ certificatePem }: Identity): X509Certificate {
  return new X509Certificate(certificatePem);
}

function write(given: {
  readonly name: string;
  readonly issuer: string;
  readonly isAuthority: boolean;
  readonly publicKey: KeyObject;
  readonly validity: readonly [string, string];
  readonly privateKey: KeyObject;
  readonly algorithm: Bytes;
}): Bytes {
  const algorithm = derSequence(given.algorithm);
  const [from, to] = given.validity.map((text) => derElement(DER_TAGS.utcTime, utf8(text))) as [Bytes, Bytes];
  const constraints = derSequence(...(given.isAuthority ? [derElement(BOOLEAN, Uint8Array.of(0xff))] : []));
  const extension = derSequence(BASIC_CONSTRAINTS, derElement(DER_TAGS.octetString, constraints));
  const toBeSigned = derSequence(
    derElement(CONTEXT_0, derInteger(Uint8Array.of(2))),
    derInteger(Uint8Array.of(++serial)),
    algorithm,
    nameOf(given.issuer),
    derSequence(from, to),
    nameOf(given.name),
    new Uint8Array(given.publicKey.export({ format: "der", type: "spki" })),
    derElement(CONTEXT_3, derSequence(extension)),
  );
  const signature = new Uint8Array(sign(null, toBeSigned, given.privateKey));
  return derSequence(concatBytes(toBeSigned, algorithm, derBitString(signature)));
}

function nameOf(text: string): Bytes {
  const commonName = derElement(DER_TAGS.utf8String, utf8(text));
  return derSequence(derElement(DER_TAGS.set, derSequence(COMMON_NAME, commonName)));
}
