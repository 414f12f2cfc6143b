import { type Address, addressFromWord, type Bytes } from "@ostrom/base";
import { chargeAccountAccess } from "./access.ts";
import { codeToRun } from "./delegation.ts";
import { type CallRequest, type Entered, enterCall } from "./enter.ts";
import {
  charge,
  claimMemory,
  type Frame,
  gasLeft,
  type Machine,
  mayChangeState,
  setGasLeft,
} from "./frame.ts";
import { CALL_GAS_DIVISOR, GAS } from "./gas-schedule.ts";
import type { Instruction } from "./instruction.ts";
import { resume } from "./leave.ts";
import { viewMemory } from "./memory.ts";
import { tellCall, tellIfDone } from "./observe.ts";

/** The four kinds of message call.
 * Sources: Yellow Paper, appendix H.2; EIP-7 (DELEGATECALL), 150 (gas passed on), 161 (new accounts), 211, 214
 * (STATICCALL), 2929 (warm and cold), 7702 (delegated code). */
export const CALLS: readonly Instruction[] = [
  callInstruction(0xf1, "CALL", true),
  callInstruction(0xf2, "CALLCODE", true),
  callInstruction(0xf4, "DELEGATECALL", false),
  callInstruction(0xfa, "STATICCALL", false),
];

export type CallName = "CALL" | "CALLCODE" | "DELEGATECALL" | "STATICCALL";

/** A message call as an instruction names it. */
export type CallOperands = {
  readonly name: CallName;
  /** More than may be passed on means all that may. */
  readonly requestedGas: bigint;
  readonly codeAddress: Address;
  /** 0 for those that name none. */
  readonly value: bigint;
  /** Must not change until the call has ended. */
  readonly input: Bytes;
};

function callInstruction(opcode: number, name: CallName, hasValue: boolean): Instruction {
  const run = (machine: Machine, frame: Frame): void => call(machine, frame, name, hasValue);
  // The whole charge depends on operands and state.
  return { opcode, name, gas: GAS.zero, pops: hasValue ? 7 : 6, pushes: 1, run };
}

function call(machine: Machine, frame: Frame, name: CallName, hasValue: boolean): void {
  const { stack, memory } = frame;
  const requestedGas = stack.pop()!;
  const codeAddress = addressFromWord(stack.pop()!);
  const value = hasValue ? stack.pop()! : 0n;
  const inputOffset = stack.pop()!;
  const inputSize = stack.pop()!;
  const outputOffset = stack.pop()!;
  const outputSize = stack.pop()!;
  if (!claimMemory(frame, inputOffset, inputSize) || !claimMemory(frame, outputOffset, outputSize)) return;
  // Not copied: gas does not pay for it. The frame waits while anybody reads it.
  const input = viewMemory(memory, inputOffset, inputSize);
  const entered = beginCall(machine, frame, { name, requestedGas, codeAddress, value, input });
  if (entered === undefined) return;
  frame.pending = { kind: "call", outputOffset: Number(outputOffset), outputSize: Number(outputSize) };
  if (entered.kind === "frame") frame.exit = { kind: "enter", child: entered.frame };
  else resume(frame, entered.outcome);
}

/** Charges for a message call, memory apart, and begins it.
 * @returns undefined if the frame may not call or does not have the gas: then the frame has ended. */
export function beginCall(machine: Machine, frame: Frame, operands: CallOperands): Entered | undefined {
  const { name, requestedGas, codeAddress, value, input } = operands;
  if (name === "CALL" && value > 0n && !mayChangeState(frame)) return undefined;
  if (!chargeAccountAccess(machine, frame, codeAddress)) return undefined;
  const { code, delegate } = codeToRun(machine.context.state, codeAddress, machine.rules.delegation);
  if (delegate !== undefined && !chargeAccountAccess(machine, frame, delegate)) return undefined;
  if (value > 0n && !charge(frame, valueGas(machine, name, codeAddress))) return undefined;

  const gas = passOnGas(frame, requestedGas) + (value > 0n ? BigInt(GAS.callStipend) : 0n);
  const request: CallRequest = {
    ...partiesOf(frame, name, codeAddress, value),
    codeAddress,
    code,
    input,
    gas,
    isStatic: frame.isStatic || name === "STATICCALL",
    depth: frame.depth + 1,
  };
  tellCall(machine, frame, name, request);
  return tellIfDone(machine, enterCall(machine, request));
}

/** What giving value costs; a new account costs more (EIP-161: an empty one is as good as none). CALLCODE gives to the
 * caller itself. */
function valueGas(machine: Machine, name: CallName, recipient: Address): number {
  const isNew = name === "CALL" && machine.context.state.isEmpty(recipient);
  return GAS.callValue + (isNew ? GAS.newAccount : 0);
}

/** Takes from the frame what a call asked for, but no more than all but a 64th of what is left (EIP-150).
 * @returns what it took. */
export function passOnGas(frame: Frame, requested: bigint): bigint {
  const left = gasLeft(frame);
  const most = left - left / CALL_GAS_DIVISOR;
  const passed = requested < most ? requested : most;
  setGasLeft(frame, left - passed);
  return passed;
}

function partiesOf(
  frame: Frame,
  name: CallName,
  codeAddress: Address,
  value: bigint,
): Pick<CallRequest, "caller" | "address" | "value" | "transfersValue"> {
  switch (name) {
    case "CALL":
    case "STATICCALL":
      return { caller: frame.address, address: codeAddress, value, transfersValue: true };
    case "CALLCODE":
      return { caller: frame.address, address: frame.address, value, transfersValue: true };
    case "DELEGATECALL":
      return { caller: frame.caller, address: frame.address, value: frame.value, transfersValue: false };
    default:
      return name satisfies never;
  }
}
