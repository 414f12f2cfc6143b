import { readFileSync } from "node:fs";
import { Address, type Bytes, bytesToBigint, Hash, hex, ZERO_HASH } from "@ostrom/base";
import type { GenesisAccount } from "@ostrom/state";
import type { Fork, PrecompileSet } from "@ostrom/vm";
import { draftPrecompiles } from "./draft-eip2537.ts";

/** A state test as ethereum/tests and execution-spec-tests write it: a state, a transaction in variants, and for each
 * fork and variant the root of the state after it. Fields that the runner does not read are left out.
 * Source: ethereum-tests.readthedocs.io, "State Tests"; ethereum/execution-spec-tests, "state_test" fixtures. */
export type StateTest = {
  readonly name: string;
  readonly environment: StateTestEnvironment;
  readonly accounts: readonly GenesisAccount[];
  readonly chainId: bigint;
  readonly sender: string | undefined;
  /** In place of the fork's own. */
  readonly precompiles: PrecompileSet | undefined;
  readonly cases: readonly StateTestCase[];
};

export type StateTestEnvironment = {
  readonly coinbase: Address;
  readonly gasLimit: bigint;
  readonly number: bigint;
  readonly timestamp: bigint;
  readonly prevRandao: Hash;
  readonly baseFeePerGas: bigint;
  readonly excessBlobGas: bigint;
};

export type StateTestCase = {
  readonly fork: Fork;
  /** Place in the fork's list. */
  readonly index: number;
  /** Which of the transaction's variants: indices of data, gas limit and value. */
  readonly variant: string;
  /** The signed transaction. */
  readonly transaction: Bytes;
  readonly stateRoot: string;
  readonly logsHash: string;
  /** Names of errors, one of which must keep the transaction from running. */
  readonly exception: string | undefined;
};

type JsonAccount = {
  readonly nonce: string;
  readonly balance: string;
  readonly code: string;
  readonly storage: Readonly<Record<string, string>>;
};

type JsonPost = {
  readonly hash: string;
  readonly logs: string;
  readonly txbytes: string;
  readonly indexes: { readonly data: number; readonly gas: number; readonly value: number };
  readonly expectException?: string;
};

type JsonTest = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pre: Readonly<Record<string, JsonAccount>>;
  readonly transaction: { readonly sender?: string };
  readonly post: Readonly<Record<string, readonly JsonPost[] | undefined>>;
  readonly config?: { readonly chainid?: string };
};

const FORK_NAMES: Readonly<Record<Fork, string>> = { cancun: "Cancun", prague: "Prague", osaka: "Osaka" };
const MAINNET = 1n;
/** What tests of forks before London leave out. */
const DEFAULT_BASE_FEE = 10n;

/** Reads the tests of a file that have cases for the forks asked for.
 * @returns undefined if the file holds something else than state tests. */
export function readStateTests(path: string, forks: readonly Fork[]): readonly StateTest[] | undefined {
  const json = JSON.parse(readFileSync(path, "utf8")) as Readonly<Record<string, Partial<JsonTest>>>;
  const tests: StateTest[] = [];
  for (const [name, test] of Object.entries(json)) {
    if (test.env === undefined || test.pre === undefined || test.transaction === undefined) return undefined;
    if (test.post === undefined) return undefined;
    const { post } = test;
    const cases = forks.flatMap((fork) =>
      (post[FORK_NAMES[fork]] ?? []).map((one, i) => readCase(fork, i, one)),
    );
    if (cases.length === 0) continue;
    tests.push({
      name,
      environment: readEnvironment(test.env),
      accounts: Object.entries(test.pre).map(([address, account]) => readAccount(address, account)),
      chainId: readOptional(test.config?.chainid, MAINNET),
      sender: test.transaction.sender,
      precompiles: draftPrecompiles(path),
      cases,
    });
  }
  return tests;
}

function readCase(fork: Fork, index: number, post: JsonPost): StateTestCase {
  const { data, gas, value } = post.indexes;
  return {
    fork,
    index,
    variant: `data ${data}, gas ${gas}, value ${value}`,
    transaction: hex(post.txbytes),
    stateRoot: post.hash,
    logsHash: post.logs,
    exception: post.expectException,
  };
}

function readEnvironment(env: Readonly<Record<string, string | undefined>>): StateTestEnvironment {
  const random = env["currentRandom"];
  return {
    coinbase: Address(hex(env["currentCoinbase"] ?? "")),
    gasLimit: readOptional(env["currentGasLimit"], 0n),
    number: readOptional(env["currentNumber"], 0n),
    timestamp: readOptional(env["currentTimestamp"], 0n),
    prevRandao: random === undefined ? ZERO_HASH : Hash(hex(random)),
    baseFeePerGas: readOptional(env["currentBaseFee"], DEFAULT_BASE_FEE),
    excessBlobGas: readOptional(env["currentExcessBlobGas"], 0n),
  };
}

function readOptional(text: string | undefined, otherwise: bigint): bigint {
  return text === undefined ? otherwise : BigInt(text);
}

function readAccount(address: string, account: JsonAccount): GenesisAccount {
  return {
    address: Address(hex(address)),
    nonce: BigInt(account.nonce),
    balance: BigInt(account.balance),
    code: hex(account.code),
    storage: Object.entries(account.storage).map(([slot, value]) => ({
      slot: readWord(slot),
      value: readWord(value),
    })),
  };
}

/** Some files write words with an odd count of digits, or none. */
function readWord(text: string): bigint {
  const digits = text.slice(2);
  return bytesToBigint(hex(digits.length % 2 === 0 ? digits : `0${digits}`));
}
