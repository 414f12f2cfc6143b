import type { Result } from "@ostrom/base";
import type { CallOutcome } from "@ostrom/execution";
import type { AccessListOutcome, Executor, GasEstimate, Simulation, SimulationFailure } from "./backend.ts";
import type { RpcLimits } from "./limits.ts";
import { busy } from "./rpc-error.ts";

/** The executor behind a gate: some simulations at once, some waiting in line, the rest refused, so that a flood of
 * eth_call costs bounded memory. Throws -32005 when the line is full. */
export type SimulationQueue = {
  readonly call: (simulation: Simulation) => Promise<Result<CallOutcome, SimulationFailure>>;
  readonly estimateGas: (simulation: Simulation) => Promise<Result<GasEstimate, SimulationFailure>>;
  readonly createAccessList: (
    simulation: Simulation,
  ) => Promise<Result<AccessListOutcome, SimulationFailure>>;
};

/** How long a full line takes to move on, about. */
const BUSY_RETRY_MS = 500;

export function createSimulationQueue(
  executor: Executor,
  limits: Pick<RpcLimits, "concurrentSimulations" | "waitingSimulations">,
): SimulationQueue {
  let running = 0;
  let line: (() => void)[] = [];
  let served = 0;

  const enter = (): Promise<void> | undefined => {
    if (running < limits.concurrentSimulations) {
      running++;
      return undefined;
    }
    if (line.length - served >= limits.waitingSimulations) {
      throw busy("too many simulations are waiting: try again later", BUSY_RETRY_MS);
    }
    return new Promise((resolve) => line.push(resolve));
  };
  const leave = (): void => {
    const next = line[served];
    if (next === undefined) {
      running--;
      return;
    }
    served++;
    // The line is cut when half of it is served, so that leaving is cheap on average and memory is given back.
    if (served * 2 > line.length) {
      line = line.slice(served);
      served = 0;
    }
    next();
  };
  const gated =
    <T>(run: (simulation: Simulation) => Promise<T>) =>
    async (simulation: Simulation): Promise<T> => {
      await enter();
      try {
        return await run(simulation);
      } finally {
        leave();
      }
    };

  return {
    call: gated(executor.call),
    estimateGas: gated(executor.estimateGas),
    createAccessList: gated(executor.createAccessList),
  };
}
