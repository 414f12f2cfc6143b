import { parseArgs } from "node:util";
import { signatureScheme } from "@ostrom/crypto";
import { compareEngines, enginePairs } from "./agreement.ts";

const DEFAULT_COUNT = "100000";
const DEFAULT_SECONDS = "600";

/** Every pair of engines, or one: 100,000 cases or ten minutes of each, whichever is first. One JSON line a pair; stops at the first difference. */
export function run(argv: readonly string[]): void {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      count: { type: "string", default: DEFAULT_COUNT },
      seconds: { type: "string", default: DEFAULT_SECONDS },
      seed: { type: "string", default: "1" },
      scheme: { type: "string" },
    },
  });
  for (const pair of enginePairs()) {
    const name = signatureScheme(pair.schemeId)?.name;
    if (values.scheme !== undefined && values.scheme !== name) continue;
    const limits = { count: Number(values.count), seconds: Number(values.seconds) };
    const { cases, accepted, kinds, seconds } = compareEngines(pair, Number(values.seed), limits);
    const byKind = Object.fromEntries(
      [...kinds].map(([kind, counted]) => [kind, [counted.cases, counted.accepted]]),
    );
    const engines = [pair.portable.name, pair.native.name];
    console.log(
      JSON.stringify({ scheme: name, engines, cases, accepted, seconds: Math.round(seconds), byKind }),
    );
  }
}
