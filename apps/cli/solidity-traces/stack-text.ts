import { toHex } from "@ostrom/base";
import { describePanic } from "@ostrom/dev";
import { readErrorString, readPanic } from "./revert-data.ts";
import type { FailureCause, StackEntry } from "./stack-entry.ts";

const EXCEPTION = "VM Exception while processing transaction:";
const REVERTED = "Transaction reverted";
const WITHOUT_REASON = `${REVERTED} without a reason string`;
const UNMAPPED = `${WITHOUT_REASON} and without a valid sourcemap provided by the compiler. Some line numbers may be off. We strongly recommend upgrading solc and always using revert reasons.`;

const UNKNOWN_CONTRACT = "<UnrecognizedContract>";
const UNKNOWN_FUNCTION = "<unknown>";
/** Hardhat 3 names the sources of a project so; people know them without it. */
const PROJECT_PREFIX = "project/";

/** What went wrong in one line, in the words that Hardhat's network uses and tools look for. */
export function failureMessage(stack: readonly StackEntry[]): string {
  const last = stack.at(-1);
  if (last?.cause === undefined) return WITHOUT_REASON;
  return last.unknown === undefined ? describeCause(last.cause) : describeUnknown(last.cause);
}

/** The frames, innermost first, as in a JavaScript stack: "Token.transfer (contracts/Token.sol:12:5)". */
export function stackLines(stack: readonly StackEntry[]): string[] {
  return stack.map(describeEntry).reverse();
}

function describeEntry({ at, unknown, cause, internalCounter }: StackEntry): string {
  if (cause?.kind === "precompile")
    return `<PrecompileContract ${precompileNumber(cause)}>.<precompile> (unknown)`;
  if (at === undefined) {
    const name = unknown !== undefined && unknown.address === undefined ? "constructor" : UNKNOWN_FUNCTION;
    return `${UNKNOWN_CONTRACT}.${name} (${unknown?.address === undefined ? "unknown" : toHex(unknown.address)})`;
  }
  const file = at.file.startsWith(PROJECT_PREFIX) ? at.file.slice(PROJECT_PREFIX.length) : at.file;
  const name =
    internalCounter === undefined ? (at.function ?? UNKNOWN_FUNCTION) : `internal@${internalCounter}`;
  const qualified = at.contract === undefined ? name : `${at.contract}.${name}`;
  return `${qualified} (${file}:${at.line}:${at.column})`;
}

function precompileNumber({ address }: { readonly address: Uint8Array | undefined }): number {
  return address?.at(-1) ?? 0;
}

function describeUnknown(cause: FailureCause): string {
  if (cause.kind !== "revert") return describeCause(cause);
  const panic = readPanic(cause.data);
  if (panic !== undefined) return `${EXCEPTION} ${describePanic(panic)}`;
  if (cause.data.length > 0 && readErrorString(cause.data) === undefined)
    return `${EXCEPTION} reverted with an unrecognized custom error (return data: ${toHex(cause.data)})`;
  return describeRevert(cause);
}

function describeRevert(cause: Extract<FailureCause, { kind: "revert" }>): string {
  const reason = readErrorString(cause.data);
  if (reason !== undefined) return `${EXCEPTION} reverted with reason string '${reason}'`;
  return cause.isInvalidOpcode ? `${EXCEPTION} invalid opcode` : WITHOUT_REASON;
}

function describeCause(cause: FailureCause): string {
  switch (cause.kind) {
    case "revert":
      return describeRevert(cause);
    case "panic":
      return `${EXCEPTION} ${describePanic(cause.code)}`;
    case "custom-error":
      return `${EXCEPTION} ${cause.description}`;
    case "precompile":
      return `${REVERTED}: call to precompile ${precompileNumber(cause)} failed`;
    case "function-not-payable":
      return `${REVERTED}: non-payable function was called with value ${cause.value}`;
    case "fallback-not-payable":
      return `${REVERTED}: fallback function is not payable and was called with value ${cause.value}`;
    case "fallback-not-payable-no-receive":
      return `${REVERTED}: there's no receive function, fallback function is not payable and was called with value ${cause.value}`;
    default:
      return FIXED_TEXTS[cause.kind];
  }
}

type FixedKind = Exclude<
  FailureCause["kind"],
  | "revert"
  | "panic"
  | "custom-error"
  | "precompile"
  | "function-not-payable"
  | "fallback-not-payable"
  | "fallback-not-payable-no-receive"
>;

const FIXED_TEXTS: Readonly<Record<FixedKind, string>> = {
  "wrong-arguments": `${REVERTED}: function was called with incorrect parameters`,
  "unknown-selector": `${REVERTED}: function selector was not recognized and there's no fallback function`,
  "no-fallback-nor-receive": `${REVERTED}: function selector was not recognized and there's no fallback nor receive function`,
  "unexpected-return-size": `${REVERTED}: function returned an unexpected amount of data`,
  "not-a-contract": `${REVERTED}: function call to a non-contract account`,
  "call-failed": `${REVERTED}: function call failed to execute`,
  "direct-library-call": `${REVERTED}: library was called directly`,
  "unmapped-revert": UNMAPPED,
  "code-too-large": `${REVERTED}: trying to deploy a contract whose code is too large`,
  "call-out-of-gas": `${REVERTED}: contract call run out of gas and made the transaction revert`,
  "out-of-gas": "Transaction ran out of gas",
  unexplained: `${REVERTED} and Hardhat couldn't infer the reason.`,
};
