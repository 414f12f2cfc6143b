import {
  type Address,
  addressFromHex,
  type Bytes,
  createRandom,
  type Random,
  toHex,
  ZERO_HASH,
} from "@ostrom/base";
import { commitState, type GenesisAccount, MemoryState, StateOverlay } from "@ostrom/state";
import { type BlockContext, FORKS, type Fork, type MessageEngine, OP } from "@ostrom/vm";
import { CodeWriter, pick } from "./code-writer.ts";

/** A message in a state, made from a seed. */
export type EngineCase = {
  readonly fork: Fork;
  /** The first one is called. */
  readonly contracts: readonly GenesisAccount[];
  readonly data: Bytes;
  readonly value: bigint;
  readonly gas: bigint;
};

export const CALLER: Address = addressFromHex(`0x${"ca".repeat(20)}`);
const CALLER_BALANCE = 10n ** 18n;

const BLOCK: BlockContext = {
  number: 1000n,
  timestamp: 1_700_000_000n,
  coinbase: addressFromHex(`0x${"cb".repeat(20)}`),
  gasLimit: 30_000_000n,
  baseFeePerGas: 7n,
  prevRandao: ZERO_HASH,
  blobBaseFee: 1n,
  chainId: 1337n,
  blockHash: (number) => (number % 3n === 0n ? undefined : ZERO_HASH),
};

/** Address of the contract with a number. */
export function contractAddress(number: number): Address {
  return addressFromHex(`0x${"c0".repeat(19)}${(number & 0xff).toString(16).padStart(2, "0")}`);
}

export function contract(number: number, code: Bytes): GenesisAccount {
  const storage = [
    { slot: 0n, value: 1n },
    { slot: 1n, value: 2n ** 255n },
  ];
  return { address: contractAddress(number), nonce: 1n, balance: 5n, code, storage };
}

/** All that a message leaves, by name. Faults are told apart by their gas only: which of several checks fails first is up
 * to an engine. */
export function observe(
  execute: MessageEngine,
  { fork, contracts, data, value, gas }: EngineCase,
): Record<string, string> {
  const caller: GenesisAccount = {
    address: CALLER,
    nonce: 1n,
    balance: CALLER_BALANCE,
    code: new Uint8Array(0),
    storage: [],
  };
  const before = MemoryState.of([caller, ...contracts]);
  const state = new StateOverlay(before);
  state.beginTransaction();
  const transaction = { origin: CALLER, gasPrice: 10n, blobVersionedHashes: [] };
  const outcome = execute(
    { fork, block: BLOCK, transaction, state },
    { caller: CALLER, to: contracts[0]!.address, value, data, gas },
  );
  const logs = state.logs().map((log) => [toHex(log.address), log.topics.map(toHex), toHex(log.data)]);
  const refund = String(state.refund());
  state.endTransaction();
  return {
    status: outcome.status,
    output: toHex(outcome.output),
    gasLeft: String(outcome.gasLeft),
    logs: JSON.stringify(logs),
    refund,
    stateRoot: toHex(commitState(before, state.changes()).stateRoot),
  };
}

/** @returns what differs, or undefined. */
export function compareObserved(
  expected: Record<string, string>,
  actual: Record<string, string>,
): string | undefined {
  const differing = Object.keys(expected).filter((key) => expected[key] !== actual[key]);
  if (differing.length === 0) return undefined;
  return differing.map((key) => `${key}: expected ${expected[key]}, got ${actual[key]}`).join("\n    ");
}

export function caseOf(
  random: Random,
  fork: Fork,
  codes: readonly Bytes[],
  gas: number = pick(random, [60_000, 300_000, 2_000_000]) + random.below(3000),
): EngineCase {
  return {
    fork,
    contracts: codes.map((code, number) => contract(number, code)),
    data: random.bytes(pick(random, [0, 4, 31, 32, 68, 100])),
    value: BigInt(random.below(2)),
    gas: BigInt(gas),
  };
}

export function beginCase(seed: number): {
  readonly random: Random;
  readonly fork: Fork;
  readonly writer: CodeWriter;
} {
  const random = createRandom(seed);
  return { random, fork: pick(random, FORKS), writer: new CodeWriter() };
}

/** Stores what is on the stack, so that a wrong word shows. */
export function returnStack(writer: CodeWriter, words: number): void {
  for (let i = 0; i < words; i++) writer.push(32 * i).emit(OP.MSTORE);
  writer
    .push(32 * words)
    .push(0)
    .emit(OP.RETURN);
}
