// node dag-planted.ts BUG [SEEDS]: the campaign on an engine with a planted bug; prints the seed that finds it, or "none".
import { registerHooks } from "node:module";

/** Each is a line of the engine and what stands there instead. */
const BUGS: Readonly<
  Record<string, { readonly file: string; readonly line: string; readonly planted: string }>
> = {
  "accept-without-history": {
    file: "acceptance.ts",
    line: "if (!waiting.isValid || absent(draft.state, waiting).length > 0) continue;",
    planted: "if (!waiting.isValid) continue;",
  },
  "count-equivocators-twice": {
    file: "committer.ts",
    line: "if (weightOf(config, certified) >= quorum) return",
    planted:
      "if ([...(certifiers ?? [])].flatMap(([, all]) => all).filter(({ certifies }) => certifies.has(candidate.key)).length >= quorum - 1) return",
  },
  "collect-by-local-round": {
    file: "state.ts",
    line: "return Round(Math.max(0, leaderRound - config.gcDepth));",
    planted: "return Round(Math.max(0, arguments[0].highest - 3));",
  },
  "skip-on-any-quorum": {
    file: "committer.ts",
    line: "if (weightOf(config, blames) >= quorum) return SKIP;",
    planted: "if (weightOf(config, blames) > 0) return SKIP;",
  },
  "forget-own-block": {
    file: "recovery.ts",
    line: "const last = isNewestOwn ? accepted : state.last;",
    planted: "const last = state.last;",
  },
};

const [, , name = "", seeds = "60"] = process.argv;
const bug = BUGS[name];
if (bug === undefined) throw new Error(`no such bug: ${name}; there are ${Object.keys(BUGS).join(", ")}`);
let isPlanted = false;
registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context);
    if (!url.endsWith(`/mysticeti/${bug.file}`)) return loaded;
    const source = String(loaded.source);
    isPlanted ||= source.includes(bug.line);
    return { ...loaded, source: source.replace(bug.line, bug.planted) };
  },
});
const { runDagCampaign } = await import("./dag-campaign.ts");
if (!isPlanted) throw new Error(`${bug.file} has no such line any more: ${bug.line}`);
let found = "none";
for (let seed = 1; seed <= Number(seeds) && found === "none"; seed++) {
  try {
    runDagCampaign(seed, [1, 1, 1, 1]);
  } catch (error) {
    found = `${seed}: ${(error as Error).message.split("\n")[0]}`;
  }
}
console.log(found);
