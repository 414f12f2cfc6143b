import { type Address, addressFromHex, type Bytes, EMPTY_BYTES, ZERO_HASH } from "@ostrom/base";
import { type GenesisAccount, MemoryState, StateOverlay } from "@ostrom/state";
import { executeMessage } from "../execute-message.ts";
import type { BlockContext, ExecutionContext, Fork, Message, Outcome } from "../types.ts";

export const CALLER: Address = addressFromHex(`0x${"ca".repeat(20)}`);
export const CONTRACT: Address = addressFromHex(`0x${"c0".repeat(20)}`);
export const OTHER: Address = addressFromHex(`0x${"07".repeat(20)}`);
export const CALLER_BALANCE: bigint = 1_000_000n;

export const TEST_BLOCK: BlockContext = {
  number: 1000n,
  timestamp: 1_700_000_000n,
  coinbase: addressFromHex(`0x${"cb".repeat(20)}`),
  gasLimit: 30_000_000n,
  baseFeePerGas: 7n,
  prevRandao: ZERO_HASH,
  blobBaseFee: 1n,
  chainId: 1337n,
  blockHash: () => ZERO_HASH,
};

export function accountWith(
  fields: Partial<GenesisAccount> & Pick<GenesisAccount, "address">,
): GenesisAccount {
  return { nonce: 1n, balance: 0n, code: EMPTY_BYTES, storage: [], ...fields };
}

export type RunOptions = Partial<Omit<Message, "to">> & {
  readonly fork?: Fork;
  readonly to?: Address | "create";
  /** Besides the caller and the contract that holds the code. */
  readonly accounts?: readonly GenesisAccount[];
  readonly onStep?: NonNullable<ExecutionContext["onStep"]>;
};

/** Runs code that stands at CONTRACT (or, with `to: "create"`, the message's data) in a fresh state. */
export function runCode(
  code: Bytes,
  options: RunOptions = {},
): { readonly outcome: Outcome; readonly state: StateOverlay } {
  const accounts = [
    accountWith({ address: CALLER, balance: CALLER_BALANCE }),
    accountWith({ address: CONTRACT, code }),
    ...(options.accounts ?? []),
  ];
  const state = new StateOverlay(MemoryState.of(accounts));
  state.beginTransaction();
  const context: ExecutionContext = {
    fork: options.fork ?? "osaka",
    block: TEST_BLOCK,
    transaction: { origin: CALLER, gasPrice: 10n, blobVersionedHashes: [] },
    state,
    ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
  };
  const outcome = executeMessage(context, {
    caller: CALLER,
    to: options.to === "create" ? undefined : (options.to ?? CONTRACT),
    value: options.value ?? 0n,
    data: options.data ?? EMPTY_BYTES,
    gas: options.gas ?? 1_000_000n,
  });
  return { outcome, state };
}

/** The gas that code used. */
export function gasOf(code: Bytes, options: RunOptions = {}): bigint {
  const gas = options.gas ?? 1_000_000n;
  return gas - runCode(code, { ...options, gas }).outcome.gasLeft;
}
