import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from "node:crypto";
import { type Failure, fail, ok, type Result, toHexDigits } from "@ostrom/base";
import { selfSignedCertificate } from "./self-signed-certificate.ts";
import type { PeerId } from "./types.ts";

/** Who a node is on the network: an Ed25519 key, and a certificate that carries it into TLS. Only the key counts: a new
 * certificate for the same key is the same identity. */
export type Identity = {
  readonly peerId: PeerId;
  /** PKCS #8. A secret. */
  readonly privateKeyPem: string;
  readonly certificatePem: string;
};

export type IdentityFailure = Failure<
  "identity/malformed" | "identity/wrong-key-type" | "identity/key-mismatch"
>;

/** Makes a new key and its self-signed certificate. */
export function createIdentity(): Identity {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return {
    peerId: peerIdOf(publicKey),
    privateKeyPem: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    certificatePem: selfSignedCertificate(publicKey, privateKey),
  };
}

/** Reads an identity from PEM text that holds its private key and its certificate, in any order.
 * @param issued PEM of a certificate of the same key that is shown instead: one that an authority has issued.
 * Errors: `identity/malformed`, `identity/wrong-key-type` (not Ed25519), `identity/key-mismatch` (certificate of another
 * key). */
export function identityFromPem(pem: string, issued?: string): Result<Identity, IdentityFailure> {
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
  if (publicKey.asymmetricKeyType !== "ed25519") {
    return fail("identity/wrong-key-type", `expected an Ed25519 key, found ${publicKey.asymmetricKeyType}`);
  }
  const peerId = peerIdOf(publicKey);
  if (peerIdOfCertificate(certificate) !== peerId) {
    return fail("identity/key-mismatch", "the certificate is of another key");
  }
  return ok({ peerId, privateKeyPem, certificatePem });
}

function block(pem: string, label: string): string | undefined {
  const found = new RegExp(`-----BEGIN ${label}-----[^-]*-----END ${label}-----`).exec(pem);
  return found === null ? undefined : `${found[0]}\n`;
}

/** The identity that a certificate carries; undefined if its key is not Ed25519. TLS has made sure that whoever showed it
 * holds the key. */
export function peerIdOfCertificate(certificate: X509Certificate): PeerId | undefined {
  const key = certificate.publicKey;
  return key.asymmetricKeyType === "ed25519" ? peerIdOf(key) : undefined;
}

function peerIdOf(publicKey: KeyObject): PeerId {
  const { x } = publicKey.export({ format: "jwk" });
  return toHexDigits(Buffer.from(x ?? "", "base64url"));
}

/** Whether text has the form of a peer's name: 64 lower-case hex digits. */
export function isPeerId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
