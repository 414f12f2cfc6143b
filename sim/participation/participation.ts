import type { Message } from "@ostrom/consensus";
import type { SignedTransaction } from "@ostrom/execution";
import { genesisHash } from "@ostrom/execution";
import type { ExecutionReport } from "@ostrom/runtime";
import type { Store } from "@ostrom/storage";
import type { BootedNode } from "../machine.ts";
import type { SimulatedNetwork } from "../network.ts";
import { randomFor } from "../random.ts";
import { allianceActs, type KeyUse } from "./alliance-acts.ts";
import { Confessions } from "./confessions.ts";
import { type Act, Director } from "./director.ts";
import type { ParticipationGenesis } from "./genesis.ts";
import { graduateAct } from "./graduation.ts";
import type { Seated } from "./members.ts";
import { Services } from "./services.ts";
import { stakeActs } from "./stake-acts.ts";
import { Wallets } from "./wallets.ts";
import { Watch } from "./watch.ts";

/** How much likelier it is that the next act is the graduation, once there is one: then each seed comes to it. */
const GRADUATION_SHARE = 8;

/** Who takes part in a network whose validators modules decide on: members, stakers, their services, and who checks what comes of it. */
export class Participation {
  readonly #network: SimulatedNetwork;
  readonly #options: ParticipationGenesis;
  readonly #confessions: Confessions;
  readonly #wallets: Wallets;
  readonly #services: Services;
  readonly #director: Director;
  readonly #watch: Watch;

  constructor(network: SimulatedNetwork, options: ParticipationGenesis) {
    const { seed, clock, genesis, invariants } = network;
    this.#network = network;
    this.#options = options;
    const setOf = network.setOf.bind(network);
    const strike = network.strike.bind(network);
    this.#confessions = new Confessions(network.domain, setOf);
    this.#watch = new Watch({
      genesis,
      participation: options,
      confessions: this.#confessions,
      setOf,
      isHonest: (identity) => !network.actors.has(identity),
      violate: (...violation) => invariants.violate(...violation),
      strike,
      decided: (members) => this.#decided(members),
    });
    const store = (): Store | undefined =>
      network.honest.toSorted((a, b) => b.height - a.height)[0]?.node?.store;
    this.#wallets = new Wallets({
      clock,
      random: randomFor(seed, "wallets"),
      nodes: () => network.machines.flatMap(({ node }): BootedNode[] => (node === undefined ? [] : [node])),
      store,
      submitted: (transaction, what) => {
        invariants.submitted(transaction.hash);
        this.submitted(transaction, what);
      },
      isExecuted: ({ hash }) => invariants.isExecuted(hash),
    });
    const machines = network.machines.slice(0, options.identities);
    this.#services = new Services(machines, {
      clock,
      random: randomFor(seed, "services"),
      schedule: genesis,
      wallets: this.#wallets,
      strike,
    });
    this.#director = new Director({
      clock,
      random: randomFor(seed, "participation"),
      participation: options,
      schedule: genesis,
      genesisHash: genesisHash(genesis),
      machines,
      isFaulty: (identity) => network.isFaulty(identity),
      isAcceptable: (members) => network.isAcceptable(members),
      strike,
      wallets: this.#wallets,
      store,
      acts: this.#acts(),
    });
  }

  start(): void {
    this.#wallets.start();
    this.#services.start();
    this.#director.start();
  }

  /** Nothing new; who was away is back, and all services run. */
  stop(): void {
    this.#director.stop();
    this.#services.heal();
    for (const machine of this.#network.machines) machine.release();
  }

  /** Of clients and all others. */
  submitted(transaction: SignedTransaction, what = ""): void {
    this.#watch.submitted(transaction, what);
  }

  stored(machine: number, report: ExecutionReport, store: Store): void {
    if (!this.#network.isFaulty(this.#network.identityOf(machine)))
      this.#watch.stored(machine, report, store);
  }

  /** An actor has said something. */
  confessed(identity: number, message: Message): void {
    this.#confessions.hear(identity, message);
  }

  #acts(): readonly Act[] {
    const { mode } = this.#options;
    const keys: KeyUse = new Map();
    if (mode === "staking") return stakeActs(keys);
    if (mode === "membership") return allianceActs(keys);
    const graduate = graduateAct();
    const graduations = Array.from({ length: GRADUATION_SHARE }, () => graduate);
    return [...allianceActs(keys), ...stakeActs(keys), ...graduations];
  }

  /** Chance and faults may give those who are faulty a third of a set: nothing is promised from there on. */
  #decided(members: readonly Seated[]): void {
    let [total, faulty] = [0, 0];
    for (const { identity, weight } of members) {
      total += weight;
      if (this.#network.isFaulty(identity)) faulty += weight;
    }
    if (3 * faulty < total || this.#network.isOutside) return;
    this.#network.isOutside = true;
    this.#network.strike("a third of a set was faulty: ended");
  }
}
