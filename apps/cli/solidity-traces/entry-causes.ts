import { OP } from "@ostrom/vm";
import {
  instructionAtStep,
  isCompilerSince,
  type KnownMessage,
  lastInstruction,
  selectedFunction,
} from "./running-message.ts";
import { isSameLocation } from "./source-file.ts";
import {
  type FailureCause,
  referenceToConstructor,
  referenceToContract,
  referenceToFunction,
  type SourceReference,
  type StackEntry,
} from "./stack-entry.ts";

/** The first compiler whose constructors check their arguments. */
const CHECKS_CONSTRUCTOR_ARGUMENTS = [0, 5, 9] as const;
/** The first compiler with receive functions. */
const HAS_RECEIVE = [0, 6, 0] as const;

/** Whether a failed message was refused at its contract's door, by code that the compiler adds: its value, its selector or
 * its arguments did not fit.
 * @returns undefined if it went inside. */
export function causeAtEntry(message: KnownMessage): StackEntry | undefined {
  return message.trace.kind === "create" ? causeAtConstructor(message) : causeAtCall(message);
}

function causeAtConstructor(message: KnownMessage): StackEntry | undefined {
  const { trace, code } = message;
  const own = code.contract.constructorFunction;
  if (trace.returnData.length > 0 || own === undefined) return undefined;
  const at = referenceToConstructor(code);
  if (trace.value > 0n && !own.isPayable)
    return { at, cause: { kind: "function-not-payable", value: trace.value } };
  return hasWrongConstructorArguments(message) ? { at, cause: { kind: "wrong-arguments" } } : undefined;
}

/** It read the size of its code, where the arguments are, and gave up before any statement. */
function hasWrongConstructorArguments(message: KnownMessage): boolean {
  const { contract } = message.code;
  if (!isCompilerSince(contract.compilerVersion, CHECKS_CONSTRUCTOR_ARGUMENTS)) return false;
  const last = lastInstruction(message);
  if (last?.opcode !== OP.REVERT || last.location !== undefined) return false;
  let hasReadCodeSize = false;
  for (let at = 0; at < message.trace.steps.length; at++) {
    const instruction = instructionAtStep(message, at);
    if (instruction === undefined) return false;
    const { location, opcode } = instruction;
    const own = contract.constructorFunction?.location;
    const isOutside = location === undefined || isSameLocation(location, contract.location);
    if (!isOutside && (own === undefined || !isSameLocation(location, own))) return false;
    if (opcode === OP.CODESIZE) hasReadCodeSize = true;
  }
  return hasReadCodeSize;
}

function causeAtCall(message: KnownMessage): StackEntry | undefined {
  const { trace, code } = message;
  const { contract } = code;
  const selected = selectedFunction(message);
  if (contract.isLibrary && trace.depth === 0) {
    const at = selected === undefined ? referenceToContract(code) : referenceToFunction(code, selected);
    return { at, cause: { kind: "direct-library-call" } };
  }
  if (trace.returnData.length > 0) return undefined;
  const { value } = trace;
  if (selected !== undefined) {
    if (value === 0n || contract.isLibrary || selected.isPayable) return undefined;
    return { at: referenceToFunction(code, selected), cause: { kind: "function-not-payable", value } };
  }
  const isEmpty = trace.callData.length === 0;
  if (isEmpty && contract.receive !== undefined) return undefined;
  const couldReceive = isEmpty && isCompilerSince(contract.compilerVersion, HAS_RECEIVE);
  if (contract.fallback === undefined) {
    const at = unknownFunction(referenceToContract(code));
    return { at, cause: { kind: couldReceive ? "no-fallback-nor-receive" : "unknown-selector" } };
  }
  if (value === 0n || contract.fallback.isPayable) return undefined;
  const kind: FailureCause["kind"] = couldReceive
    ? "fallback-not-payable-no-receive"
    : "fallback-not-payable";
  return { at: referenceToFunction(code, contract.fallback), cause: { kind, value } };
}

function unknownFunction(at: SourceReference): SourceReference {
  return { ...at, function: "<unrecognized-selector>" };
}
