// npm run bench -- consensus: finality of full nodes in simulation; one JSON line per result.
import { parseArgs } from "node:util";
import { installNativeCrypto } from "@ostrom/runtime";
import { type LatencyName, measureConsensus } from "@ostrom/sim";
import { measureCosts } from "./consensus-costs.ts";

const USAGE =
  "npm run bench -- consensus [--engine simplex] [--validators 4|16|64|100] [--latency wan|lan] [--dead 0|1|f] [--blocks N]\n" +
  "npm run bench -- consensus --costs      what cryptography costs on this machine";

const DEFAULT_BLOCKS = 40;

/** Full nodes on simulated machines, whose processors are charged what cryptography and messages cost natively (sim/signatures.ts). */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      engine: { type: "string", default: "simplex" },
      validators: { type: "string", multiple: true, default: ["4", "16", "64", "100"] },
      latency: { type: "string", default: "wan" },
      dead: { type: "string", multiple: true, default: ["0", "1", "f"] },
      blocks: { type: "string", default: String(DEFAULT_BLOCKS) },
      costs: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help || values.engine !== "simplex" || !isLatency(values.latency)) {
    console.log(USAGE);
    return;
  }
  if (values.costs) {
    measureCosts();
    return;
  }
  installNativeCrypto();
  for (const validators of values.validators.map(Number)) {
    for (const dead of new Set(values.dead.map((text) => deadOf(text, validators)))) {
      const { latency } = values;
      const startMs = performance.now();
      const result = await measureConsensus({ validators, latency, dead, blocks: Number(values.blocks) });
      const wallSeconds = Math.round((performance.now() - startMs) / 100) / 10;
      console.log(JSON.stringify({ benchmark: "consensus", engine: values.engine, ...result, wallSeconds }));
    }
  }
}

function isLatency(text: string): text is LatencyName {
  return text === "wan" || text === "lan";
}

/** `f` is the most that leaves a quorum. */
function deadOf(text: string, validators: number): number {
  return text === "f" ? Math.floor((validators - 1) / 3) : Number(text);
}
