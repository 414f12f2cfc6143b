import { toHex } from "@ostrom/base";
import type { CompiledCode, Instruction } from "./compiled-code.ts";
import type { MessageTrace } from "./message-trace.ts";
import { isSameLocation, type SolidityFunction, type SourceLocation } from "./source-file.ts";
import { referenceTo, type SourceReference } from "./stack-entry.ts";

/** A message whose code is known: the questions that finding a cause asks of it. */
export type KnownMessage = { readonly trace: MessageTrace; readonly code: CompiledCode };

const SELECTOR_LENGTH = 4;

/** The function that the call data selects. */
export function selectedFunction({ trace, code }: KnownMessage): SolidityFunction | undefined {
  return code.contract.functions.get(toHex(trace.callData.subarray(0, SELECTOR_LENGTH)).slice(2));
}

/** The instruction of a step; undefined if the step is a message, or out of what the compiler maps.
 * @param at from the end if negative. */
export function instructionAtStep({ trace, code }: KnownMessage, at: number): Instruction | undefined {
  const step = trace.steps.at(at);
  return typeof step === "number" ? code.instructionAt(step) : undefined;
}

export function lastInstruction(message: KnownMessage): Instruction | undefined {
  return instructionAtStep(message, -1);
}

/** Whether nothing but this place (or code of no place) ran from a step on, and no message was sent. */
export function staysAt(message: KnownMessage, fromStep: number, location: SourceLocation): boolean {
  const { steps } = message.trace;
  for (let at = steps.length - 1; at >= fromStep; at--) {
    if (typeof steps[at] !== "number") return false;
    const found = instructionAtStep(message, at)?.location;
    if (found !== undefined && !isSameLocation(found, location)) return false;
  }
  return true;
}

/** The last place inside of a function that ran. */
export function lastReference(message: KnownMessage): SourceReference | undefined {
  for (let at = message.trace.steps.length - 1; at >= 0; at--) {
    const found = referenceTo(message.code, instructionAtStep(message, at)?.location);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The step of the last instruction that has a place; undefined if a message came after it. */
export function lastPlacedStep(message: KnownMessage): number | undefined {
  const { steps } = message.trace;
  for (let at = steps.length - 1; at >= 0; at--) {
    if (typeof steps[at] !== "number") return undefined;
    if (instructionAtStep(message, at)?.location !== undefined) return at;
  }
  return undefined;
}

/** Whether the instructions from a step on are these.
 * @param at from the end if negative. */
export function runs(message: KnownMessage, at: number, opcodes: readonly number[]): boolean {
  const from = at < 0 ? message.trace.steps.length + at : at;
  if (from < 0) return false;
  return opcodes.every((opcode, offset) => instructionAtStep(message, from + offset)?.opcode === opcode);
}

const VERSION = /^(\d+)\.(\d+)\.(\d+)/;

/** Whether the compiler is of this version or a later one. */
export function isCompilerSince(version: string, wanted: readonly [number, number, number]): boolean {
  const parts = VERSION.exec(version)?.slice(1).map(Number) ?? [];
  for (const [at, bound] of wanted.entries()) {
    const part = parts[at] ?? 0;
    if (part !== bound) return part > bound;
  }
  return true;
}
