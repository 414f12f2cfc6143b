import { type Address, hashFromWord, ok, type Result, toHexDigits } from "@ostrom/base";
import { StateOverlay } from "@ostrom/state";
import { createAddress, precompileAddresses } from "@ostrom/vm";
import {
  type CallOutcome,
  callGas,
  hindranceOf,
  outcomeOf,
  type PreparedSimulation,
  prepareSimulation,
  runSimulation,
  type SimulatedRun,
  type Simulation,
  type SimulationFailure,
} from "./simulate.ts";
import type { AccessListEntry } from "./types.ts";

export type AccessListOutcome = {
  readonly accessList: readonly AccessListEntry[];
  /** Of the last run, with that list. */
  readonly outcome: CallOutcome;
};

/** A list changes what a run costs, and so what it reaches; this many runs settle all but contrived cases. */
const MAX_ROUNDS = 16;

/** eth_createAccessList: all that the transaction touches, and what it comes to when it says so beforehand (EIP-2930).
 * The sender, the recipient, the coinbase and precompiles are warm anyway and appear only with slots.
 * Errors: those of `simulateCall`. */
export function createAccessList(simulation: Simulation): Result<AccessListOutcome, SimulationFailure> {
  let recorder: AccessRecorder | undefined;
  const ready = prepareSimulation(simulation, (below) => {
    recorder = new AccessRecorder(below);
    return recorder;
  });
  if (!ready.ok) return ready;
  const prepared = ready.value;
  const gas = callGas(prepared);
  const warmAnyway = warmAddresses(prepared);
  let accessList = prepared.message.accessList;
  let run: SimulatedRun | undefined;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const priced = { ...prepared, message: { ...prepared.message, accessList } };
    const hindrance = hindranceOf(priced, gas);
    if (hindrance !== undefined) return hindrance;
    run = runSimulation(priced, gas);
    const next = recorder?.accessList(warmAnyway) ?? [];
    if (sizeOf(next) === sizeOf(accessList)) break;
    accessList = next;
  }
  return ok({ accessList, outcome: outcomeOf(run ?? runSimulation(prepared, gas)) });
}
