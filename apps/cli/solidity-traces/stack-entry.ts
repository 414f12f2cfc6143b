import type { Address, Bytes } from "@ostrom/base";
import type { CompiledCode, Instruction } from "./compiled-code.ts";
import {
  type FunctionKind,
  functionAt,
  positionOf,
  type SolidityFunction,
  type SourceLocation,
} from "./source-file.ts";

/** A place in a source, in words for people. */
export type SourceReference = {
  readonly file: string;
  /** undefined: a free function. */
  readonly contract: string | undefined;
  /** undefined: outside of any function. */
  readonly function: string | undefined;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly location: SourceLocation;
};

/** Why a message failed: the last entry of a stack has one. */
export type FailureCause =
  | { readonly kind: "revert"; readonly data: Bytes; readonly isInvalidOpcode: boolean }
  | { readonly kind: "panic"; readonly code: bigint }
  | { readonly kind: "custom-error"; readonly description: string }
  | { readonly kind: "function-not-payable"; readonly value: bigint }
  | { readonly kind: "wrong-arguments" }
  | { readonly kind: "fallback-not-payable"; readonly value: bigint }
  | { readonly kind: "fallback-not-payable-no-receive"; readonly value: bigint }
  | { readonly kind: "unknown-selector" }
  | { readonly kind: "no-fallback-nor-receive" }
  | { readonly kind: "unexpected-return-size" }
  | { readonly kind: "not-a-contract" }
  | { readonly kind: "call-failed" }
  | { readonly kind: "direct-library-call" }
  | { readonly kind: "precompile"; readonly address: Address | undefined }
  | { readonly kind: "unmapped-revert" }
  | { readonly kind: "code-too-large" }
  | { readonly kind: "call-out-of-gas" }
  | { readonly kind: "out-of-gas" }
  | { readonly kind: "unexplained" };

/** One line of a stack, outermost first. */
export type StackEntry = {
  /** undefined: code whose source is not known. */
  readonly at: SourceReference | undefined;
  readonly cause?: FailureCause;
  /** Of a frame that called on. */
  readonly functionKind?: FunctionKind;
  /** Of a contract whose source is not known; undefined if it is being created. */
  readonly unknown?: { readonly address: Address | undefined };
  /** A jump inside of the compiler's own code. */
  readonly internalCounter?: number;
};

const SPECIAL_NAMES: Partial<Record<FunctionKind, string>> = {
  constructor: "constructor",
  fallback: "<fallback>",
  receive: "<receive>",
};

export function shownName({ kind, name }: SolidityFunction): string {
  return SPECIAL_NAMES[kind] ?? name;
}

/** @returns undefined where the place lies in no function. */
export function referenceTo(
  code: CompiledCode,
  location: SourceLocation | undefined,
): SourceReference | undefined {
  if (location === undefined) return undefined;
  const found = functionAt(location);
  if (found === undefined) return undefined;
  return {
    file: location.file.name,
    contract: found.kind === "free-function" ? undefined : code.contract.name,
    function: shownName(found),
    ...positionOf(location),
    location,
  };
}

/** Where a function begins. */
export function referenceToFunction(code: CompiledCode, found: SolidityFunction): SourceReference {
  return {
    file: found.location.file.name,
    contract: code.contract.name,
    function: shownName(found),
    ...positionOf(found.location),
    location: found.location,
  };
}

/** The contract as a whole. */
export function referenceToContract(code: CompiledCode, name?: string): SourceReference {
  const { location, name: contract } = code.contract;
  return { file: location.file.name, contract, function: name, ...positionOf(location), location };
}

/** The constructor: its line, but the extent of the contract, whose state variables it sets too. */
export function referenceToConstructor(code: CompiledCode): SourceReference {
  const whole = referenceToContract(code, "constructor");
  const own = code.contract.constructorFunction;
  return own === undefined ? whole : { ...whole, ...positionOf(own.location) };
}

/** The frame of an instruction that calls on. */
export function frameAt(code: CompiledCode, instruction: Instruction): StackEntry {
  const { location, programCounter } = instruction;
  if (location === undefined) return { at: referenceToContract(code), internalCounter: programCounter };
  const at = referenceTo(code, location);
  if (at !== undefined) return { at, functionKind: functionAt(location)?.kind ?? "function" };
  const { name } = code.contract;
  return {
    at: { file: location.file.name, contract: name, function: undefined, ...positionOf(location), location },
    functionKind: "function",
  };
}
