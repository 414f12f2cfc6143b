import { type Bytes, Epoch, type Failure, type Hash, type Result, utf8 } from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  RlpError,
  type RlpErrorCode,
  type RlpItem,
  readRlpBytes,
  readRlpCount,
  readRlpList,
  rlpUint,
} from "@ostrom/codec";
import {
  MAX_BITMAP_BYTES,
  MAX_SIGNATURE_BYTES,
  readHash,
  readLimited,
  readValidatorIndex,
  stateCertificateFromRlp,
  stateCertificateToRlp,
} from "../block.ts";
import { type ConsensusDomain, MAX_PAYLOAD_BYTES, ValidatorIndex } from "../types.ts";
import { type DagBlock, type Parent, Round, type SignedDagBlock } from "./types.ts";

const DIGEST_DOMAIN = utf8("ostrom/dag-block/1");
const SIGNING_DOMAIN = utf8("ostrom/consensus/1");
/** Beside the kinds of `../signing.ts`. */
const DAG_BLOCK_CODE = 5;
const HASH_BYTES = 32;
const FIELDS = 9;

/** Names a block: the hash of its fields and of its payload's hash, bound to the chain and the hash function. */
export function dagDigest(domain: ConsensusDomain, block: DagBlock): Hash {
  return domain.hash(
    encodeRlp([
      DIGEST_DOMAIN,
      rlpUint(domain.hashId),
      domain.genesisHash,
      ...headOf(block),
      domain.hash(block.payload),
    ]),
  );
}

/** The bytes that the author signs. */
export function dagSigningBytes(domain: ConsensusDomain, digest: Hash): Bytes {
  return encodeRlp([
    SIGNING_DOMAIN,
    rlpUint(domain.signatures.schemeId),
    rlpUint(domain.hashId),
    domain.genesisHash,
    rlpUint(DAG_BLOCK_CODE),
    digest,
  ]);
}

/** [[epoch, round, author, previous, bitmap, digests, timestampMs, stateCertificate or [], payload], signature]: parents are a bitmap of
 * their authors and their digests, one after the other. */
export function signedDagBlockToRlp({ block, signature }: SignedDagBlock): RlpItem {
  return [[...headOf(block), block.payload], signature];
}

/** Throws RlpError: call it inside `decodeRlpWith`. The payload shares memory. */
export function signedDagBlockFromRlp(item: RlpItem | undefined): SignedDagBlock {
  const [body, signature] = readRlpList(item, "signed block", 2);
  const fields = readRlpList(body, "block", FIELDS);
  const block: DagBlock = {
    epoch: Epoch(readRlpCount(fields[0], "block.epoch")),
    round: Round(readRlpCount(fields[1], "block.round")),
    author: readValidatorIndex(fields[2], "block.author"),
    previous: readPrevious(fields[3]),
    parents: readParents(fields[4], fields[5]),
    timestampMs: readRlpCount(fields[6], "block.timestampMs"),
    stateCertificate: isEmptyList(fields[7]) ? undefined : stateCertificateFromRlp(fields[7]),
    payload: readLimited(fields[8], "block.payload", MAX_PAYLOAD_BYTES),
  };
  return { block, signature: readLimited(signature, "signature", MAX_SIGNATURE_BYTES) };
}

/** The bytes that a log keeps. */
export function encodeSignedDagBlock(signed: SignedDagBlock): Bytes {
  return encodeRlp(signedDagBlockToRlp(signed));
}

/** Errors: those of decodeRlpWith. Shares memory. */
export function decodeSignedDagBlock(bytes: Bytes): Result<SignedDagBlock, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, signedDagBlockFromRlp);
}

function headOf(block: DagBlock): readonly RlpItem[] {
  const { previous, parents, stateCertificate } = block;
  return [
    rlpUint(block.epoch),
    rlpUint(block.round),
    rlpUint(block.author),
    previous === undefined ? [] : [rlpUint(previous.round), previous.digest],
    bitmapOf(parents),
    joined(parents),
    rlpUint(block.timestampMs),
    stateCertificate === undefined ? [] : stateCertificateToRlp(stateCertificate),
  ];
}

/** Validator i is bit i%8 (from the lowest) of byte floor(i/8); the last byte is never 0. */
function bitmapOf(parents: readonly Parent[]): Bytes {
  const last = parents.at(-1)?.author;
  const bitmap = new Uint8Array(last === undefined ? 0 : Math.floor(last / 8) + 1);
  for (const { author } of parents) bitmap[author >> 3] = bitmap[author >> 3]! | (1 << (author & 7));
  return bitmap;
}

function joined(parents: readonly Parent[]): Bytes {
  const out = new Uint8Array(parents.length * HASH_BYTES);
  parents.forEach(({ digest }, index) => {
    out.set(digest, index * HASH_BYTES);
  });
  return out;
}

function readPrevious(item: RlpItem | undefined): DagBlock["previous"] {
  if (isEmptyList(item)) return undefined;
  const [round, digest] = readRlpList(item, "block.previous", 2);
  return {
    round: Round(readRlpCount(round, "previous.round")),
    digest: readHash(digest, "previous.digest"),
  };
}

function readParents(bits: RlpItem | undefined, hashes: RlpItem | undefined): readonly Parent[] {
  const bitmap = readLimited(bits, "block.authors", MAX_BITMAP_BYTES);
  const authors: ValidatorIndex[] = [];
  for (let index = 0; index < bitmap.length * 8; index++)
    if ((bitmap[index >> 3]! & (1 << (index & 7))) !== 0) authors.push(ValidatorIndex(index));
  if (bitmap.at(-1) === 0) throw new RlpError("rlp/wrong-shape", "block.authors: ends with an empty byte");
  const digests = readRlpBytes(hashes, "block.digests", authors.length * HASH_BYTES);
  return authors.map((author, index) => ({
    author,
    digest: digests.slice(index * HASH_BYTES, (index + 1) * HASH_BYTES) as Hash,
  }));
}

function isEmptyList(item: RlpItem | undefined): boolean {
  return Array.isArray(item) && item.length === 0;
}
