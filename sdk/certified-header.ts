import { type Bytes, Epoch, equalBytes, type Hash, Weight } from "@ostrom/base";
import {
  checkValidatorSet,
  decodeStateCertificate,
  type StateCertificate,
  type Validator,
  type ValidatorSet,
  validatorSetHash,
  verifyStateCertificate,
} from "@ostrom/consensus";
import { signatureScheme } from "@ostrom/crypto";
import {
  decodeHeader,
  epochOfHeight,
  frozenHeight,
  type Header,
  hashHeader,
  lastHeight,
} from "@ostrom/execution";
import type { LightChain } from "./chain.ts";
import { accept, attemptNow, type LightResult, refuse } from "./failure.ts";
import { readAddress, readArray, readCount, readData, readFields } from "./read-json.ts";

/** More validators than a set may have. */
const MAX_SET = 1024;
/** Header times may be so far ahead of the client's clock: what validators tolerate, and a second of rounding. */
const CLOCK_DRIFT_MS = 10_000;

/** A header and the certificate that a server gave for it; both decoded, nothing checked. */
export type ClaimedHeader = {
  readonly header: Header;
  readonly hash: Hash;
  readonly certificate: StateCertificate;
  /** As they came, to be kept and shown. */
  readonly bytes: { readonly header: Bytes; readonly certificate: Bytes };
};

/** A header that validators of two thirds of the weight of its epoch signed. */
export type CertifiedHeader = ClaimedHeader & {
  readonly height: number;
  readonly epoch: number;
  /** Indices in the epoch's set. */
  readonly signers: readonly number[];
};

/** The set of an epoch and the certificate that is said to name it. */
export type ClaimedStep = { readonly claim: ClaimedHeader; readonly set: ValidatorSet };

/** Reads {header, certificate}. @param hashId of the chain's hash function. Errors: `light/malformed`. */
export function readClaim(answer: unknown, hashId: number): LightResult<ClaimedHeader> {
  return attemptNow(() => claimOf(answer, hashId));
}

/** Reads what ostrom_getEpochProof answered. Errors: `light/malformed`, `light/wrong-set` (no set that could be). */
export function readStep(answer: unknown, hashId: number): LightResult<ClaimedStep> {
  return attemptNow(() => {
    const fields = readFields(answer, "epoch proof");
    return { claim: claimOf(fields, hashId), set: setOf(fields) };
  });
}

/** Reads a set of ostrom_getValidators or ostrom_getEpochProof: {epoch, schemeId, validators}.
 * Errors: `light/malformed`, `light/wrong-set`. */
export function readSet(answer: unknown): LightResult<ValidatorSet> {
  return attemptNow(() => setOf(answer));
}

/** The bytes of a header and of its certificate, decoded. Errors: `light/malformed`. */
export function decodeClaim(bytes: ClaimedHeader["bytes"], hashId: number): LightResult<ClaimedHeader> {
  return attemptNow(() => {
    const header = decodeHeader(bytes.header);
    if (!header.ok) return refuse("light/malformed", `header: ${header.error.message}`);
    const certificate = decodeStateCertificate(bytes.certificate);
    if (!certificate.ok) return refuse("light/malformed", `certificate: ${certificate.error.message}`);
    return {
      header: header.value,
      hash: hashHeader(header.value, hashId),
      certificate: certificate.value,
      bytes,
    };
  });
}

function claimOf(answer: unknown, hashId: number): ClaimedHeader {
  const fields = readFields(answer, "certified header");
  const header = readData(fields.header, "header");
  return accept(decodeClaim({ header, certificate: readData(fields.certificate, "certificate") }, hashId));
}

function setOf(answer: unknown): ValidatorSet {
  const fields = readFields(answer, "validator set");
  const set = {
    epoch: Epoch(readCount(fields.epoch, "epoch")),
    schemeId: readCount(fields.schemeId, "schemeId"),
    validators: readArray(fields.validators, "validators", MAX_SET).map(validatorOf),
  };
  const checked = checkValidatorSet(set);
  return checked.ok ? checked.value : refuse("light/wrong-set", checked.error.message);
}

