import { equalBytes, toHexDigits } from "@ostrom/base";
import { type ConsensusDomain, quorumWeight, type ValidatorSet, validatorSetHash } from "@ostrom/consensus";
import { peerIdOf } from "./genesis.ts";

/** The validator sets of a network's epochs, as honest nodes have come to know them. */
export class KnownSets {
  readonly #domain: Pick<ConsensusDomain, "hash">;
  readonly #sets = new Map<number, ValidatorSet>();

  constructor(domain: Pick<ConsensusDomain, "hash">, first: ValidatorSet) {
    this.#domain = domain;
    this.#sets.set(first.epoch, first);
  }

  of(epoch: number): ValidatorSet | undefined {
    return this.#sets.get(epoch);
  }

  /** @returns whether it is the set that others know. */
  learn(set: ValidatorSet): boolean {
    const known = this.#sets.get(set.epoch);
    if (known === undefined) this.#sets.set(set.epoch, set);
    return (
      known === undefined ||
      equalBytes(validatorSetHash(this.#domain, known), validatorSetHash(this.#domain, set))
    );
  }

  /** Whether these could decide alone, in each of the two newest sets. */
  areQuorum(identities: readonly number[]): boolean {
    const newest = Math.max(...this.#sets.keys());
    return [newest - 1, newest].every((epoch) => {
      const set = this.of(epoch);
      if (set === undefined) return true;
      let weight = 0;
      for (const identity of new Set(identities))
        weight += set.validators[seatIn(set, identity) ?? -1]?.weight ?? 0;
      return weight >= quorumWeight(set);
    });
  }

  seatIn(epoch: number, identity: number): number | undefined {
    const set = this.of(epoch);
    return set === undefined ? undefined : seatIn(set, identity);
  }
}

/** Place of a validator in a set: its links prove who it is. */
export function seatIn(set: ValidatorSet, identity: number): number | undefined {
  const peerId = peerIdOf(identity);
  const seat = set.validators.findIndex(({ transportKey }) => toHexDigits(transportKey) === peerId);
  return seat === -1 ? undefined : seat;
}
