import { equalBytes, type Hash } from "@ostrom/base";
import { type ValidatorSet, validatorSetHash } from "@ostrom/consensus";
import { epochOfHeight, frozenHeight, type Header } from "@ostrom/execution";
import {
  type CertifiedHeader,
  type ClaimedHeader,
  type ClaimedStep,
  verifyCertified,
  verifyStep,
} from "./certified-header.ts";
import type { LightChain } from "./chain.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { accept, attemptNow, type LightResult, Refusal, refuse } from "./failure.ts";

/** What a light client believes, and who validates next. Plain data, never mutated. */
export type Trust = {
  /** The newest verified header, or the root. */
  readonly head: TrustedHeader;
  /** Of the newest epoch that is proved, which is the head's or the one after it. */
  readonly set: ValidatorSet;
  /** Of the epoch before, if that is not where the client began. */
  readonly previous: ValidatorSet | undefined;
  /** Sets of the newest proved epochs, by epoch. */
  readonly epochs: ReadonlyMap<number, NamedSet>;
};

export type TrustedHeader = {
  readonly height: number;
  readonly hash: Hash;
  readonly header: Header;
  /** undefined: the root, which was given. */
  readonly certified: CertifiedHeader | undefined;
};

/** @see NamedSet.namedAt seconds: the time of the header that named the set, after which the set before it stopped signing soon. */
export type NamedSet = { readonly setHash: Hash; readonly namedAt: number };

/** Two headers that cannot both be: each with a certificate of two thirds of the weight. More than a third of the weight has broken its
 * word. */
export type Equivocation = {
  readonly first: CertifiedHeader;
  readonly second: CertifiedHeader;
  /** Indices in the set of their epoch of those who signed both; empty where the two are of different heights or epochs. */
  readonly signedBoth: readonly number[];
};

/** Epochs whose sets' hashes are remembered. */
const MAX_KEPT_EPOCHS = 4_096;

/** Begins with a block and its epoch's set that somebody vouches for. */
export function trustRoot(chain: LightChain, header: Header, hash: Hash, set: ValidatorSet): Trust {
  const setHash = validatorSetHash(chain.domain, set);
  const head = { height: header.number, hash, header, certified: undefined };
  return { head, set, previous: undefined, epochs: new Map([[set.epoch, { setHash, namedAt: 0 }]]) };
}

/** Goes on by one epoch. Errors: those of `verifyStep`, `light/time-order`. Throws EquivocationRefusal. */
export function takeStep(
  chain: LightChain,
  trust: Trust,
  step: ClaimedStep,
  nowMs: number,
): LightResult<Trust> {
  return attemptNow(() => {
    const certified = accept(verifyStep(chain, trust.set, step, nowMs));
    checkOrder(chain, trust, certified);
    const { nextSetHash: setHash } = certified.certificate.executed;
    const epochs = new Map(trust.epochs).set(step.set.epoch, {
      setHash,
      namedAt: certified.header.timestamp,
    });
    for (const oldest of epochs.keys()) {
      if (epochs.size <= MAX_KEPT_EPOCHS) break;
      epochs.delete(oldest);
    }
    return { head: newer(trust.head, certified), set: step.set, previous: trust.set, epochs };
  });
}

/** Takes a header of the newest proved epoch or of the one before it: a step is proved before its epoch begins.
 * Errors: those of `verifyCertified`, `light/time-order`. Throws EquivocationRefusal. */
export function takeHead(
  chain: LightChain,
  trust: Trust,
  claim: ClaimedHeader,
  nowMs: number,
): LightResult<Trust> {
  return attemptNow(() => {
    const { head } = trust;
    if (claim.header.number === head.height && equalBytes(claim.hash, head.hash)) return trust;
    const isBefore = epochOfHeight(chain.epochs, claim.header.number) < trust.set.epoch;
    const set = isBefore ? (trust.previous ?? trust.set) : trust.set;
    const certified = accept(verifyCertified(chain, set, claim, nowMs));
    checkOrder(chain, trust, certified);
    return { ...trust, head: newer(head, certified) };
  });
}

/** A block from which another client may start: the newest one, which is of the newest proved epoch or of the one before it. */
export function checkpointOf(chain: LightChain, { head, epochs }: Trust): Checkpoint | undefined {
  const named = epochs.get(epochOfHeight(chain.epochs, head.height));
  if (named === undefined) return undefined;
  return { genesisHash: chain.genesisHash, height: head.height, hash: head.hash, setHash: named.setHash };
}

function newer(head: TrustedHeader, certified: CertifiedHeader): TrustedHeader {
  if (certified.height <= head.height) return head;
  const { height, hash, header } = certified;
  return { height, hash, header, certified };
}

/** Refuses what cannot be if the head is: another block of its height, times that run backwards, another next set. */
function checkOrder(chain: LightChain, { head }: Trust, certified: CertifiedHeader): void {
  const { height, hash, header } = certified;
  const isOtherBlock = height === head.height && !equalBytes(hash, head.hash);
  if (isOtherBlock || (head.certified !== undefined && namesOtherSet(chain, head.certified, certified))) {
    if (head.certified === undefined) refuse("light/wrong-header", `block ${height} is not the one trusted`);
    throw new EquivocationRefusal(contradiction(head.certified, certified));
  }
  const runsBackwards =
    height > head.height
      ? header.timestamp < head.header.timestamp
      : header.timestamp > head.header.timestamp;
  if (runsBackwards)
    refuse("light/time-order", `the time of block ${height} contradicts block ${head.height}`);
}

function namesOtherSet(chain: LightChain, first: CertifiedHeader, second: CertifiedHeader): boolean {
  if (first.epoch !== second.epoch) return false;
  const frozen = frozenHeight(chain.epochs, first.epoch);
  if (first.height < frozen || second.height < frozen) return false;
  return !equalBytes(first.certificate.executed.nextSetHash, second.certificate.executed.nextSetHash);
}

/** Writes down two certified headers that exclude each other. */
export function contradiction(first: CertifiedHeader, second: CertifiedHeader): Equivocation {
  const isSameVote = first.epoch === second.epoch && first.height === second.height;
  const signedBoth = isSameVote ? first.signers.filter((signer) => second.signers.includes(signer)) : [];
  return { first, second, signedBoth };
}

/** A refusal that carries its evidence. */
export class EquivocationRefusal extends Refusal {
  override readonly isFinal: boolean = true;
  readonly equivocation: Equivocation;
  constructor(equivocation: Equivocation) {
    const { first, second } = equivocation;
    super({
      code: "light/equivocation",
      message: `validators certified two chains: at block ${first.height} and at block ${second.height}`,
    });
    this.equivocation = equivocation;
  }
}
