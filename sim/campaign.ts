import type { Random } from "@ostrom/base";
import type { SignatureCheck } from "@ostrom/execution";
import { ACTOR_NAMES, type ActorName } from "./actors.ts";
import { BATCH_ACTOR_NAMES } from "./batch-actors.ts";
import type { BatchOptions } from "./boot-simplex.ts";
import { type FaultName, Nemesis } from "./faults.ts";
import type { Violation } from "./invariants.ts";
import type { SimulatedMachine } from "./machine.ts";
import { SimulatedNetwork } from "./network.ts";
import type { Seams } from "./network-options.ts";
import { between, pick, randomFor, sample } from "./random.ts";

/** Which stories are told, one for each seed. */
export type CampaignOptions = {
  readonly validators: number;
  /** Those that may strike; each seed has some of them. */
  readonly faults: readonly FaultName[];
  /** Each seed has all of them. */
  readonly hasAllFaults?: boolean;
  /** Least time of the bad phase, in simulated minutes; it goes on until the chain has most of its heights. */
  readonly minutes: number;
  /** Short epochs, and changes of the validator set. */
  readonly epochs: boolean;
  /** Where the set changes: its scheme changes too, among these. */
  readonly schemes?: readonly number[] | undefined;
  /** Validators make batches, and so many check their signatures; none if absent. */
  readonly batches?: SignatureCheck | undefined;
  readonly seams?: Seams;
  /** Of which actors there may be; all if not given. */
  readonly actors?: readonly ActorName[];
  /** Writes each event as it comes. */
  readonly follow?: (line: string) => void;
};

export type SeedReport = {
  readonly seed: number;
  readonly validators: number;
  readonly violations: readonly Violation[];
  readonly heights: number;
  readonly events: number;
  readonly simulatedMs: number;
  readonly traceHash: string;
  /** How often each fault struck. */
  readonly counts: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
  readonly actors: readonly string[];
  readonly fragile: readonly number[];
  /** The most that any node kept in memory, by what. */
  readonly memory: Readonly<Record<string, number>>;
  readonly where: string;
};

/** Fewer finalized heights tell too little. */
export const MIN_HEIGHTS = 50;
const HEIGHTS_IN_TROUBLE = 40;
const HEIGHTS_OF_CORE = 5;
const MS_PER_MINUTE = 60_000;
/** Harsh weather may let nothing through: then the bad phase ends all the same. */
const MAX_TROUBLE_MS: number = 2 * MS_PER_MINUTE;
/** What a healed network needs at most: some views of dead or hostile leaders at the longest timeout. */
const LIVENESS_LIMIT_MS: number = 3 * MS_PER_MINUTE;
const UNEVEN_ONE_IN = 4;
const MAX_WEIGHT = 4;
const MAX_STANDBY = 2;
const MIN_EPOCH_LENGTH = 6;
const MAX_EPOCH_LENGTH = 12;

/** A story, while it is told. */
export type Campaign = { readonly network: SimulatedNetwork; readonly report: () => SeedReport };

/** One seed's story: a network with faults of some kinds, then a core of it that is healed and must go on, then all of it, which must
 * come to one state. */
export async function runCampaign(seed: number, options: CampaignOptions): Promise<Campaign> {
  const random = randomFor(seed, "campaign");
  const weights = drawWeights(random, options.validators);
  const faults = new Set(options.faults.filter((fault) => isDrawn(random, fault, options)));
  const { actors, fragile } = drawFaulty(
    random,
    weights,
    faults,
    options.actors ?? actorsFor(options.batches),
  );
  // A validator alone says nothing that those who left its set could follow.
  const hasChanges = (random.chance(2, 3) || options.hasAllFaults === true) && options.validators > 1;
  const network = new SimulatedNetwork({
    seed,
    weights,
    actors,
    ...(options.seams === undefined ? {} : { seams: options.seams }),
    genesis: {
      consensus: {
        ...drawTimes(random),
        ...(options.batches === undefined ? {} : { signatureCheck: options.batches }),
      },
      change: options.epochs ? drawEpochs(random) : {},
    },
    ...(options.batches === undefined ? {} : { batches: drawBatches(seed, options.batches) }),
    ...(options.epochs && hasChanges ? { standby: between(random, 0, MAX_STANDBY) } : {}),
    ...(options.schemes === undefined ? {} : { schemes: options.schemes }),
  });
  network.isAcceptable = (members) => isAcceptable(members, { actors, fragile, least: options.validators });
  network.trace.follow = options.follow;
  const nemesis = new Nemesis(network, randomFor(seed, "nemesis"), { faults, fragile });
  const report = (): SeedReport => reportOf(network, { seed, faults, fragile, options });
  network.start();
  network.keepBusy({ burstEveryMs: between(random, 40, 400), burstSize: between(random, 1, 12) });
  nemesis.start();
  network.registrar?.start();
  await haveTrouble(network, options.minutes * MS_PER_MINUTE);
  nemesis.stop();
  network.registrar?.stop();
  await demandProgress(network, nemesis, random);
  network.examineEvidence();
  return { network, report };
}

