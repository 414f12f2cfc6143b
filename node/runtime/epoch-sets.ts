import { equalBytes, must, toHexDigits } from "@ostrom/base";
import { ValidatorIndex, type ValidatorSet } from "@ostrom/consensus";
import {
  type EpochSchedule,
  epochOfHeight,
  frozenHeight,
  lastHeight,
  type ValidatorSet as StoredValidatorSet,
} from "@ostrom/execution";
import type { PeerId } from "@ostrom/network";
import { readStoredValidatorSet, type StoreView } from "@ostrom/storage";
import { consensusSet } from "./validator-sets.ts";
import type { Seat, Sign, SignElsewhere } from "./vote-journal.ts";

/** A validator that has left may go on as a follower for so many epochs; after that its operator asks for a place in node.json. */
const REMEMBERED_EPOCHS = 64;

/** Sets that are kept decoded: the epoch before, this one and the next are read again and again. */
const KEPT_SETS = 8;

/** One of this node's consensus keys; the secret stays where it is. A node holds two while it changes from one to the other, of one scheme or
 * of two: the lengths of public keys tell the schemes apart. */
export type ConsensusKey = {
  readonly publicKey: Uint8Array;
  readonly sign: Sign;
  /** Of a key on another machine; `sign` is never called then. */
  readonly signElsewhere?: SignElsewhere;
};

/** What this node is known by. */
export type NodeKeys = {
  readonly peerId: PeerId;
  /** Asked at the beginning of each epoch, so that a key may be added while the node runs. */
  readonly consensusKeys: () => readonly ConsensusKey[];
  /** Keys that sign epoch checkpoints, of post-quantum schemes; asked at the end of each epoch. */
  readonly checkpointKeys?: (() => readonly ConsensusKey[]) | undefined;
};

/** Heights of an epoch. */
export type EpochBounds = {
  readonly epoch: number;
  readonly firstHeight: number;
  readonly lastHeight: number;
  /** The state after this block holds the set of the next epoch. */
  readonly frozenHeight: number;
  /** What named this epoch's set: its first block proves that a quorum has agreed on it (rule E1). 0 in the first epoch. */
  readonly leastCertified: number;
};

/** A set as state holds it, with names and addresses, and as consensus sees it. */
export type EpochSet = {
  readonly stored: StoredValidatorSet;
  readonly validators: ValidatorSet;
  /** Names of the members on the network, by index. */
  readonly peerIds: readonly PeerId[];
};

/** Who validates in which epoch, as far as this node has executed. */
export class EpochSets {
  readonly #store: StoreView;
  readonly #schedule: EpochSchedule;
  readonly #kept = new Map<number, EpochSet>();
  readonly #members = new Map<number, ReadonlySet<PeerId>>();

  constructor(store: StoreView, schedule: EpochSchedule) {
    this.#store = store;
    this.#schedule = schedule;
  }

  bounds(epoch: number): EpochBounds {
    return {
      epoch,
      firstHeight: lastHeight(this.#schedule, epoch - 1) + 1,
      lastHeight: lastHeight(this.#schedule, epoch),
      frozenHeight: frozenHeight(this.#schedule, epoch),
      leastCertified: epoch === 0 ? 0 : frozenHeight(this.#schedule, epoch - 1),
    };
  }

  /** The epoch of a block; genesis counts to the first. */
  epochOf(height: number): number {
    return epochOfHeight(this.#schedule, height);
  }

  /** @returns undefined if the block that decides it is not executed here. */
  of(epoch: number): EpochSet | undefined {
    const kept = this.#kept.get(epoch);
    if (kept !== undefined) return kept;
    const stored = epoch < 0 ? undefined : readStoredValidatorSet(this.#store, epoch);
    if (stored === undefined) return undefined;
    const validators = consensusSet(stored, epoch);
    const set = { stored, validators, peerIds: peerIdsOf(validators) };
    this.#kept.set(epoch, set);
    if (this.#kept.size > KEPT_SETS) this.#kept.delete(Math.min(...this.#kept.keys()));
    return set;
  }

  /** Whether a peer was a validator in one of the epochs before this one, as far back as that is remembered. */
  wasMemberBefore(epoch: number, peerId: PeerId): boolean {
    const oldest = Math.max(0, epoch - REMEMBERED_EPOCHS);
    for (const one of this.#members.keys()) if (one < oldest) this.#members.delete(one);
    for (let one = oldest; one < epoch; one++) {
      const members = this.#members.get(one) ?? new Set(this.of(one)?.peerIds);
      this.#members.set(one, members);
      if (members.has(peerId)) return true;
    }
    return false;
  }

  /** The set of an epoch that has begun. */
  begun(epoch: number): EpochSet {
    return must(this.of(epoch), "the set of an epoch is stored before it begins");
  }
}

/** Names of a set's members on the network, by index. */
export function peerIdsOf(validators: ValidatorSet): readonly PeerId[] {
  return validators.validators.map(({ transportKey }) => toHexDigits(transportKey));
}

/** This node's place in a set, and the key that the set knows it by: both its identity on the network and a consensus key must be
 * the set's, so that of two machines with one key only one votes. @returns undefined if it has none: then it follows. */
export function findSeat(validators: ValidatorSet, keys: NodeKeys): Omit<Seat, "epoch"> | undefined {
  const index = peerIdsOf(validators).indexOf(keys.peerId);
  const expected = validators.validators[index]?.consensusKey;
  if (expected === undefined) return undefined;
  const key = keys.consensusKeys().find(({ publicKey }) => equalBytes(publicKey, expected));
  if (key === undefined) return undefined;
  const { sign, signElsewhere } = key;
  return { index: ValidatorIndex(index), schemeId: validators.schemeId, sign, signElsewhere };
}
