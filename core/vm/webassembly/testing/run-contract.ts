import { type Address, type Bytes, concatBytes, EMPTY_BYTES } from "@ostrom/base";
import { type GenesisAccount, MemoryState, StateOverlay } from "@ostrom/state";
import {
  CODE_PREFIX,
  KIND_BYTE,
  type ProgramKindRules,
  type ProgramRunner,
} from "../../contract-host/types.ts";
import { runFrames, runMessage } from "../../execute-message.ts";
import { createMachine } from "../../machine.ts";
import { accountWith, CALLER, CALLER_BALANCE, CONTRACT, TEST_BLOCK } from "../../testing/run-code.ts";
import type { ExecutionContext, Outcome } from "../../types.ts";
import { createWebAssemblyRunner, runWebAssemblyInReference, validateWebAssembly } from "../index.ts";

/** Who runs contracts in WebAssembly. */
export type RunBy = "reference" | "v8";

export type ContractRun = {
  readonly by: RunBy;
  readonly gas?: bigint;
  readonly data?: Bytes;
  readonly to?: Address | "create";
  readonly value?: bigint;
  readonly accounts?: readonly GenesisAccount[];
  /** Keeps what it compiled; a new one for each run otherwise. */
  readonly runner?: ProgramRunner;
};

/** A module as deployed code. */
export function contractCode(module: Bytes): Bytes {
  return concatBytes(Uint8Array.of(...CODE_PREFIX, KIND_BYTE.webassembly), module);
}

/** Code that an engine may be given several times, as state gives it: one object. */
export type Deployed = Bytes;

/** Sends a message to a contract at CONTRACT in a fresh state. Frames of the EVM run in the reference in either case. */
export function runContract(
  code: Deployed,
  {
    by,
    gas = 10_000_000n,
    data = EMPTY_BYTES,
    to = CONTRACT,
    value = 0n,
    accounts = [],
    runner,
  }: ContractRun,
): { readonly outcome: Outcome; readonly state: StateOverlay } {
  const state = new StateOverlay(
    MemoryState.of([
      accountWith({ address: CALLER, balance: CALLER_BALANCE }),
      accountWith({ address: CONTRACT, code }),
      ...accounts,
    ]),
  );
  state.beginTransaction();
  const context: ExecutionContext = {
    fork: "osaka",
    block: TEST_BLOCK,
    transaction: { origin: CALLER, gasPrice: 10n, blobVersionedHashes: [] },
    state,
  };
  const rules: ProgramKindRules = {
    validate: validateWebAssembly,
    runInReference:
      by === "reference" ? runWebAssemblyInReference : asReference(runner ?? createWebAssemblyRunner()),
  };
  const machine = createMachine(context);
  const outcome = runMessage(
    { ...machine, programKinds: { ...machine.programKinds, webassembly: rules } },
    { caller: CALLER, to: to === "create" ? undefined : to, value, data, gas },
  );
  return { outcome, state };
}

function asReference(runner: ProgramRunner): ProgramKindRules["runInReference"] {
  return (machine, frame, program) => {
    runner(machine, frame, program, (child) => runFrames(machine, child));
  };
}
