import { type Hash, utf8, ZERO_ADDRESS, ZERO_HASH } from "@ostrom/base";
import {
  emptyTrieRoot,
  type GenesisAccount,
  genesisChanges,
  MemoryState,
  type StateChanges,
} from "@ostrom/state";
import { logsBloom } from "./bloom.ts";
import { chainHash } from "./chain-hash.ts";
import type { GenesisModules } from "./chain-module.ts";
import { checkpointKeysAccounts } from "./checkpoint-keys.ts";
import { forkAt } from "./fees.ts";
import { formatGenesis } from "./genesis-format.ts";
import type { GenesisKeys } from "./genesis-keys.ts";
import type { PowParameters } from "./genesis-pow.ts";
import type { CryptographicSuite } from "./genesis-suites.ts";
import type { ValidatorSets } from "./genesis-validator-sets.ts";
import { EMPTY_REQUESTS_HASH, emptyHeaderFields, hashHeader } from "./header.ts";
import { keySetsAccounts } from "./key-sets-genesis.ts";
import { moduleRegistryAccount } from "./module-registry.ts";
import type { ChainRules, ExecutedBlock, Header } from "./types.ts";
import type { ValidatorSet } from "./validator-set.ts";
import { validatorSetContract } from "./validator-set-contracts.ts";

/** Named presets of the values below; no code asks for the name. */
export type ProfileName = "dev" | "alliance" | "public" | "cbdc";

/** Who checks the signatures of transactions that are ordered in batches. */
export type SignatureCheck = "all" | "minority";

/** Parameters of consensus that all validators must share. Times in milliseconds. */
export type ConsensusParameters = {
  readonly engine: "simplex";
  readonly minBlockIntervalMs: number;
  /** How long a leader with nothing to include waits. */
  readonly emptyBlockIntervalMs: number;
  /** Assumed bound on the delay of one message. */
  readonly deltaMs: number;
  readonly deltaGrowthPercent: number;
  readonly maxDeltaMs: number;
  readonly standstillMs: number;
  readonly fetchRetryMs: number;
  /** How far a block's time may be ahead of a voter's clock. */
  readonly clockToleranceMs: number;
  readonly maxPayloadBytes: number;
  /** Who checks the signatures of the transactions in a batch (core/dissemination): every validator, or so many that one of them is honest, an
   * explicit choice of consortia. "all" if absent. */
  readonly signatureCheck?: SignatureCheck | undefined;
};

/** What all nodes of a chain agree on, whatever its engine; read from genesis.json by `parseGenesis`. */
export type AnyGenesis = Genesis<ConsensusParameters | PowParameters>;
/** Of a chain that is mined. Its `validators` are the nodes that every other one links with; they have no vote. */
export type PowGenesis = Genesis<PowParameters>;

/** Of a development chain: one node makes a block when its developer wishes. */
export type InstantParameters = { readonly engine: "instant" };
/** No genesis.json says it: a chain of this engine is begun by `ostrom dev` alone, so that no other node ever runs one. */
export type InstantGenesis = Genesis<InstantParameters>;

/** Tells chains apart by their engine. */
export type GenesisOfEngine =
  | { readonly engine: "simplex"; readonly genesis: Genesis }
  | { readonly engine: "pow"; readonly genesis: PowGenesis };

export function genesisOfEngine(genesis: AnyGenesis): GenesisOfEngine {
  const { consensus } = genesis;
  return consensus.engine === "pow"
    ? { engine: "pow", genesis: { ...genesis, consensus } }
    : { engine: "simplex", genesis: { ...genesis, consensus } };
}

/** What all nodes of a chain agree on. */
export type Genesis<Parameters = ConsensusParameters> = {
  readonly format: 1;
  readonly profile: ProfileName;
  /** Milliseconds since 1970. */
  readonly timestampMs: number;
  readonly suite: CryptographicSuite;
  readonly rules: ChainRules;
  readonly initialBaseFeePerGas: bigint;
  /** While the gas of payloads without a state certificate exceeds this, only empty payloads are valid. */
  readonly executionWindowGas: bigint;
  /** Blocks in an epoch, and how many blocks before its end the set of the next one is read: from 1 to one less than its length. */
  readonly epochLength: number;
  readonly epochLead: number;
  readonly validatorSets: ValidatorSets;
  readonly modules: GenesisModules;
  /** undefined: accounts have no key sets. */
  readonly keys?: GenesisKeys | undefined;
  /** keccak256 of each validator's checkpoint key, in the order of `validatorSet`; undefined: the chain has no epoch checkpoints. */
  readonly checkpointKeys?: readonly Hash[] | undefined;
  readonly consensus: Parameters;
  readonly alloc: readonly GenesisAccount[];
  readonly validatorSet: ValidatorSet;
};

/** The state before block 1: the accounts of `alloc`, the validator set in its system account, and the registry of modules if there are
 * any. Their own contracts come with block 1. */
export function genesisState(genesis: AnyGenesis | InstantGenesis): StateChanges {
  const registry = moduleRegistryAccount(genesis.modules, genesis.validatorSets);
  return genesisChanges([
    ...genesis.alloc,
    validatorSetContract(genesis.validatorSet, genesis.validatorSets),
    ...(registry === undefined ? [] : [registry]),
    ...keySetsAccounts(genesis.keys, genesis.rules),
    ...checkpointKeysAccounts(genesis.checkpointKeys, genesis.validatorSet),
  ]);
}

/** Block 0. Its hash names the chain: the state root covers accounts, validators and modules, and `extraData` is
 * the hash of the canonical JSON text of all other parameters, by the hash function that they name.
 * @param stateRoot of `genesisState`. */
export function genesisBlock(genesis: AnyGenesis | InstantGenesis, stateRoot: Hash): ExecutedBlock {
  const timestamp = Math.floor(genesis.timestampMs / 1000);
  const { hashId } = genesis.rules;
  const emptyRoot = emptyTrieRoot(chainHash(genesis.rules));
  const header: Header = {
    ...emptyHeaderFields(hashId),
    parentHash: ZERO_HASH,
    coinbase: ZERO_ADDRESS,
    stateRoot,
    transactionsRoot: emptyRoot,
    receiptsRoot: emptyRoot,
    logsBloom: logsBloom([]),
    number: 0,
    gasLimit: genesis.rules.blockGasLimit,
    gasUsed: 0n,
    timestamp,
    extraData: parametersHash(genesis),
    prevRandao: ZERO_HASH,
    baseFeePerGas: genesis.initialBaseFeePerGas,
    requestsHash: forkAt(genesis.rules, timestamp) === "cancun" ? undefined : EMPTY_REQUESTS_HASH,
  };
  return { header, hash: hashHeader(header, hashId), transactions: [], receipts: [], skipped: [] };
}

/** The hash of block 0, which names the chain. It computes the state root: where the root is known, take `genesisBlock`. */
export function genesisHash(genesis: AnyGenesis): Hash {
  return genesisBlock(
    genesis,
    new MemoryState(chainHash(genesis.rules)).commit(genesisState(genesis)).stateRoot,
  ).hash;
}

function parametersHash(genesis: AnyGenesis | InstantGenesis): Hash {
  const { alloc: _alloc, validators: _validators, modules: _modules, ...parameters } = formatGenesis(genesis);
  return chainHash(genesis.rules)(utf8(JSON.stringify(parameters)));
}
