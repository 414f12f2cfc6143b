import type { Random } from "@ostrom/base";
import { type CampaignOptions, MIN_HEIGHTS, type SeedReport } from "./campaign.ts";
import { type FaultName, Nemesis } from "./faults.ts";
import { POW_ACTOR_NAMES, type PowActorName } from "./pow-actors.ts";
import { SimulatedPowNetwork } from "./pow-network.ts";
import { between, pick, randomFor, sample } from "./random.ts";

const MS_PER_MINUTE = 60_000;
const HEIGHTS_IN_TROUBLE = 40;
const MAX_TROUBLE_MS: number = 2 * MS_PER_MINUTE;
const SETTLE_LIMIT_MS: number = 4 * MS_PER_MINUTE;
const MAX_SHARE = 8;
const MAX_CLOCK_LIE_MS = 450;

/** What a mined chain has no disk, vote or clock for. */
const NOT_OF_POW: ReadonlySet<FaultName> = new Set<FaultName>([
  "lost-log",
  "rotten-log",
  "failed-sync",
  "jumping-clock",
]);
const DEEP_ONE_IN = 6;

export type PowCampaign = { readonly network: SimulatedPowNetwork; readonly report: () => SeedReport };

/** One seed's story of a mined chain: faults of some kinds, hash rates that differ, miners that cheat; then all is healed, and all honest
 * nodes must come to one chain that has all transactions. */
export async function runPowCampaign(seed: number, options: CampaignOptions): Promise<PowCampaign> {
  const random = randomFor(seed, "pow campaign");
  const hasDeep = options.faults.includes("deep-partition") && random.chance(1, DEEP_ONE_IN);
  const drawn = options.faults.filter((fault) => !NOT_OF_POW.has(fault) && fault !== "deep-partition");
  const faults = new Set<FaultName>(drawn.filter(() => random.chance(1, 2)));
  if (hasDeep) faults.add("deep-partition");
  const hashShares = drawShares(random, options.validators);
  const actors = faults.has("byzantine") ? drawActors(random, hashShares) : new Map<number, PowActorName>();
  const network = new SimulatedPowNetwork({ seed, hashShares, actors, isFinalityAtRisk: hasDeep });
  network.trace.follow = options.follow;
  // A chain that all have lost is no chain any more.
  const fragile = new Set(sample(random, [...hashShares.keys()], Math.floor((hashShares.length - 1) / 3)));
  const nemesis = new Nemesis(network, randomFor(seed, "nemesis"), { faults, fragile });
  network.start();
  network.clients.start({ burstEveryMs: between(random, 100, 600), burstSize: between(random, 1, 8) });
  nemesis.start();
  for (const [machine, actor] of actors)
    if (actor === "timestampLiar")
      network.machines[machine]!.clockErrorMs = between(random, -MAX_CLOCK_LIE_MS, MAX_CLOCK_LIE_MS);
  const leastMs = options.minutes * MS_PER_MINUTE;
  const isEnough = (): boolean => network.clock.timeMs >= leastMs && network.highest >= HEIGHTS_IN_TROUBLE;
  await network.runUntil(isEnough, Math.max(leastMs, MAX_TROUBLE_MS));
  nemesis.stop();
  nemesis.healAll();
  const goal = Math.max(MIN_HEIGHTS, network.highest + 2);
  await demand(network, `all honest nodes reach ${goal}`, () =>
    network.honest.every(({ height }) => height >= goal),
  );
  network.clients.stop();
  await demand(network, "all honest nodes come to one chain that has all transactions", () =>
    network.isSettled(),
  );
  network.checkChain();
  return { network, report: () => reportOf(network, { seed, faults, options }) };
}

async function demand(network: SimulatedPowNetwork, what: string, isDone: () => boolean): Promise<void> {
  if (network.violations.length > 0) return;
  const isReached = await network.runUntil(isDone, SETTLE_LIMIT_MS);
  if (!isReached && network.violations.length === 0)
    network.invariants.violate("liveness", undefined, `not in time: ${what}. ${network.describe()}`);
}

/** Parts of one; about one node in four only follows. */
function drawShares(random: Random, nodes: number): readonly number[] {
  const parts = Array.from({ length: nodes }, (_, index) =>
    index > 1 && random.chance(1, 4) ? 0 : between(random, 1, MAX_SHARE),
  );
  const total = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / total);
}

/** Less than a third of the hash rate. */
function drawActors(random: Random, shares: readonly number[]): ReadonlyMap<number, PowActorName> {
  const actors = new Map<number, PowActorName>();
  let sum = 0;
  for (const machine of sample(random, [...shares.keys()], shares.length)) {
    if (3 * (sum + shares[machine]!) >= 1 || 3 * (actors.size + 1) >= shares.length) continue;
    sum += shares[machine]!;
    actors.set(machine, pick(random, POW_ACTOR_NAMES));
  }
  return actors;
}

function reportOf(
  network: SimulatedPowNetwork,
  told: { readonly seed: number; readonly faults: ReadonlySet<string>; readonly options: CampaignOptions },
): SeedReport {
  return {
    seed: told.seed,
    validators: told.options.validators,
    violations: network.violations,
    heights: network.highest,
    events: network.clock.events,
    simulatedMs: Math.round(network.clock.timeMs),
    traceHash: network.trace.hash(),
    counts: Object.fromEntries([...network.counts].sort()),
    faults: [...told.faults],
    actors: [...network.actors].map(([machine, actor]) => `${machine} ${actor}`),
    fragile: [],
    memory: Object.fromEntries(network.memory.most),
    where: network.describe(),
  };
}
