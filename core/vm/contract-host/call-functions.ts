import { type Bytes, EMPTY_BYTES, must, ZERO_ADDRESS } from "@ostrom/base";
import { beginCall, type CallName } from "../calls.ts";
import { beginCreate } from "../creates.ts";
import type { Entered } from "../entered.ts";
import { charge, type Frame, gasLeft, type Machine, setGasLeft } from "../frame.ts";
import { GAS } from "../gas-schedule.ts";
import { selfDestruct } from "../self-destruct.ts";
import type { Outcome } from "../types.ts";
import { wordCount } from "../word.ts";
import {
  type Crossing,
  type HostFunctions,
  longOperand,
  numberOperand,
  reaches,
  readAddress,
  readBytes,
  readWordOperand,
} from "./border.ts";
import { CALL_STATUS } from "./host-calls.ts";
import { PROGRAM_GAS } from "./program-gas.ts";
import type { ProgramMemory } from "./types.ts";

/** Messages to other contracts, and the end of this one. */
export const CALL_FUNCTIONS: HostFunctions = {
  call: { gas: GAS.zero, run: (crossing) => call(crossing, "CALL", true) },
  delegate_call: { gas: GAS.zero, run: (crossing) => call(crossing, "DELEGATECALL", false) },
  static_call: { gas: GAS.zero, run: (crossing) => call(crossing, "STATICCALL", false) },
  create: { gas: GAS.create, run: (crossing) => create(crossing, false) },
  create2: { gas: GAS.create, run: (crossing) => create(crossing, true) },
  self_destruct: { gas: GAS.selfDestruct, run: destroy },
};

const ADDRESS_BYTES: number = ZERO_ADDRESS.length;

/** Operands: gas, address, value (if it has one), input, size. */
function call(crossing: Crossing, name: CallName, hasValue: boolean): number {
  const { machine, frame, memory } = crossing;
  const codeAddress = readAddress(crossing, 1);
  if (codeAddress === undefined) return 0;
  const value = hasValue ? readWordOperand(crossing, 2) : 0n;
  if (value === undefined) return 0;
  const inputIndex = hasValue ? 3 : 2;
  const input = carryIn(crossing, inputIndex, inputIndex + 1);
  if (input === undefined) return 0;
  const requestedGas = longOperand(crossing, 0);
  const entered = beginCall(machine, frame, { name, requestedGas, codeAddress, value, input });
  return goOn({ machine, frame, memory }, entered, undefined);
}

/** Operands: value, code, size, salt (if it has one), to. */
function create(crossing: Crossing, isSalted: boolean): number {
  const { machine, frame, memory } = crossing;
  const value = readWordOperand(crossing, 0);
  if (value === undefined) return 0;
  const initCode = carryIn(crossing, 1, 2);
  if (initCode === undefined) return 0;
  const salt = isSalted ? readWordOperand(crossing, 3) : undefined;
  if (isSalted && salt === undefined) return 0;
  const addressTo = numberOperand(crossing, isSalted ? 4 : 3);
  if (!reaches(crossing, addressTo, ADDRESS_BYTES)) return 0;
  return goOn({ machine, frame, memory }, beginCreate(machine, frame, { value, initCode, salt }), addressTo);
}

/** A copy of bytes that a program hands over, charged by the word. */
function carryIn(crossing: Crossing, from: number, size: number): Bytes | undefined {
  const length = numberOperand(crossing, size);
  if (!charge(crossing.frame, PROGRAM_GAS.crossingWord * wordCount(length))) return undefined;
  return readBytes(crossing, numberOperand(crossing, from), length);
}

/** Lets the child run, or takes what came of it at once. */
function goOn(
  { machine, frame, memory }: Pick<Crossing, "machine" | "frame" | "memory">,
  entered: Entered | undefined,
  addressTo: number | undefined,
): number {
  if (entered === undefined) return 0;
  frame.pending = { kind: "host-call", addressTo, outcome: undefined };
  if (entered.kind === "done") return finishHostCall(machine, frame, memory, entered.outcome);
  frame.exit = { kind: "enter", child: entered.frame };
  return 0;
}

/** Gives a program the outcome of the child that it waited for: the gas that is left, what it returned, a new contract's
 * address. The program goes on with what this returns.
 * @returns one of CALL_STATUS. */
export function finishHostCall(
  _machine: Machine,
  frame: Frame,
  memory: ProgramMemory,
  outcome: Outcome,
): number {
  const { pending } = frame;
  const { addressTo } = must(pending?.kind === "host-call" ? pending : undefined, "a program must wait");
  frame.pending = undefined;
  frame.exit = undefined;
  setGasLeft(frame, gasLeft(frame) + outcome.gasLeft);
  // A contract that was created returns nothing: it has become code.
  const isCreated = addressTo !== undefined && outcome.status === "success";
  frame.returnData = isCreated ? EMPTY_BYTES : outcome.output;
  if (addressTo !== undefined) {
    must(memory.write(addressTo, outcome.created ?? ZERO_ADDRESS) || undefined, "memory never shrinks");
  }
  return CALL_STATUS[outcome.status];
}

/** The outcome of the child that a program waited for, if there is one: then the program goes on with
 * `finishHostCall`. */
export function outcomeOfChild({ pending }: Frame): Outcome | undefined {
  return pending?.kind === "host-call" ? pending.outcome : undefined;
}

function destroy(crossing: Crossing): 0 {
  const beneficiary = readAddress(crossing, 0);
  if (beneficiary !== undefined) selfDestruct(crossing.machine, crossing.frame, beneficiary);
  return 0;
}
