import type { Random } from "@ostrom/base";
import { ACTOR_NAMES, type ActorName } from "./actors.ts";
import {
  type Campaign,
  type CampaignOptions,
  demandProgress,
  drawTimes,
  haveTrouble,
  isAcceptable,
  isDrawn,
  reportOf,
  type SeedReport,
} from "./campaign.ts";
import { Nemesis } from "./faults.ts";
import { SimulatedNetwork } from "./network.ts";
import { USUAL_CLIENTS } from "./network-genesis.ts";
import { COIN, type ParticipationGenesis, type ParticipationMode } from "./participation/genesis.ts";
import { between, pick, randomFor, sample } from "./random.ts";

/** So many heights in trouble: epochs pass until stake that was bonded votes, and until it may leave. */
const HEIGHTS: Readonly<Record<ParticipationMode, number>> = { membership: 60, staking: 110, graduate: 130 };
const MS_PER_MINUTE = 60_000;
const MAX_TROUBLE_MS: number = 5 * MS_PER_MINUTE;
const HONEST_WEIGHT = 4;
const FAULTY_WEIGHT = 2;
const MAX_STRANGERS = 3;
/** Those who can be slashed are there more often. */
const CONTRADICTING: ReadonlySet<ActorName> = new Set(["equivocator", "contradictor", "twin", "splitter"]);

/** A seed's story on a chain whose validators a module decides on: faults as in others, and people who come, go, bond, delegate, slash
 * and vote; then all must come to one state. */
export async function runParticipationCampaign(
  seed: number,
  mode: ParticipationMode,
  options: CampaignOptions,
): Promise<Campaign> {
  const random = randomFor(seed, `campaign of ${mode}`);
  const faults = new Set(options.faults.filter((fault) => isDrawn(random, fault, options)));
  const { actors, fragile } = drawFaulty(random, options, faults.has("byzantine"));
  const isFaulty = (identity: number): boolean => actors.has(identity) || fragile.has(identity);
  const weights = Array.from({ length: options.validators }, (_, identity) =>
    isFaulty(identity) ? FAULTY_WEIGHT : HONEST_WEIGHT,
  );
  const participation = drawParticipation(random, mode, weights);
  const network = new SimulatedNetwork({
    seed,
    weights,
    actors,
    ...(options.seams === undefined ? {} : { seams: options.seams }),
    participation,
  });
  network.isFaulty = isFaulty;
  network.isAcceptable = (members) => isAcceptable(members, { actors, fragile, least: options.validators });
  network.trace.follow = options.follow;
  const nemesis = new Nemesis(network, randomFor(seed, "nemesis"), { faults, fragile });
  const report = (): SeedReport => reportOf(network, { seed, faults, fragile, options });
  network.start();
  network.keepBusy({ burstEveryMs: between(random, 100, 600), burstSize: between(random, 1, 5) });
  nemesis.start();
  network.participation?.start();
  await haveTrouble(network, options.minutes * MS_PER_MINUTE, HEIGHTS[mode], MAX_TROUBLE_MS);
  nemesis.stop();
  network.participation?.stop();
  await demandProgress(network, nemesis, random);
  return { network, report };
}

/** A third of all at most, who have half the weight of the others: they stay below a third when some of these drop out. */
function drawFaulty(
  random: Random,
  { validators, actors: names = ACTOR_NAMES }: CampaignOptions,
  hasActors: boolean,
): { readonly actors: ReadonlyMap<number, ActorName>; readonly fragile: ReadonlySet<number> } {
  const actors = new Map<number, ActorName>();
  const fragile = new Set<number>();
  const identities = Array.from({ length: validators }, (_, identity) => identity);
  const contradicting = names.filter((name) => CONTRADICTING.has(name));
  for (const identity of sample(random, identities, Math.floor((validators - 1) / 3)))
    if (hasActors && random.chance(3, 4))
      actors.set(
        identity,
        pick(random, contradicting.length > 0 && random.chance(1, 2) ? contradicting : names),
      );
    else fragile.add(identity);
  return { actors, fragile };
}

function drawParticipation(
  random: Random,
  mode: ParticipationMode,
  weights: readonly number[],
): ParticipationGenesis {
  const validators = weights.length;
  const epochLength = drawEpochLength(random, mode);
  const unbondingEpochs = between(random, 4, 5);
  return {
    mode,
    weights,
    identities: validators + between(random, 1, MAX_STRANGERS),
    clients: USUAL_CLIENTS,
    consensus: drawTimes(random),
    epochLength,
    epochLead: between(random, 1, Math.floor(epochLength / 3)),
    thresholdPercent: between(random, 51, 70),
    proposalBlocks: between(random, 40, 400),
    staking: {
      expectedSeats: between(random, 2_000, 4_000),
      minValidators: validators - 1,
      maxValidators: validators + between(random, 0, MAX_STRANGERS),
      minRevealedPercent: between(random, 50, 66),
      slashPercent: pick(random, [1, 5, 10, 33, 100]),
      unbondingEpochs,
      jailEpochs: between(random, 1, 3),
      evidenceEpochs: unbondingEpochs - 1,
      fullRewardSeconds: pick(random, [0, 1, 30]),
      minStake: 100n * COIN,
      minDelegation: COIN,
      epochReward: 7n * COIN + BigInt(random.below(1_000_000)),
    },
  };
}

/** Short ones, so that stake leaves and is paid out; long ones, in which absence shows; graduation takes many. */
function drawEpochLength(random: Random, mode: ParticipationMode): number {
  if (mode !== "staking") return between(random, 6, 12);
  return random.chance(2, 3) ? between(random, 7, 11) : between(random, 16, 24);
}
