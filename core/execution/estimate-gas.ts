import { EMPTY_BYTES, ok, type Result } from "@ostrom/base";
import { forkRules } from "@ostrom/vm";
import { intrinsicGas } from "./intrinsic-gas.ts";
import {
  affordableGas,
  type CallOutcome,
  forbiddenBy,
  hindranceOf,
  outcomeOf,
  type PreparedSimulation,
  prepareSimulation,
  runSimulation,
  type SimulatedRun,
  type Simulation,
  type SimulationFailure,
} from "./simulate.ts";

export type GasEstimate =
  | { readonly kind: "estimated"; readonly gas: bigint }
  /** What the run comes to with all the gas it may have. */
  | { readonly kind: "failed"; readonly outcome: CallOutcome };

const TRANSFER_GAS = 21_000n;
/** Source: Yellow Paper, G_callstipend. */
const CALL_STIPEND = 2_300n;

/** eth_estimateGas: the smallest gas limit with which the transaction succeeds.
 *
 * A call passes on at most 63/64 of its gas (EIP-150), so what a run used may not be enough for it to get through again;
 * a binary search finds the limit to the last unit. It supposes that more gas never hurts.
 * Errors: those of `simulateCall`, and `execution/not-permitted` if a module forbids the sender's transaction. */
export function estimateGas(simulation: Simulation): Result<GasEstimate, SimulationFailure> {
  const ready = prepareSimulation(simulation);
  if (!ready.ok) return ready;
  const forbidden = forbiddenBy(simulation);
  if (forbidden !== undefined) return forbidden;
  const prepared = ready.value;
  const highest = highestGas(prepared);
  const lowest = intrinsicGas(prepared.message, prepared.fork);
  if (highest < lowest) {
    // Funds are the better explanation where both are short.
    return hindranceOf(prepared, lowest) ?? ok(outOfGas(highest));
  }
  const hindrance = hindranceOf(prepared, highest);
  if (hindrance !== undefined) return hindrance;
  if (isPlainTransfer(prepared) && highest >= TRANSFER_GAS && succeeds(prepared, TRANSFER_GAS)) {
    return ok({ kind: "estimated", gas: TRANSFER_GAS });
  }
  const full = runSimulation(prepared, highest);
  if (full.outcome.status !== "success") return ok({ kind: "failed", outcome: outcomeOf(full) });
  return ok({ kind: "estimated", gas: searchLeast(prepared, full, lowest, highest) });
}

function highestGas({ gasWanted, block, gasCap, fork, message, state }: PreparedSimulation): bigint {
  const asked = gasWanted !== undefined && gasWanted >= TRANSFER_GAS ? gasWanted : block.gasLimit;
  const bounds = [gasCap, forkRules(fork).maxTransactionGas, affordableGas(message, state)];
  return bounds.reduce<bigint>(
    (least, bound) => (bound !== undefined && bound < least ? bound : least),
    asked,
  );
}

function isPlainTransfer({ message, state }: PreparedSimulation): boolean {
  const { to, data, accessList, authorizations } = message;
  const isBare = data.length === 0 && accessList.length === 0 && authorizations.length === 0;
  return isBare && to !== undefined && state.code(to).length === 0;
}

/** @param full the run with `highest`, which succeeded. */
function searchLeast(
  prepared: PreparedSimulation,
  full: SimulatedRun,
  lowest: bigint,
  highest: bigint,
): bigint {
  // Less than what it took before refunds cannot be enough: `fails` is the highest limit known not to be.
  let fails = (full.peakGas > lowest ? full.peakGas : lowest) - 1n;
  let works = highest;
  // Mostly the peak and what one level of calls holds back is enough, which halves the search.
  const likely = ((full.peakGas + CALL_STIPEND) * 64n) / 63n;
  if (likely > fails && likely < works) {
    if (succeeds(prepared, likely)) works = likely;
    else fails = likely;
  }
  while (fails + 1n < works) {
    const halfway = (fails + works) / 2n;
    // Limits are mostly near the low end, because most transactions use little of a block.
    const middle = halfway > 2n * fails ? 2n * fails : halfway;
    if (succeeds(prepared, middle)) works = middle;
    else fails = middle;
  }
  return works;
}

function succeeds(prepared: PreparedSimulation, gas: bigint): boolean {
  return runSimulation(prepared, gas).outcome.status === "success";
}

function outOfGas(gasUsed: bigint): GasEstimate {
  const outcome: CallOutcome = {
    status: "fault",
    faultCode: "vm/out-of-gas",
    fault: "out of gas",
    output: EMPTY_BYTES,
    gasUsed,
  };
  return { kind: "failed", outcome };
}