function validatorOf(entry: unknown): Validator {
  const fields = readFields(entry, "validator");
  return {
    address: readAddress(fields.address, "validator address"),
    consensusKey: readData(fields.consensusKey, "consensus key"),
    transportKey: readData(fields.transportKey, "transport key"),
    weight: Weight(readCount(fields.weight, "weight")),
  };
}

/** Checks a header and its certificate by the set of the epoch.
 *
 * The header must have the hash that was signed, and the height, order digest and epoch that were; its time must not be in the
 * future; before the epoch's frozen height the certificate names the epoch's own set. The signature, which costs most, is last.
 * Errors: `light/curves-broken`, `light/wrong-epoch`, `light/wrong-header`, `light/from-the-future`, `light/wrong-set`, `certificate/...`. */
export function verifyCertified(
  chain: LightChain,
  set: ValidatorSet,
  claim: ClaimedHeader,
  nowMs: number,
): LightResult<CertifiedHeader> {
  return attemptNow(() => {
    const { header, hash, certificate } = claim;
    const { executed } = certificate;
    if (chain.refusesCurves === true && signatureScheme(set.schemeId)?.isPostQuantum !== true)
      refuse(
        "light/curves-broken",
        `validators of epoch ${set.epoch} vote by an elliptic curve, which anybody forges`,
      );
    const height = header.number;
    const epoch = epochOfHeight(chain.epochs, height);
    if (executed.epoch !== set.epoch || epoch !== set.epoch || height === 0) {
      refuse("light/wrong-epoch", `block ${height} is not for the set of epoch ${set.epoch} to certify`);
    }
    if (executed.height !== height) refuse("light/wrong-header", "the certificate is for another height");
    if (!equalBytes(executed.executedHash, hash)) {
      refuse("light/wrong-header", "the certificate is for another header");
    }
    if (!equalBytes(executed.orderDigest, header.extraData)) {
      refuse("light/wrong-header", "the header was ordered otherwise than the certificate says");
    }
    if (header.timestamp * 1000 > nowMs + CLOCK_DRIFT_MS) {
      refuse(
        "light/from-the-future",
        `block ${height} is ${header.timestamp * 1000 - nowMs} ms ahead of the clock`,
      );
    }
    const ownHash = validatorSetHash(chain.domain, set);
    if (height < frozenHeight(chain.epochs, epoch) && !equalBytes(executed.nextSetHash, ownHash)) {
      refuse("light/wrong-set", `block ${height} names another set of its own epoch`);
    }
    const signers = accept(verifyStateCertificate(chain.domain, set, certificate));
    return { ...claim, height, epoch, signers };
  });
}

/** Checks that a set follows another: a certificate of the epoch's frozen height or above, by the epoch's own set, names its hash.
 * Errors: those of `verifyCertified`, `light/wrong-epoch` (a step over several epochs, or below the frozen height), `light/wrong-set`. */
export function verifyStep(
  chain: LightChain,
  set: ValidatorSet,
  { claim, set: next }: ClaimedStep,
  nowMs: number,
): LightResult<CertifiedHeader> {
  return attemptNow(() => {
    if (next.epoch !== set.epoch + 1) {
      refuse("light/wrong-epoch", `a set of epoch ${next.epoch} does not follow epoch ${set.epoch}`);
    }
    const height = claim.header.number;
    if (height < frozenHeight(chain.epochs, set.epoch) || height > lastHeight(chain.epochs, set.epoch)) {
      refuse("light/wrong-epoch", `block ${height} does not name the set of epoch ${next.epoch}`);
    }
    if (!equalBytes(validatorSetHash(chain.domain, next), claim.certificate.executed.nextSetHash)) {
      refuse("light/wrong-set", `the certificate names another set of epoch ${next.epoch}`);
    }
    return accept(verifyCertified(chain, set, claim, nowMs));
  });
}
