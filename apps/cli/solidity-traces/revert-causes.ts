import { OP } from "@ostrom/vm";
import type { Instruction } from "./compiled-code.ts";
import { describeCustomError, hasValidArguments, isErrorString, readPanic } from "./revert-data.ts";
import {
  isCompilerSince,
  type KnownMessage,
  lastReference,
  runs,
  selectedFunction,
} from "./running-message.ts";
import { contains, functionAt, type SolidityFunction } from "./source-file.ts";
import {
  type FailureCause,
  frameAt,
  referenceTo,
  referenceToConstructor,
  referenceToContract,
  referenceToFunction,
  type StackEntry,
} from "./stack-entry.ts";

/** Frames that are open when a message fails. */
export type OpenFrames = {
  readonly stack: readonly StackEntry[];
  /** Where the functions of these frames begin. */
  readonly entries: readonly Instruction[];
  /** It got into one of the contract's functions. */
  readonly isInside: boolean;
};

/** Calls of a zero function pointer jump to code of the compiler's own: its frame says nothing. */
const ZERO_FUNCTION_PANIC = 0x51n;
/** Since this compiler the checks that it adds have the place of the statement that needs them. */
const PLACES_ADDED_CHECKS = [0, 6, 9] as const;
/** These left reverts without a place: solidity issue 9006. */
const LOSES_PLACES_SINCE = [0, 6, 3] as const;
const LOSES_PLACES_UNTIL = [0, 7, 0] as const;

/** Explains a failure by the instruction that ended the message, if it is REVERT or INVALID. */
export function causeInRevert(
  message: KnownMessage,
  last: Instruction,
  open: OpenFrames,
): readonly StackEntry[] | undefined {
  if (last.opcode !== OP.REVERT && last.opcode !== OP.INVALID) return undefined;
  const { trace, code } = message;
  const isPlaced = last.location !== undefined && (open.isInside || trace.kind === "create");
  const failing = last.location === undefined ? undefined : functionAt(last.location);
  const stack =
    isPlaced && failing?.kind === "modifier" ? [...open.stack, frameBefore(message, open)] : open.stack;

  const panic = readPanic(trace.returnData);
  const at = referenceTo(code, last.location) ?? lastReference(message);
  if (panic !== undefined) {
    const kept = stack.at(-1)?.internalCounter === undefined ? stack : stack.slice(0, -1);
    const frames = panic === ZERO_FUNCTION_PANIC ? kept.slice(0, -1) : kept;
    return [...frames, { at, cause: { kind: "panic", code: panic } }];
  }
  if (trace.returnData.length > 0 && !isErrorString(trace.returnData)) {
    const description = describeCustomError(code.contract.abi, trace.returnData);
    return [...stack, { at: at ?? referenceToContract(code), cause: { kind: "custom-error", description } }];
  }
  if (isPlaced) {
    const entry = placedRevert(message, last);
    return entry === undefined ? undefined : [...stack, entry];
  }
  if (last.location === undefined && trace.returnData.length > 0)
    return [...stack, { at: referenceToContract(code), cause: revertOf(message, last) }];
  return undefined;
}

function revertOf({ trace }: KnownMessage, last: Instruction): FailureCause {
  return { kind: "revert", data: trace.returnData, isInvalidOpcode: last.opcode === OP.INVALID };
}

function placedRevert(message: KnownMessage, last: Instruction): StackEntry | undefined {
  const { trace, code } = message;
  const cause = revertOf(message, last);
  const at = referenceTo(code, last.location);
  if (at !== undefined) return { at, cause };
  if (trace.kind === "create") return { at: referenceToConstructor(code), cause };
  const selected = selectedFunction(message);
  return selected === undefined ? undefined : { at: referenceToFunction(code, selected), cause };
}

/** The function that a failing modifier stands before. */
function frameBefore({ code }: KnownMessage, { entries }: OpenFrames): StackEntry {
  const entry = entries.at(-1);
  if (entry !== undefined) return frameAt(code, entry);
  return { at: referenceToConstructor(code), functionKind: "constructor" };
}

/** Explains a call that failed before it got into a function, or in one that the compiler wrote into the entry. */
export function causeBeforeFunction(message: KnownMessage, last: Instruction): StackEntry {
  const { trace, code } = message;
  const { contract } = code;
  const { location } = last;
  const special = [contract.fallback, contract.receive].find(
    (candidate) =>
      candidate !== undefined && location !== undefined && contains(candidate.location, location),
  );
  if (special !== undefined && last.opcode === OP.REVERT)
    return { at: referenceTo(code, location), cause: revertOf(message, last) };
  const failing: SolidityFunction | undefined = location === undefined ? undefined : functionAt(location);
  if (failing !== undefined)
    return { at: referenceToFunction(code, failing), cause: revertOf(message, last) };
  const selected = selectedFunction(message);
  if (selected !== undefined && !hasValidArguments(contract.abi, trace.callData))
    return { at: referenceToFunction(code, selected), cause: { kind: "wrong-arguments" } };
  if (isLostPlace(message, last)) {
    const own = selected ?? contract.fallback ?? contract.receive;
    const at = own === undefined ? referenceToContract(code) : referenceToFunction(code, own);
    return { at, cause: { kind: "unmapped-revert" } };
  }
  return { at: referenceToContract(code), cause: { kind: "unexplained" } };
}

/** A revert of the compilers that gave some of them no place. */
export function isLostPlace({ code }: KnownMessage, last: Instruction): boolean {
  const { compilerVersion } = code.contract;
  return (
    last.opcode === OP.REVERT &&
    isCompilerSince(compilerVersion, LOSES_PLACES_SINCE) &&
    !isCompilerSince(compilerVersion, LOSES_PLACES_UNTIL)
  );
}

/** Tells a revert without data by the check that the compiler wrote before it.
 *
 * The sequences of instructions are those of the compiler's older code generator, without its optimizer. */
export function refineRevert(message: KnownMessage, stack: readonly StackEntry[]): readonly StackEntry[] {
  const entry = stack.at(-1);
  const cause = entry?.cause;
  if (cause?.kind !== "revert" || cause.isInvalidOpcode || cause.data.length > 0) return stack;
  if (!isCompilerSince(message.code.contract.compilerVersion, PLACES_ADDED_CHECKS)) return stack;
  const replaced = (kind: "not-a-contract" | "wrong-arguments"): readonly StackEntry[] => [
    ...stack.slice(0, -1),
    { at: entry?.at, cause: { kind } },
  ];
  if (runs(message, -9, [OP.EXTCODESIZE, OP.ISZERO, OP.DUP1, OP.ISZERO])) return replaced("not-a-contract");
  const isTooShort = runs(message, -7, [OP.LT, OP.ISZERO]);
  const readsCode = runs(message, -20, [OP.CODESIZE]) && runs(message, -15, [OP.CODECOPY]);
  const readsCall = runs(message, -11, [OP.CALLDATASIZE]);
  return isTooShort && (readsCode || readsCall) ? replaced("wrong-arguments") : stack;
}
