import {
  type Bytes,
  Epoch,
  equalBytes,
  type Failure,
  fail,
  Hash,
  Height,
  type Result,
  utf8,
  View,
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
  rlpUint,
} from "@ostrom/codec";
import {
  type ConsensusDomain,
  type Executed,
  MAX_PAYLOAD_BYTES,
  MAX_VALIDATORS,
  type OrderedBlock,
  type StateCertificate,
  ValidatorIndex,
} from "./types.ts";

const DIGEST_DOMAIN = utf8("ostrom/ordered-block/1");
const HASH_BYTES = 32;
const BLOCK_FIELDS = 9;
const STATE_CERTIFICATE_FIELDS = 8;
/** In the place of a state certificate: the one of the block before it in the list. */
const REPEATED: Bytes = rlpUint(1);
/** Longest aggregate or signature of any scheme: a list of post-quantum signatures of the largest set. */
export const MAX_SIGNATURE_BYTES: number = 5 * 1024 * MAX_VALIDATORS;
/** Most bytes of a certificate's bitmap. */
export const MAX_BITMAP_BYTES: number = MAX_VALIDATORS / 8;

/** Names an ordered block: the hash of its fields and of its payload's hash, bound to the chain and the hash function. */
export function orderDigest(domain: ConsensusDomain, block: OrderedBlock): Hash {
  const certificate = block.stateCertificate;
  return domain.hash(
    encodeRlp([
      DIGEST_DOMAIN,
      rlpUint(domain.hashId),
      domain.genesisHash,
      ...headOf(block),
      certificate === undefined ? [] : stateCertificateToRlp(certificate),
      domain.hash(block.payload),
    ]),
  );
}

/** [epoch, view, height, parent, parentView, timestampMs, proposer, stateCertificate or [], payload]. */
export function blockToRlp(block: OrderedBlock): RlpItem {
  const certificate = block.stateCertificate;
  return [
    ...headOf(block),
    certificate === undefined ? [] : stateCertificateToRlp(certificate),
    block.payload,
  ];
}

/** Reads what `blockToRlp` wrote. Throws RlpError: call it inside `decodeRlpWith`. The payload shares memory.
 * @param repeated what `REPEATED` stands for; without it, that is refused. */
export function blockFromRlp(item: RlpItem | undefined, repeated?: StateCertificate): OrderedBlock {
  const fields = readRlpList(item, "block", BLOCK_FIELDS);
  return {
    epoch: Epoch(readRlpCount(fields[0], "block.epoch")),
    view: View(readRlpCount(fields[1], "block.view")),
    height: Height(readRlpCount(fields[2], "block.height")),
    parent: readHash(fields[3], "block.parent"),
    parentView: View(readRlpCount(fields[4], "block.parentView")),
    timestampMs: readRlpCount(fields[5], "block.timestampMs"),
    proposer: readValidatorIndex(fields[6], "block.proposer"),
    stateCertificate: isRepeated(fields[7], repeated)
      ? repeated
      : readOptional(fields[7], stateCertificateFromRlp),
    payload: readLimited(fields[8], "block.payload", MAX_PAYLOAD_BYTES),
  };
}

/** As one block after the other, but a state certificate that the block before has too is written as `REPEATED`: where signatures do not aggregate,
 * it takes hundreds of kilobytes, and the blocks of a range mostly carry the same ones. There is one encoding: what repeats must be written so. */
export function blocksToRlp(blocks: readonly OrderedBlock[]): RlpItem {
  return blocks.map((block, index) => {
    const certificate = block.stateCertificate;
    const before = blocks[index - 1]?.stateCertificate;
    if (certificate === undefined || !isSameCertificate(certificate, before)) return blockToRlp(block);
    return [...headOf(block), REPEATED, block.payload];
  });
}

/** Reads what `blocksToRlp` wrote. Throws RlpError. Shares memory. */
export function blocksFromRlp(item: RlpItem | undefined, what: string, maxBlocks: number): OrderedBlock[] {
  const items = readRlpList(item, what);
  if (items.length > maxBlocks) throw new RlpError("rlp/wrong-shape", `${what}: more than ${maxBlocks}`);
  const blocks: OrderedBlock[] = [];
  for (const entry of items) {
    const before = blocks.at(-1)?.stateCertificate;
    const block = blockFromRlp(entry, before);
    const { stateCertificate } = block;
    const isOwn = stateCertificate !== undefined && stateCertificate !== before;
    if (isOwn && isSameCertificate(stateCertificate, before))
      throw new RlpError("rlp/wrong-shape", `${what}: a certificate is repeated in full`);
    blocks.push(block);
  }
  return blocks;
}

/** The bytes a store keeps. */
export function encodeBlock(block: OrderedBlock): Bytes {
  return encodeRlp(blockToRlp(block));
}

/** Errors: those of decodeRlpWith; `rlp/wrong-shape` also where a limit is exceeded. The payload shares memory. */
export function decodeBlock(bytes: Bytes): Result<OrderedBlock, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, blockFromRlp);
}

