import { type Bytes, type Failure, fail, Hash, ok, type Result } from "@ostrom/base";
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
  type CertifiedBatch,
  MAX_BATCH_BYTES,
  MAX_BATCH_TRANSACTIONS,
} from "./types.ts";

const ADDRESS_LENGTH = 20;
const HASH_LENGTH = 32;
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

/** The canonical bytes of a batch, which its digest is of: rlp([claims, [raw transaction, ...]]). */
export function encodeBatch({ transactions, claims }: Batch): Bytes {
  return encodeRlp([claims, transactions]);
}

/** Errors: `batch/too-long`, `batch/malformed` (not RLP, no transactions, claims of another length). Shares memory. */
export function decodeBatch(bytes: Bytes): Result<Batch, Failure<BatchErrorCode>> {
  if (bytes.length > MAX_BATCH_BYTES)
    return fail("batch/too-long", `${bytes.length} bytes, at most ${MAX_BATCH_BYTES} are allowed`);
  const decoded = decodeRlpWith(
    bytes,
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
  return ok(decoded.value);
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
