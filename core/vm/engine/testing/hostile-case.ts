import { type Address, addressFromHex, type Bytes, EMPTY_BYTES, toHex } from "@ostrom/base";
import { commitState, type GenesisAccount, MemoryState, StateOverlay } from "@ostrom/state";
import { executeMessage } from "../../execute-message.ts";
import type { MessageEngine } from "../../message-engine.ts";
import { accountWith, CALLER, TEST_BLOCK } from "../../testing/run-code.ts";
import type { ExecutionContext, Outcome } from "../../types.ts";
import { type ContractEngine, createContractEngine } from "../contract-engine.ts";

/** A message that somebody means harm with, and the contracts that it finds. */
export type HostileCase = {
  readonly name: string;
  /** Code by address; one object for the same code, as a node has it. */
  readonly contracts: readonly (readonly [Address, Bytes])[];
  /** The first contract unless told; "create" deploys the data. */
  readonly to?: Address | "create";
  readonly data?: Bytes;
  readonly value?: bigint;
  readonly gas: bigint;
};

/** What came of a message: all that anybody can see of it. Faults are told apart by their gas only, because which of several
 * checks fails first is up to an engine. */
export type Observed = Readonly<
  Record<"status" | "output" | "gasLeft" | "created" | "logs" | "refund" | "stateRoot", string>
>;

/** Gas of the largest transaction (EIP-7825). */
export const MOST_GAS: bigint = 2n ** 24n;
/** Nobody has so much: the rules alone stop what has it. */
export const BOUNDLESS_GAS: bigint = 2n ** 46n;

export function hostileAddress(number: number): Address {
  return addressFromHex(`0x${"b0".repeat(18)}${number.toString(16).padStart(4, "0")}`);
}

/** Runs a case in a fresh state. */
export function observeCase(execute: MessageEngine, hostile: HostileCase): Observed {
  const contracts: GenesisAccount[] = hostile.contracts.map(([address, code]) =>
    accountWith({ address, code, balance: 1000n, storage: [{ slot: 1n, value: 7n }] }),
  );
  const before = MemoryState.of([accountWith({ address: CALLER, balance: 10n ** 18n }), ...contracts]);
  const state = new StateOverlay(before);
  state.beginTransaction();
  const context: ExecutionContext = {
    fork: "osaka",
    block: TEST_BLOCK,
    transaction: { origin: CALLER, gasPrice: 10n, blobVersionedHashes: [] },
    state,
  };
  const to = hostile.to === "create" ? undefined : (hostile.to ?? hostile.contracts[0]?.[0]);
  const { data = EMPTY_BYTES, value = 0n, gas } = hostile;
  const outcome = execute(context, { caller: CALLER, to, value, data, gas });
  const logs = state.logs().map((log) => [toHex(log.address), log.topics.map(toHex), toHex(log.data)]);
  const refund = String(state.refund());
  state.endTransaction();
  return {
    ...describe(outcome),
    logs: digest(logs),
    refund,
    stateRoot: toHex(commitState(before, state.changes()).stateRoot),
  };
}

function describe({
  status,
  output,
  gasLeft,
  created,
}: Outcome): Pick<Observed, "status" | "output" | "gasLeft" | "created"> {
  return {
    status,
    output: toHex(output),
    gasLeft: String(gasLeft),
    created: created === undefined ? "" : toHex(created),
  };
}

function digest(logs: unknown): string {
  return JSON.stringify(logs);
}

/** Whoever runs messages, by name: the reference first. */
export function hostileEngines(): ReadonlyMap<string, ContractEngine> {
  return new Map([
    ["tier 0", createContractEngine({ tiers: "tier0" })],
    ["tier 1", createContractEngine({ tiers: "tier1" })],
    ["mixed", createContractEngine({ tiers: "mixed", compileGas: 1 })],
    ["mixed by a seed", createContractEngine({ tiers: "mixed", mixedBySeed: 3 })],
  ]);
}

/** What the reference has against what an engine has, where they differ. */
export function differenceOf(expected: Observed, actual: Observed): string | undefined {
  const differing = (Object.keys(expected) as (keyof Observed)[]).filter(
    (key) => expected[key] !== actual[key],
  );
  if (differing.length === 0) return undefined;
  return differing
    .map((key) => `${key}: ${shorten(expected[key])} in the reference, ${shorten(actual[key])}`)
    .join("; ");
}

function shorten(text: string): string {
  return text.length <= 300 ? text : `${text.slice(0, 300)}... (${text.length})`;
}

export const REFERENCE: MessageEngine = executeMessage;
