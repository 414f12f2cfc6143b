import {
  Address,
  addressFromHex,
  type Bytes,
  createRandom,
  EMPTY_BYTES,
  Hash,
  hashFromWord,
  type Random,
  ZERO_ADDRESS,
} from "@ostrom/base";
import type { AccessListEntry, Authorization, TransactionType } from "@ostrom/execution";
import {
  addressOfSecretKey,
  type SignedTransaction,
  signAuthorization,
  signTransaction,
} from "@ostrom/execution";
import type { GenesisAccount } from "@ostrom/state";
import { delegationDesignator, type Fork, forkRules } from "@ostrom/vm";
import { generateInput, generateProgram } from "./program-generator.ts";
import { type ProgramSource, pick } from "./program-writer.ts";

/** A state and a transaction on it, made from a seed. */
export type Scenario = {
  readonly seed: number;
  readonly fork: Fork;
  readonly accounts: readonly GenesisAccount[];
  readonly block: ScenarioBlock;
  readonly transaction: SignedTransaction;
};

export type ScenarioBlock = {
  readonly number: bigint;
  readonly timestamp: bigint;
  readonly coinbase: Address;
  readonly gasLimit: bigint;
  readonly baseFeePerGas: bigint;
  readonly prevRandao: Hash;
  readonly excessBlobGas: bigint;
};

export const SCENARIO_CHAIN_ID = 1n;

const SENDER_KEY = keyOf(1);
const AUTHORITY_KEYS: readonly Bytes[] = [keyOf(2), keyOf(3), keyOf(4)];
const SENDER = addressOfSecretKey(SENDER_KEY);
const AUTHORITIES = AUTHORITY_KEYS.map(addressOfSecretKey);
const CONTRACTS = ["c0", "c1", "c2", "c3"].map((tail) => addressFromHex(`0x${"11".repeat(19)}${tail}`));
const COINBASE = addressFromHex(`0x${"cb".repeat(20)}`);
const ABSENT = addressFromHex(`0x${"ab".repeat(20)}`);
/** KZG (0x0a) is left out, because the other engine needs a trusted setup to be loaded for it. */
const PRECOMPILES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0b, 0x10, 0x11, 0x12, 0x100].map((number) =>
  Address(hashFromWord(BigInt(number)).slice(12)),
);
const ADDRESSES = [
  ...CONTRACTS,
  ...CONTRACTS,
  ...AUTHORITIES,
  SENDER,
  COINBASE,
  ABSENT,
  ZERO_ADDRESS,
  ...PRECOMPILES,
];

const ETHER = 10n ** 18n;
const SENDER_NONCE = 5n;
const STATEMENTS = 20;

function keyOf(number: number): Bytes {
  return new Uint8Array(32).fill(number);
}

/** The same seed gives the same scenario for ever: a seed is a bug report. */
export function generateScenario(fork: Fork, seed: number): Scenario {
  const random = createRandom(seed);
  const source = { random, addresses: ADDRESSES, hasCountLeadingZeros: fork === "osaka" };
  const accounts: GenesisAccount[] = [account(SENDER, SENDER_NONCE, 1000n * ETHER, EMPTY_BYTES)];
  for (const address of CONTRACTS) {
    const storage = [0n, 1n].map((slot) => ({ slot, value: BigInt(random.below(3)) }));
    const code = generateProgram(source, STATEMENTS);
    accounts.push({ ...account(address, 1n, BigInt(random.below(3)) * 1000n, code), storage });
  }
  for (const address of AUTHORITIES) {
    if (random.chance(1, 3)) continue;
    const isDelegated = forkRules(fork).delegation && random.chance(1, 2);
    const code = isDelegated ? delegationDesignator(pick(random, ADDRESSES)) : EMPTY_BYTES;
    accounts.push(account(address, BigInt(random.below(2)), BigInt(random.below(2)) + 1n, code));
  }
  if (random.chance(1, 2)) accounts.push(account(COINBASE, 0n, 1n, EMPTY_BYTES));
  const block = generateBlock(random);
  return { seed, fork, accounts, block, transaction: generateTransaction(source, fork, block) };
}

function account(address: Address, nonce: bigint, balance: bigint, code: Bytes): GenesisAccount {
  return { address, nonce, balance, code, storage: [] };
}

function generateBlock(random: Random): ScenarioBlock {
  return {
    number: 1n,
    timestamp: 1000n + BigInt(random.below(1000)),
    coinbase: COINBASE,
    gasLimit: 30_000_000n,
    baseFeePerGas: 7n + BigInt(random.below(3)),
    prevRandao: Hash(random.bytes(32)),
    excessBlobGas: BigInt(random.below(3)) * 3_000_000n,
  };
}

function generateTransaction(source: ProgramSource, fork: Fork, block: ScenarioBlock): SignedTransaction {
  const { random } = source;
  const types: TransactionType[] = forkRules(fork).delegation ? [0, 1, 2, 3, 4, 4, 4] : [0, 1, 2, 3];
  const type = pick(random, types);
  const creates = type < 3 && random.chance(1, 5);
  const to = creates
    ? undefined
    : pick(random, [...CONTRACTS, ...CONTRACTS, ...AUTHORITIES, pick(random, ADDRESSES)]);
  const data = creates ? generateProgram(source, STATEMENTS / 2) : generateInput(random);
  return signTransaction(
    {
      type,
      chainId: SCENARIO_CHAIN_ID,
      nonce: SENDER_NONCE,
      maxFeePerGas: block.baseFeePerGas + BigInt(random.below(4)),
      maxPriorityFeePerGas: BigInt(random.below(3)),
      // Little gas ends programs in the middle of what they do.
      gasLimit: BigInt(
        pick(random, [90_000, 300_000, 1_000_000, 3_000_000, 3_000_000, 3_000_000]) + random.below(30_000),
      ),
      ...(to === undefined ? {} : { to }),
      value: BigInt(random.below(3)),
      data,
      accessList: type === 0 ? [] : generateAccessList(random),
      ...(type === 3 ? { maxFeePerBlobGas: 1000n, blobVersionedHashes: generateBlobHashes(random) } : {}),
      authorizations: type === 4 ? generateAuthorizations(random) : [],
    },
    SENDER_KEY,
  );
}

function generateAccessList(random: Random): AccessListEntry[] {
  return Array.from({ length: random.below(3) }, () => ({
    address: pick(random, ADDRESSES),
    storageKeys: Array.from({ length: random.below(3) }, () => hashFromWord(BigInt(random.below(3)))),
  }));
}

function generateBlobHashes(random: Random): Hash[] {
  return Array.from({ length: 1 + random.below(3) }, () => {
    const hash = Hash(random.bytes(32));
    hash[0] = 1;
    return hash;
  });
}

/** Most are valid if the account's nonce is as it was guessed; the sender's own needs the nonce that follows. */
function generateAuthorizations(random: Random): Authorization[] {
  return Array.from({ length: 1 + random.below(3) }, () => {
    const isOwn = random.chance(1, 6);
    const authorization = signAuthorization(
      {
        chainId: pick(random, [0n, SCENARIO_CHAIN_ID, SCENARIO_CHAIN_ID, 2n]),
        address: random.chance(1, 6) ? ZERO_ADDRESS : pick(random, ADDRESSES),
        nonce: isOwn ? SENDER_NONCE + 1n : BigInt(random.below(2)),
      },
      isOwn ? SENDER_KEY : pick(random, AUTHORITY_KEYS),
    );
    return random.chance(1, 12) ? { ...authorization, r: authorization.r + 1n } : authorization;
  });
}
