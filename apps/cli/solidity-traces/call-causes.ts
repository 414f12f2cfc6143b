import { equalBytes } from "@ostrom/base";
import { OP } from "@ostrom/vm";
import type { MessageTrace } from "./message-trace.ts";
import {
  instructionAtStep,
  type KnownMessage,
  lastInstruction,
  lastPlacedStep,
  lastReference,
  staysAt,
} from "./running-message.ts";
import { frameAt, referenceTo, type StackEntry } from "./stack-entry.ts";

/** The last message that a failed message sent, with its own stack if it failed too. */
export type LastCall = {
  readonly trace: MessageTrace;
  readonly step: number;
  readonly stack: readonly StackEntry[];
  readonly isLibraryCode: boolean;
  readonly isKnown: boolean;
};

/** Explains a failure by the last message sent: it failed and the failure was passed on, or it answered what the caller
 * could not read.
 * @param stack the frames so far. @returns undefined if the message is not to blame. */
export function causeInCall(
  message: KnownMessage,
  stack: readonly StackEntry[],
  call: LastCall,
): readonly StackEntry[] | undefined {
  const sender = instructionAtStep(message, call.step - 1);
  if (sender === undefined) return undefined;
  const frame = frameAt(message.code, sender);
  if (call.trace.exit === "success") {
    if (!failsRightAfter(message, call.step)) return undefined;
    return [...stack, { at: frame.at, cause: { kind: "unexpected-return-size" } }];
  }
  if (!isPassedOn(message, call) && !isPassedOnByProxy(message, call)) return undefined;
  const whole = [...stack, frame, ...call.stack];
  if (!hasRunOutOfGas(message, call)) return whole;
  return [...whole.slice(0, -1), { at: whole.at(-1)?.at, cause: { kind: "call-out-of-gas" } }];
}

function isPassedOn(message: KnownMessage, { trace, step }: LastCall): boolean {
  const own = message.trace;
  if (!equalBytes(own.returnData, trace.returnData)) return false;
  if (own.exit === "out-of-gas" && trace.exit === "out-of-gas") return true;
  // Equal and not empty: nobody makes the same data twice.
  return own.returnData.length > 0 || failsRightAfter(message, step);
}

/** A proxy's assembly: after its delegated call nothing runs but what hands the answer on. */
function isPassedOnByProxy(message: KnownMessage, call: LastCall): boolean {
  const { trace } = message;
  if (trace.kind !== "call" || !call.isKnown || call.isLibraryCode) return false;
  if (instructionAtStep(message, call.step - 1)?.opcode !== OP.DELEGATECALL) return false;
  if (!equalBytes(trace.returnData, call.trace.returnData)) return false;
  for (let at = call.step + 1; at < trace.steps.length; at++) {
    const instruction = instructionAtStep(message, at);
    if (instruction?.location === undefined || instruction.jump !== "other") return false;
  }
  return lastInstruction(message)?.opcode === OP.REVERT;
}

function hasRunOutOfGas(message: KnownMessage, call: LastCall): boolean {
  const { returnData, exit } = message.trace;
  if (returnData.length > 0 || exit !== "revert" || call.trace.exit !== "out-of-gas") return false;
  return failsRightAfter(message, call.step);
}

function failsRightAfter(message: KnownMessage, callStep: number): boolean {
  const location = instructionAtStep(message, callStep - 1)?.location;
  if (location === undefined || lastInstruction(message)?.opcode !== OP.REVERT) return false;
  return staysAt(message, callStep + 1, location);
}

/** A call instruction that sent nothing, because the balance or the depth forbade it, after which the statement failed. */
export function causeInUnsentCall(message: KnownMessage): StackEntry | undefined {
  const { steps } = message.trace;
  for (let at = steps.length - 2; at >= 0; at--) {
    const instruction = instructionAtStep(message, at);
    if (instruction === undefined) return undefined;
    const { opcode, location } = instruction;
    const isCall =
      opcode === OP.CALL || opcode === OP.STATICCALL || opcode === OP.CREATE || opcode === OP.CREATE2;
    if (!isCall || typeof steps[at + 1] !== "number" || location === undefined) continue;
    if (staysAt(message, at, location))
      return { at: referenceTo(message.code, location), cause: { kind: "call-failed" } };
  }
  return undefined;
}

/** The check before a call that somebody is there. */
export function causeInMissingContract(message: KnownMessage): StackEntry | undefined {
  const last = lastPlacedStep(message);
  if (last === undefined || last === 0) return undefined;
  const isCheck =
    instructionAtStep(message, last)?.opcode === OP.ISZERO &&
    instructionAtStep(message, last - 1)?.opcode === OP.EXTCODESIZE;
  return isCheck ? { at: lastReference(message), cause: { kind: "not-a-contract" } } : undefined;
}
