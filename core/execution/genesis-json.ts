import {
  Address,
  type Bytes,
  bytesToBigint,
  EMPTY_BYTES,
  equalBytes,
  err,
  ok,
  type Result,
  toHexDigits,
  Weight,
} from "@ostrom/base";
import type { ValidatorScheme } from "@ostrom/crypto";
import type { GenesisAccount } from "@ostrom/state";
import { CODE_HEADER_BYTES, kindOf, MAX_PAYLOAD_BYTES as MAX_PROGRAM_PAYLOAD_BYTES } from "@ostrom/vm";
import { CHECKPOINT_KEYS_ADDRESS } from "./checkpoint-keys.ts";
import type { EpochSchedule } from "./epochs.ts";
import type { AnyGenesis, ConsensusParameters, Genesis, SignatureCheck } from "./genesis.ts";
import { readCheckpoints } from "./genesis-checkpoints.ts";
import { MAX_TIME_MS, readForks } from "./genesis-forks.ts";
import { checkKeysAndForks, readGenesisKeys } from "./genesis-keys.ts";
import { checkPortHolder, checkSortition, readGenesisModules } from "./genesis-modules.ts";
import { readPowParameters } from "./genesis-pow.ts";
import {
  type CryptographicSuite,
  consensusSchemeOf,
  readSuite,
  rulesOfSuite,
  transportSchemeOf,
} from "./genesis-suites.ts";
import { readValidatorSets } from "./genesis-validator-sets.ts";
import {
  duplicate,
  inconsistent,
  type JsonErrorCode,
  type JsonFailure,
  JsonReadError,
  type Place,
  readAmount,
  readChoice,
  readCount,
  readEntries,
  readHex,
  readList,
  readObject,
  readText,
} from "./json-reader.ts";
import { KEY_SETS_ADDRESS, KEYED_ACCOUNT_ADDRESS } from "./key-addresses.ts";
import { MODULE_REGISTRY_ADDRESS } from "./module-addresses.ts";
import { hasRegistry } from "./module-registry.ts";
import { MAX_TRANSACTION_NONCE } from "./transaction.ts";
import type { ChainRules } from "./types.ts";
import {
  HOST_PATTERN,
  MAX_VALIDATOR_COUNT,
  NAME_PATTERN,
  VALIDATOR_SET_ADDRESS,
  type Validator,
  type ValidatorSet,
} from "./validator-set.ts";

export type GenesisErrorCode = JsonErrorCode;
/** `path` names the place in genesis.json, such as `validators[2].weight`. The message says what is wrong there and what
 * would be right. */
export type GenesisFailure = JsonFailure;

/** MetaMask accepts no chain id above this: floor((2^53 - 39) / 2). */
export const MAX_CHAIN_ID = 4_503_599_627_370_476;
/** A block holds at least one transaction of the largest size. */
export const MIN_PAYLOAD_BYTES: number = 256 * 1024;
export const MAX_PAYLOAD_BYTES: number = 2 * 1024 * 1024;

const MAX_INTERVAL_MS = 86_400_000;
const MIN_BLOCK_GAS_LIMIT = 1_000_000n;
const MAX_BLOCK_GAS_LIMIT = 100_000_000_000n;
const MAX_WINDOW_GAS = 1_000n * MAX_BLOCK_GAS_LIMIT;
const MAX_BASE_FEE = 2n ** 96n;
/** The next set is read before the last block. */
const MIN_EPOCH_LENGTH = 2;
const MAX_EPOCH_LENGTH = 1_000_000_000;
const MAX_DENOMINATOR = 1_000_000;
const MAX_ELASTICITY = 1_000;
const MAX_GROWTH_PERCENT = 1_000;
const MAX_TOTAL_BALANCE = 2n ** 256n - 1n;
const MAX_WEIGHT = Number.MAX_SAFE_INTEGER;
/** Source: EIP-170. */
const MAX_CODE_BYTES = 24_576;
/** Of a program in one piece, as it is when it has been deployed (docs/program-gas.md). */
const MAX_PROGRAM_CODE_BYTES: number = CODE_HEADER_BYTES + MAX_PROGRAM_PAYLOAD_BYTES;
const RESERVED: readonly Address[] = [
  VALIDATOR_SET_ADDRESS,
  MODULE_REGISTRY_ADDRESS,
  KEY_SETS_ADDRESS,
  KEYED_ACCOUNT_ADDRESS,
  CHECKPOINT_KEYS_ADDRESS,
];

