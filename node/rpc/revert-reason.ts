import { type Bytes, bytesToBigint, toHexDigits } from "@ostrom/base";

/** Selector of Error(string). */
const ERROR_SELECTOR = "08c379a0";
/** Selector of Panic(uint256). */
const PANIC_SELECTOR = "4e487b71";
const SELECTOR_LENGTH = 4;
const WORD_LENGTH = 32;
/** A longer reason is cut in the message; `data` has it whole. */
const MAX_REASON_BYTES = 4_096;

/** Source: Solidity documentation, "Panic via assert and Error via require"; texts as go-ethereum has them. */
const PANIC_TEXTS: ReadonlyMap<bigint, string> = new Map([
  [0x00n, "generic panic"],
  [0x01n, "assert(false)"],
  [0x11n, "arithmetic underflow or overflow"],
  [0x12n, "division or modulo by zero"],
  [0x21n, "enum overflow"],
  [0x22n, "invalid encoded storage byte array accessed"],
  [0x31n, "out-of-bounds array access; popping on an empty array"],
  [0x32n, "out-of-bounds access of an array or bytesN"],
  [0x41n, "out of memory"],
  [0x51n, "uninitialized function"],
]);

/** Reads the reason out of revert data, if it is Solidity's Error(string) or Panic(uint256); undefined otherwise (a
 * custom error, nothing, or something malformed). */
export function revertReason(output: Bytes): string | undefined {
  if (output.length < SELECTOR_LENGTH + WORD_LENGTH) return undefined;
  const selector = toHexDigits(output.subarray(0, SELECTOR_LENGTH));
  const body = output.subarray(SELECTOR_LENGTH);
  if (selector === PANIC_SELECTOR) {
    const code = bytesToBigint(body.subarray(0, WORD_LENGTH));
    return PANIC_TEXTS.get(code) ?? `unknown panic code: 0x${code.toString(16)}`;
  }
  return selector === ERROR_SELECTOR ? readAbiString(body) : undefined;
}

/** One ABI-encoded string: an offset, then its length, then its bytes. The padding after it may be missing. */
function readAbiString(body: Bytes): string | undefined {
  const offset = readCount(body, 0);
  if (offset === undefined) return undefined;
  const length = readCount(body, offset);
  if (length === undefined) return undefined;
  const start = offset + WORD_LENGTH;
  if (length > body.length - start) return undefined;
  const text = body.subarray(start, start + Math.min(length, MAX_REASON_BYTES));
  return new TextDecoder("utf-8").decode(text);
}

function readCount(body: Bytes, offset: number): number | undefined {
  if (offset + WORD_LENGTH > body.length) return undefined;
  const value = bytesToBigint(body.subarray(offset, offset + WORD_LENGTH));
  return value <= BigInt(body.length) ? Number(value) : undefined;
}
