import {
  Address,
  type Bytes,
  type Failure,
  fail,
  Hash,
  hashFromHex,
  ok,
  type Result,
  ZERO_HASH,
} from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  type RlpItem,
  readRlpBytes,
  readRlpCount,
  readRlpList,
  readRlpUint,
  rlpUint,
} from "@ostrom/codec";
import { emptyTrieRoot } from "@ostrom/state";
import { BLOOM_LENGTH } from "./bloom.ts";
import { chainHash } from "./chain-hash.ts";
import type { Header } from "./types.ts";

/** keccak256(rlp([])): no block of ours has ommers. */
export const EMPTY_OMMERS_HASH: Hash = hashFromHex(
  "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
);
/** sha256(""): the hash of no requests. Source: EIP-7685. */
export const EMPTY_REQUESTS_HASH: Hash = hashFromHex(
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
);
/** A header's `nonce` since the Merge. Source: EIP-3675. */
export const ZERO_HEADER_NONCE: Bytes = new Uint8Array(8);

const FIELDS_OF_CANCUN = 20;
const FIELDS_OF_PRAGUE = 21;
const MAX_EXTRA_DATA_BYTES = 32;

/** The header's RLP: 21 fields from Prague on, 20 in Cancun (without the requests hash). */
export function encodeHeader(header: Header): Bytes {
  return encodeRlp(headerItems(header));
}

/** The hash that names the block: of the encoded header, by the chain's hash function.
 * @param hashId as `ChainRules` has it. */
export function hashHeader(header: Header, hashId: number): Hash {
  return chainHash({ hashId })(encodeHeader(header));
}

/** Decodes a header. It copies what it keeps.
 * Errors: `header/malformed`. */
export function decodeHeader(bytes: Bytes): Result<Header, Failure<"header/malformed">> {
  const decoded = decodeRlpWith(bytes.slice(), readHeader);
  return decoded.ok ? ok(decoded.value) : fail("header/malformed", decoded.error.message);
}

/** The RLP of a whole block, as clients exchange it; its length is what JSON-RPC calls the block's size.
 * @param transactions raw, in order. Source: Yellow Paper, 4.3.3; EIP-2718; EIP-4895. */
export function encodeBlock(header: Header, transactions: readonly Bytes[]): Bytes {
  const bodies = transactions.map((raw) => (isLegacy(raw) ? readLegacyItem(raw) : raw));
  return encodeRlp([headerItems(header), bodies, [], []]);
}

function isLegacy(raw: Bytes): boolean {
  return raw.length > 0 && raw[0]! >= 0xc0;
}

/** A legacy transaction stands in a block as the list it is, not as a byte string. */
function readLegacyItem(raw: Bytes): RlpItem {
  const decoded = decodeRlpWith(raw, (item) => item);
  return decoded.ok ? decoded.value : raw;
}

function headerItems(header: Header): RlpItem[] {
  const items: RlpItem[] = [
    header.parentHash,
    header.ommersHash,
    header.coinbase,
    header.stateRoot,
    header.transactionsRoot,
    header.receiptsRoot,
    header.logsBloom,
    rlpUint(header.difficulty),
    rlpUint(header.number),
    rlpUint(header.gasLimit),
    rlpUint(header.gasUsed),
    rlpUint(header.timestamp),
    header.extraData,
    header.prevRandao,
    header.nonce,
    rlpUint(header.baseFeePerGas),
    header.withdrawalsRoot,
    rlpUint(header.blobGasUsed),
    rlpUint(header.excessBlobGas),
    header.parentBeaconBlockRoot,
  ];
  if (header.requestsHash !== undefined) items.push(header.requestsHash);
  return items;
}

function readHeader(item: RlpItem): Header {
  const all = readRlpList(item, "header");
  const items = readRlpList(
    all,
    "header",
    all.length === FIELDS_OF_CANCUN ? FIELDS_OF_CANCUN : FIELDS_OF_PRAGUE,
  );
  const hash = (index: number, what: string): Hash => Hash(readRlpBytes(items[index], what, 32));
  const extraData = readRlpBytes(items[12], "extra data");
  return {
    parentHash: hash(0, "parent hash"),
    ommersHash: hash(1, "ommers hash"),
    coinbase: Address(readRlpBytes(items[2], "coinbase", 20)),
    stateRoot: hash(3, "state root"),
    transactionsRoot: hash(4, "transactions root"),
    receiptsRoot: hash(5, "receipts root"),
    logsBloom: readRlpBytes(items[6], "logs bloom", BLOOM_LENGTH),
    difficulty: readRlpUint(items[7], "difficulty"),
    number: readRlpCount(items[8], "number"),
    gasLimit: readRlpUint(items[9], "gas limit", 8),
    gasUsed: readRlpUint(items[10], "gas used", 8),
    timestamp: readRlpCount(items[11], "timestamp"),
    extraData:
      extraData.length <= MAX_EXTRA_DATA_BYTES
        ? extraData
        : readRlpBytes(items[12], "extra data", MAX_EXTRA_DATA_BYTES),
    prevRandao: hash(13, "mix hash"),
    nonce: readRlpBytes(items[14], "nonce", 8),
    baseFeePerGas: readRlpUint(items[15], "base fee"),
    withdrawalsRoot: hash(16, "withdrawals root"),
    blobGasUsed: readRlpUint(items[17], "blob gas used", 8),
    excessBlobGas: readRlpUint(items[18], "excess blob gas", 8),
    parentBeaconBlockRoot: hash(19, "parent beacon block root"),
    requestsHash: items.length === FIELDS_OF_PRAGUE ? hash(20, "requests hash") : undefined,
  };
}

/** What every header of a chain has alike, to be spread and completed. `ommersHash` is Ethereum's constant whatever the chain's hash
 * function: it stands for "none". */
export function emptyHeaderFields(
  hashId: number,
): Pick<
  Header,
  | "ommersHash"
  | "difficulty"
  | "nonce"
  | "withdrawalsRoot"
  | "blobGasUsed"
  | "excessBlobGas"
  | "parentBeaconBlockRoot"
> {
  return {
    ommersHash: EMPTY_OMMERS_HASH,
    difficulty: 0n,
    nonce: ZERO_HEADER_NONCE,
    withdrawalsRoot: emptyTrieRoot(chainHash({ hashId })),
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: ZERO_HASH,
  };
}