/** Reads the value of a genesis.json. Everything must be there, and nothing else: what a node would fill in by itself
 * could differ between versions.
 * Errors: `genesis/missing`, `/unknown-key`, `/wrong-type`, `/out-of-range`, `/inconsistent` (two settings contradict
 * each other), `/duplicate`, `/unsupported`, `/bad-proof-of-possession`. */
export function parseGenesis(json: unknown): Result<AnyGenesis, GenesisFailure> {
  try {
    return ok(readGenesis({ value: json, path: "" }));
  } catch (error) {
    if (error instanceof JsonReadError) return err(error.failure);
    throw error;
  }
}

function readGenesis(place: Place): AnyGenesis {
  const fields = readObject(
    place,
    [
      "format",
      "profile",
      "chainId",
      "timestampMs",
      "suite",
      "forks",
      "gas",
      "fees",
      "epochLength",
      "epochLead",
      "validatorSets",
      "modules",
      "consensus",
      "alloc",
      "validators",
    ],
    ["keys", "checkpointKeys"],
  );
  const format = readChoice(fields.format, [1]);
  const suite = readSuite(fields.suite);
  const { rules, initialBaseFeePerGas, executionWindowGas } = readRules(fields, suite);
  const modules = readGenesisModules(fields.modules);
  const members = readMembers(fields, suite);
  checkPortHolder(fields, members.validatorSets, modules);
  checkSortition(fields, modules, suite);
  const keys = fields.keys === undefined ? undefined : readGenesisKeys(fields.keys);
  if (keys !== undefined && fields.keys !== undefined) checkKeysAndForks(fields.keys, rules.forks);
  return {
    format: format === 1 ? 1 : format,
    profile: readChoice(fields.profile, ["dev", "alliance", "public", "cbdc"]),
    timestampMs: readCount(fields.timestampMs, 0, MAX_TIME_MS),
    suite,
    rules: {
      ...rules,
      ...(hasRegistry(modules) ? { schedulesForks: true } : {}),
      ...(keys === undefined ? {} : { hasKeySets: true }),
    },
    keys,
    ...readCheckpoints(fields.checkpointKeys, { suite, keys, isMined: isPow(fields.consensus), ...members }),
    initialBaseFeePerGas,
    executionWindowGas,
    ...readEpochs(fields),
    ...members,
    modules,
    consensus: isPow(fields.consensus)
      ? readPowParameters(fields.consensus, readMaxPayloadBytes)
      : readConsensus(fields.consensus),
    alloc: readAlloc(fields.alloc),
  };
}

function readEpochs(places: Readonly<Record<"epochLength" | "epochLead", Place>>): EpochSchedule {
  const epochLength = readCount(places.epochLength, MIN_EPOCH_LENGTH, MAX_EPOCH_LENGTH);
  const epochLead = readCount(places.epochLead, 1, MAX_EPOCH_LENGTH);
  if (epochLead >= epochLength)
    throw inconsistent(places.epochLead, `must be below epochLength, ${epochLength}`);
  return { epochLength, epochLead };
}

/** Who validates first, and who decides who does later. */
function readMembers(
  places: Readonly<Record<"consensus" | "validators" | "validatorSets", Place>>,
  suite: CryptographicSuite,
): Pick<Genesis, "validatorSets" | "validatorSet"> {
  const validatorSets = readValidatorSets(places.validatorSets);
  // Where blocks are mined, nobody votes: validators are only the nodes that the others begin with.
  const isMined = isPow(places.consensus);
  if (isMined && validatorSets.kind !== "fixed")
    throw inconsistent(places.validatorSets, 'must be {"kind": "fixed"}: a chain that is mined has no votes');
  const validatorSet = readValidators(places.validators, isMined ? 0 : 1, suite);
  const { length } = validatorSet.validators;
  if (validatorSets.kind === "work" && length > validatorSets.maxValidators) {
    throw inconsistent(
      places.validators,
      `must name at most maxValidators, ${validatorSets.maxValidators}; found ${length}`,
    );
  }
  return { validatorSets, validatorSet };
}

type RulesAndFees = Pick<Genesis, "rules" | "initialBaseFeePerGas" | "executionWindowGas">;

