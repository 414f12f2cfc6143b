import { type Failure, fail, must, ok, type Result } from "@ostrom/base";
import { ECVRF_PUBLIC_KEY_LENGTH } from "@ostrom/crypto";
import type { ModuleParticipant, ModuleSettings, ModuleSettingsRequest } from "@ostrom/runtime";
import {
  encodeStakingSettings,
  type InitialValidator,
  MAX_COMMITTEE,
  MAX_EXPECTED_SEATS,
  MAX_INITIAL_VALIDATORS,
  PUBLIC_STAKING_SETTINGS as STANDARD,
  type StakingSettings,
} from "@ostrom/staking-chain";
import { parseEther } from "viem";
import { VRF_KEY } from "./keys.ts";

type CountOption = {
  readonly kind: "count";
  readonly least: number;
  readonly most: number;
  readonly standard: (validators: number) => number;
};
type CoinsOption = { readonly kind: "coins"; readonly standard: bigint };

const COIN = 10n ** 18n;
const MAX_SHORT = 65_535;

const count = (least: number, most: number, standard: number): CountOption => ({
  kind: "count",
  least,
  most,
  standard: () => standard,
});

/** What a person may choose, with what holds otherwise. The contract checks the same bounds. */
const OPTIONS = {
  "expected-seats": count(1, MAX_EXPECTED_SEATS, STANDARD.expectedSeats),
  "min-validators": {
    ...count(1, MAX_COMMITTEE, STANDARD.minValidators),
    standard: (validators: number) => Math.min(STANDARD.minValidators, validators || STANDARD.minValidators),
  },
  "max-validators": count(1, MAX_COMMITTEE, STANDARD.maxValidators),
  "min-revealed-percent": count(0, 99, STANDARD.minRevealedPercent),
  "slash-percent": count(1, 100, STANDARD.slashPercent),
  "unbonding-epochs": count(4, MAX_SHORT, STANDARD.unbondingEpochs),
  "jail-epochs": count(1, MAX_SHORT, STANDARD.jailEpochs),
  "evidence-epochs": count(1, MAX_SHORT - 1, STANDARD.evidenceEpochs),
  "full-reward-seconds": count(0, 2 ** 32 - 1, STANDARD.fullRewardSeconds),
  /** Of initial validators, in parts of 10,000. */
  commission: count(0, 5_000, 500),
  "min-stake": { kind: "coins", standard: STANDARD.minStake },
  "min-delegation": { kind: "coins", standard: STANDARD.minDelegation },
  "epoch-reward": { kind: "coins", standard: STANDARD.epochReward },
  /** Of initial validators, for each unit of their weight. */
  stake: { kind: "coins", standard: 10_000n * COIN },
} as const satisfies Readonly<Record<string, CountOption | CoinsOption>>;

type OptionName = keyof typeof OPTIONS;
type Chosen = {
  readonly [Name in OptionName]: (typeof OPTIONS)[Name]["kind"] extends "count" ? number : bigint;
};

const MAX_AMOUNT = 2n ** 96n - 1n;
const MAX_NAME_LENGTH = 32;
const MAX_HOST_LENGTH = 64;
const COINS = /^(0|[1-9][0-9]{0,9})(\.[0-9]{1,18})?$/;

/** What staking begins with. Validators of a genesis are granted `stake` coins for each unit of their weight; on a chain that runs
 * already nobody is: its validators bond like all others.
 * Errors: `staking/option` (unknown, or no such value), `staking/validators` (too many, without a key, or with less than `min-stake`). */
export function stakingSettings(
  request: ModuleSettingsRequest,
): Result<ModuleSettings, Failure<"staking/option" | "staking/validators">> {
  const { validators, options, genesisHash } = request;
  const chosen = readOptions(options, validators.length);
  if (!chosen.ok) return chosen;
  const problem = findProblem(validators, chosen.value);
  if (problem !== undefined) return fail("staking/validators", problem);
  const initial = validators.map((validator) => initialValidator(validator, chosen.value));
  return ok({ settings: encodeStakingSettings({ ...settingsOf(chosen.value), genesisHash }, initial) });
}

