import type { ActorName } from "./actors.ts";
import type { BatchOptions, BootSeams, SimplexBootOptions } from "./boot-simplex.ts";
import type { SimulatedGenesisOptions } from "./genesis.ts";
import type { LinkConditions } from "./links.ts";
import type { ParticipationGenesis } from "./participation/genesis.ts";
import type { CryptographyCosts } from "./signatures.ts";

/** What planted bugs and recorded failures change: everything else of a node is as in production. */
export type Seams = {
  readonly boot?: BootSeams;
  /** Codes that nodes may fail with, beyond those of faults. */
  readonly expectedFailures?: readonly string[];
};

export type NetworkOptions = {
  readonly seed: number;
  /** One for each validator. */
  readonly weights: readonly number[];
  readonly clients?: number;
  readonly genesis?: Partial<SimulatedGenesisOptions>;
  /** Validators that are not honest. */
  readonly actors?: ReadonlyMap<number, ActorName>;
  readonly costs?: CryptographyCosts;
  readonly latencyMs?: (from: number, to: number) => number;
  readonly conditions?: Partial<LinkConditions>;
  readonly limits?: Partial<SimplexBootOptions["limits"]>;
  /** Validators make batches; none if absent. */
  readonly batches?: BatchOptions | undefined;
  readonly seams?: Seams;
  /** Whether what happens is remembered, for the story of a failure. */
  readonly keepsTrace?: boolean;
  /** Machines that are no validators at first; if given, transactions change the validator set. */
  readonly standby?: number;
  /** Where transactions change the validator set: they change its scheme too, among these. */
  readonly schemes?: readonly number[];
  /** A module decides who validates; then `genesis` and `standby` are not looked at. */
  readonly participation?: ParticipationGenesis;
};
