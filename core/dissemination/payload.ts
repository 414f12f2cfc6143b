import { type Bytes, concatBytes, EMPTY_BYTES, type Failure, fail, ok, type Result } from "@ostrom/base";
import { decodeRlpWith, encodeRlp, readRlpBytes, readRlpList } from "@ostrom/codec";
import { decodePayload, encodePayload, MAX_PAYLOAD_TRANSACTIONS } from "@ostrom/execution";
import { CERTIFIED_ITEMS, certifiedFromRlp, certifiedToRlp } from "./batch-codec.ts";
import { type CertifiedBatch, MAX_PAYLOAD_BATCHES, type OrderedPayload } from "./types.ts";

/** Format 1 is core/execution's, all inline. Format 2 is rlp([[raw transaction, ...], [certified batch, ...]]). */
const FORMAT_BATCHES = 2;
/** Most attestations of all the batches that one payload refers to, were every set as large and every certificate as long as they may be. */
const MAX_PAYLOAD_SIGNATURES = 65_536;
const MAX_PAYLOAD_ITEMS =
  3 + MAX_PAYLOAD_TRANSACTIONS + MAX_PAYLOAD_BATCHES * CERTIFIED_ITEMS + MAX_PAYLOAD_SIGNATURES;

export type OrderedPayloadErrorCode = "payload/malformed" | "payload/unsupported-format";

/** A payload without batches has the bytes that core/execution gives it: every payload has one encoding. */
export function encodeOrderedPayload({ inline, batches }: OrderedPayload): Bytes {
  if (batches.length === 0) return encodePayload(inline);
  const content = encodeRlp([inline, batches.map(certifiedToRlp)]);
  return concatBytes(Uint8Array.of(FORMAT_BATCHES), content);
}

/** Errors: `payload/malformed`, `payload/unsupported-format`. Shares memory. */
export function decodeOrderedPayload(
  payload: Bytes,
): Result<OrderedPayload, Failure<OrderedPayloadErrorCode>> {
  if (payload[0] !== FORMAT_BATCHES) {
    const read = decodePayload(payload);
    return read.ok ? ok({ inline: read.value, batches: [] }) : read;
  }
  const decoded = decodeRlpWith(
    payload.subarray(1),
    (item) => {
      const [inline, batches] = readRlpList(item, "payload", 2);
      return {
        inline: readRlpList(inline, "transactions").map((entry) => readRlpBytes(entry, "transaction")),
        batches: readRlpList(batches, "batches").map(certifiedFromRlp),
      };
    },
    MAX_PAYLOAD_ITEMS,
  );
  if (!decoded.ok) return fail("payload/malformed", decoded.error.message);
  const { inline, batches } = decoded.value;
  if (batches.length === 0) return fail("payload/malformed", "a payload without batches has format 1");
  if (batches.length > MAX_PAYLOAD_BATCHES)
    return fail("payload/malformed", `more than ${MAX_PAYLOAD_BATCHES} batches`);
  const count = batches.reduce((sum, { header }) => sum + header.count, inline.length);
  if (count > MAX_PAYLOAD_TRANSACTIONS)
    return fail("payload/malformed", `more than ${MAX_PAYLOAD_TRANSACTIONS} transactions`);
  return ok(decoded.value);
}

/** Bytes that a reference takes in a payload. */
export function referenceLength(certified: CertifiedBatch): number {
  return encodeRlp(certifiedToRlp(certified)).length;
}

/** The part of a payload that stands in it, as core/execution checks it: all that is not a reference. */
export function inlinePart(payload: Bytes, ordered: OrderedPayload): Bytes {
  return ordered.batches.length === 0 ? payload : encodePayload(ordered.inline);
}

/** Whether a payload has references at all, without reading it. */
export function hasBatches(payload: Bytes = EMPTY_BYTES): boolean {
  return payload[0] === FORMAT_BATCHES;
}
