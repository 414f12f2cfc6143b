import {
  type Bytes,
  bytesToUint64,
  concatBytes,
  type Failure,
  fail,
  Hash,
  ok,
  type Result,
  uint64ToBytes,
} from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  RlpError,
  type RlpItem,
  readRlpBytes,
  readRlpCount,
  readRlpList,
  readRlpUint,
  rlpUint,
} from "@ostrom/codec";
import { MAX_CERTIFICATE_SIGNERS } from "@ostrom/crypto";
import {
  type Attestation,
  type Batch,
  type BatchHeader,
  type BatchPlace,
  type CertifiedBatch,
  MAX_BATCH_BYTES,
  MAX_BATCH_TRANSACTIONS,
} from "./types.ts";

const ADDRESS_LENGTH = 20;
const HASH_LENGTH = 32;
/** Epoch, author, sequence number and expiry height, 8 bytes each. */
const PLACE_LENGTH = 32;
const UINT64_LENGTH = 8;
/** Numbers below 2^53 have nothing in their first byte, and less than this in the second. */
const SECOND_BYTE_LIMIT = 0x20;
/** No transport key's signature is longer (ML-DSA-44: 2,420). */
const MAX_SIGNATURE_BYTES = 4_096;
/** The batch, its claims, the list, and the transactions; one more transaction than there may be, so that their number is what is complained of. */
const MAX_BATCH_ITEMS = 3 + MAX_BATCH_TRANSACTIONS + 1;

/** Lists and byte strings of one header, with its own list. */
const HEADER_FIELDS = 8;
export const ATTESTATION_ITEMS: number = HEADER_FIELDS + 4;
/** Of one certified batch without its signatures. */
export const CERTIFIED_ITEMS: number = HEADER_FIELDS + 4;

export type BatchErrorCode = "batch/malformed" | "batch/too-long";

/** The canonical bytes of a batch, which its digest is of: epoch, author, sequence number and expiry height as big-endian 64-bit integers, then
 * rlp([claims, [raw transaction, ...]]). */
export function encodeBatch({ place, transactions, claims }: Batch): Bytes {
  return concatBytes(placeToBytes(place), encodeRlp([claims, transactions]));
}

/** Whether encoded bytes have the length and the place that a header says: all that is to be seen of it without reading them. */
export function isBatchOf(header: BatchHeader, bytes: Bytes): boolean {
  if (bytes.length !== header.byteLength) return false;
  const place = placeFromBytes(bytes);
  return (
    place !== undefined &&
    place.epoch === header.epoch &&
    place.author === header.author &&
    place.sequence === header.sequence &&
    place.expiryHeight === header.expiryHeight
  );
}

function placeToBytes({ epoch, author, sequence, expiryHeight }: BatchPlace): Bytes {
  return concatBytes(...[epoch, author, sequence, expiryHeight].map(uint64ToBytes));
}

/** @returns undefined if there is none, or a number is not exact. */
function placeFromBytes(bytes: Bytes): BatchPlace | undefined {
  if (bytes.length < PLACE_LENGTH) return undefined;
  for (let offset = 0; offset < PLACE_LENGTH; offset += UINT64_LENGTH) {
    if (bytes[offset] !== 0 || bytes[offset + 1]! >= SECOND_BYTE_LIMIT) return undefined;
  }
  return {
    epoch: bytesToUint64(bytes, 0),
    author: bytesToUint64(bytes, UINT64_LENGTH),
    sequence: bytesToUint64(bytes, 2 * UINT64_LENGTH),
    expiryHeight: bytesToUint64(bytes, 3 * UINT64_LENGTH),
  };
}

/** Errors: `batch/too-long`, `batch/malformed` (no place, not RLP, no transactions, claims of another length). Shares memory. */
export function decodeBatch(bytes: Bytes): Result<Batch, Failure<BatchErrorCode>> {
  if (bytes.length > MAX_BATCH_BYTES)
    return fail("batch/too-long", `${bytes.length} bytes, at most ${MAX_BATCH_BYTES} are allowed`);
  const place = placeFromBytes(bytes);
  if (place === undefined) return fail("batch/malformed", "it begins with four numbers below 2^53");
  const decoded = decodeRlpWith(
    bytes.subarray(PLACE_LENGTH),
    (item) => {
      const [claims, transactions] = readRlpList(item, "batch", 2);
      return {
        claims: readRlpBytes(claims, "claims"),
        transactions: readRlpList(transactions, "transactions").map((entry) =>
          readRlpBytes(entry, "transaction"),
        ),
      };
    },
    MAX_BATCH_ITEMS,
  );
  if (!decoded.ok) return fail("batch/malformed", decoded.error.message);
  const { claims, transactions } = decoded.value;
  if (transactions.length === 0 || transactions.length > MAX_BATCH_TRANSACTIONS) {
    return fail(
      "batch/malformed",
      `${transactions.length} transactions, 1 to ${MAX_BATCH_TRANSACTIONS} are allowed`,
    );
  }
  if (claims.length !== 0 && claims.length !== transactions.length * ADDRESS_LENGTH)
    return fail("batch/malformed", "claims name one sender for each transaction, or there are none");
  return ok({ place, transactions, claims });
}

