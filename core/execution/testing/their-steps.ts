import type { Scenario } from "../../../tools/vectors/scenario.ts";
import { runInTheirVm } from "../../../tools/vectors/their-vm.ts";

/** A step as @ethereumjs/vm tells of it. */
export type TheirStep = {
  readonly programCounter: number;
  readonly opcode: number;
  /** Before it runs. */
  readonly gasLeft: bigint;
  /** 1 for the transaction's own message. */
  readonly depth: number;
  readonly stack: readonly bigint[];
};

/** Runs a scenario's transaction in @ethereumjs/vm. @returns its steps; none if it is refused. */
export async function observeTheirSteps(scenario: Scenario): Promise<readonly TheirStep[]> {
  const steps: TheirStep[] = [];
  const { ran } = await runInTheirVm(scenario, ({ evm }) => {
    evm.events?.on("step", ({ pc, opcode, gasLeft, depth, stack }) => {
      steps.push({ programCounter: pc, opcode: opcode.code, gasLeft, depth: depth + 1, stack: [...stack] });
    });
  });
  return ran === undefined ? [] : steps;
}
