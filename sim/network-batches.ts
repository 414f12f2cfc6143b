import type { ConsensusDomain, ValidatorSet } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import type { CertifiedBatch } from "@ostrom/dissemination";
import type { Network } from "@ostrom/network";
import type { Store } from "@ostrom/storage";
import type { Actor, ActorName, ActorTools } from "./actors.ts";
import { type BatchActorName, createBatchActor } from "./batch-actors.ts";
import { authorsOfSet, BatchWatch } from "./batch-watch.ts";
import type { BatchOptions, SimplexBootOptions } from "./boot-simplex.ts";
import { transportKeyOf } from "./genesis.ts";
import type { Invariants } from "./invariants.ts";
import { seatIn } from "./known-sets.ts";
import type { SimulatedMachine } from "./machine.ts";
import { transportSign, transportVerify } from "./transport.ts";

/** The network that batches are made in. */
export type BatchedNetwork = {
  readonly domain: ConsensusDomain;
  readonly machines: readonly SimulatedMachine[];
  readonly actors: ReadonlyMap<number, ActorName>;
  readonly invariants: Invariants;
  readonly setOf: (epoch: number) => ValidatorSet | undefined;
  readonly identityOf: (machine: number) => number;
  readonly identityOfPeer: (peerId: string) => number;
  readonly isHonest: (machine: number) => boolean;
  readonly strike: (what: string, times?: number) => void;
};

/** What a network has besides, where validators make batches. */
export class NetworkBatches {
  /** What its nodes are booted with. */
  readonly boot: NonNullable<SimplexBootOptions["batches"]>;
  readonly #network: BatchedNetwork;
  readonly #watch: BatchWatch;
  /** Certified batches that liars have heard of. */
  readonly #remembered: CertifiedBatch[] = [];

  constructor(network: BatchedNetwork, { limits }: BatchOptions) {
    const { domain, invariants } = network;
    this.#network = network;
    this.#watch = new BatchWatch({
      domain: { genesisHash: domain.genesisHash, hash: keccak256, verify: transportVerify },
      setOf: (epoch) => network.setOf(epoch),
      identityOf: (machine) => network.identityOf(machine),
      identityOfPeer: (peerId) => network.identityOfPeer(peerId),
      isHonest: (machine) => network.isHonest(machine),
      strike: (what, times) => network.strike(what, times),
      seatIn: (epoch, identity) => {
        const set = network.setOf(epoch);
        return set === undefined ? undefined : seatIn(set, identity);
      },
      violate: (...violation) => invariants.violate(...violation),
    });
    this.boot = {
      limits,
      identityOf: (machine) => network.identityOf(machine),
      watched: (machine, store) => this.#watch.watched(machine, store),
    };
  }

  /** A machine has executed a block, and its store has it. */
  stored(machine: number, height: number, store: Store): void {
    this.#watch.stored(machine, height, store);
  }

  /** What honest nodes keep against others must be true. */
  examineEvidence(): void {
    const { machines, actors } = this.#network;
    for (const { index, node } of machines)
      if (node !== undefined) this.#watch.examine(index, node.store, (identity) => actors.has(identity));
  }

  actor(name: BatchActorName, network: Network, tools: ActorTools): Actor {
    return createBatchActor(name, network, {
      ...tools,
      authorsOf: (epoch) => {
        const set = this.#network.setOf(epoch);
        return set === undefined ? undefined : authorsOfSet(set);
      },
      remembered: this.#remembered,
      signWithTransport: (message) => transportSign(transportKeyOf(tools.identity), message),
    });
  }
}
