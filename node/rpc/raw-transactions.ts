import { type Bytes, EMPTY_BYTES } from "@ostrom/base";
import { data, decodeArgument } from "./decode.ts";
import { invalidParams, RpcError, serverError } from "./rpc-error.ts";

const BLOB_TRANSACTION_TYPE = 3;

/** Throws where the pool need not even be asked.
 * @param maxBytes of one transaction. */
export function checkRaw(raw: Bytes, maxBytes: number): void {
  if (raw.length === 0) throw serverError("invalid transaction: it is empty");
  if (raw.length > maxBytes) {
    throw serverError(`oversized data: transaction size ${raw.length}, limit ${maxBytes}`);
  }
  if (raw[0] === BLOB_TRANSACTION_TYPE) {
    throw serverError("transaction type not valid: this chain takes no blob transactions (type 3)");
  }
}

/** Reads the parameters of many eth_sendRawTransaction: the bytes of each, or what is wrong with it. All bytes lie in one buffer,
 * so that a batch costs one allocation.
 * @param given each call's parameters. @param maxBytes of one transaction. */
export function readRaws(
  given: readonly (readonly unknown[])[],
  maxBytes: number,
): readonly (Bytes | RpcError)[] {
  let total = 0;
  for (const [text] of given) if (looksLikeData(text)) total += (text.length - 2) / 2;
  const bytes = new Uint8Array(total);
  const writer = Buffer.from(bytes.buffer);
  let offset = 0;
  return given.map((params) => {
    try {
      const [text] = params;
      if (params.length !== 1 || text === null || text === undefined) throw wrongCount(params.length);
      let raw = EMPTY_BYTES;
      if (looksLikeData(text)) {
        const length = (text.length - 2) / 2;
        // It stops at the first thing that is no hex digit.
        const isRead = writer.write(text.slice(2), offset, "hex") === length;
        raw = isRead ? bytes.subarray(offset, offset + length) : decodeArgument(data, text, 0);
        offset += length;
      } else raw = decodeArgument(data, text, 0);
      checkRaw(raw, maxBytes);
      return raw;
    } catch (error) {
      if (error instanceof RpcError) return error;
      throw error;
    }
  });
}

function looksLikeData(value: unknown): value is string {
  return typeof value === "string" && value.length % 2 === 0 && value.startsWith("0x");
}

function wrongCount(count: number): RpcError {
  return count > 1
    ? invalidParams("too many arguments, want at most 1")
    : invalidParams("missing value for required argument 0");
}
