/** Run by deep-messages.test.ts in a worker with the stack that a node's workers have. Posts what came of messages that nest
 * programs as deep as the rules allow. */
import { parentPort } from "node:worker_threads";
import { executeMessage } from "../../execute-message.ts";
import { createContractEngine, type EngineTiers } from "../contract-engine.ts";
import { observe } from "./compare-engines.ts";
import { DEEP_MIXED_RUN, DEEP_PROGRAM_RUN } from "./mixed-kinds.ts";

export type DeepMessage = {
  readonly tiers: EngineTiers;
  readonly expected: string;
  readonly actual: string;
  readonly nodeFaults: number;
};

const found = (["tier0", "tier1", "mixed"] as const).flatMap((tiers) =>
  [DEEP_MIXED_RUN, DEEP_PROGRAM_RUN].map((run): DeepMessage => {
    const { execute, counts } = createContractEngine({ tiers });
    const actual = observe(execute, run);
    return { tiers, expected: observe(executeMessage, run), actual, nodeFaults: counts.nodeFaults };
  }),
);
parentPort?.postMessage(found);
