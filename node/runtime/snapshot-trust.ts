import { type Bytes, equalBytes, type Failure, fail, Hash, must, ok, type Result } from "@ostrom/base";
import {
  type ConsensusDomain,
  checkValidatorSet,
  decodeBlock,
  decodeCertificate,
  decodeSealProof,
  decodeStateCertificate,
  domainOfScheme,
  type OrderedBlock,
  orderDigest,
  type StateCertificate,
  type ValidatorSet,
  validatorSetHash,
  verifyCertificate,
  verifyChainSegment,
  verifyStateCertificate,
} from "@ostrom/consensus";
import {
  decodeHeader,
  type EpochSchedule,
  epochOfHeight,
  frozenHeight,
  type Header,
  hashHeader,
  lastHeight,
} from "@ostrom/execution";
import { decodeForeignSet, type OrderedRecord, type StoredValidatorSet } from "@ostrom/storage";
import { type AdoptedBody, verifyBody } from "./snapshot-body.ts";
import type { Pin, PinnedBlock, SetStep } from "./snapshot-messages.ts";
import { isPinHeight, MAX_CERTIFICATE_DISTANCE, PINNED_HEADERS } from "./snapshot-pin.ts";
import { consensusSet } from "./validator-sets.ts";

export type TrustErrorCode =
  | "snapshot/bad-set"
  | "snapshot/bad-certificate"
  | "snapshot/bad-headers"
  | "snapshot/bad-ordered-blocks"
  | "snapshot/bad-body"
  | "snapshot/bad-height"
  | "snapshot/unknown-set";

type Verified<T> = Result<T, Failure<TrustErrorCode>>;

/** A set that was proved, as it is stored and as consensus sees it. */
export type TrustedSet = {
  readonly stored: StoredValidatorSet;
  readonly validators: ValidatorSet;
  readonly hash: Hash;
};

/** The sets of validators from genesis on, each named by a state certificate of the one before it. Nothing else has to be believed. */
export class SetChain {
  readonly #domain: ConsensusDomain;
  readonly #schedule: EpochSchedule;
  readonly #sets: TrustedSet[];
  /** By which each but the first was named. */
  readonly certificates: StateCertificate[] = [];

  constructor(domain: ConsensusDomain, schedule: EpochSchedule, genesisSet: StoredValidatorSet) {
    this.#domain = domain;
    this.#schedule = schedule;
    this.#sets = [this.#trusted(genesisSet, 0)];
  }

  get newestEpoch(): number {
    return this.#sets.length - 1;
  }

  of(epoch: number): TrustedSet | undefined {
    return this.#sets[epoch];
  }