/** [schemeId, epoch, height, orderDigest, executedHash, nextSetHash, signers, signature]. */
export function stateCertificateToRlp(certificate: StateCertificate): RlpItem {
  return [
    rlpUint(certificate.schemeId),
    ...executedEntries(certificate.executed),
    certificate.signers,
    certificate.signature,
  ];
}

/** Throws RlpError. */
export function stateCertificateFromRlp(item: RlpItem | undefined): StateCertificate {
  const fields = readRlpList(item, "stateCertificate", STATE_CERTIFICATE_FIELDS);
  return {
    schemeId: readRlpCount(fields[0], "stateCertificate.schemeId"),
    executed: executedFromEntries(fields.slice(1, 6)),
    signers: readLimited(fields[6], "stateCertificate.signers", MAX_BITMAP_BYTES),
    signature: readLimited(fields[7], "stateCertificate.signature", MAX_SIGNATURE_BYTES),
  };
}

/** The bytes that stores, snapshots and light clients keep. */
export function encodeStateCertificate(certificate: StateCertificate): Bytes {
  return encodeRlp(stateCertificateToRlp(certificate));
}

/** Errors: those of decodeRlpWith; `certificate/too-long` beyond the longest possible. */
export function decodeStateCertificate(
  bytes: Bytes,
): Result<StateCertificate, Failure<RlpErrorCode | "certificate/too-long">> {
  if (bytes.length > MAX_SIGNATURE_BYTES + MAX_BITMAP_BYTES + 256) {
    return fail("certificate/too-long", `a state certificate of ${bytes.length} bytes`);
  }
  return decodeRlpWith(bytes, stateCertificateFromRlp);
}

/** [epoch, height, orderDigest, executedHash, nextSetHash] as entries of a longer list. */
export function executedEntries(executed: Executed): readonly RlpItem[] {
  return [
    rlpUint(executed.epoch),
    rlpUint(executed.height),
    executed.orderDigest,
    executed.executedHash,
    executed.nextSetHash,
  ];
}

/** Throws RlpError. */
export function executedFromEntries(fields: readonly RlpItem[]): Executed {
  return {
    epoch: Epoch(readRlpCount(fields[0], "executed.epoch")),
    height: Height(readRlpCount(fields[1], "executed.height")),
    orderDigest: readHash(fields[2], "executed.orderDigest"),
    executedHash: readHash(fields[3], "executed.executedHash"),
    nextSetHash: readHash(fields[4], "executed.nextSetHash"),
  };
}

/** Throws RlpError. */
export function readHash(item: RlpItem | undefined, what: string): Hash {
  return Hash(readRlpBytes(item, what, HASH_BYTES));
}

/** Throws RlpError. */
export function readValidatorIndex(item: RlpItem | undefined, what: string): ValidatorIndex {
  const index = readRlpCount(item, what);
  if (index >= MAX_VALIDATORS)
    throw new RlpError("rlp/wrong-shape", `${what}: no set has a validator ${index}`);
  return ValidatorIndex(index);
}

/** Reads bytes up to a limit. Throws RlpError. */
export function readLimited(item: RlpItem | undefined, what: string, maxBytes: number): Bytes {
  const bytes = readRlpBytes(item, what);
  if (bytes.length > maxBytes)
    throw new RlpError("rlp/wrong-shape", `${what}: longer than ${maxBytes} bytes`);
  return bytes;
}

/** Reads what may be absent: an empty list stands for undefined. Throws RlpError. */
export function readOptional<T>(item: RlpItem | undefined, read: (item: RlpItem) => T): T | undefined {
  return item !== undefined && !(item instanceof Uint8Array) && item.length === 0
    ? undefined
    : read(item ?? []);
}

function isRepeated(item: RlpItem | undefined, repeated: StateCertificate | undefined): boolean {
  return repeated !== undefined && item instanceof Uint8Array && equalBytes(item, REPEATED);
}

/** Whether two certificates are of the same bytes. */
export function isSameCertificate(a: StateCertificate, b: StateCertificate | undefined): boolean {
  return (
    a === b ||
    (b !== undefined &&
      a.schemeId === b.schemeId &&
      a.executed.epoch === b.executed.epoch &&
      a.executed.height === b.executed.height &&
      equalBytes(a.executed.orderDigest, b.executed.orderDigest) &&
      equalBytes(a.executed.executedHash, b.executed.executedHash) &&
      equalBytes(a.executed.nextSetHash, b.executed.nextSetHash) &&
      equalBytes(a.signers, b.signers) &&
      equalBytes(a.signature, b.signature))
  );
}

function headOf(block: OrderedBlock): readonly Bytes[] {
  return [
    rlpUint(block.epoch),
    rlpUint(block.view),
    rlpUint(block.height),
    block.parent,
    rlpUint(block.parentView),
    rlpUint(block.timestampMs),
    rlpUint(block.proposer),
  ];
}
