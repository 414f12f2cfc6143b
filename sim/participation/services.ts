import type { Random } from "@ostrom/base";
import { type EpochSchedule, epochOfHeight } from "@ostrom/execution";
import { readStakingSettings } from "@ostrom/staking-chain";
import {
  type ActMemory,
  callOfAct,
  NO_MEMORY,
  nextActs,
  readDuties,
  type SeenEvidence,
} from "@ostrom/staking-service";
import { storeReader } from "@ostrom/state";
import {
  readEvidenceFrom,
  readHead,
  readStoredValidatorSet,
  StorageError,
  type Store,
} from "@ostrom/storage";
import type { SimulatedClock } from "../clock.ts";
import { feeRecipientKey, SIMULATED_CHAIN_ID } from "../genesis.ts";
import type { BootedNode, SimulatedMachine } from "../machine.ts";
import { between } from "../random.ts";
import { operatorOf, vrfKeyOf } from "./accounts.ts";
import { areSettled, type Ticket, type Wallets } from "./wallets.ts";

const MIN_PAUSE_MS = 40;
const MAX_PAUSE_MS = 160;
const MAX_OUTAGE_MS = 2_500;
const OUTAGE_ONE_IN = 60;
const MAX_PIECES = 128;

type Service = {
  readonly identity: number;
  readonly machine: SimulatedMachine;
  /** The node beside which it runs: it ends with it, and forgets all. */
  node: BootedNode | undefined;
  memory: ActMemory;
  sent: readonly Ticket[];
  downUntilMs: number;
};

export type ServicesOptions = {
  readonly clock: SimulatedClock;
  readonly random: Random;
  readonly schedule: EpochSchedule;
  readonly wallets: Wallets;
  readonly strike: (what: string) => void;
};

/** The service of each validator (modules/staking/service) as in production: what it sends follows from what it sees in its own
 * node's state. It may be down while its node is up. */
export class Services {
  readonly #options: ServicesOptions;
  readonly #services: readonly Service[];
  #hasOutages = true;

  constructor(machines: readonly SimulatedMachine[], options: ServicesOptions) {
    this.#options = options;
    this.#services = machines.map((machine, identity) => ({
      identity,
      machine,
      node: undefined,
      memory: NO_MEMORY,
      sent: [],
      downUntilMs: 0,
    }));
  }

  start(): void {
    for (const service of this.#services) this.#later(service);
  }

  /** From now on all services run. */
  heal(): void {
    this.#hasOutages = false;
    for (const service of this.#services) service.downUntilMs = 0;
  }

  #later(service: Service): void {
    const { clock, random } = this.#options;
    clock.at(between(random, MIN_PAUSE_MS, MAX_PAUSE_MS), () => {
      this.#turn(service);
      this.#later(service);
    });
  }

  #turn(service: Service): void {
    const { clock, random, strike } = this.#options;
    const { node } = service.machine;
    if (node !== service.node) Object.assign(service, { node, memory: NO_MEMORY, sent: [] });
    if (node === undefined || clock.timeMs < service.downUntilMs) return;
    if (this.#hasOutages && random.chance(1, OUTAGE_ONE_IN)) {
      strike("service down");
      Object.assign(service, { memory: NO_MEMORY, sent: [] });
      service.downUntilMs = clock.timeMs + random.below(MAX_OUTAGE_MS);
      return;
    }
    try {
      this.#look(service, node.store);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }

  #look(service: Service, store: Store): void {
    const height = readHead(store)?.height;
    if (height === undefined || !areSettled(service.sent)) return;
    const { identity } = service;
    const state = storeReader(store);
    const account = operatorOf(identity);
    const { publicKey: vrfKey, secret } = vrfKeyOf(identity);
    const chain = { chainId: SIMULATED_CHAIN_ID, height };
    const view = readDuties(state, chain, { vrfKey, account }, this.#seen(store, height));
    const { acts, memory } = nextActs(view, service.memory, account);
    service.memory = memory;
    service.sent = acts.flatMap((act) => {
      const call = callOfAct(act, secret);
      const via = (): BootedNode | undefined => service.machine.node;
      return call === undefined
        ? []
        : [this.#options.wallets.send(feeRecipientKey(identity), call, act.kind, via)];
    });
  }

  #seen(store: Store, height: number): readonly SeenEvidence[] {
    const { evidenceEpochs } = readStakingSettings(storeReader(store)) ?? { evidenceEpochs: 0 };
    const from = Math.max(0, epochOfHeight(this.#options.schedule, height + 1) - evidenceEpochs);
    return readEvidenceFrom(store, from, MAX_PIECES).flatMap(({ epoch, validator, bytes }) => {
      const consensusKey = readStoredValidatorSet(store, epoch)?.validators[validator]?.consensusKey;
      return consensusKey === undefined ? [] : [{ epoch, consensusKey, evidence: bytes }];
    });
  }
}
