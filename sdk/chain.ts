import { Epoch, equalBytes, type Hash, utf8 } from "@ostrom/base";
import { type ConsensusDomain, consensusDomain, type ValidatorSet } from "@ostrom/consensus";
import {
  type AnyGenesis,
  type ChainRules,
  type CryptographicSuite,
  chainHash,
  consensusSchemeOf,
  decodeHeader,
  type EpochSchedule,
  genesisBlock,
  genesisState,
  type Header,
  hashHeader,
  hashIdOf,
  parseGenesis,
  parseSuite,
  rulesOfSuite,
} from "@ostrom/execution";
import { MemoryState } from "@ostrom/state";
import { FORKS } from "@ostrom/vm";
import { attemptNow, type LightResult, refuse } from "./failure.ts";
import { type JsonFields, readArray, readData, readFields, readText } from "./read-json.ts";

/** What genesis fixes, as far as a light client needs it. */
export type LightChain = {
  readonly genesisHash: Hash;
  readonly domain: ConsensusDomain;
  readonly epochs: EpochSchedule;
  readonly rules: ChainRules;
  /** Seconds. */
  readonly genesisTime: number;
  /** Elliptic curves are broken: certificates by them prove nothing. */
  readonly refusesCurves?: boolean | undefined;
};

/** Longest text of genesis' parameters. */
const MAX_PARAMETER_CHARACTERS = 1024 * 1024;

/** Reads a genesis.json: its header, and the set of its first epoch. Errors: `light/wrong-chain` (unreadable, or a mined chain, which has no
 * certificates). */
export function chainOfGenesis(
  json: unknown,
): LightResult<{ readonly chain: LightChain; readonly header: Header; readonly set: ValidatorSet }> {
  return attemptNow(() => {
    const genesis = readGenesis(json);
    const { schemeId, validators } = genesis.validatorSet;
    const { hash, header } = genesisBlock(
      genesis,
      new MemoryState(chainHash(genesis.rules)).commit(genesisState(genesis)).stateRoot,
    );
    return { chain: chainOf(hash, genesis), header, set: { epoch: Epoch(0), schemeId, validators } };
  });
}

/** Reads what ostrom_getGenesis answered: its header must have the hash that is trusted, and its parameters the hash that the header
 * names. Errors: `light/malformed`, `light/wrong-chain`. */
export function chainOfParameters(genesisHash: Hash, answer: unknown): LightResult<LightChain> {
  return attemptNow(() => {
    const fields = readFields(answer, "genesis");
    const header = decodeHeader(readData(fields.header, "genesis header"));
    const text = readText(fields.parameters, "genesis parameters", MAX_PARAMETER_CHARACTERS);
    if (!header.ok) return refuse("light/malformed", header.error.message);
    // Which hash function is the chain's, only the parameters say. None of those known gives text and header of another chain these hashes.
    const parameters = readFields(parseJson(text), "genesis parameters");
    const suite = parseSuite(parameters.suite);
    if (!suite.ok) return refuse("light/wrong-chain", suite.error.message);
    const hashId = hashIdOf(suite.value);
    if (!equalBytes(hashHeader(header.value, hashId), genesisHash)) {
      refuse("light/wrong-chain", "the server's genesis is another chain's");
    }
    if (!equalBytes(chainHash({ hashId })(utf8(text)), header.value.extraData)) {
      refuse("light/wrong-chain", "these are not the parameters that genesis names");
    }
    return readParameters(genesisHash, parameters, suite.value);
  });
}

function readGenesis(json: unknown): AnyGenesis {
  const genesis = parseGenesis(json);
  if (!genesis.ok) return refuse("light/wrong-chain", `${genesis.error.code}: ${genesis.error.message}`);
  if (genesis.value.consensus.engine === "pow") {
    refuse("light/wrong-chain", "a mined chain has no state certificates");
  }
  return genesis.value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return refuse("light/malformed", "genesis parameters: no JSON");
  }
}

/** Reads what a light client needs of parameters that the trusted genesis names: whoever made it has checked them. */
function readParameters(genesisHash: Hash, fields: JsonFields, suite: CryptographicSuite): LightChain {
  const gas = readFields(fields.gas, "gas");
  const fees = readFields(fields.fees, "fees");
  if (readFields(fields.consensus, "consensus").engine !== "simplex") {
    refuse("light/wrong-chain", "a mined chain has no state certificates");
  }
  if (gas.charge !== "used" && gas.charge !== "used-or-half-limit") refuse("light/wrong-chain", "gas.charge");
  return chainOf(genesisHash, {
    timestampMs: readNumber(fields.timestampMs, "timestampMs"),
    epochLength: readNumber(fields.epochLength, "epochLength"),
    epochLead: readNumber(fields.epochLead, "epochLead"),
    rules: {
      chainId: BigInt(readNumber(fields.chainId, "chainId")),
      forks: readArray(fields.forks, "forks").map(readFork),
      blockGasLimit: readAmount(gas.blockGasLimit, "blockGasLimit"),
      baseFeeChangeDenominator: BigInt(readNumber(fees.baseFeeChangeDenominator, "baseFeeChangeDenominator")),
      elasticityMultiplier: BigInt(readNumber(fees.elasticityMultiplier, "elasticityMultiplier")),
      minBaseFeePerGas: readAmount(fees.minBaseFeePerGas, "minBaseFeePerGas"),
      gasCharge: gas.charge,
      ...rulesOfSuite(suite),
    },
    suite,
  });
}

function readFork(entry: unknown): ChainRules["forks"][number] {
  const { fork, fromTimestamp } = readFields(entry, "fork");
  const known = FORKS.find((name) => name === fork);
  if (known === undefined)
    return refuse("light/module-missing", `rule set ${String(fork)} is not known here`);
  return { fork: known, fromTimestamp: readNumber(fromTimestamp, "fromTimestamp") };
}

function readNumber(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    refuse("light/malformed", `${what}: no count`);
  }
  return value;
}

function readAmount(value: unknown, what: string): bigint {
  if (typeof value !== "string" || !/^[0-9]{1,78}$/.test(value))
    refuse("light/malformed", `${what}: no amount`);
  return BigInt(value);
}

type Parameters = Pick<AnyGenesis, "epochLength" | "epochLead" | "rules" | "suite" | "timestampMs">;

function chainOf(
  genesisHash: Hash,
  { epochLength, epochLead, rules, suite, timestampMs }: Parameters,
): LightChain {
  return {
    genesisHash,
    domain: consensusDomain(genesisHash, rules.hashId, consensusSchemeOf(suite).id),
    epochs: { epochLength, epochLead },
    rules,
    genesisTime: Math.floor(timestampMs / 1000),
  };
}
