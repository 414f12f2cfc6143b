import type { Random } from "@ostrom/base";
import { addressOfSecretKey, type SignedTransaction } from "@ostrom/execution";
import { storeReader } from "@ostrom/state";
import type { Store } from "@ostrom/storage";
import type { SimulatedClock } from "./clock.ts";
import { clientKey, simulatedTransfer } from "./genesis.ts";
import type { BootedNode } from "./machine.ts";
import { between, delayBelow, pick } from "./random.ts";

export type ClientLoad = {
  /** Mean time between bursts. */
  readonly burstEveryMs: number;
  /** Most transactions in one. */
  readonly burstSize: number;
};

export const USUAL_LOAD: ClientLoad = { burstEveryMs: 150, burstSize: 6 };

/** A client that sees no receipt sends its transactions again. */
const PATIENCE_MS = 900;
/** So many at most wait for a receipt: then a client sends no new ones. */
const MAX_UNSETTLED = 48;

/** Those who use the network: they send transfers in bursts, each to some nodes, and again if they come to nothing. */
export class Clients {
  readonly #clock: SimulatedClock;
  readonly #random: Random;
  readonly #nodes: () => readonly BootedNode[];
  readonly #submitted: (transfer: SignedTransaction) => void;
  readonly #isExecuted: (transfer: SignedTransaction) => boolean;
  readonly #nextNonces: number[];
  #unsettled: SignedTransaction[] = [];
  #isBusy = false;

  constructor(options: {
    readonly clock: SimulatedClock;
    readonly random: Random;
    readonly count: number;
    readonly nodes: () => readonly BootedNode[];
    readonly submitted: (transfer: SignedTransaction) => void;
    readonly isExecuted: (transfer: SignedTransaction) => boolean;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#nodes = options.nodes;
    this.#submitted = options.submitted;
    this.#isExecuted = options.isExecuted;
    this.#nextNonces = Array.from({ length: options.count }, () => 0);
  }

  /** Transfers that were sent. */
  get sent(): number {
    return this.#nextNonces.reduce((sum, nonce) => sum + nonce, 0);
  }

  start(load: ClientLoad): void {
    this.#isBusy = true;
    const burst = (): void => {
      if (!this.#isBusy) return;
      this.#settle();
      if (this.#unsettled.length < MAX_UNSETTLED) this.#burst(between(this.#random, 1, load.burstSize));
      this.#clock.at(1 + delayBelow(this.#random, 2 * load.burstEveryMs), burst);
    };
    const insist = (): void => {
      this.#settle();
      if (this.#unsettled.length > 0) this.#submit(this.#unsettled);
      if (this.#isBusy || this.#unsettled.length > 0) this.#clock.at(PATIENCE_MS, insist);
    };
    burst();
    this.#clock.at(PATIENCE_MS, insist);
  }

  /** No new transfers; those without a receipt are still sent again. */
  stop(): void {
    this.#isBusy = false;
  }

  /** Whether all that was sent is executed in the state of that store. */
  hasAll(store: Store): boolean {
    const reader = storeReader(store);
    return this.#nextNonces.every((nonce, client) => {
      const account = reader.account(addressOfSecretKey(clientKey(client)));
      return account?.nonce === BigInt(nonce);
    });
  }

  #burst(size: number): void {
    const client = this.#random.below(this.#nextNonces.length);
    const transfers = Array.from({ length: size }, () =>
      simulatedTransfer(client, this.#nextNonces[client]!++),
    );
    for (const transfer of transfers) this.#submitted(transfer);
    this.#unsettled.push(...transfers);
    this.#submit(transfers);
  }

  #submit(transfers: readonly SignedTransaction[]): void {
    const nodes = this.#nodes();
    if (nodes.length > 0) void pick(this.#random, nodes).submit(transfers.map(({ raw }) => raw));
  }

  #settle(): void {
    this.#unsettled = this.#unsettled.filter((transfer) => !this.#isExecuted(transfer));
  }
}
