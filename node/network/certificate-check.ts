import { X509Certificate } from "node:crypto";
import { type Bytes, equalBytes, toHexDigits } from "@ostrom/base";
import { DER_TAGS, readDer } from "./der.ts";
import { identityKeyOf } from "./identity-keys.ts";
import type { IdentityKind } from "./identity-kinds.ts";
import { ALGORITHM_OBJECT_IDS } from "./self-signed-certificate.ts";
import { sm2VerifyDer } from "./sm2-keys.ts";

export type CertificateRefusal =
  | "network/no-certificate"
  | "network/certificate-expired"
  | "network/certificate-of-an-authority"
  | "network/certificate-not-issued"
  | "network/authority-expired";

/** Whether a peer's certificate binds it to its organisation: issued by one of the organisation's authorities, over the key that the link
 * proves (the link has looked at that before), in force now, and no authority itself. A node without such a list is bound to its key alone.
 * @param authorities DER of the certificates of authorities; while one replaces another, there are two. What is no certificate is passed over.
 * @param kind of the chain's identities. Where they are `sm2`, authorities sign with SM2 and SM3; where they are post-quantum, by a post-quantum
 * scheme of FIPS; else as they like.
 * Source: RFC 5280, 6.1, for paths of one certificate. Names, revocation lists and other extensions mean nothing here: who may be linked, the
 * chain says. */
export function refuseCertificate(
  certificate: X509Certificate | undefined,
  authorities: readonly Bytes[],
  nowMs: number,
  kind: IdentityKind = "ed25519",
): CertificateRefusal | undefined {
  if (certificate === undefined) return "network/no-certificate";
  if (!isInForce(certificate, nowMs)) return "network/certificate-expired";
  if (certificate.ca) return "network/certificate-of-an-authority";
  const issuers = authorities
    .map((der) => issuance(certificate, der, kind))
    .filter(({ isIssuer }) => isIssuer);
  if (issuers.length === 0) return "network/certificate-not-issued";
  return issuers.some(({ fromMs, toMs }) => fromMs <= nowMs && nowMs <= toMs)
    ? undefined
    : "network/authority-expired";
}

type Issuance = { readonly isIssuer: boolean; readonly fromMs: number; readonly toMs: number };

/** Links are looked at again every second, and what an authority has signed does not change. */
const known = new WeakMap<X509Certificate, Map<string, Issuance>>();
/** An organisation has two authorities at most at one time. */
const MAX_KNOWN = 8;

function issuance(certificate: X509Certificate, der: Bytes, kind: IdentityKind): Issuance {
  const name = `${kind}/${toHexDigits(der)}`;
  const ofCertificate = known.get(certificate) ?? new Map<string, Issuance>();
  const before = ofCertificate.get(name);
  if (before !== undefined) return before;
  const found = checkIssuance(certificate, parse(der), kind);
  if (ofCertificate.size >= MAX_KNOWN) ofCertificate.clear();
  known.set(certificate, ofCertificate.set(name, found));
  return found;
}

function checkIssuance(
  certificate: X509Certificate,
  authority: X509Certificate | undefined,
  kind: IdentityKind,
): Issuance {
  if (authority === undefined) return { isIssuer: false, fromMs: 0, toMs: 0 };
  const isIssuer =
    authority.ca && certificate.checkIssued(authority) && isSignedBy(certificate, authority, kind);
  return { isIssuer, fromMs: authority.validFromDate.getTime(), toMs: authority.validToDate.getTime() };
}

const POST_QUANTUM_SCHEME = /^(?:ml|slh)-dsa-/;

function isSignedBy(certificate: X509Certificate, authority: X509Certificate, kind: IdentityKind): boolean {
  try {
    if (kind === "sm2") return isSignedWithSm2(certificate, authority);
    const { publicKey } = authority;
    if (kind === "ml-dsa-44" && !POST_QUANTUM_SCHEME.test(publicKey.asymmetricKeyType ?? "")) return false;
    return certificate.verify(publicKey);
  } catch {
    // An authority is whatever an organisation has written into the state: its key may be none.
    return false;
  }
}

/** Node verifies SM2 in certificates as if signers had no identifier; the standard (GM/T 0015-2012) gives them one. */
function isSignedWithSm2(certificate: X509Certificate, authority: X509Certificate): boolean {
  const key = identityKeyOf(authority.publicKey);
  const [toBeSigned, algorithm, signature] =
    readDer(readDer(new Uint8Array(certificate.raw))?.[0]?.content ?? new Uint8Array(0)) ?? [];
  if (key?.kind !== "sm2" || toBeSigned === undefined || signature?.tag !== DER_TAGS.bitString) return false;
  const named = readDer(algorithm?.content ?? new Uint8Array(0))?.[0]?.whole;
  if (named === undefined || !equalBytes(named, ALGORITHM_OBJECT_IDS.sm2)) return false;
  return sm2VerifyDer(authority.publicKey, key.raw, toBeSigned.whole, signature.content.subarray(1));
}

function isInForce({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}

function parse(der: Bytes): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}
