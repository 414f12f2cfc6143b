import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createBlockHeader } from "@ethereumjs/block";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { Address, concatBytes, createRandom, Hash, hex, toHex, unwrap } from "@ostrom/base";
import { decodeRlp, encodeRlp, type RlpItem } from "@ostrom/codec";
import { HASH_KECCAK256 } from "@ostrom/crypto";
import { EMPTY_TRIE_ROOT, orderedTrieRoot } from "@ostrom/state";
import { bloomMayContain, logsBloom, mergeBlooms } from "./bloom.ts";
import {
  decodeHeader,
  EMPTY_REQUESTS_HASH,
  emptyHeaderFields,
  encodeBlock,
  encodeHeader,
  hashHeader,
} from "./header.ts";
import { decodeStoredReceipts } from "./receipt.ts";
import { encodeReceipt, encodeStoredReceipts } from "./receipt-encoding.ts";
import { decodeTransaction } from "./transaction.ts";
import type { Header, Receipt } from "./types.ts";

const VECTORS = join(import.meta.dirname, "../../../shared/vectors/rpc");
const skip = existsSync(VECTORS) ? false : "the shared vectors are not here (../shared/vectors/rpc)";
const random = createRandom(11);

function randomHeader(): Header {
  return {
    ...emptyHeaderFields(HASH_KECCAK256),
    parentHash: Hash(random.bytes(32)),
    coinbase: Address(random.bytes(20)),
    stateRoot: Hash(random.bytes(32)),
    transactionsRoot: Hash(random.bytes(32)),
    receiptsRoot: Hash(random.bytes(32)),
    logsBloom: random.bytes(256),
    number: random.below(1_000_000),
    gasLimit: 30_000_000n,
    gasUsed: BigInt(random.below(30_000_000)),
    timestamp: 1_700_000_000 + random.below(1_000),
    extraData: random.bytes(32),
    prevRandao: Hash(random.bytes(32)),
    baseFeePerGas: BigInt(random.below(2 ** 32)),
    requestsHash: EMPTY_REQUESTS_HASH,
  };
}

test("a header of Prague has 21 fields, of Cancun 20, and both come back as they were", () => {
  const prague = randomHeader();
  const cancun = { ...prague, requestsHash: undefined };
  assert.equal((unwrap(decodeRlp(encodeHeader(prague))) as readonly RlpItem[]).length, 21);
  assert.equal((unwrap(decodeRlp(encodeHeader(cancun))) as readonly RlpItem[]).length, 20);
  assert.deepEqual(unwrap(decodeHeader(encodeHeader(prague))), prague);
  assert.deepEqual(unwrap(decodeHeader(encodeHeader(cancun))), cancun);
});

test("@ethereumjs/block hashes our headers alike", () => {
  const common = new Common({ chain: Mainnet, hardfork: Hardfork.Prague });
  for (let i = 0; i < 20; i++) {
    const header = randomHeader();
    const theirs = createBlockHeader(
      {
        ...header,
        uncleHash: header.ommersHash,
        receiptTrie: header.receiptsRoot,
        transactionsTrie: header.transactionsRoot,
        mixHash: header.prevRandao,
        coinbase: toHex(header.coinbase),
      } as never,
      { common, setHardfork: false },
    );
    assert.equal(toHex(theirs.hash()), toHex(hashHeader(header, HASH_KECCAK256)));
  }
});

test("a header with a missing, superfluous, too long or non-canonical field is refused", () => {
  const items = unwrap(decodeRlp(encodeHeader(randomHeader()))) as readonly RlpItem[];
  const changed = (index: number, item: RlpItem): Uint8Array =>
    encodeRlp(items.map((old, i) => (i === index ? item : old)));
  const bad = [
    encodeRlp(items.slice(0, 19)),
    encodeRlp([...items, new Uint8Array(32)]),
    changed(0, new Uint8Array(31)),
    changed(6, new Uint8Array(255)),
    changed(8, hex("0001")),
    changed(8, hex("ffffffffffffffff")),
    changed(12, new Uint8Array(33)),
    changed(14, new Uint8Array(7)),
    concatBytes(encodeRlp(items), hex("00")),
    hex(""),
  ];
  for (const bytes of bad) {
    const decoded = decodeHeader(bytes);
    assert.equal(!decoded.ok && decoded.error.code, "header/malformed");
  }
});

function randomReceipt(): Receipt {
  const logs = Array.from({ length: random.below(3) }, () => ({
    address: Address(random.bytes(20)),
    topics: Array.from({ length: random.below(5) }, () => Hash(random.bytes(32))),
    data: random.bytes(random.below(70)),
  }));
  return {
    type: ([0, 1, 2, 3, 4] as const)[random.below(5)]!,
    succeeded: random.chance(1, 2),
    cumulativeGasUsed: BigInt(random.below(2 ** 32)),
    bloom: logsBloom(logs),
    logs,
    gasUsed: BigInt(random.below(2 ** 32)),
    effectiveGasPrice: BigInt(random.below(2 ** 32)),
    contractAddress: random.chance(1, 2) ? Address(random.bytes(20)) : undefined,
  };
}

test("stored receipts come back as they were, and damaged ones are refused", () => {
  const receipts = Array.from({ length: 20 }, randomReceipt);
  const stored = encodeStoredReceipts(receipts);
  assert.deepEqual(unwrap(decodeStoredReceipts(stored)), receipts);
  assert.deepEqual(unwrap(decodeStoredReceipts(encodeStoredReceipts([]))), []);
  for (const bytes of [stored.subarray(1), concatBytes(stored, hex("80")), encodeRlp([[hex("05")]])]) {
    const decoded = decodeStoredReceipts(bytes);
    assert.equal(!decoded.ok && decoded.error.code, "receipt/malformed");
  }
});

