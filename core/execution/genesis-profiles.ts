import type { Hash } from "@ostrom/base";
import type { GenesisAccount } from "@ostrom/state";
import type { GenesisModules } from "./chain-module.ts";
import { defaultEpochLead } from "./epochs.ts";
import type { ConsensusParameters, Genesis, PowGenesis, ProfileName } from "./genesis.ts";
import { MAX_PAYLOAD_BYTES } from "./genesis-json.ts";
import type { GenesisKeys } from "./genesis-keys.ts";
import type { PowParameters } from "./genesis-pow.ts";
import { type CryptographicSuite, consensusSchemeOf, rulesOfSuite, SUITES } from "./genesis-suites.ts";
import type { ValidatorSets } from "./genesis-validator-sets.ts";
import { hasRegistry } from "./module-registry.ts";
import { DEVELOPMENT_CONTRACTS, SYSTEM_CONTRACTS } from "./system-contracts.ts";
import type { ChainRules } from "./types.ts";
import type { Validator } from "./validator-set.ts";

/** What a new chain must say for itself; the rest comes from its profile. */
export type GenesisRequest = {
  readonly profile: ProfileName;
  readonly chainId: bigint;
  readonly timestampMs: number;
  readonly validators: readonly Validator[];
  /** Funded accounts; the profile adds its contracts. */
  readonly accounts: readonly GenesisAccount[];
  /** Defaults to SUITES.ethereum. */
  readonly suite?: CryptographicSuite | undefined;
  /** Key sets of accounts; defaults to the profile's, null is a chain without. */
  readonly keys?: Partial<GenesisKeys> | null | undefined;
  /** Hashes of the validators' checkpoint keys, in their order; without them the chain has no epoch checkpoints. */
  readonly checkpointKeys?: readonly Hash[] | undefined;
  /** Replaces single values of the profile. */
  readonly rules?: Partial<ChainRules> | undefined;
  readonly consensus?: Partial<ConsensusParameters> | undefined;
  /** Blocks in an epoch. */
  readonly epochLength?: number | undefined;
  readonly epochLead?: number | undefined;
  /** Defaults to the validators of genesis for good. */
  readonly validatorSets?: ValidatorSets | undefined;
  /** Defaults to none, and no registry. */
  readonly modules?: GenesisModules | undefined;
};

type Profile = {
  readonly blockGasLimit: bigint;
  readonly gasCharge: ChainRules["gasCharge"];
  readonly initialBaseFeePerGas: bigint;
  readonly minBaseFeePerGas: bigint;
  readonly minBlockIntervalMs: number;
  readonly emptyBlockIntervalMs: number;
  readonly deltaMs: number;
  readonly contracts: readonly GenesisAccount[];
  /** Seconds. */
  readonly timelockMinimum: number;
};

const GWEI = 1_000_000_000n;

const ALLIANCE: Profile = {
  // docs/block-gas-limit.md: two seconds of the worst there is.
  blockGasLimit: 30_000_000n,
  gasCharge: "used",
  initialBaseFeePerGas: GWEI,
  minBaseFeePerGas: 0n,
  minBlockIntervalMs: 100,
  emptyBlockIntervalMs: 5_000,
  deltaMs: 500,
  contracts: SYSTEM_CONTRACTS,
  timelockMinimum: 86_400,
};

const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  dev: {
    ...ALLIANCE,
    emptyBlockIntervalMs: 2_000,
    deltaMs: 250,
    contracts: [...SYSTEM_CONTRACTS, ...DEVELOPMENT_CONTRACTS],
    timelockMinimum: 10,
  },
  alliance: ALLIANCE,
  public: { ...ALLIANCE, gasCharge: "used-or-half-limit", minBaseFeePerGas: GWEI / 100n },
  cbdc: { ...ALLIANCE, initialBaseFeePerGas: 0n },
};

/** How much unexecuted gas may be ordered, in blocks. */
const EXECUTION_WINDOW_BLOCKS = 16n;
const EPOCH_LENGTH = 100_000;
/** EIP-1559 has 8 at one block in 12 seconds; blocks are some 50 times as frequent here. */
const BASE_FEE_CHANGE_DENOMINATOR = 256n;

