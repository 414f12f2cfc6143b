import { type Bytes, must, utf8 } from "@ostrom/base";
import { type GenesisAccount, MemoryState, StateOverlay } from "@ostrom/state";
import { runMessage } from "../../execute-message.ts";
import type { Frame, Machine } from "../../frame.ts";
import { gasLeft } from "../../frame.ts";
import { createMachine } from "../../machine.ts";
import { accountWith, CALLER, CALLER_BALANCE, CONTRACT, TEST_BLOCK } from "../../testing/run-code.ts";
import type { ExecutionContext, Fork, Message, Outcome } from "../../types.ts";
import { HOST_CALLS, type HostCallName } from "../host-calls.ts";
import { PAGE_SIZE } from "../program-gas.ts";
import { endProgram, finishHostCall, outcomeOfChild, runHostCall } from "../run-host-call.ts";
import {
  CODE_PREFIX,
  type HostOperands,
  KIND_BYTE,
  type Program,
  type ProgramKindRules,
  type ProgramKinds,
  type ProgramMemory,
} from "../types.ts";

/** A host call that a script makes. */
export type ScriptCall = {
  readonly name: HostCallName;
  /** In place of the name's. */
  readonly number?: number;
  readonly operands: HostOperands;
};

/** A program in JavaScript, for tests of what surrounds programs: it yields host calls and gets their results; what it
 * returns is its exit status. Nothing but its host calls costs gas. */
export type Script = (memory: Uint8Array, frame: Frame) => Generator<ScriptCall, number, number | bigint>;

export function hostCall(name: HostCallName, ...operands: HostOperands): ScriptCall {
  return { name, operands };
}

/** What each host call of the scripts cost, those of all frames in the order in which they ended. */
export type ScriptCost = { readonly name: HostCallName; readonly gas: bigint };

/** A kind of program whose bytes name a script. */
export class ScriptedKind implements ProgramKindRules {
  readonly costs: ScriptCost[] = [];
  readonly #scripts: Script[] = [];
  readonly #waiting = new WeakMap<Frame, WaitingScript>();

  /** Code that runs a script in calls, and in its deployment if it is deployed. */
  program(script: Script): Bytes {
    return utf8(`script ${this.#scripts.push(script) - 1}`);
  }

  /** As it is when it has been deployed. */
  code(script: Script): Bytes {
    return Uint8Array.of(...CODE_PREFIX, KIND_BYTE.webassembly, ...this.program(script));
  }

  readonly validate: ProgramKindRules["validate"] = (bytes) =>
    this.#find(bytes) === undefined ? { ok: false, reason: "there is no such script" } : { ok: true };

  #find(bytes: Bytes): Script | undefined {
    const [, index] = new TextDecoder().decode(bytes).match(/^script (\d+)$/) ?? [];
    return index === undefined ? undefined : this.#scripts[Number(index)];
  }

  readonly runInReference: ProgramKindRules["runInReference"] = (machine, frame, program) => {
    const script = this.#waiting.get(frame) ?? this.#begin(frame, program);
    const outcome = outcomeOfChild(frame);
    let step: IteratorResult<ScriptCall, number>;
    if (outcome === undefined) step = script.generator.next();
    else step = script.generator.next(this.#finish(machine, frame, script, outcome));
    while (step.done !== true) {
      const { name, operands } = step.value;
      const before = gasLeft(frame);
      const number = step.value.number ?? numberOf(name);
      const result = runHostCall(machine, frame, script.memory, number, operands);
      if (frame.exit?.kind === "enter") {
        script.calling = { name, before };
        return;
      }
      this.costs.push({ name, gas: before - gasLeft(frame) });
      if (frame.exit !== undefined) return;
      step = script.generator.next(result);
    }
    endProgram(frame, step.value);
  };

  #begin(frame: Frame, program: Program): WaitingScript {
    const bytes = new Uint8Array(PAGE_SIZE);
    const script = must(this.#find(program.bytes), "a program that runs is valid");
    const made = { memory: memoryOf(bytes), generator: script(bytes, frame), calling: undefined };
    this.#waiting.set(frame, made);
    return made;
  }

  #finish(machine: Machine, frame: Frame, script: WaitingScript, outcome: Outcome): number {
    const { name, before } = must(script.calling, "a script that goes on has called");
    const status = finishHostCall(machine, frame, script.memory, outcome);
    this.costs.push({ name, gas: before - gasLeft(frame) });
    return status;
  }
}

function numberOf(name: HostCallName): number {
  const call = HOST_CALLS.find((candidate) => candidate.name === name);
  return must(call, "a script names a host call").number;
}

type WaitingScript = {
  readonly memory: ProgramMemory;
  readonly generator: Generator<ScriptCall, number, number | bigint>;
  calling: { readonly name: HostCallName; readonly before: bigint } | undefined;
};

function memoryOf(bytes: Uint8Array): ProgramMemory {
  return {
    read: (from, size) => (from + size <= bytes.length ? bytes.subarray(from, from + size) : undefined),
    write: (to, written) => {
      if (to + written.length > bytes.length) return false;
      bytes.set(written, to);
      return true;
    },
  };
}

export type ScriptedRun = Partial<Omit<Message, "to">> & {
  readonly to?: Message["to"] | "create";
  readonly fork?: Fork;
  readonly accounts?: readonly GenesisAccount[];
  readonly onStep?: NonNullable<ExecutionContext["onStep"]>;
};

/** Runs a message in a fresh state in which CONTRACT has the code, with scripts as the programs in WebAssembly. */
export function runScripted(
  kind: ScriptedKind,
  code: Bytes,
  options: ScriptedRun = {},
): { readonly outcome: Outcome; readonly state: StateOverlay } {
  const accounts = [
    accountWith({ address: CALLER, balance: CALLER_BALANCE }),
    accountWith({ address: CONTRACT, balance: CALLER_BALANCE, code }),
    ...(options.accounts ?? []),
  ];
  const state = new StateOverlay(MemoryState.of(accounts));
  state.beginTransaction();
  state.warmAddress(CALLER);
  state.warmAddress(CONTRACT);
  const context: ExecutionContext = {
    fork: options.fork ?? "osaka",
    block: TEST_BLOCK,
    transaction: { origin: CALLER, gasPrice: 10n, blobVersionedHashes: [] },
    state,
    ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
  };
  const programKinds: ProgramKinds = { webassembly: kind, riscv: kind };
  const outcome = runMessage(
    { ...createMachine(context), programKinds },
    {
      caller: CALLER,
      to: options.to === "create" ? undefined : (options.to ?? CONTRACT),
      value: options.value ?? 0n,
      data: options.data ?? new Uint8Array(),
      gas: options.gas ?? 10_000_000n,
    },
  );
  return { outcome, state };
}
