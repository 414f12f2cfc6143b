import { type Bytes, must, toHexDigits, unwrap } from "@ostrom/base";
import { decodeBlock, quorumWeight, totalWeight, type ValidatorSet } from "@ostrom/consensus";
import {
  type BatchAuthors,
  type BatchDomain,
  decodeBatchEvidence,
  decodeOrderedPayload,
  verifyBatchEvidence,
} from "@ostrom/dissemination";
import { CHAIN_TABLES, readEvidenceFrom, readOrdered, type Store } from "@ostrom/storage";
import type { InvariantName } from "./invariants.ts";

const MAX_EVIDENCE = 1_000;

/** A set, as batches need it. */
export function authorsOfSet(set: ValidatorSet): BatchAuthors {
  return {
    epoch: set.epoch,
    keys: set.validators.map(({ transportKey }) => transportKey),
    weights: set.validators.map(({ weight }) => weight),
    leastWeight: totalWeight(set) - quorumWeight(set) + 1,
  };
}

export type BatchWatchOptions = {
  readonly domain: BatchDomain;
  readonly setOf: (epoch: number) => ValidatorSet | undefined;
  /** Identity of a machine's validator. */
  readonly identityOf: (machine: number) => number;
  readonly seatIn: (epoch: number, identity: number) => number | undefined;
  readonly identityOfPeer: (peerId: string) => number;
  readonly isHonest: (machine: number) => boolean;
  readonly strike: (what: string, times?: number) => void;
  readonly violate: (invariant: InvariantName, machine: number | undefined, message: string) => void;
};

/** What must hold of batches: none is ordered twice, each ordered one is on enough honest disks, and nobody is convicted who has not lied. */
export class BatchWatch {
  readonly #options: BatchWatchOptions;
  /** Block by epoch, author and sequence number. */
  readonly #ordered = new Map<string, number>();
  /** Machines that have synced a batch to their disks before they said anything of it, by digest. */
  readonly #holders = new Map<string, Set<number>>();
  #height = 0;

  constructor(options: BatchWatchOptions) {
    this.#options = options;
  }

  /** The same store; what it keeps of batches is noticed. */
  watched(machine: number, store: Store): Store {
    return {
      ...store,
      write: async (operations, options) => {
        await store.write(operations, options);
        // Who executes a block writes its batches too.
        if (!options.sync || !operations.some(({ key }) => key[0] === CHAIN_TABLES.attestedBatch)) return;
        for (const { key, value } of operations) {
          if (key[0] !== CHAIN_TABLES.batch || value === undefined) continue;
          const name = toHexDigits(key.slice(1));
          const holders = this.#holders.get(name) ?? new Set<number>();
          holders.add(machine);
          this.#holders.set(name, holders);
        }
      },
    };
  }

  /** A machine has executed a block, and its store has it. */
  stored(machine: number, height: number, store: Store): void {
    if (!this.#options.isHonest(machine) || height !== this.#height + 1) return;
    this.#height = height;
    const { block } = must(readOrdered(store, height), "an executed block was ordered");
    const { payload, epoch } = unwrap(decodeBlock(block));
    const read = decodeOrderedPayload(payload);
    for (const { header } of read.ok ? read.value.batches : []) {
      const name = `${epoch}/${header.author}/${header.sequence}`;
      const before = this.#ordered.get(name);
      if (before !== undefined)
        this.#options.violate(
          "batch-order",
          machine,
          `batch ${name} was ordered at ${before} and at ${height}`,
        );
      this.#ordered.set(name, height);
      this.#options.strike("batches ordered");
      this.#options.strike("transactions in batches", header.count);
      this.#mustBeHeld(epoch, header.digest, name);
    }
  }

  /** Whoever voted for it had it on its disk: without those who lie, weight > W - q (rule D12). */
  #mustBeHeld(epoch: number, digest: Bytes, name: string): void {
    const { setOf, identityOf, seatIn, isHonest, violate } = this.#options;
    const set = setOf(epoch);
    if (set === undefined) return;
    const seats = new Set<number>();
    for (const machine of this.#holders.get(toHexDigits(digest)) ?? []) {
      const seat = isHonest(machine) ? seatIn(epoch, identityOf(machine)) : undefined;
      if (seat !== undefined) seats.add(seat);
    }
    let weight = 0;
    for (const seat of seats) weight += set.validators[seat]!.weight;
    if (weight <= totalWeight(set) - quorumWeight(set))
      violate(
        "batch-held",
        undefined,
        `batch ${name} is final, and on honest disks of weight ${weight} only`,
      );
  }

  /** At the end: what nodes keep against others proves itself, and is against those who lied. */
  examine(machine: number, store: Store, isActor: (identity: number) => boolean): void {
    const { setOf, domain, violate, strike, isHonest, identityOfPeer } = this.#options;
    if (!isHonest(machine)) return;
    for (const { epoch, kind, validator, bytes } of readEvidenceFrom(store, 0, MAX_EVIDENCE)) {
      const set = setOf(epoch);
      if (kind !== "batches" || set === undefined) continue;
      const evidence = unwrap(decodeBatchEvidence(bytes));
      const verified = verifyBatchEvidence(domain, authorsOfSet(set), evidence);
      const accused = set.validators[validator];
      const identity = accused === undefined ? -1 : identityOfPeer(toHexDigits(accused.transportKey));
      strike(`convictions (${evidence.kind})`);
      if (!verified.ok)
        violate("accusation", machine, `evidence against ${identity} proves nothing: ${verified.error.code}`);
      else if (!isActor(identity)) violate("accusation", machine, `has convicted ${identity}`);
    }
  }
}
