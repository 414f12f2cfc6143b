import { equalBytes } from "@ostrom/base";
import { OP } from "@ostrom/vm";
import { causeInCall, causeInMissingContract, causeInUnsentCall, type LastCall } from "./call-causes.ts";
import type { CompiledCode, Instruction } from "./compiled-code.ts";
import { causeAtEntry } from "./entry-causes.ts";
import type { MessageTrace } from "./message-trace.ts";
import {
  causeBeforeFunction,
  causeInRevert,
  isLostPlace,
  type OpenFrames,
  refineRevert,
} from "./revert-causes.ts";
import {
  instructionAtStep,
  type KnownMessage,
  lastInstruction,
  lastReference,
  selectedFunction,
} from "./running-message.ts";
import { frameAt, referenceToConstructor, referenceToFunction, type StackEntry } from "./stack-entry.ts";

/** Finds the source of a message's code. */
export type IdentifyCode = (trace: MessageTrace) => CompiledCode | undefined;

/** Tells in Solidity's terms where and why a failed message failed.
 *
 * @returns the stack, outermost frame first; the last entry has the cause. Empty if the message did not fail. What the
 * optimizer or the newer code generator (viaIR) merged or moved shows as the compiler's source map says.
 * Source: the behaviour of Hardhat's network, which tests compare. */
export function stackTrace(trace: MessageTrace, identify: IdentifyCode): readonly StackEntry[] {
  if (trace.exit === "success") return [];
  if (trace.kind === "precompile")
    return [{ at: undefined, cause: { kind: "precompile", address: trace.codeAddress } }];
  const code = identify(trace);
  if (code === undefined) return unknownStack(trace, identify);
  const message: KnownMessage = { trace, code };
  const atEntry = causeAtEntry(message);
  if (atEntry !== undefined) return [atEntry];
  const open = openFrames(message);
  const found = explain(message, open, lastCall(trace, identify));
  return refineRevert(message, withoutRepeats(startingAtFunction(message, found)));
}

/** Code of no known source: it is blamed, unless it seems to have passed on another's failure. */
function unknownStack(trace: MessageTrace, identify: IdentifyCode): readonly StackEntry[] {
  const unknown = { address: trace.codeAddress };
  const last = trace.steps.findLast((step) => typeof step !== "number");
  if (last !== undefined && last.exit !== "success" && equalBytes(last.returnData, trace.returnData))
    return [{ at: undefined, unknown }, ...stackTrace(last, identify)];
  if (trace.exit === "code-too-large" || trace.exit === "out-of-gas")
    return [{ at: undefined, unknown, cause: { kind: trace.exit } }];
  const isInvalidOpcode = trace.exit === "invalid-opcode";
  return [{ at: undefined, unknown, cause: { kind: "revert", data: trace.returnData, isInvalidOpcode } }];
}

/** Follows the jumps that the compiler marked as calls and returns of functions. */
function openFrames(message: KnownMessage): OpenFrames {
  const { trace, code } = message;
  const stack: StackEntry[] = [];
  const entries: Instruction[] = [];
  let isInside = false;
  for (let at = 0; at < trace.steps.length; at++) {
    const instruction = instructionAtStep(message, at);
    if (instruction === undefined || instruction.jump === "other") continue;
    if (instruction.jump === "out-of-function") {
      stack.pop();
      entries.pop();
      continue;
    }
    const entry = at + 1 < trace.steps.length ? instructionAtStep(message, at + 1) : undefined;
    if (entry?.opcode !== OP.JUMPDEST) continue;
    stack.push(frameAt(code, instruction));
    entries.push(entry);
    if (entry.location !== undefined) isInside = true;
  }
  return { stack, entries, isInside };
}

function lastCall(trace: MessageTrace, identify: IdentifyCode): LastCall | undefined {
  const step = trace.steps.findLastIndex((candidate) => typeof candidate !== "number");
  const sent = trace.steps[step];
  if (sent === undefined || typeof sent === "number") return undefined;
  const code = sent.kind === "precompile" ? undefined : identify(sent);
  return {
    trace: sent,
    step,
    stack: stackTrace(sent, identify),
    isKnown: code !== undefined,
    isLibraryCode: code?.contract.isLibrary === true,
  };
}

function explain(message: KnownMessage, open: OpenFrames, call: LastCall | undefined): readonly StackEntry[] {
  const inCall = call === undefined ? undefined : causeInCall(message, open.stack, call);
  if (inCall !== undefined) return inCall;
  const unsent = causeInUnsentCall(message);
  if (unsent !== undefined) return [...open.stack, unsent];
  const last = lastInstruction(message);
  if (last !== undefined) {
    const reverted = causeInRevert(message, last, open);
    if (reverted !== undefined) return reverted;
    if (message.trace.kind === "call" && !open.isInside) return [causeBeforeFunction(message, last)];
  }
  const missing = causeInMissingContract(message);
  if (missing !== undefined) return [...open.stack, missing];
  if (last !== undefined && isLostPlace(message, last))
    return [...open.stack, { at: lastReference(message), cause: { kind: "unmapped-revert" } }];
  if (message.trace.exit === "code-too-large")
    return [{ at: referenceToConstructor(message.code), cause: { kind: "code-too-large" } }];
  const kind = message.trace.exit === "out-of-gas" ? "out-of-gas" : "unexplained";
  return [...open.stack, { at: lastReference(message), cause: { kind } }];
}

/** A modifier is no place to begin: the function that it stands before comes first. */
function startingAtFunction(message: KnownMessage, stack: readonly StackEntry[]): readonly StackEntry[] {
  const [first] = stack;
  if (first?.functionKind !== "modifier" || first.cause !== undefined) return stack;
  const { trace, code } = message;
  if (trace.kind === "create")
    return [{ at: referenceToConstructor(code), functionKind: "constructor" }, ...stack];
  const { receive, fallback } = code.contract;
  const called = trace.callData.length === 0 ? receive : selectedFunction(message);
  const found = called ?? fallback;
  if (found === undefined) return stack;
  return [{ at: referenceToFunction(code, found), functionKind: found.kind }, ...stack];
}

/** Leaves out frames whose place contains the next one's: a statement of which an expression is called, say. */
function withoutRepeats(stack: readonly StackEntry[]): readonly StackEntry[] {
  return stack.filter((entry, index) => {
    const here = entry.at;
    const next = stack[index + 1];
    const there = next?.at;
    if (here === undefined || next === undefined || there === undefined) return true;
    const afterNext = stack[index + 2];
    // Solidity 0.8.5 and later jump twice for one call whose answer is too short.
    if (
      entry.functionKind !== undefined &&
      afterNext?.cause?.kind === "unexpected-return-size" &&
      isSamePlace(here, afterNext.at)
    )
      return false;
    if (here.function === "constructor" && there.function !== "constructor") return true;
    const isSameKind = kindOf(entry) === kindOf(next);
    const isRecursion = index > 0 && isSameKind && isSamePlace(here, there);
    if (isRecursion) return true;
    return !(here.location.start <= there.location.start && here.location.end >= there.location.end);
  });
}

function kindOf({ cause, internalCounter }: StackEntry): string {
  return cause?.kind ?? (internalCounter === undefined ? "frame" : "internal");
}

function isSamePlace(a: StackEntry["at"], b: StackEntry["at"]): boolean {
  if (a === undefined || b === undefined) return false;
  return a.line === b.line && a.location.start === b.location.start && a.location.end === b.location.end;
}