export async function haveTrouble(
  network: SimulatedNetwork,
  leastMs: number,
  heights: number = HEIGHTS_IN_TROUBLE,
  mostMs: number = MAX_TROUBLE_MS,
): Promise<void> {
  const { clock } = network;
  const isEnough = (): boolean => clock.timeMs >= leastMs && network.invariants.executedHeight >= heights;
  await network.runUntil(isEnough, Math.max(leastMs, mostMs));
}

/** A quorum of those that kept their disks, healed, goes on whatever the others do; then everybody honest settles. */
export async function demandProgress(
  network: SimulatedNetwork,
  nemesis: Nemesis,
  random: Random,
): Promise<void> {
  const goal = network.invariants.executedHeight + HEIGHTS_OF_CORE;
  await demand(network, `a healed core certifies height ${goal}`, () =>
    healCore(network, nemesis, random, goal),
  );
  nemesis.healAll();
  const height = Math.max(MIN_HEIGHTS, network.invariants.executedHeight);
  await demand(network, `all honest validators certify height ${height}`, () =>
    network.reach(height, LIVENESS_LIMIT_MS),
  );
  await demand(network, "all honest validators settle on one state", () => network.settle(LIVENESS_LIMIT_MS));
}

/** Those who lost a log ask all others, so they are not counted on. A change of the set that is under way may come into force yet:
 * then the core grows by whom it needs.
 * @returns whether all of the core certify that height in time. */
async function healCore(
  network: SimulatedNetwork,
  nemesis: Nemesis,
  random: Random,
  goal: number,
): Promise<boolean> {
  const sound = network.honest.filter(({ index }) => !nemesis.fragile.has(network.identityOf(index)));
  const waiting = [...sample(random, sound, sound.length)];
  const core: SimulatedMachine[] = [];
  const isQuorum = (): boolean => network.isQuorum(core.map(({ index }) => network.identityOf(index)));
  const isThere = (): boolean => core.every(({ certified }) => certified >= goal);
  for (;;) {
    while (waiting.length > 0 && !isQuorum()) core.push(waiting.shift()!);
    nemesis.heal(core);
    const isWhole = waiting.length === 0;
    const isInTime = await network.runUntil(() => isThere() || !(isWhole || isQuorum()), LIVENESS_LIMIT_MS);
    if (isInTime && !isThere()) continue;
    network.strike("core of all honest", core.length === network.honest.length ? 1 : 0);
    return isThere();
  }
}

async function demand(
  network: SimulatedNetwork,
  what: string,
  attempt: () => Promise<boolean>,
): Promise<void> {
  const isOver = (): boolean => network.isOutside || network.invariants.violations.length > 0;
  if (isOver() || (await attempt()) || isOver()) return;
  network.invariants.violate("liveness", undefined, `not in time: ${what}. ${network.describe()}`);
}

/** Some seeds have validators of different weight. */
function drawWeights(random: Random, validators: number): readonly number[] {
  const isUneven = random.chance(1, UNEVEN_ONE_IN);
  return Array.from({ length: validators }, () => (isUneven ? between(random, 1, MAX_WEIGHT) : 1));
}