function readRules(
  places: Readonly<Record<"chainId" | "forks" | "gas" | "fees", Place>>,
  suite: CryptographicSuite,
): RulesAndFees {
  const gas = readObject(places.gas, ["blockGasLimit", "executionWindowGas", "charge"]);
  const fees = readObject(places.fees, [
    "initialBaseFeePerGas",
    "minBaseFeePerGas",
    "baseFeeChangeDenominator",
    "elasticityMultiplier",
  ]);
  const rules: ChainRules = {
    chainId: BigInt(readCount(places.chainId, 1, MAX_CHAIN_ID)),
    forks: readForks(places.forks),
    blockGasLimit: readAmount(gas.blockGasLimit, MIN_BLOCK_GAS_LIMIT, MAX_BLOCK_GAS_LIMIT),
    baseFeeChangeDenominator: BigInt(readCount(fees.baseFeeChangeDenominator, 1, MAX_DENOMINATOR)),
    elasticityMultiplier: BigInt(readCount(fees.elasticityMultiplier, 1, MAX_ELASTICITY)),
    minBaseFeePerGas: readAmount(fees.minBaseFeePerGas, 0n, MAX_BASE_FEE),
    gasCharge: readChoice(gas.charge, ["used", "used-or-half-limit"]),
    ...rulesOfSuite(suite),
  };
  const initialBaseFeePerGas = readAmount(fees.initialBaseFeePerGas, 0n, MAX_BASE_FEE);
  if (initialBaseFeePerGas < rules.minBaseFeePerGas) {
    throw inconsistent(
      fees.initialBaseFeePerGas,
      `must be at least minBaseFeePerGas, ${rules.minBaseFeePerGas}`,
    );
  }
  const executionWindowGas = readAmount(gas.executionWindowGas, 0n, MAX_WINDOW_GAS);
  if (executionWindowGas < rules.blockGasLimit) {
    throw inconsistent(gas.executionWindowGas, `must be at least blockGasLimit, ${rules.blockGasLimit}`);
  }
  return { rules, initialBaseFeePerGas, executionWindowGas };
}

function isPow({ value }: Place): boolean {
  return typeof value === "object" && value !== null && "engine" in value && value.engine === "pow";
}

function readMaxPayloadBytes(place: Place): number {
  return readCount(place, MIN_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES);
}

function readConsensus(place: Place): ConsensusParameters {
  const fields = readObject(
    place,
    [
      "engine",
      "minBlockIntervalMs",
      "emptyBlockIntervalMs",
      "deltaMs",
      "deltaGrowthPercent",
      "maxDeltaMs",
      "standstillMs",
      "fetchRetryMs",
      "clockToleranceMs",
      "maxPayloadBytes",
    ],
    ["signatureCheck"],
  );
  const interval = (field: Place, min: number): number => readCount(field, min, MAX_INTERVAL_MS);
  const consensus: ConsensusParameters = {
    engine: readChoice(fields.engine, ["simplex"]),
    minBlockIntervalMs: interval(fields.minBlockIntervalMs, 0),
    emptyBlockIntervalMs: interval(fields.emptyBlockIntervalMs, 1),
    deltaMs: interval(fields.deltaMs, 1),
    deltaGrowthPercent: readCount(fields.deltaGrowthPercent, 100, MAX_GROWTH_PERCENT),
    maxDeltaMs: interval(fields.maxDeltaMs, 1),
    standstillMs: interval(fields.standstillMs, 1),
    fetchRetryMs: interval(fields.fetchRetryMs, 1),
    clockToleranceMs: interval(fields.clockToleranceMs, 0),
    maxPayloadBytes: readMaxPayloadBytes(fields.maxPayloadBytes),
    ...(fields.signatureCheck === undefined
      ? {}
      : { signatureCheck: readChoice<SignatureCheck>(fields.signatureCheck, ["all", "minority"]) }),
  };
  if (consensus.emptyBlockIntervalMs < consensus.minBlockIntervalMs) {
    throw inconsistent(fields.emptyBlockIntervalMs, "must be at least minBlockIntervalMs");
  }
  if (consensus.maxDeltaMs < consensus.deltaMs)
    throw inconsistent(fields.maxDeltaMs, "must be at least deltaMs");
  return consensus;
}

function readAlloc(place: Place): readonly GenesisAccount[] {
  const seen = new Set<string>();
  let total = 0n;
  return readEntries(place).map(([key, entry]) => {
    const address = Address(readHex({ value: key, path: entry.path }, { min: 20, max: 20 }));
    const digits = toHexDigits(address);
    if (seen.has(digits)) throw duplicate(entry, "this address is in alloc already, spelled otherwise");
    seen.add(digits);
    if (RESERVED.some((reserved) => equalBytes(address, reserved))) {
      throw inconsistent(
        entry,
        "this address is reserved, for the validator set, the registry of modules, the key sets or the checkpoint keys; take it out",
      );
    }
    const account = readAccount(entry, address);
    total += account.balance;
    if (total > MAX_TOTAL_BALANCE) throw inconsistent(entry, "all balances together must stay below 2^256");
    return account;
  });
}

