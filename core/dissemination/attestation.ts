import { type Bytes, equalBytes, type Failure, fail, ok, type Result, utf8 } from "@ostrom/base";
import { encodeRlp } from "@ostrom/codec";
import { readSigners, writeSigners } from "@ostrom/crypto";
import { headerToRlp } from "./batch-codec.ts";
import type { Attestation, BatchAuthors, BatchDomain, BatchHeader, CertifiedBatch } from "./types.ts";

/** First entry of everything that transport keys sign here, so that no signature means anything elsewhere. */
const SIGNING_DOMAIN = utf8("ostrom/dissemination/1");

/** The bytes that an attestation's signature is over (rule D1): chain, epoch, author, sequence number, expiry height, and the hash of the whole batch. */
export function attestationSigningBytes(genesisHash: Bytes, header: BatchHeader): Bytes {
  return encodeRlp([SIGNING_DOMAIN, genesisHash, headerToRlp(header)]);
}

/** Whether it was signed by whom it names, of the epoch's set. */
export function verifyAttestation(
  domain: BatchDomain,
  authors: BatchAuthors,
  { header, signer, signature }: Attestation,
): boolean {
  const key = authors.keys[signer];
  if (key === undefined || header.epoch !== authors.epoch || header.author >= authors.keys.length)
    return false;
  return domain.verify(key, attestationSigningBytes(domain.genesisHash, header), signature);
}

export type BatchCertificateErrorCode =
  | "batch/epoch"
  | "batch/signers"
  | "batch/author-missing"
  | "batch/weight"
  | "batch/signature";

/** Whether they say the same of the same batch: an attestation to one is an attestation to the other. */
export function sameHeader(one: BatchHeader, other: BatchHeader): boolean {
  return (
    one.epoch === other.epoch &&
    one.author === other.author &&
    one.sequence === other.sequence &&
    one.expiryHeight === other.expiryHeight &&
    one.byteLength === other.byteLength &&
    one.count === other.count &&
    one.gasLimit === other.gasLimit &&
    equalBytes(one.digest, other.digest)
  );
}

/** Checks that the author and others, of weight >= W - q + 1 together and none too many, attest to a batch (rule D2).
 * Errors: `batch/epoch` (of another set), `batch/signers` (no bitmap of the set, another number of signatures, or a signer who could be left out),
 * `batch/author-missing`, `batch/weight`, `batch/signature`. */
export function verifyCertifiedBatch(
  domain: BatchDomain,
  authors: BatchAuthors,
  certified: CertifiedBatch,
): Result<undefined, Failure<BatchCertificateErrorCode>> {
  const { header, signatures } = certified;
  if (header.epoch !== authors.epoch) return fail("batch/epoch", `the set is of epoch ${authors.epoch}`);
  const read = readSigners(authors.keys.length, certified.signers);
  if (!read.ok) return fail("batch/signers", read.error.message);
  const signers = read.value;
  if (signers.length !== signatures.length)
    return fail("batch/signers", `${signers.length} signers, ${signatures.length} signatures`);
  if (!signers.includes(header.author)) return fail("batch/author-missing", "the author has not signed it");
  const weight = weightOf(authors, signers);
  if (weight < authors.leastWeight)
    return fail("batch/weight", `the signers have less weight than ${authors.leastWeight}`);
  // Otherwise a leader could make every voter verify the signatures of all validators for each of 256 batches.
  const spare = signers.find(
    (signer) => signer !== header.author && weight - authors.weights[signer]! >= authors.leastWeight,
  );
  if (spare !== undefined) return fail("batch/signers", `signer ${spare} could be left out`);
  const message = attestationSigningBytes(domain.genesisHash, header);
  const isSigned = signers.every((signer, index) =>
    domain.verify(authors.keys[signer]!, message, signatures[index]!),
  );
  return isSigned ? ok(undefined) : fail("batch/signature", "an attestation is not of whom it names");
}

function weightOf(authors: BatchAuthors, signers: Iterable<number>): number {
  let weight = 0;
  for (const signer of signers) weight += authors.weights[signer] ?? 0;
  return weight;
}

/** An own batch whose attestations come in. */
export type Gathering = {
  readonly header: BatchHeader;
  /** By signer. The author's own is among them. */
  readonly signatures: ReadonlyMap<number, Bytes>;
};

/** @param own attestation of the author. */
export function beginGathering({ header, signer, signature }: Attestation): Gathering {
  return { header, signatures: new Map([[signer, signature]]) };
}

/** Takes one more attestation, whose signature the caller has verified. @returns the same object if it is to another header, or known. */
export function gather(gathering: Gathering, { header, signer, signature }: Attestation): Gathering {
  if (!sameHeader(header, gathering.header) || gathering.signatures.has(signer)) return gathering;
  return { ...gathering, signatures: new Map([...gathering.signatures, [signer, signature]]) };
}

/** The certificate, of the author and the heaviest others, as few as will do (rule D2). @returns undefined while the weight is too low. */
export function certifiedOf(authors: BatchAuthors, gathering: Gathering): CertifiedBatch | undefined {
  const { header, signatures } = gathering;
  const others = [...signatures.keys()]
    .filter((signer) => signer !== header.author)
    .sort((a, b) => authors.weights[b]! - authors.weights[a]! || a - b);
  const chosen = [header.author];
  let weight = authors.weights[header.author]!;
  for (const signer of others) {
    if (weight >= authors.leastWeight) break;
    chosen.push(signer);
    weight += authors.weights[signer]!;
  }
  if (weight < authors.leastWeight) return undefined;
  const signers = chosen.sort((a, b) => a - b);
  return {
    header,
    signers: writeSigners(authors.keys.length, signers),
    signatures: signers.map((signer) => signatures.get(signer)!),
  };
}

/** With `minority`: who checks an author's batch beside the author, so that all share the work; the others follow if they fail to (rule D3). */
export function designatedCheckers(
  authors: BatchAuthors,
  { author, sequence }: Pick<BatchHeader, "author" | "sequence">,
): readonly number[] {
  const size = authors.keys.length;
  const checkers: number[] = [];
  let weight = authors.weights[author] ?? 0;
  // Numbers may be as large as numbers are exact: what is added to one must be small.
  const first = size > 1 ? sequence % (size - 1) : 0;
  for (let step = 0; step < size - 1 && weight < authors.leastWeight; step++) {
    const checker = (author + 1 + ((first + step) % (size - 1))) % size;
    checkers.push(checker);
    weight += authors.weights[checker] ?? 0;
  }
  return checkers;
}
