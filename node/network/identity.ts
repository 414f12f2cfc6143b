import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { type Failure, fail, ok, type Result, toHexDigits } from "@ostrom/base";
import { createIdentityKey, identityKeyOf } from "./identity-keys.ts";
import type { IdentityKind } from "./identity-kinds.ts";
import { selfSignedCertificate } from "./self-signed-certificate.ts";
import type { PeerId } from "./types.ts";

/** Who a node is on the network: a key of its chain's kind, and a certificate that carries it to the other end of a link. Only the key counts: a
 * new certificate for the same key is the same identity. */
export type Identity = {
  readonly kind: IdentityKind;
  readonly peerId: PeerId;
  /** PKCS #8. A secret. */
  readonly privateKeyPem: string;
  readonly certificatePem: string;
};

/** The longest certificate, as DER, that a node shows or looks at. */
export const MAX_CERTIFICATE_BYTES = 8_192;

export type IdentityFailure = Failure<
  "identity/malformed" | "identity/wrong-key-type" | "identity/key-mismatch"
>;

/** Makes a new key and its self-signed certificate. */
export function createIdentity(kind: IdentityKind = "ed25519"): Identity {
  const privateKey = createIdentityKey(kind);
  const publicKey = createPublicKey(privateKey);
  return {
    kind,
    peerId: toHexDigits(identityKeyOf(publicKey)?.raw ?? new Uint8Array(0)),
    privateKeyPem: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    certificatePem: selfSignedCertificate(publicKey, { publicKey, privateKey }),
  };
}

/** Reads an identity from PEM text that holds its private key and its certificate, in any order.
 * @param issued PEM of a certificate of the same key that is shown instead: one that an authority has issued.
 * @param kind that the chain asks for; any if it is not given.
 * Errors: `identity/malformed` (or a certificate that is too long), `identity/wrong-key-type` (none of the kind), `identity/key-mismatch` (certificate of another key). */
export function identityFromPem(
  pem: string,
  issued?: string,
  kind?: IdentityKind,
): Result<Identity, IdentityFailure> {
  const privateKeyPem = block(pem, "PRIVATE KEY");
  const certificatePem = block(issued ?? pem, "CERTIFICATE");
  if (privateKeyPem === undefined || certificatePem === undefined) {
    return fail("identity/malformed", "expected a PRIVATE KEY and a CERTIFICATE in PEM");
  }
  let publicKey: KeyObject;
  let certificate: X509Certificate;
  try {
    publicKey = createPublicKey(createPrivateKey(privateKeyPem));
    certificate = new X509Certificate(certificatePem);
  } catch (error) {
    return fail("identity/malformed", (error as Error).message);
  }
  if (certificate.raw.length > MAX_CERTIFICATE_BYTES)
    return fail("identity/malformed", `the certificate has more than ${MAX_CERTIFICATE_BYTES} bytes`);
  const key = identityKeyOf(publicKey);
  if (key === undefined || (kind !== undefined && key.kind !== kind)) {
    const found = key?.kind ?? publicKey.asymmetricKeyType ?? "one of an unknown kind";
    return fail("identity/wrong-key-type", `expected a key of ${kind ?? "a kind for links"}, found ${found}`);
  }
  const peerId = toHexDigits(key.raw);
  if (peerIdOfCertificate(certificate, key.kind) !== peerId) {
    return fail("identity/key-mismatch", "the certificate is of another key");
  }
  return ok({ kind: key.kind, peerId, privateKeyPem, certificatePem });
}

function block(pem: string, label: string): string | undefined {
  const found = new RegExp(`-----BEGIN ${label}-----[^-]*-----END ${label}-----`).exec(pem);
  return found === null ? undefined : `${found[0]}\n`;
}

/** The identity that a certificate carries; undefined if its key is of another kind. The link has made sure that whoever showed it holds the
 * key. */
export function peerIdOfCertificate(certificate: X509Certificate, kind: IdentityKind): PeerId | undefined {
  let key: ReturnType<typeof identityKeyOf>;
  try {
    key = identityKeyOf(certificate.publicKey);
  } catch {
    // A certificate may hold bytes that are no key.
    return undefined;
  }
  return key?.kind === kind ? toHexDigits(key.raw) : undefined;
}