function readOptions(
  options: Readonly<Record<string, string>>,
  validators: number,
): Result<Chosen, Failure<"staking/option">> {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown !== undefined) {
    const known = Object.keys(OPTIONS).join(", ");
    return fail("staking/option", `staking has no setting "${unknown}"; it has ${known}`);
  }
  const chosen: Record<string, number | bigint> = {};
  for (const [name, option] of Object.entries<CountOption | CoinsOption>(OPTIONS)) {
    const given = options[name];
    const value = option.kind === "count" ? readCount(given, option, validators) : readCoins(given, option);
    if (value === undefined) {
      const expected =
        option.kind === "count" ? `a number, ${option.least} to ${option.most}` : "coins, such as 1000";
      return fail("staking/option", `staking.${name}=${given}: expected ${expected}`);
    }
    chosen[name] = value;
  }
  return consistent(chosen as Chosen);
}

function consistent(chosen: Chosen): Result<Chosen, Failure<"staking/option">> {
  if (chosen["max-validators"] < chosen["min-validators"])
    return fail("staking/option", "staking.max-validators must not be below staking.min-validators");
  if (chosen["evidence-epochs"] >= chosen["unbonding-epochs"])
    return fail("staking/option", "staking.evidence-epochs must be below staking.unbonding-epochs");
  if (chosen["min-stake"] === 0n || chosen["min-delegation"] === 0n)
    return fail("staking/option", "staking.min-stake and staking.min-delegation must be above 0");
  return ok(chosen);
}

function readCount(given: string | undefined, option: CountOption, validators: number): number | undefined {
  if (given === undefined) return option.standard(validators);
  const value = /^(0|[1-9][0-9]{0,9})$/.test(given) ? Number(given) : -1;
  return value >= option.least && value <= option.most ? value : undefined;
}

function readCoins(given: string | undefined, option: CoinsOption): bigint | undefined {
  if (given === undefined) return option.standard;
  if (!COINS.test(given)) return undefined;
  const amount = parseEther(given);
  return amount <= MAX_AMOUNT ? amount : undefined;
}

function findProblem(validators: readonly ModuleParticipant[], chosen: Chosen): string | undefined {
  if (validators.length > MAX_INITIAL_VALIDATORS)
    return `at most ${MAX_INITIAL_VALIDATORS} validators may be there from genesis on; others bond later`;
  for (const validator of validators) {
    const { name, host, weight, keys } = validator;
    if (keys[VRF_KEY]?.length !== ECVRF_PUBLIC_KEY_LENGTH)
      return `${name} has no key "${VRF_KEY}" (${ECVRF_PUBLIC_KEY_LENGTH} bytes): make its keys with this program`;
    if (name.length > MAX_NAME_LENGTH || host.length > MAX_HOST_LENGTH)
      return `${name}: staking takes names of ${MAX_NAME_LENGTH} and hosts of ${MAX_HOST_LENGTH} characters`;
    const stake = chosen.stake * BigInt(weight);
    if (stake < chosen["min-stake"] || stake > MAX_AMOUNT)
      return `${name} would have ${stake} wei at stake: staking.stake times its weight must be staking.min-stake or more, and below 2^96 wei`;
  }
  return undefined;
}

function settingsOf(chosen: Chosen): StakingSettings {
  return {
    expectedSeats: chosen["expected-seats"],
    minValidators: chosen["min-validators"],
    maxValidators: chosen["max-validators"],
    minRevealedPercent: chosen["min-revealed-percent"],
    slashPercent: chosen["slash-percent"],
    unbondingEpochs: chosen["unbonding-epochs"],
    jailEpochs: chosen["jail-epochs"],
    evidenceEpochs: chosen["evidence-epochs"],
    fullRewardSeconds: chosen["full-reward-seconds"],
    minStake: chosen["min-stake"],
    minDelegation: chosen["min-delegation"],
    epochReward: chosen["epoch-reward"],
  };
}

function initialValidator(validator: ModuleParticipant, chosen: Chosen): InitialValidator {
  const { account, weight, consensusKey, proofOfPossession, transportKey, keys, name, host, port } =
    validator;
  return {
    operator: account,
    stake: chosen.stake * BigInt(weight),
    isGranted: true,
    consensusKey,
    proofOfPossession,
    transportKey,
    vrfKey: must(keys[VRF_KEY], "its keys were looked at before"),
    name,
    host,
    port,
    commission: chosen.commission,
  };
}
