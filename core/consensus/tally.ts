import type { Bytes } from "@ostrom/base";
import { domainOfSet } from "./signatures.ts";
import type { ConsensusDomain, Signatures, ValidatorIndex, ValidatorSet } from "./types.ts";
import { weightOf, writeSignerBitmap } from "./validator-set.ts";

/** One validator's statement in a tally. `key` names the statement: equal keys, equal statements. */
export type TallyEntry<Statement> = {
  readonly key: string;
  readonly statement: Statement;
  readonly signature: Bytes;
  /** False until its signature was checked, alone or in an aggregate. */
  readonly verified: boolean;
};

/** At most one statement of each validator on one question, signatures mostly unchecked. */
export type Tally<Statement> = ReadonlyMap<ValidatorIndex, TallyEntry<Statement>>;

export type TallyCount<Statement> = {
  readonly tally: Tally<Statement>;
  /** Whose signatures turned out wrong; they are gone from the tally. */
  readonly bad: readonly ValidatorIndex[];
  /** There if good signatures of weight >= quorum were found. */
  readonly aggregate: { readonly signers: Bytes; readonly signature: Bytes } | undefined;
};

export function withEntry<Statement>(
  tally: Tally<Statement>,
  signer: ValidatorIndex,
  entry: TallyEntry<Statement>,
): Tally<Statement> {
  return new Map(tally).set(signer, entry);
}

/** Checks signatures only when the weight behind `key` would be a quorum: one aggregate, once. If that fails, halves are
 * checked until the wrong signatures are found and dropped. Signatures that do not aggregate are checked one by one, each once.
 * @param messageOf makes the bytes that all statements with this key sign, in the set's domain; called only for a quorum. */
export function countTally<Statement>(
  domain: ConsensusDomain,
  set: ValidatorSet,
  quorum: number,
  tally: Tally<Statement>,
  key: string,
  messageOf: (bound: ConsensusDomain) => Bytes,
): TallyCount<Statement> {
  const signers = signersOf(tally, key);
  if (weightOf(set, signers) < quorum) return { tally, bad: [], aggregate: undefined };

  const bound = domainOfSet(domain, set);
  const { signatures } = bound;
  const message = messageOf(bound);
  signers.sort((a, b) => a - b);
  const signature = signatures.aggregate(signers.map((signer) => tally.get(signer)!.signature));
  const allVerified = signers.every((signer) => tally.get(signer)!.verified);
  const areGood = (joined: Bytes): boolean =>
    allVerified || (signatures.aggregates && verify(signatures, set, signers, message, joined));
  if (signature !== undefined && areGood(signature)) {
    const aggregate = { signers: writeSignerBitmap(set, signers), signature };
    return { tally: markVerified(tally, signers), bad: [], aggregate };
  }
  const bad = findBadSigners(signatures, set, tally, signers, message);
  const good = signers.filter((signer) => !bad.includes(signer));
  const kept = new Map(markVerified(tally, good));
  for (const signer of bad) kept.delete(signer);
  if (weightOf(set, good) < quorum) return { tally: kept, bad, aggregate: undefined };
  const joined = signatures.aggregate(good.map((signer) => tally.get(signer)!.signature));
  if (joined === undefined) return { tally: kept, bad, aggregate: undefined };
  return { tally: kept, bad, aggregate: { signers: writeSignerBitmap(set, good), signature: joined } };
}

/** Who made the statement, in the order in which they did. */
function signersOf<Statement>(tally: Tally<Statement>, key: string): ValidatorIndex[] {
  const signers: ValidatorIndex[] = [];
  for (const [signer, entry] of tally) if (entry.key === key) signers.push(signer);
  return signers;
}

function findBadSigners<Statement>(
  signatures: Signatures,
  set: ValidatorSet,
  tally: Tally<Statement>,
  signers: readonly ValidatorIndex[],
  message: Bytes,
): readonly ValidatorIndex[] {
  const unknown = signers.filter((signer) => !tally.get(signer)!.verified);
  const isBad = (signer: ValidatorIndex): boolean => {
    const key = set.validators[signer]!.consensusKey;
    return !signatures.verifyOne(key, message, tally.get(signer)!.signature);
  };
  if (!signatures.aggregates) return unknown.filter(isBad);
  const search = (part: readonly ValidatorIndex[]): readonly ValidatorIndex[] => {
    if (part.length === 0) return [];
    if (part.length === 1) return part.filter(isBad);
    const joined = signatures.aggregate(part.map((signer) => tally.get(signer)!.signature));
    if (joined !== undefined && verify(signatures, set, part, message, joined)) return [];
    const half = part.length >> 1;
    return [...search(part.slice(0, half)), ...search(part.slice(half))];
  };
  return search(unknown);
}

function verify(
  signatures: Signatures,
  set: ValidatorSet,
  signers: readonly ValidatorIndex[],
  message: Bytes,
  signature: Bytes,
): boolean {
  const keys = signers.map((signer) => set.validators[signer]!.consensusKey);
  return signatures.verifyAggregate(keys, message, signature);
}

function markVerified<Statement>(
  tally: Tally<Statement>,
  signers: readonly ValidatorIndex[],
): Tally<Statement> {
  const marked = new Map(tally);
  for (const signer of signers) marked.set(signer, { ...tally.get(signer)!, verified: true });
  return marked;
}