/** Actors and fragile machines: below a third of the weight together. */
function drawFaulty(
  random: Random,
  weights: readonly number[],
  faults: ReadonlySet<FaultName>,
  names: readonly ActorName[],
): { readonly actors: ReadonlyMap<number, ActorName>; readonly fragile: ReadonlySet<number> } {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const actors = new Map<number, ActorName>();
  const fragile = new Set<number>();
  let weight = 0;
  for (const identity of sample(random, [...weights.keys()], weights.length)) {
    if (3 * (weight + weights[identity]!) >= total) continue;
    weight += weights[identity]!;
    if (faults.has("byzantine") && random.chance(2, 3)) actors.set(identity, pick(random, names));
    else fragile.add(identity);
  }
  return { actors, fragile };
}

export function isDrawn(random: Random, fault: FaultName, options: CampaignOptions): boolean {
  const isChosen = random.chance(1, 2);
  return fault !== "deep-partition" && (isChosen || options.hasAllFaults === true);
}

/** A set in which actors and fragile validators weigh less than a third, and that has not become too small. */
export function isAcceptable(
  members: readonly { readonly identity: number; readonly weight: number }[],
  story: {
    readonly actors: ReadonlyMap<number, ActorName>;
    readonly fragile: ReadonlySet<number>;
    readonly least: number;
  },
): boolean {
  let [total, faulty] = [0, 0];
  for (const { identity, weight } of members) {
    total += weight;
    if (story.actors.has(identity) || story.fragile.has(identity)) faulty += weight;
  }
  return members.length >= Math.max(1, story.least - 1) && 3 * faulty < total;
}

/** Short times, different ones for each seed: what depends on their order happens in both orders. */
export function drawTimes(random: Random): {
  readonly deltaMs: number;
  readonly maxDeltaMs: number;
  readonly emptyBlockIntervalMs: number;
  readonly minBlockIntervalMs: number;
  readonly standstillMs: number;
  readonly fetchRetryMs: number;
} {
  const minBlockIntervalMs = between(random, 5, 60);
  return {
    deltaMs: between(random, 30, 150),
    maxDeltaMs: between(random, 400, 2_000),
    minBlockIntervalMs,
    emptyBlockIntervalMs: minBlockIntervalMs + between(random, 0, 250),
    standstillMs: between(random, 150, 500),
    fetchRetryMs: between(random, 30, 90),
  };
}

/** Two of three liars lie about batches, where there are any. */
function actorsFor(batches: SignatureCheck | undefined): readonly ActorName[] {
  return batches === undefined
    ? ACTOR_NAMES
    : [...ACTOR_NAMES, ...Array.from({ length: 4 }, () => BATCH_ACTOR_NAMES).flat()];
}

/** Batches of a few transactions, and little room for them. */
function drawBatches(seed: number, mode: SignatureCheck): BatchOptions {
  const random = randomFor(seed, "batches");
  return {
    mode,
    limits: {
      lightLoad: between(random, 0, 3),
      windowMs: between(random, 10, 100),
      fillMs: between(random, 1, 40),
      maxTransactions: between(random, 1, 12),
      maxBytes: 8 * 1024,
      maxUnorderedBytes: 32 * 1024,
      maxUnorderedBatches: between(random, 4, 16),
      retryMs: between(random, 40, 200),
      maxServedBytesPerSecond: 256 * 1024,
    },
  };
}

/** Epochs of a few blocks, so that each seed sees many of them end. */
function drawEpochs(random: Random): { readonly epochLength: number; readonly epochLead: number } {
  const epochLength = between(random, MIN_EPOCH_LENGTH, MAX_EPOCH_LENGTH);
  return { epochLength, epochLead: between(random, 1, epochLength - 1) };
}

export function reportOf(
  network: SimulatedNetwork,
  told: {
    readonly seed: number;
    readonly faults: ReadonlySet<string>;
    readonly fragile: ReadonlySet<number>;
    readonly options: CampaignOptions;
  },
): SeedReport {
  return {
    seed: told.seed,
    validators: told.options.validators,
    violations: network.invariants.violations,
    heights: network.invariants.executedHeight,
    events: network.clock.events,
    simulatedMs: Math.round(network.clock.timeMs),
    traceHash: network.trace.hash(),
    counts: Object.fromEntries([...network.counts].filter(([, times]) => times > 0).sort()),
    faults: [...told.faults],
    actors: [...network.actors].map(([identity, actor]) => `${identity} ${actor}`),
    fragile: [...told.fragile],
    memory: Object.fromEntries(network.memory.most),
    where: network.describe(),
  };
}
