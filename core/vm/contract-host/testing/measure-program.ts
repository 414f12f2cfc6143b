import { assert, type Bytes, concatBytes } from "@ostrom/base";
import { MemoryState, StateOverlay } from "@ostrom/state";
import { runFrames, runMessage } from "../../execute-message.ts";
import { createMachine } from "../../machine.ts";
import { accountWith, CALLER, CONTRACT, TEST_BLOCK } from "../../testing/run-code.ts";
import { FUEL_PER_GAS } from "../program-gas.ts";
import { PROGRAM_KINDS } from "../program-kinds.ts";
import {
  CODE_PREFIX,
  KIND_BYTE,
  type ProgramKind,
  type ProgramKindRules,
  type ProgramRunner,
} from "../types.ts";

/** One line of the table. */
export type Calibration = {
  readonly name: string;
  readonly nanosecondsPerGas: number;
  /** What was counted, for people. */
  readonly detail: string;
};

/** Sends a message to a program. @returns the gas that it took. */
export type RunProgram = (data: Bytes) => number;

const GAS = 2n ** 45n;
/** A sample takes about so long: short, so that some are not interrupted even on a machine that is busy. */
const SAMPLE_NS = 4_000_000;
const SAMPLES = 25;

/** How often a loop does what it measures, each time round. */
export const REPETITIONS = 64;

/** A program that stands at CONTRACT, and who runs it. */
export function benchProgram(kind: ProgramKind, program: Bytes, runner: ProgramRunner): RunProgram {
  const code = concatBytes(Uint8Array.of(...CODE_PREFIX, KIND_BYTE[kind]), program);
  const rules: ProgramKindRules = {
    validate: PROGRAM_KINDS[kind].validate,
    runInReference: (machine, frame, entered) =>
      runner(machine, frame, entered, (child) => runFrames(machine, child)),
  };
  const state = new StateOverlay(MemoryState.of([accountWith({ address: CONTRACT, code, balance: 1n })]));
  state.beginTransaction();
  const transaction = { origin: CALLER, gasPrice: 10n, blobVersionedHashes: [] };
  return (data) => {
    const machine = createMachine({ fork: "osaka", block: TEST_BLOCK, transaction, state });
    const programKinds = { webassembly: rules, riscv: rules };
    const message = { caller: CALLER, to: CONTRACT, value: 0n, data, gas: GAS };
    const outcome = runMessage({ ...machine, programKinds }, message);
    assert(outcome.status === "success", `a calibration must succeed: ${outcome.fault}`);
    return Number(GAS - outcome.gasLeft);
  };
}

export type Cost = { readonly ns: number; readonly gas: number };

/** What something costs at best: whatever else the machine does only adds. */
export function leastCost(run: () => number, samples: number = SAMPLES): Cost {
  let least = Number.POSITIVE_INFINITY;
  let gas = 0;
  for (let sample = 0; sample < samples; sample++) {
    const begin = process.hrtime.bigint();
    gas = run();
    least = Math.min(least, Number(process.hrtime.bigint() - begin));
  }
  return { ns: least, gas };
}

/** Nanoseconds per gas of a loop, what surrounds it taken off.
 * @param run a program that goes round as often as its input says, in 4 bytes, little-endian; at least once. */
export function measureLoop(name: string, run: RunProgram): Calibration {
  const costOf = (rounds: number, samples?: number): Cost => {
    const data = new Uint8Array(4);
    new DataView(data.buffer).setUint32(0, rounds, true);
    return leastCost(() => run(data), samples);
  };
  const constant = costOf(1);
  let rounds = 64;
  while (costOf(rounds, 3).ns - constant.ns < SAMPLE_NS / 2) rounds *= 2;
  const whole = costOf(rounds);
  const count = (rounds - 1) * REPETITIONS;
  const [ns, gas] = [(whole.ns - constant.ns) / count, (whole.gas - constant.gas) / count];
  return {
    name,
    nanosecondsPerGas: ns / gas,
    detail: `${ns.toFixed(2)} ns, ${(gas * FUEL_PER_GAS).toFixed(1)} fuel`,
  };
}

/** Nanoseconds per gas of a message as a whole. */
export function measureMessages(name: string, run: RunProgram, messages: number): Calibration {
  const data = new Uint8Array();
  const { ns, gas } = leastCost(() => {
    let total = 0;
    for (let i = 0; i < messages; i++) total += run(data);
    return total;
  });
  return {
    name,
    nanosecondsPerGas: ns / gas,
    detail: `${(ns / messages / 1000).toFixed(1)} us, ${gas / messages} gas`,
  };
}
