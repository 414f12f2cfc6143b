import { type Bytes, bytesToBigint, toHex, toHexDigits } from "@ostrom/base";
import type { ObservedRun } from "./observation.ts";

const SELECTOR_BYTES = 4;
const WORD_BYTES = 32;
const ERROR_SELECTOR = "08c379a0";
const PANIC_SELECTOR = "4e487b71";
const PREFIX = "VM Exception while processing transaction:";

/** What Solidity's panic codes mean. Source: Solidity documentation, "Panic via assert and Error via require". */
const PANICS: ReadonlyMap<bigint, string> = new Map([
  [0x01n, "Assertion error"],
  [0x11n, "Arithmetic operation overflowed outside of an unchecked block"],
  [0x12n, "Division or modulo division by zero"],
  [0x21n, "Tried to convert a value into an enum, but the value was too big or negative"],
  [0x22n, "Incorrectly encoded storage byte array"],
  [0x31n, ".pop() was called on an empty array"],
  [0x32n, "Array accessed at an out-of-bounds or negative index"],
  [0x41n, "Too much memory was allocated, or an array was created that is too large"],
  [0x51n, "Called a zero-initialized variable of internal function type"],
]);

/** In the words of Hardhat's node: "reverted with panic code 0x1 (Assertion error)". */
export function describePanic(code: bigint): string {
  const reason = PANICS.get(code);
  const hex = `0x${code.toString(16)}`;
  return reason === undefined
    ? `reverted with unknown panic code ${hex}`
    : `reverted with panic code ${hex} (${reason})`;
}

/** A failure in the words of Hardhat's node, as far as the run's output tells it. */
export function describeFailure({
  status,
  fault,
  output,
}: Pick<ObservedRun, "status" | "fault" | "output">): string {
  if (status === "fault") return describeFaultOf(fault ?? "execution failed");
  if (output.length === 0) return "Transaction reverted without a reason string";
  const selector = toHexDigits(output.subarray(0, SELECTOR_BYTES));
  const reason = selector === ERROR_SELECTOR ? readReason(output.subarray(SELECTOR_BYTES)) : undefined;
  if (reason !== undefined) return `${PREFIX} reverted with reason string '${reason}'`;
  if (selector === PANIC_SELECTOR && output.length === SELECTOR_BYTES + WORD_BYTES) {
    return `${PREFIX} ${describePanic(bytesToBigint(output.subarray(SELECTOR_BYTES)))}`;
  }
  return `${PREFIX} reverted with an unrecognized custom error (return data: ${toHex(output)})`;
}

function describeFaultOf(fault: string): string {
  if (/out of gas/i.test(fault)) return "Transaction ran out of gas";
  if (/invalid opcode/i.test(fault)) return `${PREFIX} invalid opcode`;
  return `${PREFIX} ${fault}`;
}

/** The text of ABI-encoded Error(string); undefined if it is malformed. */
function readReason(data: Bytes): string | undefined {
  if (data.length < 2 * WORD_BYTES) return undefined;
  const length = bytesToBigint(data.subarray(WORD_BYTES, 2 * WORD_BYTES));
  if (length > BigInt(data.length - 2 * WORD_BYTES)) return undefined;
  return new TextDecoder().decode(data.subarray(2 * WORD_BYTES, 2 * WORD_BYTES + Number(length)));
}