const NO_GENESIS_MODULES: GenesisModules = { authority: undefined, active: [] };

/** Makes the genesis of a new chain. `parseGenesis(formatGenesis(genesis))` checks it. */
export function createGenesis(request: GenesisRequest): Genesis {
  const profile = PROFILES[request.profile];
  const { modules = NO_GENESIS_MODULES, suite = SUITES.ethereum } = request;
  const forks = request.rules?.forks ?? [{ fork: "osaka" as const, fromTimestamp: 0 }];
  const keys = keysOf(request, profile, forks);
  const rules: ChainRules = {
    chainId: request.chainId,
    forks,
    blockGasLimit: profile.blockGasLimit,
    baseFeeChangeDenominator: BASE_FEE_CHANGE_DENOMINATOR,
    elasticityMultiplier: 2n,
    minBaseFeePerGas: profile.minBaseFeePerGas,
    gasCharge: profile.gasCharge,
    ...(hasRegistry(modules) ? { schedulesForks: true } : {}),
    ...request.rules,
    ...rulesOfSuite(suite),
    ...(keys === undefined ? {} : { hasKeySets: true }),
  };
  const { initialBaseFeePerGas } = profile;
  const { minBaseFeePerGas } = rules;
  const { epochLength = EPOCH_LENGTH } = request;
  return {
    format: 1,
    profile: request.profile,
    timestampMs: request.timestampMs,
    suite,
    rules,
    initialBaseFeePerGas: initialBaseFeePerGas > minBaseFeePerGas ? initialBaseFeePerGas : minBaseFeePerGas,
    executionWindowGas: EXECUTION_WINDOW_BLOCKS * rules.blockGasLimit,
    epochLength,
    epochLead: request.epochLead ?? defaultEpochLead(epochLength),
    validatorSets: request.validatorSets ?? { kind: "fixed" },
    modules,
    keys,
    ...(request.checkpointKeys === undefined ? {} : { checkpointKeys: request.checkpointKeys }),
    consensus: {
      engine: "simplex",
      minBlockIntervalMs: profile.minBlockIntervalMs,
      emptyBlockIntervalMs: profile.emptyBlockIntervalMs,
      deltaMs: profile.deltaMs,
      deltaGrowthPercent: 150,
      maxDeltaMs: 10_000,
      standstillMs: 1_000,
      fetchRetryMs: 500,
      clockToleranceMs: 500,
      maxPayloadBytes: MAX_PAYLOAD_BYTES,
      ...request.consensus,
    },
    alloc: [...request.accounts, ...profile.contracts],
    validatorSet: { schemeId: consensusSchemeOf(suite).id, validators: request.validators },
  };
}

/** Key sets need the rules of Prague, so that a chain which begins with older ones has none. */
function keysOf(
  { keys }: GenesisRequest,
  { timelockMinimum }: Profile,
  forks: ChainRules["forks"],
): GenesisKeys | undefined {
  if (keys === null) return undefined;
  if (keys === undefined && forks[0]?.fork === "cancun") return undefined;
  return { timelockMinimum, breakers: [], breakThreshold: 0, ...keys };
}

/** What a new mined chain must say for itself. Its `validators` are the nodes that every other one links with. */
export type PowGenesisRequest = Omit<GenesisRequest, "consensus"> & {
  readonly pow: Omit<PowParameters, "engine" | "fetchRetryMs" | "clockToleranceMs" | "maxPayloadBytes"> &
    Partial<PowParameters>;
};

const POW_FETCH_RETRY_MS = 1_000;
/** Clocks of strangers differ more than those of validators. */
const POW_CLOCK_TOLERANCE_MS = 5_000;

/** Makes the genesis of a new chain that is mined. */
export function createPowGenesis(request: PowGenesisRequest): PowGenesis {
  const { pow, ...rest } = request;
  const consensus: PowParameters = {
    fetchRetryMs: POW_FETCH_RETRY_MS,
    clockToleranceMs: POW_CLOCK_TOLERANCE_MS,
    maxPayloadBytes: MAX_PAYLOAD_BYTES,
    ...pow,
    engine: "pow",
  };
  return { ...createGenesis(rest), consensus };
}
