import { type Address, addressFromHex, type Hash, hashFromWord, must, Weight } from "@ostrom/base";
import { bls, keccak256 } from "@ostrom/crypto";
import { type GenesisAccount, MemoryState } from "@ostrom/state";
import type { Fork } from "@ostrom/vm";
import { type AppliedBlock, applyBlock, type BlockInput, sealBlock } from "../apply-block.ts";
import { chainHash } from "../chain-hash.ts";
import type { GenesisModules } from "../chain-module.ts";
import { type Genesis, genesisBlock, genesisState } from "../genesis.ts";
import type { GenesisKeys } from "../genesis-keys.ts";
import { createGenesis } from "../genesis-profiles.ts";
import type { CryptographicSuite } from "../genesis-suites.ts";
import type { ValidatorSets } from "../genesis-validator-sets.ts";
import { addressOfSecretKey } from "../signature.ts";
import type { ChainRules, ExecutedBlock } from "../types.ts";
import type { Validator } from "../validator-set.ts";
import { testKey } from "./random-transactions.ts";

export const TEST_CHAIN_ID = 1337n;
export const GENESIS_TIME_MS = 1_700_000_000_000;
export const PROPOSER: Address = addressFromHex("00000000000000000000000000000000c01b0a5e");
export const RICH: bigint = 10n ** 24n;

export function funded(address: Address, balance: bigint = RICH): GenesisAccount {
  return { address, balance, nonce: 0n, code: new Uint8Array(0), storage: [] };
}

export function contractAt(address: Address, code: Uint8Array): GenesisAccount {
  return { address, balance: 0n, nonce: 1n, code, storage: [] };
}

const validators = new Map<number, Validator>();

/** Validator number `index`, with keys that derive from it. */
export function testValidator(index: number): Validator {
  const known = validators.get(index);
  if (known !== undefined) return known;
  const made = makeValidator(index);
  validators.set(index, made);
  return made;
}

function makeValidator(index: number): Validator {
  const secret = hashFromWord(1_000n + BigInt(index));
  return {
    name: `validator-${index}`,
    address: addressOfSecretKey(testKey(900 + index)),
    weight: Weight(index + 1),
    consensusKey: bls().publicKey(secret),
    proofOfPossession: bls().provePossession(secret),
    transportKey: keccak256(secret),
    host: "127.0.0.1",
    port: 30_310 + index,
  };
}

export function testGenesis(options: {
  readonly fork?: Fork;
  readonly accounts: readonly GenesisAccount[];
  readonly rules?: Partial<ChainRules>;
  readonly validators?: number;
  readonly epochLength?: number;
  readonly epochLead?: number;
  readonly validatorSets?: ValidatorSets;
  readonly modules?: GenesisModules;
  readonly keys?: GenesisKeys | null;
  readonly suite?: CryptographicSuite;
}): Genesis {
  return createGenesis({
    profile: "dev",
    chainId: TEST_CHAIN_ID,
    timestampMs: GENESIS_TIME_MS,
    validators: Array.from({ length: options.validators ?? 1 }, (_, index) => testValidator(index)),
    accounts: options.accounts,
    epochLength: options.epochLength,
    epochLead: options.epochLead,
    validatorSets: options.validatorSets,
    modules: options.modules,
    keys: options.keys,
    suite: options.suite,
    rules: { forks: [{ fork: options.fork ?? "osaka", fromTimestamp: 0 }], ...options.rules },
  });
}

/** What the program that executes the chain brings along. */
export type TestChainOptions = Pick<BlockInput, "modules" | "verifyPossession">;

/** A chain in memory, one block after another. */
export class TestChain {
  readonly genesis: Genesis;
  readonly state: MemoryState;
  readonly blocks: ExecutedBlock[] = [];
  /** Of the newest block. */
  applied: AppliedBlock | undefined;
  readonly #options: TestChainOptions;

  constructor(genesis: Genesis, options: TestChainOptions = {}) {
    this.genesis = genesis;
    this.#options = options;
    this.state = new MemoryState(chainHash(genesis.rules));
    this.state.commit(genesisState(genesis));
    this.blocks.push(genesisBlock(genesis, this.state.stateRoot));
  }

  get head(): ExecutedBlock {
    return must(this.blocks.at(-1), "a chain has its genesis");
  }

  readonly blockHash = (number: bigint): Hash | undefined => this.blocks[Number(number)]?.hash;

  /** Executes a payload of raw transactions as the next block. */
  execute(
    transactions: readonly Uint8Array[],
    elapsedMs = 250,
    knownSender: BlockInput["knownSender"] = () => undefined,
  ): ExecutedBlock {
    const { header } = this.head;
    const height = header.number + 1;
    const applied = applyBlock({
      rules: this.genesis.rules,
      epochs: this.genesis,
      parent: header,
      state: this.state,
      blockHash: this.blockHash,
      knownSender,
      ...this.#options,
      ordered: {
        height,
        timestampMs: GENESIS_TIME_MS + height * elapsedMs,
        orderDigest: keccak256(hashFromWord(BigInt(height))),
        proposer: PROPOSER,
        transactions,
      },
    });
    this.applied = applied;
    const block = sealBlock(applied, this.state.commit(applied.changes).stateRoot);
    this.blocks.push(block);
    return block;
  }
}
