import { describeOpcode, type Fork, type Step } from "@ostrom/vm";
import { readStateTests } from "./state-test-format.ts";
import { runStateTestCase, type StateTestFailure } from "./state-tests.ts";

/** Runs a case that failed once more and writes each instruction as a line of JSON.
 * Source: EIP-3155, as far as our steps tell it. */
export function traceFailure(path: string, failure: StateTestFailure, write: (line: string) => void): void {
  for (const test of readStateTests(path, [failure.fork]) ?? []) {
    if (test.name !== failure.test) continue;
    for (const testCase of test.cases) {
      if (testCase.index === failure.index)
        runStateTestCase(test, testCase, (step) => write(traceLine(step, failure.fork)));
    }
  }
}

function traceLine(step: Step, fork: Fork): string {
  return JSON.stringify({
    pc: step.programCounter,
    op: step.opcode,
    opName: describeOpcode(step.opcode, fork),
    gas: `0x${step.gasLeft.toString(16)}`,
    depth: step.depth,
    stack: step.stack.map((word) => `0x${word.toString(16)}`),
  });
}