/** [epoch, author, sequence, expiry height, digest, bytes, transactions, gas]. */
export function headerToRlp(header: BatchHeader): readonly RlpItem[] {
  return [
    rlpUint(header.epoch),
    rlpUint(header.author),
    rlpUint(header.sequence),
    rlpUint(header.expiryHeight),
    header.digest,
    rlpUint(header.byteLength),
    rlpUint(header.count),
    rlpUint(header.gasLimit),
  ];
}

/** @throws RlpError */
export function headerFromRlp(item: RlpItem | undefined): BatchHeader {
  const fields = readRlpList(item, "batch header", HEADER_FIELDS);
  const header = {
    epoch: readRlpCount(fields[0], "epoch"),
    author: readRlpCount(fields[1], "author"),
    sequence: readRlpCount(fields[2], "sequence"),
    expiryHeight: readRlpCount(fields[3], "expiry height"),
    digest: Hash(readRlpBytes(fields[4], "digest", HASH_LENGTH)),
    byteLength: readRlpCount(fields[5], "bytes"),
    count: readRlpCount(fields[6], "transactions"),
    gasLimit: readRlpUint(fields[7], "gas"),
  };
  if (header.sequence === 0) throw new RlpError("rlp/wrong-shape", "sequence numbers begin with 1");
  if (header.author >= MAX_CERTIFICATE_SIGNERS)
    throw new RlpError("rlp/wrong-shape", "no set has so many validators");
  if (header.byteLength > MAX_BATCH_BYTES || header.byteLength === 0)
    throw new RlpError("rlp/wrong-shape", "no batch has so many bytes");
  if (header.count > MAX_BATCH_TRANSACTIONS || header.count === 0)
    throw new RlpError("rlp/wrong-shape", "no batch has so many transactions");
  return header;
}

/** [header, signer, signature]. */
export function attestationToRlp({ header, signer, signature }: Attestation): readonly RlpItem[] {
  return [headerToRlp(header), rlpUint(signer), signature];
}

/** @throws RlpError */
export function attestationFromRlp(item: RlpItem | undefined): Attestation {
  const [header, signer, signature] = readRlpList(item, "attestation", 3);
  return {
    header: headerFromRlp(header),
    signer: readSigner(signer),
    signature: readSignature(signature),
  };
}

function readSigner(item: RlpItem | undefined): number {
  const signer = readRlpCount(item, "signer");
  if (signer >= MAX_CERTIFICATE_SIGNERS)
    throw new RlpError("rlp/wrong-shape", "no set has so many validators");
  return signer;
}

/** [header, bitmap of signers, [signature, ...]]. */
export function certifiedToRlp({ header, signers, signatures }: CertifiedBatch): readonly RlpItem[] {
  return [headerToRlp(header), signers, signatures];
}

/** @throws RlpError */
export function certifiedFromRlp(item: RlpItem | undefined): CertifiedBatch {
  const [header, signers, signatures] = readRlpList(item, "certified batch", 3);
  return {
    header: headerFromRlp(header),
    signers: readRlpBytes(signers, "signers"),
    signatures: readRlpList(signatures, "signatures").map(readSignature),
  };
}

/** An encoded batch that stands in a message. @throws RlpError */
export function readBatchBytes(item: RlpItem | undefined): Bytes {
  const bytes = readRlpBytes(item, "batch");
  if (bytes.length > MAX_BATCH_BYTES)
    throw new RlpError("rlp/wrong-shape", `a batch of ${bytes.length} bytes`);
  return bytes;
}

function readSignature(item: RlpItem | undefined): Bytes {
  const signature = readRlpBytes(item, "signature");
  if (signature.length > MAX_SIGNATURE_BYTES)
    throw new RlpError("rlp/wrong-shape", `a signature of ${signature.length} bytes`);
  return signature;
}
