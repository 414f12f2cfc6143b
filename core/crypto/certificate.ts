import { assert, type Bytes, type Failure, fail, must, ok, type Result } from "@ostrom/base";
import { SCHEME_BLS12381 } from "./schemes.ts";
import { type ValidatorScheme, validatorScheme } from "./validator-scheme.ts";

/** Most members of a set that one certificate may speak for: bounds the bitmap before anybody allocates. */
export const MAX_CERTIFICATE_SIGNERS = 4096;

/** Signatures of some members of an ordered set on one message, joined. */
export type Certificate = {
  /** Id of a validators' signature scheme. */
  readonly scheme: number;
  /** Who signed: member i is bit i % 8, from the lowest, of byte floor(i / 8). ceil(n / 8) bytes for n members. */
  readonly signers: Bytes;
  /** The aggregate; where the scheme has none, the signers' signatures in ascending order of their indices, of exactly their length together. */
  readonly signature: Bytes;
};

/** One member's signature, already checked or not. `index` is its 0-based place in the set. */
export type SignedVote = { readonly index: number; readonly signature: Bytes };

export type CertificateErrorCode =
  | "certificate/unknown-scheme"
  | "certificate/malformed-signers"
  | "certificate/malformed-signature"
  | "certificate/insufficient-weight"
  | "certificate/bad-signature";

type CertificateResult<T> = Result<T, Failure<CertificateErrorCode>>;

/** Writes a bitmap of signers.
 * @param count members in the set.
 * @param indices distinct, each in [0, count); asserted. */
export function writeSigners(count: number, indices: readonly number[]): Bytes {
  assertCount(count);
  const bitmap = new Uint8Array(Math.ceil(count / 8));
  for (const index of indices) {
    assert(Number.isInteger(index) && index >= 0 && index < count, "a signer must be a member of the set");
    const bit = 1 << (index & 7);
    assert((bitmap[index >> 3]! & bit) === 0, "a signer must not be named twice");
    bitmap[index >> 3]! |= bit;
  }
  return bitmap;
}

/** Reads a bitmap of signers.
 * @returns their indices, ascending.
 * Errors: `certificate/malformed-signers` (not exactly ceil(count / 8) bytes, or a bit beyond the last member). */
export function readSigners(count: number, bitmap: Bytes): CertificateResult<readonly number[]> {
  assertCount(count);
  if (bitmap.length !== Math.ceil(count / 8)) {
    return fail(
      "certificate/malformed-signers",
      `${count} members need a bitmap of ${Math.ceil(count / 8)} bytes`,
    );
  }
  const indices: number[] = [];
  for (let index = 0; index < bitmap.length * 8; index++) {
    if ((bitmap[index >> 3]! & (1 << (index & 7))) === 0) continue;
    if (index >= count)
      return fail("certificate/malformed-signers", `there is no member ${index} of ${count}`);
    indices.push(index);
  }
  return ok(indices);
}

/** Checks the form of a certificate that was decoded from outside; `verifyCertificate` checks what it says.
 * @param count members in the set.
 * Errors: `certificate/unknown-scheme`, `certificate/malformed-signers`, `certificate/malformed-signature` (not exactly the length of an
 * aggregate, or of a list of so many signatures). */
export function readCertificate(
  count: number,
  parts: { readonly scheme: number; readonly signers: Bytes; readonly signature: Bytes },
): CertificateResult<Certificate> {
  const scheme = validatorScheme(parts.scheme);
  if (scheme === undefined) {
    return fail("certificate/unknown-scheme", `signature scheme ${parts.scheme} makes no certificates here`);
  }
  const signers = readSigners(count, parts.signers);
  if (!signers.ok) return signers;
  const length = scheme.joinedLength(signers.value.length);
  if (parts.signature.length !== length) {
    return fail("certificate/malformed-signature", `the joined signatures must have ${length} bytes`);
  }
  return ok({ scheme: parts.scheme, signers: parts.signers, signature: parts.signature });
}

/** Joins votes on one message into a certificate, given in any order.
 * @param count members in the set.
 * @param votes of distinct members; asserted. Whoever did not check each signature checks the certificate.
 * @param schemeId of validators; asserted.
 * Errors: `certificate/malformed-signature` (a signature has the wrong length or is no point of the right subgroup, or there are no votes). */
export function formCertificate(
  count: number,
  votes: readonly SignedVote[],
  schemeId: number = SCHEME_BLS12381,
): CertificateResult<Certificate> {
  const ascending = [...votes].sort((a, b) => a.index - b.index);
  const signers = writeSigners(
    count,
    ascending.map((vote) => vote.index),
  );
  const signature = knownScheme(schemeId).join(ascending.map((vote) => vote.signature));
  if (signature === undefined) {
    return fail("certificate/malformed-signature", "the votes' signatures cannot be joined");
  }
  return ok({ scheme: schemeId, signers, signature });
}

/** Checks that members of enough weight signed a message.
 * @param publicKeys of all members in the set's order, possession of each proved when it joined.
 * @param weights of the same members; safe integers that sum to one.
 * @param threshold least weight that must have signed; at least 1.
 * Errors: those of `readCertificate`, `certificate/insufficient-weight`, `certificate/bad-signature`. */
export function verifyCertificate(
  publicKeys: readonly Bytes[],
  weights: readonly number[],
  threshold: number,
  message: Bytes,
  certificate: Certificate,
): CertificateResult<void> {
  assert(publicKeys.length === weights.length, "each member must have a key and a weight");
  assert(Number.isSafeInteger(threshold) && threshold > 0, "a threshold must be a positive safe integer");
  const form = readCertificate(publicKeys.length, certificate);
  if (!form.ok) return form;
  const signers = readSigners(publicKeys.length, certificate.signers);
  if (!signers.ok) return signers;

  let weight = 0;
  for (const index of signers.value) weight += weights[index]!;
  assert(Number.isSafeInteger(weight), "weights of a set must sum to a safe integer");
  if (weight < threshold) {
    return fail("certificate/insufficient-weight", `weight ${weight} signed, ${threshold} is needed`);
  }
  const keys = signers.value.map((index) => publicKeys[index]!);
  if (!knownScheme(certificate.scheme).verifyJoined(keys, message, certificate.signature)) {
    return fail("certificate/bad-signature", "the signatures do not verify under their signers' keys");
  }
  return ok(undefined);
}

function knownScheme(id: number): ValidatorScheme {
  return must(validatorScheme(id), "a certificate must be of a known scheme");
}

function assertCount(count: number): void {
  assert(
    Number.isInteger(count) && count > 0 && count <= MAX_CERTIFICATE_SIGNERS,
    `a set must have 1 to ${MAX_CERTIFICATE_SIGNERS} members`,
  );
}
