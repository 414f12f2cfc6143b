import { toHex, wordToBytes } from "@ostrom/base";
import type { GenesisAccount } from "@ostrom/state";
import type { GenesisModules } from "./chain-module.ts";
import type {
  AnyGenesis,
  ConsensusParameters,
  InstantGenesis,
  InstantParameters,
  ProfileName,
} from "./genesis.ts";
import { formatGenesisKeys, type GenesisKeysJson } from "./genesis-keys.ts";
import { formatPowParameters, type PowParameters, type PowParametersJson } from "./genesis-pow.ts";
import { formatSuite, type SuiteJson } from "./genesis-suites.ts";
import { formatValidatorSets, type ValidatorSetsJson } from "./genesis-validator-sets.ts";
import type { ChainRules } from "./types.ts";
import type { Validator } from "./validator-set.ts";

/** genesis.json in canonical form: amounts and gas as decimal text, counts as numbers, bytes as lower-case hex, keys in
 * this order. `parseGenesis` reads other spellings of the same values too. */
export type GenesisJson = {
  readonly format: 1;
  readonly profile: ProfileName;
  readonly chainId: number;
  readonly timestampMs: number;
  readonly suite: SuiteJson;
  /** Absent (as null): accounts have no key sets, as on chains from before there were any. */
  readonly keys?: GenesisKeysJson | null;
  /** Hashes, one for each entry of `validators`. Absent: the chain has no epoch checkpoints, as chains from before there were any. */
  readonly checkpointKeys?: readonly string[];
  /** Rule sets and the block timestamps (seconds) from which they hold. */
  readonly forks: readonly { readonly fork: string; readonly fromTimestamp: number }[];
  readonly gas: {
    readonly blockGasLimit: string;
    readonly executionWindowGas: string;
    readonly charge: ChainRules["gasCharge"];
  };
  readonly fees: {
    readonly initialBaseFeePerGas: string;
    readonly minBaseFeePerGas: string;
    readonly baseFeeChangeDenominator: number;
    readonly elasticityMultiplier: number;
  };
  readonly epochLength: number;
  readonly epochLead: number;
  readonly validatorSets: ValidatorSetsJson;
  readonly modules: GenesisModulesJson;
  readonly consensus: ConsensusParameters | PowParametersJson | InstantParameters;
  /** By address. */
  readonly alloc: Readonly<Record<string, GenesisAccountJson>>;
  readonly validators: readonly GenesisValidatorJson[];
};

/** Both empty: a chain without a registry of modules. */
export type GenesisModulesJson = {
  readonly authority: string | null;
  readonly active: readonly {
    readonly name: string;
    readonly version: number;
    readonly codeHash: string;
    readonly settings: string;
  }[];
};

export type GenesisAccountJson = {
  readonly balance: string;
  readonly nonce?: number;
  readonly code?: string;
  readonly storage?: Readonly<Record<string, string>>;
};

export type GenesisValidatorJson = {
  readonly name: string;
  readonly address: string;
  readonly consensusKey: string;
  readonly proofOfPossession: string;
  readonly transportKey: string;
  readonly weight: number;
  readonly host: string;
  readonly port: number;
};

/** Writes a genesis as the value of genesis.json. */
export function formatGenesis(genesis: AnyGenesis | InstantGenesis): GenesisJson {
  const { rules, suite, consensus } = genesis;
  return {
    format: genesis.format,
    profile: genesis.profile,
    chainId: Number(rules.chainId),
    timestampMs: genesis.timestampMs,
    suite: formatSuite(suite),
    ...(genesis.keys === undefined ? {} : { keys: formatGenesisKeys(genesis.keys) }),
    ...(genesis.checkpointKeys === undefined ? {} : { checkpointKeys: genesis.checkpointKeys.map(toHex) }),
    forks: rules.forks.map(({ fork, fromTimestamp }) => ({ fork, fromTimestamp })),
    gas: {
      blockGasLimit: rules.blockGasLimit.toString(),
      executionWindowGas: genesis.executionWindowGas.toString(),
      charge: rules.gasCharge,
    },
    fees: {
      initialBaseFeePerGas: genesis.initialBaseFeePerGas.toString(),
      minBaseFeePerGas: rules.minBaseFeePerGas.toString(),
      baseFeeChangeDenominator: Number(rules.baseFeeChangeDenominator),
      elasticityMultiplier: Number(rules.elasticityMultiplier),
    },
    epochLength: genesis.epochLength,
    epochLead: genesis.epochLead,
    validatorSets: formatValidatorSets(genesis.validatorSets),
    modules: formatModules(genesis.modules),
    consensus: formatConsensus(consensus),
    alloc: Object.fromEntries(
      genesis.alloc.map((account) => [toHex(account.address), formatAccount(account)]),
    ),
    validators: genesis.validatorSet.validators.map(formatValidator),
  };
}

function formatModules({ authority, active }: GenesisModules): GenesisModulesJson {
  return {
    authority: authority === undefined ? null : toHex(authority),
    active: active.map(({ name, version, codeHash, settings }) => ({
      name,
      version,
      codeHash: toHex(codeHash),
      settings: toHex(settings),
    })),
  };
}

function formatConsensus(
  consensus: ConsensusParameters | PowParameters | InstantParameters,
): GenesisJson["consensus"] {
  if (consensus.engine === "pow") return formatPowParameters(consensus);
  if (consensus.engine === "instant") return { engine: "instant" };
  return {
    engine: consensus.engine,
    minBlockIntervalMs: consensus.minBlockIntervalMs,
    emptyBlockIntervalMs: consensus.emptyBlockIntervalMs,
    deltaMs: consensus.deltaMs,
    deltaGrowthPercent: consensus.deltaGrowthPercent,
    maxDeltaMs: consensus.maxDeltaMs,
    standstillMs: consensus.standstillMs,
    fetchRetryMs: consensus.fetchRetryMs,
    clockToleranceMs: consensus.clockToleranceMs,
    maxPayloadBytes: consensus.maxPayloadBytes,
    ...(consensus.signatureCheck === undefined ? {} : { signatureCheck: consensus.signatureCheck }),
  };
}

function formatAccount(account: GenesisAccount): GenesisAccountJson {
  const storage = account.storage.map(({ slot, value }) => [
    toHex(wordToBytes(slot)),
    toHex(wordToBytes(value)),
  ]);
  return {
    balance: account.balance.toString(),
    ...(account.nonce === 0n ? {} : { nonce: Number(account.nonce) }),
    ...(account.code.length === 0 ? {} : { code: toHex(account.code) }),
    ...(storage.length === 0 ? {} : { storage: Object.fromEntries(storage) }),
  };
}

function formatValidator(validator: Validator): GenesisValidatorJson {
  return {
    name: validator.name,
    address: toHex(validator.address),
    consensusKey: toHex(validator.consensusKey),
    proofOfPossession: toHex(validator.proofOfPossession),
    transportKey: toHex(validator.transportKey),
    weight: validator.weight,
    host: validator.host,
    port: validator.port,
  };
}
