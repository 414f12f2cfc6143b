import { POW_HASH_NAMES, type PowHashName } from "@ostrom/execution";
import { readChoice } from "./choice.ts";
import { type CommandInput, type Flag, UsageError } from "./command.ts";

/** How the nodes of a new network agree. */
export type ConsensusChoice =
  | { readonly engine: "simplex" }
  | { readonly engine: "pow"; readonly hash: PowHashName };

const ENGINES = ["simplex", "pow"] as const;
const DEFAULT_HASH: PowHashName = "sha256";

/** The flags of commands that make networks. */
export const CONSENSUS_FLAGS: readonly Flag[] = [
  {
    name: "consensus",
    kind: "text",
    placeholder: "NAME",
    help: "how a new network agrees: simplex (votes, final blocks) or pow (work)",
    default: "simplex",
    choices: ENGINES,
  },
  {
    name: "pow-hash",
    kind: "text",
    placeholder: "NAME",
    help: `what work is made of, with --consensus pow: ${POW_HASH_NAMES.join(", ")} (default ${DEFAULT_HASH})`,
    choices: POW_HASH_NAMES,
  },
];

/** @throws UsageError */
export function readConsensusChoice({ values, given }: CommandInput): ConsensusChoice {
  const engine = readChoice("--consensus", values["consensus"], ENGINES);
  if (engine === "simplex") {
    if (given.has("powHash")) throw new UsageError("--pow-hash: only a network of --consensus pow is mined");
    return { engine };
  }
  return { engine, hash: readChoice("--pow-hash", values["powHash"] ?? DEFAULT_HASH, POW_HASH_NAMES) };
}
