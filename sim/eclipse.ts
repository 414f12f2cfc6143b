// node sim/eclipse.ts [--seeds N] [--groups 2,4,8,...] [--hostile N]: an eclipse attempt over many seeds; prints one JSON line for each number
// of groups that the hostile nodes are spread over.

import type { EclipseNode } from "./eclipse-node.ts";
import { type EclipseOptions, EclipseWorld } from "./eclipse-world.ts";
import { pick, randomFor } from "./random.ts";

const MINUTE_MS = 60_000;
/** The attack has begun before the victim joins: the honest ones know and are linked with hostile nodes already. */
const LEAD_MS = 2 * MINUTE_MS;
const WARM_UP_MS = MINUTE_MS;
const WATCH_STEP_MS = 15_000;
/** So long each life of the victim is watched. */
const LIVES_MS: readonly number[] = [6 * MINUTE_MS, 3 * MINUTE_MS, 3 * MINUTE_MS];
const OFF_MS = 20_000;
/** A node that is so many blocks behind (of two seconds each) has lost the chain. */
export const MAX_LAG_BLOCKS = 10;

export type EclipseOutcome = {
  /** Honest outbound peers of the victim: the least that was ever seen after it had warmed up, and the mean. */
  readonly leastHonest: number;
  readonly meanHonest: number;
  /** The same of the hostile ones: the most. */
  readonly mostHostile: number;
  readonly worstLagBlocks: number;
  readonly restarts: number;
};

export const DEFAULT_ECLIPSE: Omit<EclipseOptions, "seed"> = {
  honest: 8,
  hostile: 200,
  hostileGroups: 4,
  liesAboutHeight: true,
  dialIntervalMs: 20_000,
};

/** A victim joins by one honest address while the attack goes on, and is restarted twice. */
export async function attemptEclipse(options: EclipseOptions): Promise<EclipseOutcome> {
  const world = new EclipseWorld(options);
  const bootstrap = pick(randomFor(options.seed, "bootstrap"), world.honest);
  for (const party of world.honest) world.start(party, party === bootstrap ? [] : [bootstrap]);
  await world.clock.runFor(LEAD_MS);
  const seen: { readonly honest: number; readonly hostile: number; readonly lag: number }[] = [];
  let kept: string | undefined;
  for (const [life, lengthMs] of LIVES_MS.entries()) {
    const victim = world.start(world.victim, [bootstrap], kept);
    // After a restart it must not need the bootstrap address: that one is off.
    if (life > 0) world.stop(bootstrap);
    await world.clock.runFor(WARM_UP_MS);
    for (let sinceMs = 0; sinceMs < lengthMs; sinceMs += WATCH_STEP_MS) {
      await world.clock.runFor(WATCH_STEP_MS);
      seen.push(lookAt(world, victim));
    }
    kept = world.stop(world.victim);
    await world.clock.runFor(OFF_MS);
  }
  const total = seen.reduce((sum, { honest }) => sum + honest, 0);
  return {
    leastHonest: Math.min(...seen.map(({ honest }) => honest)),
    meanHonest: total / seen.length,
    mostHostile: Math.max(...seen.map(({ hostile }) => hostile)),
    worstLagBlocks: Math.max(...seen.map(({ lag }) => lag)),
    restarts: LIVES_MS.length - 1,
  };
}

function lookAt(world: EclipseWorld, victim: EclipseNode): { honest: number; hostile: number; lag: number } {
  const { outbound } = victim;
  const hostile = outbound.filter(({ isHostile }) => isHostile).length;
  return { honest: outbound.length - hostile, hostile, lag: world.height - victim.height };
}

/** Runs many seeds. @returns one row of the table. */
export async function eclipseRow(
  seeds: number,
  options: Omit<EclipseOptions, "seed">,
): Promise<Readonly<Record<string, number>>> {
  const outcomes: EclipseOutcome[] = [];
  for (let seed = 1; seed <= seeds; seed++) outcomes.push(await attemptEclipse({ ...options, seed }));
  const share = (isSo: (outcome: EclipseOutcome) => boolean): number =>
    Math.round((100 * outcomes.filter(isSo).length) / seeds);
  const mean = (of: (outcome: EclipseOutcome) => number): number =>
    Number((outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / seeds).toFixed(1));
  return {
    hostile: options.hostile,
    groups: options.hostileGroups,
    honest: options.honest,
    seeds,
    heldOutboundPercent: share(({ leastHonest }) => leastHonest > 0),
    heldChainPercent: share(({ worstLagBlocks }) => worstLagBlocks <= MAX_LAG_BLOCKS),
    meanHonestOutbound: mean(({ meanHonest }) => meanHonest),
    leastHonestOutbound: Math.min(...outcomes.map(({ leastHonest }) => leastHonest)),
    worstLagBlocks: Math.max(...outcomes.map(({ worstLagBlocks }) => worstLagBlocks)),
  };
}

async function main(argv: readonly string[]): Promise<void> {
  const flagValue = (flag: string, fallback: string): string => {
    const at = argv.indexOf(flag);
    return at < 0 ? fallback : (argv[at + 1] ?? fallback);
  };
  const seeds = Number(flagValue("--seeds", "20"));
  const hostile = Number(flagValue("--hostile", String(DEFAULT_ECLIPSE.hostile)));
  for (const groups of flagValue("--groups", "2,4,8,16,32,64,128,200").split(",").map(Number)) {
    const row = await eclipseRow(seeds, { ...DEFAULT_ECLIPSE, hostile, hostileGroups: groups });
    console.log(JSON.stringify({ simulation: "eclipse", ...row }));
  }
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2));
