import { type Bytes, type Failure, fail, ok, type Result } from "@ostrom/base";

/** Raw transactions on their way to another validator: format (1 byte), then for each its length (4 bytes, big-endian) and
 * its bytes. A flat form, because a reader can bound its work before it does any. */
const BATCH_FORMAT = 1;
const LENGTH_BYTES = 4;

export type BatchLimits = { readonly maxTransactions: number; readonly maxTransactionBytes: number };

export type BatchErrorCode =
  | "gossip/unknown-format"
  | "gossip/malformed"
  | "gossip/too-many-transactions"
  | "gossip/transaction-too-long";

/** Bytes that a transaction adds to a batch. */
export function batchedSize(raw: Bytes): number {
  return LENGTH_BYTES + raw.length;
}

export function encodeBatch(transactions: readonly Bytes[]): Bytes {
  let size = 1;
  for (const raw of transactions) size += batchedSize(raw);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes[0] = BATCH_FORMAT;
  let offset = 1;
  for (const raw of transactions) {
    view.setUint32(offset, raw.length);
    bytes.set(raw, offset + LENGTH_BYTES);
    offset += batchedSize(raw);
  }
  return bytes;
}

/** Reads a batch. The transactions share memory with it; nothing is known of what they say.
 * Errors: `gossip/unknown-format`, `gossip/malformed` (a length that does not fit, an empty transaction, an empty batch),
 * `gossip/too-many-transactions`, `gossip/transaction-too-long`. */
export function decodeBatch(
  bytes: Bytes,
  limits: BatchLimits,
): Result<readonly Bytes[], Failure<BatchErrorCode>> {
  if (bytes[0] !== BATCH_FORMAT) return fail("gossip/unknown-format", `a batch of format ${bytes[0]}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const transactions: Bytes[] = [];
  for (let offset = 1; offset < bytes.length; ) {
    if (transactions.length === limits.maxTransactions) {
      return fail(
        "gossip/too-many-transactions",
        `more than ${limits.maxTransactions} transactions in a batch`,
      );
    }
    if (bytes.length - offset < LENGTH_BYTES) return fail("gossip/malformed", "a length is cut off");
    const length = view.getUint32(offset);
    if (length > limits.maxTransactionBytes) {
      return fail("gossip/transaction-too-long", `a transaction of ${length} bytes`);
    }
    const end = offset + LENGTH_BYTES + length;
    if (length === 0 || end > bytes.length)
      return fail("gossip/malformed", "a transaction is empty or cut off");
    transactions.push(bytes.subarray(offset + LENGTH_BYTES, end));
    offset = end;
  }
  return transactions.length > 0
    ? ok(transactions)
    : fail("gossip/malformed", "a batch without transactions");
}
