import { equalBytes, type Failure, fail, type Hash, ok, type Result, toHexDigits } from "@ostrom/base";
import { keccak256, readSigners, signatureScheme, validatorSchemeOfKey, writeSigners } from "@ostrom/crypto";
import type { ConsensusDomain } from "../types.ts";
import { checkpointSigningBytes } from "./checkpoint-codec.ts";
import { canCertify, checkpointQuorum, checkpointSetHash } from "./checkpoint-set.ts";
import type {
  CheckpointCertificate,
  CheckpointEvidence,
  CheckpointSet,
  CheckpointSignature,
  CheckpointStatement,
  CheckpointVote,
} from "./types.ts";

export type CheckpointErrorCode =
  | "checkpoint/epoch"
  | "checkpoint/height"
  | "checkpoint/set"
  | "checkpoint/signers"
  | "checkpoint/weight"
  | "checkpoint/key"
  | "checkpoint/signature";

type Verified<T> = Result<T, Failure<CheckpointErrorCode>>;

/** What names a checkpoint key in sets. */
export function checkpointKeyHash(publicKey: Uint8Array): Hash {
  return keccak256(publicKey);
}

/** Whether a public key is of a scheme that certifies checkpoints: a post-quantum one that validators have. Lengths tell them apart. */
export function isCheckpointKey(publicKey: Uint8Array): boolean {
  const scheme = validatorSchemeOfKey(publicKey);
  return scheme !== undefined && signatureScheme(scheme.id)?.isPostQuantum === true;
}

/** Whether a statement was signed by a key that can certify checkpoints. False for anything malformed. */
export function verifyCheckpointVote(
  domain: ConsensusDomain,
  { statement, publicKey, signature }: CheckpointVote,
): boolean {
  const scheme = validatorSchemeOfKey(publicKey);
  if (scheme === undefined || !isCheckpointKey(publicKey)) return false;
  const signatures = domain.signaturesOf(scheme.id);
  return signatures?.verifyOne(publicKey, checkpointSigningBytes(domain, statement), signature) ?? false;
}

/** Places of a set's members by the hex digits of their key hashes; members without keys are not in it. */
export function placesOfKeys({ members }: CheckpointSet): ReadonlyMap<string, number> {
  return new Map(
    members.flatMap(({ keyHash }, place) =>
      keyHash === undefined ? [] : [[toHexDigits(keyHash), place] as const],
    ),
  );
}

/** Joins checked signatures of one statement into a certificate of a set.
 * @returns undefined while the members among their keys have less than the quorum. */
export function formCheckpointCertificate(
  set: CheckpointSet,
  statement: CheckpointStatement,
  signatures: readonly CheckpointSignature[],
): CheckpointCertificate | undefined {
  const places = placesOfKeys(set);
  const byPlace = new Map<number, CheckpointSignature>();
  for (const signed of signatures) {
    const place = places.get(toHexDigits(checkpointKeyHash(signed.publicKey)));
    if (place !== undefined) byPlace.set(place, signed);
  }
  const signers = [...byPlace.keys()].sort((a, b) => a - b);
  if (weightAt(set, signers) < checkpointQuorum(set)) return undefined;
  return {
    statement,
    setEpoch: set.epoch,
    signers: writeSigners(set.members.length, signers),
    signatures: signers.map((place) => byPlace.get(place)!),
  };
}

/** Checks that members of weight >= q of a set signed a statement.
 * @param set trusted. @param epochLength tells the height of an epoch's last block.
 * Errors: `checkpoint/epoch` (another set's, or of an epoch before it), `/height` (not that of the epoch's last block), `/signers` (the
 * bitmap, or another number of signatures), `/weight`, `/key` (not the member's), `/signature`. */
