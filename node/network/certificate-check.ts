import { X509Certificate } from "node:crypto";
import { type Bytes, toHexDigits } from "@ostrom/base";

export type CertificateRefusal =
  | "network/no-certificate"
  | "network/certificate-expired"
  | "network/certificate-of-an-authority"
  | "network/certificate-not-issued"
  | "network/authority-expired";

/** Whether a peer's certificate binds it to its organisation: issued by one of the organisation's authorities, over the key that the link
 * proves (the link has looked at that before), in force now, and no authority itself. A node without such a list is bound to its key alone.
 * @param authorities DER of the certificates of authorities; while one replaces another, there are two. What is no certificate is passed over.
 * Source: RFC 5280, 6.1, for paths of one certificate. Names, revocation lists and other extensions mean nothing here: who may be linked, the
 * chain says. */
export function refuseCertificate(
  certificate: X509Certificate | undefined,
  authorities: readonly Bytes[],
  nowMs: number,
): CertificateRefusal | undefined {
  if (certificate === undefined) return "network/no-certificate";
  if (!isInForce(certificate, nowMs)) return "network/certificate-expired";
  if (certificate.ca) return "network/certificate-of-an-authority";
  const issuers = authorities.map((der) => issuance(certificate, der)).filter(({ isIssuer }) => isIssuer);
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

function issuance(certificate: X509Certificate, der: Bytes): Issuance {
  const name = toHexDigits(der);
  const ofCertificate = known.get(certificate) ?? new Map<string, Issuance>();
  const before = ofCertificate.get(name);
  if (before !== undefined) return before;
  const found = checkIssuance(certificate, parse(der));
  if (ofCertificate.size >= MAX_KNOWN) ofCertificate.clear();
  known.set(certificate, ofCertificate.set(name, found));
  return found;
}

function checkIssuance(certificate: X509Certificate, authority: X509Certificate | undefined): Issuance {
  if (authority === undefined) return { isIssuer: false, fromMs: 0, toMs: 0 };
  const isIssuer =
    authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
  return { isIssuer, fromMs: authority.validFromDate.getTime(), toMs: authority.validToDate.getTime() };
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
