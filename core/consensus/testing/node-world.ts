import type { Bytes, Hash, Random } from "@ostrom/base";
import type { ConsensusDomain, Message, OrderedBlock, SimplexConfig, ValidatorIndex } from "../index.ts";
import type { EpochPlan, PlannedSet } from "./epoch-plan.ts";

/** The node's world, as the simulation provides it. Machines are named by number, validators by their index in a set. */
export type NodeWorld<Node> = {
  readonly random: Random;
  readonly domain: ConsensusDomain;
  readonly plan: EpochPlan;
  readonly firstSet: PlannedSet;
  readonly now: () => number;
  readonly after: (delayMs: number, run: () => void) => void;
  /** `to` undefined: to all others. */
  readonly send: (from: Node, to: number | undefined, message: Message) => void;
  readonly sign: (set: PlannedSet, signer: ValidatorIndex, message: Bytes) => Bytes;
  readonly trace: (text: string) => void;
  readonly finalized: (node: Node, block: OrderedBlock, digest: Hash) => void;
};

/** What a node has of its own in its configuration. */
export type NodeSettings = Omit<
  SimplexConfig,
  "domain" | "validators" | "earlierValidators" | "own" | "lastHeight" | "leastCertified" | "lostLog"
>;
