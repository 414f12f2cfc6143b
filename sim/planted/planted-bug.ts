import type { SignatureCheck } from "@ostrom/execution";
import type { ActorName } from "../actors.ts";
import type { BootSeams } from "../boot-simplex.ts";
import type { FaultName } from "../faults.ts";
import type { InvariantName } from "../invariants.ts";
import type { ParticipationMode } from "../participation/genesis.ts";

/** A bug that is put into every node of a network through the seams of the simulator: none of it is in the program. */
export type PlantedBug = {
  readonly name: string;
  readonly seams: BootSeams;
  /** Where modules decide who validates. */
  readonly participation?: ParticipationMode;
  /** Where validators make batches. */
  readonly batches?: SignatureCheck;
  /** What brings it out. */
  readonly faults: readonly FaultName[];
  readonly epochs: boolean;
  /** Of which actors there are some. */
  readonly actors?: readonly ActorName[];
  /** Whichever of them is broken shows the bug. */
  readonly breaks: readonly InvariantName[];
  /** The first seed that finds it, as it was when this was written: where the search begins. */
  readonly from?: number;
  /** The last seed by which it must be found. */
  readonly within: number;
};
