import { type Bytes, concatBytes, toHex } from "@ostrom/base";
import { commitState, type GenesisAccount, MemoryState, StateOverlay } from "@ostrom/state";
import {
  CODE_PREFIX,
  KIND_BYTE,
  type ProgramKindRules,
  type ReferenceRunner,
} from "../../contract-host/types.ts";
import { runFrames, runMessage } from "../../execute-message.ts";
import { createMachine } from "../../machine.ts";
import { accountWith, CALLER, CONTRACT, OTHER, TEST_BLOCK } from "../../testing/run-code.ts";
import type { Outcome } from "../../types.ts";
import { createRiscvRunner, runRiscvInReference, type TierOptions, validateRiscv } from "../index.ts";

/** Runs messages that reach programs. */
export type ProgramEngine = { readonly name: string; readonly run: ReferenceRunner };

export const REFERENCE: ProgramEngine = { name: "reference", run: runRiscvInReference };

/** One runner for all messages, as a node has it. Children run in it too. */
export function tiers(options: TierOptions): ProgramEngine {
  const runner = createRiscvRunner(options);
  return {
    name: options.tiers ?? "mixed",
    run: (machine, frame, program) => runner(machine, frame, program, (child) => runFrames(machine, child)),
  };
}

export type ProgramRun = {
  readonly input?: Bytes;
  readonly gas?: bigint;
  readonly otherFile?: Bytes;
};

/** Deployed code; one object for one file, so that engines know it again. */
const deployed = new WeakMap<Bytes, Bytes>();

export function deployedCode(file: Bytes): Bytes {
  let code = deployed.get(file);
  if (code === undefined) {
    code = concatBytes(Uint8Array.of(...CODE_PREFIX, KIND_BYTE.riscv), file);
    deployed.set(file, code);
  }
  return code;
}

/** Calls a program that stands at CONTRACT; another may stand at OTHER. */
export function runProgram(
  engine: ProgramEngine,
  file: Bytes,
  { input = new Uint8Array(), gas = 10_000_000n, otherFile }: ProgramRun = {},
): { readonly outcome: Outcome; readonly state: StateOverlay; readonly before: MemoryState } {
  const accounts: GenesisAccount[] = [
    accountWith({ address: CALLER, balance: 10n ** 18n }),
    accountWith({ address: CONTRACT, balance: 1000n, code: deployedCode(file) }),
    accountWith({
      address: OTHER,
      code: otherFile === undefined ? new Uint8Array() : deployedCode(otherFile),
    }),
  ];
  const before = MemoryState.of(accounts);
  const state = new StateOverlay(before);
  state.beginTransaction();
  const machine = createMachine({
    fork: "osaka",
    block: TEST_BLOCK,
    transaction: { origin: CALLER, gasPrice: 10n, blobVersionedHashes: [] },
    state,
  });
  const rules: ProgramKindRules = { validate: validateRiscv, runInReference: engine.run };
  const outcome = runMessage(
    { ...machine, programKinds: { ...machine.programKinds, riscv: rules } },
    { caller: CALLER, to: CONTRACT, value: 0n, data: input, gas },
  );
  return { outcome, state, before };
}

/** All that a message leaves, as text. Which of several faults a block has is up to an engine: all take all gas. */
export function observe(engine: ProgramEngine, file: Bytes, run: ProgramRun = {}): string {
  const { outcome, state, before } = runProgram(engine, file, run);
  const logs = state.logs().map((log) => [toHex(log.address), log.topics.map(toHex), toHex(log.data)]);
  state.endTransaction();
  return JSON.stringify([
    outcome.status,
    String(outcome.gasLeft),
    toHex(outcome.output),
    logs,
    toHex(commitState(before, state.changes()).stateRoot),
  ]);
}
