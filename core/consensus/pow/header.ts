import {
  Address,
  assert,
  type Bytes,
  bigintToBytes,
  bytesToBigint,
  type Failure,
  Hash,
  Height,
  type Result,
  utf8,
} from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  RlpError,
  type RlpErrorCode,
  type RlpItem,
  readRlpBytes,
  readRlpCount,
  readRlpList,
  readRlpUint,
  rlpUint,
} from "@ostrom/codec";
import type { PowDomain, PowHeader } from "./types.ts";

const HEADER_DOMAIN = utf8("ostrom/pow-header/1");
const HEADER_FIELDS = 8;
const HASH_BYTES = 32;
const ADDRESS_BYTES = 20;
/** The nonce is so many bytes, big-endian, and they are the last of `headerBytes`: a miner overwrites them in place. */
export const NONCE_BYTES = 8;
const WORK_SPACE = 2n ** 256n;

/** What is hashed, for the id as for the work: the header bound to the chain and to both functions. */
export function headerBytes(domain: PowDomain, header: PowHeader): Bytes {
  return encodeRlp([
    HEADER_DOMAIN,
    rlpUint(domain.hashId),
    utf8(domain.workHash.name),
    domain.genesisHash,
    ...headerEntries(header),
  ]);
}

/** Names the block: its header commits to all the rest. */
export function headerId(domain: PowDomain, header: PowHeader): Hash {
  return domain.hash(headerBytes(domain, header));
}

export function payloadHash(domain: PowDomain, payload: Bytes): Hash {
  return domain.hash(payload);
}

/** Whether the work hash of these bytes (`headerBytes`) is at most the target. */
export function hasWork(domain: PowDomain, bytes: Bytes, target: bigint): boolean {
  return bytesToBigint(domain.workHash.hash(bytes)) <= target;
}

/** Hashes that a block of this target takes on average: floor(2^256 / (target + 1)). */
export function workOfTarget(target: bigint): bigint {
  assert(target >= 1n && target < WORK_SPACE, "a target must be in [1, 2^256)");
  return WORK_SPACE / (target + 1n);
}

/** [parent, height, timestampMs, target, payloadHash, parentExecutedHash, miner, nonce]. */
export function headerToRlp(header: PowHeader): RlpItem {
  return headerEntries(header);
}

/** Reads what `headerToRlp` wrote. Throws RlpError: call it inside `decodeRlpWith`. Hashes share memory. */
export function headerFromRlp(item: RlpItem | undefined): PowHeader {
  const fields = readRlpList(item, "header", HEADER_FIELDS);
  const target = readRlpUint(fields[3], "header.target", HASH_BYTES);
  if (target === 0n) throw new RlpError("rlp/wrong-shape", "header.target: no hash is below it");
  return {
    parent: Hash(readRlpBytes(fields[0], "header.parent", HASH_BYTES)),
    height: Height(readRlpCount(fields[1], "header.height")),
    timestampMs: readRlpCount(fields[2], "header.timestampMs"),
    target,
    payloadHash: Hash(readRlpBytes(fields[4], "header.payloadHash", HASH_BYTES)),
    parentExecutedHash: Hash(readRlpBytes(fields[5], "header.parentExecutedHash", HASH_BYTES)),
    miner: Address(readRlpBytes(fields[6], "header.miner", ADDRESS_BYTES)),
    nonce: bytesToBigint(readRlpBytes(fields[7], "header.nonce", NONCE_BYTES)),
  };
}

/** The bytes a store keeps. */
export function encodePowHeader(header: PowHeader): Bytes {
  return encodeRlp(headerToRlp(header));
}

/** A header that shares memory with nothing: one that is kept must not keep the message it came in. */
export function copyHeader(header: PowHeader): PowHeader {
  return {
    ...header,
    parent: Hash(header.parent.slice()),
    payloadHash: Hash(header.payloadHash.slice()),
    parentExecutedHash: Hash(header.parentExecutedHash.slice()),
    miner: Address(header.miner.slice()),
  };
}

/** Errors: those of decodeRlpWith; `rlp/wrong-shape` also for a target of 0. */
export function decodePowHeader(bytes: Bytes): Result<PowHeader, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, headerFromRlp);
}

function headerEntries(header: PowHeader): readonly Bytes[] {
  return [
    header.parent,
    rlpUint(header.height),
    rlpUint(header.timestampMs),
    rlpUint(header.target),
    header.payloadHash,
    header.parentExecutedHash,
    header.miner,
    bigintToBytes(header.nonce, NONCE_BYTES),
  ];
}