  /** Goes one epoch further. Errors: `snapshot/bad-certificate`, `snapshot/bad-set`. */
  accept({ certificate: bytes, set: setBytes }: SetStep): Verified<undefined> {
    const epoch = this.newestEpoch;
    const certificate = verifiedCertificate(this.#domain, bytes, epoch, this);
    if (!certificate.ok) return certificate;
    const { height, nextSetHash } = certificate.value.executed;
    if (height < frozenHeight(this.#schedule, epoch) || height > lastHeight(this.#schedule, epoch))
      return fail("snapshot/bad-certificate", `block ${height} does not name the set of epoch ${epoch + 1}`);
    const stored = decodeForeignSet(setBytes);
    if (stored === undefined) return fail("snapshot/bad-set", "the set cannot be read");
    if (domainOfScheme(this.#domain, stored.schemeId) === undefined)
      return fail("snapshot/bad-set", "the set votes by a scheme that this program does not know");
    const next = this.#trusted(stored, epoch + 1);
    if (!checkValidatorSet(next.validators).ok || !equalBytes(next.hash, nextSetHash))
      return fail("snapshot/bad-set", `this is not the set of epoch ${epoch + 1}`);
    this.#sets.push(next);
    this.certificates.push(certificate.value);
    return ok(undefined);
  }

  #trusted(stored: StoredValidatorSet, epoch: number): TrustedSet {
    const validators = consensusSet(stored, epoch);
    return { stored, validators, hash: validatorSetHash(this.#domain, validators) };
  }
}

/** A block that was proved to be in the chain, and what a start needs besides its state. */
export type VerifiedPin = {
  readonly pin: Pin;
  readonly epoch: number;
  /** Up to the pinned one, oldest first. */
  readonly headers: readonly { readonly header: Header; readonly hash: Hash }[];
  readonly certificate: StateCertificate;
  readonly ordered: readonly (OrderedRecord & { readonly decoded: OrderedBlock })[];
  readonly sealProof: Bytes;
  /** undefined: it was too long to come along. */
  readonly body: AdoptedBody | undefined;
};

/** Epoch whose set must be known so that a block can be the newest one here. */
export function neededEpoch(schedule: EpochSchedule, height: number): number {
  const epoch = epochOfHeight(schedule, height);
  return height >= frozenHeight(schedule, epoch) ? epoch + 1 : epoch;
}

/** Checks what a peer says of a pinned block. Errors: `snapshot/...`. */
export function verifyPinnedBlock(
  domain: ConsensusDomain,
  schedule: EpochSchedule,
  sets: SetChain,
  pin: Pin,
  block: PinnedBlock,
): Verified<VerifiedPin> {
  if (!isPinHeight(schedule, pin.height, 1))
    return fail("snapshot/bad-height", `the state after block ${pin.height} is not one to begin with`);
  const headers = linkedHeaders(domain.hashId, block.headers);
  if (!headers.ok) return headers;
  const place = headers.value.findIndex(({ header }) => header.number === pin.height);
  const pinned = headers.value[place];
  const last = headers.value.at(-1);
  const expected = Math.min(PINNED_HEADERS, pin.height);
  if (
    pinned === undefined ||
    last === undefined ||
    place !== expected - 1 ||
    !equalBytes(pinned.hash, pin.blockHash)
  )
    return fail("snapshot/bad-headers", "these are not the headers up to the pinned block");
  if (headers.value.length - 1 - place > MAX_CERTIFICATE_DISTANCE)
    return fail("snapshot/bad-headers", "the certified block is too far above");
  const epochOfLast = epochOfHeight(schedule, last.header.number);
  const certificate = verifiedCertificate(domain, block.certificate, epochOfLast, sets);
  if (!certificate.ok) return certificate;
  const { executed } = certificate.value;
  if (executed.height !== last.header.number || !equalBytes(executed.executedHash, last.hash))
    return fail("snapshot/bad-certificate", "the certificate is of another block");
  const upTo = headers.value.slice(0, place + 1);
  const epoch = epochOfHeight(schedule, pin.height);
  const set = sets.of(epoch)?.validators;
  if (set === undefined || sets.of(neededEpoch(schedule, pin.height)) === undefined)
    return fail("snapshot/unknown-set", `the set of epoch ${epoch} or its successor is not known yet`);
  const ordered = verifyOrdered(domain, sets, upTo, block);
  if (!ordered.ok) return ordered;
  const isLast = pin.height === lastHeight(schedule, epoch);
  if (isLast && !isSealed(domain, set, ordered.value.at(-1), block.sealProof))
    return fail("snapshot/bad-ordered-blocks", "nothing shows that the last block of the epoch is final");
  const sealProof = isLast ? block.sealProof : new Uint8Array(0);
  const body =
    block.body === undefined ? ok(undefined) : verifyBody(domain.hashId, pinned.header, block.body);
  if (!body.ok) return body;
  return ok({
    pin,
    epoch,
    headers: upTo,
    certificate: certificate.value,
    ordered: ordered.value,
    sealProof,
    body: body.value,
  });
}

function verifiedCertificate(
  domain: ConsensusDomain,
  bytes: Bytes,
  epoch: number,
  sets: SetChain,
): Verified<StateCertificate> {
  const read = decodeStateCertificate(bytes);
  if (!read.ok) return fail("snapshot/bad-certificate", read.error.message);
  const set = sets.of(epoch)?.validators;
  const own = set === undefined ? undefined : domainOfScheme(domain, set.schemeId);
  if (set === undefined || own === undefined)
    return fail("snapshot/unknown-set", `the set of epoch ${epoch} is not known yet`);
  const isOfEpoch = read.value.executed.epoch === epoch;
  const verified = isOfEpoch && verifyStateCertificate(own, set, read.value).ok;
  return verified ? ok(read.value) : fail("snapshot/bad-certificate", `not a certificate of epoch ${epoch}`);
}

function linkedHeaders(
  hashId: number,
  encoded: readonly Bytes[],
): Verified<readonly { readonly header: Header; readonly hash: Hash }[]> {
  const headers: { header: Header; hash: Hash }[] = [];
  for (const bytes of encoded) {
    const header = decodeHeader(bytes);
    if (!header.ok) return fail("snapshot/bad-headers", header.error.message);
    const before = headers.at(-1);
    const follows =
      before === undefined ||
      (header.value.number === before.header.number + 1 && equalBytes(header.value.parentHash, before.hash));
    if (!follows) return fail("snapshot/bad-headers", `header ${header.value.number} does not follow`);
    headers.push({ header: header.value, hash: hashHeader(header.value, hashId) });
  }
  return ok(headers);
}

/** Headers name the ordered blocks by their digests. */
function verifyOrdered(
  domain: ConsensusDomain,
  sets: SetChain,
  headers: readonly { readonly header: Header }[],
  { ordered }: PinnedBlock,
): Verified<VerifiedPin["ordered"]> {
  const found: VerifiedPin["ordered"][number][] = [];
  const first = headers.length - ordered.length;
  let verifiedBytes: Bytes | undefined;
  for (const [index, record] of ordered.entries()) {
    const header = headers[first + index]?.header;
    const block = decodeBlock(record.block);
    const isIt =
      header !== undefined && block.ok && equalBytes(orderDigest(domain, block.value), header.extraData);
    if (!isIt) return fail("snapshot/bad-ordered-blocks", `ordered block ${index} is another`);
    // Blocks that became final together have one certificate.
    if (verifiedBytes === undefined || !equalBytes(verifiedBytes, record.finalization)) {
      if (!isFinalization(domain, sets.of(block.value.epoch)?.validators, record.finalization))
        return fail("snapshot/bad-ordered-blocks", `the finalization of ordered block ${index} is wrong`);
      verifiedBytes = record.finalization;
    }
    found.push({ ...record, decoded: block.value });
  }
  const last = found.at(-1);
  const carried = last?.decoded.stateCertificate?.executed.height ?? 0;
  if (last === undefined || (found[0]?.decoded.height ?? 0) > Math.max(1, carried + 1))
    return fail("snapshot/bad-ordered-blocks", "ordered blocks are left out");
  return ok(found);
}

function isFinalization(domain: ConsensusDomain, set: ValidatorSet | undefined, bytes: Bytes): boolean {
  const read = decodeCertificate(bytes);
  const own = set === undefined ? undefined : domainOfScheme(domain, set.schemeId);
  if (!read.ok || set === undefined || own === undefined || read.value.kind !== "finalization") return false;
  return read.value.epoch === set.epoch && verifyCertificate(own, set, read.value).ok;
}

function isSealed(
  domain: ConsensusDomain,
  set: ValidatorSet,
  last: VerifiedPin["ordered"][number] | undefined,
  bytes: Bytes,
): boolean {
  const proof = decodeSealProof(bytes);
  if (!proof.ok || last === undefined) return false;
  const { sealing, finalization } = proof.value;
  const { view, height, timestampMs } = last.decoded;
  const digest = orderDigest(domain, last.decoded);
  const own = must(domainOfScheme(domain, set.schemeId), "a trusted set has a known scheme");
  if (sealing.length > 0)
    return verifyChainSegment(own, set, { view, height, digest, timestampMs }, sealing, finalization).ok;
  return equalBytes(finalization.digest, digest) && verifyCertificate(own, set, finalization).ok;
}

/** What validators signed about the set after a block. */
export function nextSetHashAt(schedule: EpochSchedule, sets: SetChain, height: number): Hash {
  const set = must(sets.of(neededEpoch(schedule, height)), "the sets up to the pinned block are known");
  return Hash(set.hash);
}