export function verifyCheckpointCertificate(
  domain: ConsensusDomain,
  set: CheckpointSet,
  certificate: CheckpointCertificate,
  epochLength: number,
): Verified<readonly number[]> {
  const { statement, signatures } = certificate;
  if (certificate.setEpoch !== set.epoch || statement.epoch < set.epoch)
    return fail("checkpoint/epoch", "the certificate is of another set, or about an epoch before it");
  if (statement.height !== (statement.epoch + 1) * epochLength)
    return fail("checkpoint/height", `block ${statement.height} does not end epoch ${statement.epoch}`);
  const read = readSigners(set.members.length, certificate.signers);
  if (!read.ok) return fail("checkpoint/signers", read.error.message);
  const signers = read.value;
  if (signatures.length !== signers.length)
    return fail("checkpoint/signers", `${signers.length} signers, ${signatures.length} signatures`);
  if (weightAt(set, signers) < checkpointQuorum(set))
    return fail("checkpoint/weight", "the signers' weight is below the quorum");
  for (const [index, place] of signers.entries()) {
    const { publicKey, signature } = signatures[index]!;
    const keyHash = set.members[place]!.keyHash;
    if (keyHash === undefined || !equalBytes(checkpointKeyHash(publicKey), keyHash))
      return fail("checkpoint/key", `the key at ${index} is not that of member ${place}`);
    if (!verifyCheckpointVote(domain, { statement, publicKey, signature }))
      return fail("checkpoint/signature", `the signature of member ${place} is wrong`);
  }
  return ok(signers);
}

/** What is proved of a chain without elliptic curves. */
export type CheckpointTrust = {
  /** Who certifies the next checkpoint. */
  readonly set: CheckpointSet;
  /** The newest that is proved; undefined: nothing but genesis. */
  readonly newest: CheckpointStatement | undefined;
};

/** Goes on by one checkpoint, which the trusted set signed: of its own epoch, or of a later one where those in between have none. The set that it
 * names is trusted from then on, and the one before certifies nothing any more; but as long as checkpoints name sets with too few keys, the same
 * set certifies on.
 * @param nextSet whose hash the statement names. Errors: those of `verifyCheckpointCertificate`; `checkpoint/epoch` also for what is not
 * newer; `checkpoint/set` (it is another). */
export function extendCheckpointTrust(
  domain: ConsensusDomain,
  trust: CheckpointTrust,
  certificate: CheckpointCertificate,
  nextSet: CheckpointSet,
  epochLength: number,
): Verified<CheckpointTrust> {
  const verified = verifyCheckpointCertificate(domain, trust.set, certificate, epochLength);
  if (!verified.ok) return verified;
  const { statement } = certificate;
  if (trust.newest !== undefined && statement.epoch <= trust.newest.epoch)
    return fail("checkpoint/epoch", `a checkpoint of epoch ${trust.newest.epoch} is known`);
  const isNamed =
    nextSet.epoch === statement.epoch + 1 &&
    equalBytes(checkpointSetHash(domain, nextSet), statement.nextCheckpointSetHash);
  if (!isNamed) return fail("checkpoint/set", "the next set is not the one that the checkpoint names");
  return ok({ set: canCertify(nextSet) ? nextSet : trust.set, newest: statement });
}

/** Whether one key signed two different statements for one epoch. */
export function verifyCheckpointEvidence(
  domain: ConsensusDomain,
  { first, second }: CheckpointEvidence,
): boolean {
  return (
    equalBytes(first.publicKey, second.publicKey) &&
    first.statement.epoch === second.statement.epoch &&
    !isSameStatement(domain, first.statement, second.statement) &&
    verifyCheckpointVote(domain, first) &&
    verifyCheckpointVote(domain, second)
  );
}

/** Whether two statements say the same. */
export function isSameStatement(
  domain: Pick<ConsensusDomain, "hashId" | "genesisHash">,
  first: CheckpointStatement,
  second: CheckpointStatement,
): boolean {
  return equalBytes(checkpointSigningBytes(domain, first), checkpointSigningBytes(domain, second));
}

function weightAt({ members }: CheckpointSet, places: readonly number[]): number {
  return places.reduce((sum, place) => sum + members[place]!.weight, 0);
}
