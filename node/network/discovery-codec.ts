import { type Bytes, concatBytes, type Failure, fail, type Hash, ok, type Result } from "@ostrom/base";
import type { IdentityKind } from "./identity-kinds.ts";
import { decodeRecord, maxRecordBytes, type RecordErrorCode, type SignedRecord } from "./node-record.ts";

/** What strangers say to each other on the channel `discovery`: one byte of kind, then its content. */
export type DiscoveryMessage =
  /** The sender's own record. */
  | { readonly kind: "record"; readonly record: SignedRecord }
  /** Asks for records of others. */
  | { readonly kind: "ask" }
  | { readonly kind: "answer"; readonly records: readonly SignedRecord[] }
  /** Up to which block the sender can serve others. */
  | { readonly kind: "head"; readonly height: number };

export const MAX_ANSWER_RECORDS = 32;

/** The longest message on a chain with identities of that kind. */
export function maxDiscoveryBytes(kind: IdentityKind): number {
  return 2 + MAX_ANSWER_RECORDS * (2 + maxRecordBytes(kind));
}

const KINDS = { record: 1, ask: 2, answer: 3, head: 4 } as const;
const LENGTH_BYTES = 2;
const HEIGHT_BYTES = 8;

export type DiscoveryErrorCode = RecordErrorCode | "discovery/malformed" | "discovery/too-many-records";

export function encodeDiscovery(message: DiscoveryMessage): Bytes {
  const kind = Uint8Array.of(KINDS[message.kind]);
  switch (message.kind) {
    case "record":
      return concatBytes(kind, message.record.bytes);
    case "ask":
      return kind;
    case "answer":
      return concatBytes(
        kind,
        Uint8Array.of(message.records.length),
        ...message.records.flatMap(({ bytes }) => [
          Uint8Array.of(bytes.length >> 8, bytes.length & 0xff),
          bytes,
        ]),
      );
    case "head": {
      const height = new Uint8Array(HEIGHT_BYTES);
      new DataView(height.buffer).setBigUint64(0, BigInt(message.height));
      return concatBytes(kind, height);
    }
    default:
      return message satisfies never;
  }
}

/** Reads a message; nothing is known of the signatures in it.
 * @param identityKind of the chain's identities.
 * Errors: `discovery/malformed`, `discovery/too-many-records`, and those of decodeRecord. */
export function decodeDiscovery(
  bytes: Bytes,
  genesisHash: Hash,
  identityKind: IdentityKind = "ed25519",
): Result<DiscoveryMessage, Failure<DiscoveryErrorCode>> {
  const content = bytes.subarray(1);
  switch (bytes[0]) {
    case KINDS.record: {
      const record = decodeRecord(content, genesisHash, identityKind);
      return record.ok ? ok({ kind: "record", record: record.value }) : record;
    }
    case KINDS.ask:
      return content.length === 0 ? ok({ kind: "ask" }) : fail("discovery/malformed", "a question goes on");
    case KINDS.answer:
      return decodeAnswer(content, genesisHash, identityKind);
    case KINDS.head: {
      if (content.length !== HEIGHT_BYTES) return fail("discovery/malformed", "no height");
      const height = Number(new DataView(content.buffer, content.byteOffset, HEIGHT_BYTES).getBigUint64(0));
      if (!Number.isSafeInteger(height)) return fail("discovery/malformed", "a height beyond all numbers");
      return ok({ kind: "head", height });
    }
    default:
      return fail("discovery/malformed", `a message of kind ${bytes[0]}`);
  }
}

function decodeAnswer(
  content: Bytes,
  genesisHash: Hash,
  identityKind: IdentityKind,
): Result<DiscoveryMessage, Failure<DiscoveryErrorCode>> {
  const count = content[0] ?? 0;
  if (count > MAX_ANSWER_RECORDS) return fail("discovery/too-many-records", `an answer of ${count} records`);
  const records: SignedRecord[] = [];
  let offset = 1;
  for (let index = 0; index < count; index++) {
    const length = ((content[offset] ?? 0) << 8) | (content[offset + 1] ?? 0);
    const end = offset + LENGTH_BYTES + length;
    if (end > content.length) return fail("discovery/malformed", "an answer is cut off");
    const record = decodeRecord(content.subarray(offset + LENGTH_BYTES, end), genesisHash, identityKind);
    if (!record.ok) return record;
    records.push(record.value);
    offset = end;
  }
  if (content.length !== offset) return fail("discovery/malformed", "an answer goes on after its end");
  return ok({ kind: "answer", records });
}
