import type { Address, Bytes } from "@ostrom/base";
import type { JournaledState } from "@ostrom/state";
import { type BlockContext, executeMessage, type Fork, type Outcome, type PrecompileSet } from "@ostrom/vm";
import { applyGuards } from "./key-authority.ts";
import { SYSTEM_ADDRESS, SYSTEM_CALL_GAS } from "./system-contracts.ts";

/** Where the system's own calls run. */
export type SystemEnvironment = {
  readonly fork: Fork;
  readonly block: BlockContext;
  readonly state: JournaledState;
  /** In place of the fork's own. */
  readonly precompiles?: PrecompileSet;
};

/** Calls a contract from SYSTEM_ADDRESS, in a transaction of its own, outside the block's gas. A call that fails leaves no trace, and the
 * block stands. */
export function systemCall(
  { fork, block, state, precompiles }: SystemEnvironment,
  to: Address,
  data: Bytes,
  gas: bigint = SYSTEM_CALL_GAS,
): Outcome {
  state.beginTransaction();
  const transaction = { origin: SYSTEM_ADDRESS, gasPrice: 0n, blobVersionedHashes: [] };
  const message = { caller: SYSTEM_ADDRESS, to, value: 0n, data, gas };
  const context = { fork, block, transaction, state, ...(precompiles === undefined ? {} : { precompiles }) };
  const outcome = executeMessage(context, message);
  // Anybody may put a proposal of keys in force, a contract that a module calls too.
  applyGuards(state, state.logs());
  state.endTransaction();
  return outcome;
}

/** As `systemCall`, but passes over an account without code. */
export function systemCallIfDeployed(environment: SystemEnvironment, to: Address, data: Bytes): void {
  if (environment.state.code(to).length > 0) systemCall(environment, to, data);
}