function readAccount(place: Place, address: Address): GenesisAccount {
  const fields = readObject(place, ["balance"], ["nonce", "code", "storage"]);
  const account: GenesisAccount = {
    address,
    balance: readAmount(fields.balance, 0n, MAX_TOTAL_BALANCE),
    nonce: fields.nonce === undefined ? 0n : readAmount(fields.nonce, 0n, MAX_TRANSACTION_NONCE),
    code: fields.code === undefined ? EMPTY_BYTES : readCode(fields.code),
    storage: fields.storage === undefined ? [] : readStorage(fields.storage),
  };
  if (account.balance === 0n && account.nonce === 0n && account.code.length === 0) {
    throw inconsistent(
      place,
      "an account without balance, nonce and code does not exist (EIP-161); take it out",
    );
  }
  return account;
}

function readCode(place: Place): Bytes {
  const code = readHex(place, { min: 0, max: MAX_PROGRAM_CODE_BYTES });
  const kind = kindOf(code);
  const isProgram = kind === "webassembly" || kind === "riscv";
  return isProgram ? code : readHex(place, { min: 0, max: MAX_CODE_BYTES });
}

function readStorage(place: Place): GenesisAccount["storage"] {
  const seen = new Set<bigint>();
  return readEntries(place).map(([key, entry]) => {
    const slot = bytesToBigint(readHex({ value: key, path: entry.path }, { min: 1, max: 32 }));
    if (seen.has(slot)) throw duplicate(entry, "this slot is in storage already, spelled otherwise");
    seen.add(slot);
    return { slot, value: bytesToBigint(readHex(entry, { min: 1, max: 32 })) };
  });
}

function readValidators(place: Place, min: number, suite: CryptographicSuite): ValidatorSet {
  const entries = readList(place);
  if (entries.length < min || entries.length > MAX_VALIDATOR_COUNT) {
    throw inconsistent(
      place,
      `must name ${min} to ${MAX_VALIDATOR_COUNT} validators; found ${entries.length}`,
    );
  }
  const seen = new Set<string>();
  const scheme = consensusSchemeOf(suite);
  const transportKeyLength = transportSchemeOf(suite).publicKeyLength;
  const validators = entries.map((entry) => readValidator(entry, seen, { scheme, transportKeyLength }));
  if (!Number.isSafeInteger(validators.reduce((sum, { weight }) => sum + weight, 0))) {
    throw inconsistent(place, "all weights together must stay below 2^53");
  }
  return { schemeId: scheme.id, validators };
}

type ValidatorKinds = { readonly scheme: ValidatorScheme; readonly transportKeyLength: number };

/** @param seen names and keys of the validators before this one. */
function readValidator(
  place: Place,
  seen: Set<string>,
  { scheme, transportKeyLength }: ValidatorKinds,
): Validator {
  const fields = readObject(place, [
    "name",
    "address",
    "consensusKey",
    "proofOfPossession",
    "transportKey",
    "weight",
    "host",
    "port",
  ]);
  const exactly = (field: Place, length: number) => readHex(field, { min: length, max: length });
  const validator: Validator = {
    name: readText(fields.name, NAME_PATTERN, "1 to 64 letters, digits, dots, underscores or hyphens"),
    address: Address(exactly(fields.address, 20)),
    weight: Weight(readCount(fields.weight, 1, MAX_WEIGHT)),
    consensusKey: exactly(fields.consensusKey, scheme.publicKeyLength),
    proofOfPossession: exactly(fields.proofOfPossession, scheme.proofLength),
    transportKey: exactly(fields.transportKey, transportKeyLength),
    host: readText(fields.host, HOST_PATTERN, "a host name or an IP address"),
    port: readCount(fields.port, 1, 65_535),
  };
  for (const field of [fields.name, fields.consensusKey, fields.transportKey]) {
    const key = String(field.value).toLowerCase();
    if (seen.has(key)) throw duplicate(field, "another validator has the same; each needs its own");
    seen.add(key);
  }
  if (!scheme.verifyPossession(validator.consensusKey, validator.proofOfPossession)) {
    throw new JsonReadError(
      "genesis/bad-proof-of-possession",
      fields.proofOfPossession.path,
      "does not prove that this validator holds the secret key of consensusKey; ask its operator for both again",
    );
  }
  return validator;
}