test("a bloom contains the address and the topics of its logs, and little else", () => {
  const { logs, bloom } = Array.from({ length: 30 }, randomReceipt).find(
    (receipt) => receipt.logs.length === 2,
  )!;
  for (const { address, topics } of logs) {
    for (const entry of [address, ...topics]) assert.equal(bloomMayContain(bloom, entry), true);
  }
  const strangers = Array.from({ length: 200 }, () => random.bytes(20));
  assert.ok(strangers.filter((entry) => bloomMayContain(bloom, entry)).length < 5);
  assert.deepEqual(mergeBlooms([logsBloom(logs.slice(0, 1)), logsBloom(logs.slice(1))]), bloom);
});

/** The blocks of a file that holds one RLP item after another. */
function blocksOf(bytes: Uint8Array): readonly RlpItem[][] {
  const blocks: RlpItem[][] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const lengthBytes = bytes[offset]! - 0xf7;
    const length = Number.parseInt(
      Buffer.from(bytes.subarray(offset + 1, offset + 1 + lengthBytes)).toString("hex"),
      16,
    );
    const end = offset + 1 + lengthBytes + length;
    blocks.push([...(unwrap(decodeRlp(bytes.subarray(offset, end))) as readonly RlpItem[])]);
    offset = end;
  }
  return blocks;
}

test("execution-apis' chain: headers since Cancun link by hash, transactions give the root", {
  skip,
}, (t) => {
  const blocks = blocksOf(readFileSync(join(VECTORS, "chain.rlp"))).filter(
    ([header]) => header!.length >= 20,
  );
  let previous: Header | undefined;
  for (const [item, bodies] of blocks) {
    const header = unwrap(decodeHeader(encodeRlp(item!)));
    assert.deepEqual(encodeHeader(header), encodeRlp(item!));
    if (previous !== undefined) assert.deepEqual(header.parentHash, hashHeader(previous, HASH_KECCAK256));
    const raws = (bodies as readonly RlpItem[]).map((body) =>
      body instanceof Uint8Array ? body : encodeRlp(body),
    );
    for (const raw of raws) assert.deepEqual(unwrap(decodeTransaction(raw)).raw, raw);
    assert.deepEqual(raws.length === 0 ? EMPTY_TRIE_ROOT : orderedTrieRoot(raws), header.transactionsRoot);
    previous = header;
  }
  assert.ok(blocks.length >= 13);
  t.diagnostic(`${blocks.length} blocks`);
});

type JsonReceipt = {
  readonly blockNumber: string;
  readonly type: string;
  readonly status: string;
  readonly cumulativeGasUsed: string;
  readonly logsBloom: string;
  readonly logs: readonly {
    readonly address: string;
    readonly topics: readonly string[];
    readonly data: string;
  }[];
};

test("execution-apis' receipts of the latest block encode to its receipts root", { skip }, () => {
  const exchange = readFileSync(join(VECTORS, "eth_getBlockReceipts/get-block-receipts-latest.io"), "utf8");
  const answer = exchange.split("\n").find((line) => line.startsWith("<< "))!;
  const receipts = (JSON.parse(answer.slice(3)) as { result: readonly JsonReceipt[] }).result;
  const encoded = receipts.map((receipt) => {
    const logs = receipt.logs.map(({ address, topics, data }) => ({
      address: Address(hex(address)),
      topics: topics.map((topic) => Hash(hex(topic))),
      data: hex(data),
    }));
    assert.equal(toHex(logsBloom(logs)), receipt.logsBloom);
    return encodeReceipt({
      type: Number(receipt.type) as Receipt["type"],
      succeeded: receipt.status === "0x1",
      cumulativeGasUsed: BigInt(receipt.cumulativeGasUsed),
      bloom: logsBloom(logs),
      logs,
      gasUsed: 0n,
      effectiveGasPrice: 0n,
      contractAddress: undefined,
    });
  });
  const headers = blocksOf(readFileSync(join(VECTORS, "chain.rlp"))).map(([header]) => header!);
  const latest = headers.find((header) => unwrapNumber(header) === Number(receipts[0]!.blockNumber))!;
  assert.equal(toHex(orderedTrieRoot(encoded)), toHex(unwrap(decodeHeader(encodeRlp(latest))).receiptsRoot));
});

function unwrapNumber(header: RlpItem): number {
  return Number(`0x0${Buffer.from(header[8] as Uint8Array).toString("hex")}`);
}

test("a block's RLP holds legacy transactions as lists and typed ones as byte strings", () => {
  const legacy = hex(
    "f85f800182520894095e7baea6a6c7c4c2dfeb977efac326af552d870a801ba048b55bfa915ac795c431978d8a6a992b628d557da5ff759b307d495a36649353a0efffd310ac743f371de3b9f7f9cb56c0b28ad43601b4ab949f53faa07bd2c804",
  );
  const typed = hex("02c0");
  const [, bodies] = unwrap(decodeRlp(encodeBlock(randomHeader(), [legacy, typed]))) as readonly RlpItem[][];
  assert.equal((bodies![0] as readonly RlpItem[]).length, 9);
  assert.deepEqual(bodies![1], typed);
});
