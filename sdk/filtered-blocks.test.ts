import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, createRandom, type Hash, toHex, unwrap } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { HASH_KECCAK256 } from "@ostrom/crypto";
import {
  addressOfSecretKey,
  encodeHeader,
  encodeReceipt,
  type Header,
  hashHeader,
  logsBloom,
  mergeBlooms,
  type Receipt,
  type SignedTransaction,
  signTransaction,
} from "@ostrom/execution";
import { EMPTY_TRIE_NODES, EMPTY_TRIE_ROOT, orderedTrieRoot, proveTrie, updateTrie } from "@ostrom/state";
import { verifyFilteredBlocks } from "./filtered-blocks.ts";

const random = createRandom(21);
const COUNT = 12;
const SHOWN = [2, 7];
const secret = random.bytes(32);
const contract = random.bytes(20) as Address;

const transactions: readonly SignedTransaction[] = Array.from({ length: COUNT }, (_, nonce) =>
  signTransaction(
    {
      type: 2,
      chainId: 1n,
      nonce: BigInt(nonce),
      gasLimit: 50_000n,
      maxFeePerGas: 9n,
      maxPriorityFeePerGas: 1n,
      to: contract,
      value: 0n,
      data: random.bytes(40),
    },
    secret,
  ),
);
const receipts: readonly Receipt[] = transactions.map((_, index) => {
  const logs = [{ address: contract, topics: [random.bytes(32) as Hash], data: random.bytes(9) }];
  return {
    type: 2,
    succeeded: index % 2 === 0,
    cumulativeGasUsed: BigInt(index + 1) * 30_000n,
    bloom: logsBloom(logs),
    logs,
    gasUsed: 30_000n,
    effectiveGasPrice: 8n,
    contractAddress: undefined,
  };
});

function headerOf(number: number, isEmpty: boolean): Header {
  return {
    parentHash: random.bytes(32) as Hash,
    ommersHash: random.bytes(32) as Hash,
    coinbase: addressOfSecretKey(secret),
    stateRoot: random.bytes(32) as Hash,
    transactionsRoot: isEmpty ? EMPTY_TRIE_ROOT : orderedTrieRoot(transactions.map(({ raw }) => raw)),
    receiptsRoot: isEmpty ? EMPTY_TRIE_ROOT : orderedTrieRoot(receipts.map(encodeReceipt)),
    logsBloom: isEmpty ? logsBloom([]) : mergeBlooms(receipts.map(({ bloom }) => bloom)),
    difficulty: 0n,
    number,
    gasLimit: 30_000_000n,
    gasUsed: 0n,
    timestamp: 1_800_000_000 + number,
    extraData: random.bytes(32),
    prevRandao: random.bytes(32) as Hash,
    nonce: new Uint8Array(8),
    baseFeePerGas: 7n,
    withdrawalsRoot: EMPTY_TRIE_ROOT,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: random.bytes(32) as Hash,
    requestsHash: random.bytes(32) as Hash,
  };
}

const FIRST = 40;
const headers = [headerOf(FIRST, false), headerOf(FIRST + 1, true)];
const hashes = headers.map((header) => hashHeader(header, HASH_KECCAK256));

function prove(values: readonly Uint8Array[], index: number): readonly string[] {
  const updates = values
    .map((value, at) => ({ key: encodeRlp(rlpUint(at)), value }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
  const { root, nodeChanges } = updateTrie(EMPTY_TRIE_NODES, EMPTY_TRIE_ROOT, updates);
  const nodes = new Map(nodeChanges.map(({ path, node }) => [toHex(path), node]));
  return proveTrie({ node: (path) => nodes.get(toHex(path)) }, root, encodeRlp(rlpUint(index))).map(toHex);
}

type Answer = {
  filter: unknown;
  blocks: {
    header: string;
    certificate: null;
    transactions: { index: string; proof: string[]; receiptProof: string[] }[];
  }[];
};

const honest = (shown: readonly number[] = SHOWN): Answer => ({
  filter: [toHex(contract)],
  blocks: headers.map((header, at) => ({
    header: toHex(encodeHeader(header)),
    certificate: null,
    transactions: (at === 0 ? shown : []).map((index) => ({
      index: `0x${index.toString(16)}`,
      proof: [
        ...prove(
          transactions.map(({ raw }) => raw),
          index,
        ),
      ],
      receiptProof: [...prove(receipts.map(encodeReceipt), index)],
    })),
  })),
});

const codeOf = (answer: unknown): string => {
  const result = verifyFilteredBlocks(FIRST, hashes, answer, HASH_KECCAK256);
  return result.ok ? "ok" : result.error.code;
};

test("what an honest server shows is taken, each transaction with its receipt", () => {
  const { blocks, filter } = unwrap(verifyFilteredBlocks(FIRST, hashes, honest(), HASH_KECCAK256));
  assert.deepEqual(filter, [contract]);
  assert.deepEqual(
    blocks[0]!.transactions.map(({ index, transaction, receipt }) => [
      index,
      toHex(transaction.hash),
      receipt.succeeded,
    ]),
    SHOWN.map((index) => [index, toHex(transactions[index]!.hash), index % 2 === 0]),
  );
  assert.deepEqual([blocks.length, blocks[1]!.transactions.length], [2, 0]);
  assert.deepEqual(
    blocks.map(({ unexplained }) => unexplained),
    [[], []],
  );
});

test("a server that leaves out what wrote a log is given away by the header's bloom", () => {
  const { blocks } = unwrap(verifyFilteredBlocks(FIRST, hashes, honest([]), HASH_KECCAK256));
  assert.deepEqual(blocks[0]!.unexplained, [contract]);
});

test("a server that says it looked for all, and shows less, is refused", () => {
  const every = Array.from({ length: COUNT }, (_, index) => index);
  assert.equal(codeOf({ ...honest(every), filter: "all" }), "ok");
  for (const shown of [[], SHOWN, every.slice(1), every.slice(0, -1)])
    assert.equal(codeOf({ ...honest(shown), filter: "all" }), "light/wrong-value");
});

test("swapped, moved, doubled, surplus and foreign parts are refused", () => {
  const changes: readonly ((answer: Answer) => unknown)[] = [
    (answer) => answer.blocks.reverse(),
    (answer) => answer.blocks.push(answer.blocks[1]!),
    (answer) => answer.blocks[0]!.transactions.reverse(),
    (answer) => answer.blocks[0]!.transactions.push(answer.blocks[0]!.transactions[1]!),
    (answer) => answer.blocks[1]!.transactions.push(answer.blocks[0]!.transactions[0]!),
    (answer) => (answer.blocks[0]!.transactions[0]!.index = "0x3"),
    (answer) => (answer.blocks[0]!.transactions[0]!.index = "0x0c"),
    (answer) => (answer.blocks[0]!.transactions[0]!.proof = answer.blocks[0]!.transactions[1]!.proof),
    (answer) => (answer.blocks[0]!.transactions[0]!.receiptProof = answer.blocks[0]!.transactions[0]!.proof),
    (answer) => answer.blocks[0]!.transactions[0]!.proof.push("0x80"),
    (answer) => answer.blocks[0]!.transactions[0]!.proof.pop(),
    (answer) => (answer.filter = "everything"),
    (answer) => (answer.blocks[0]!.header = toHex(encodeHeader({ ...headers[0]!, gasUsed: 1n }))),
  ];
  for (const [index, change] of changes.entries()) {
    const answer = honest();
    change(answer);
    assert.notEqual(codeOf(answer), "ok", `change ${index}`);
  }
});

test("1,000 answers with one changed digit: each is refused, or shows nothing else", () => {
  const whole = JSON.stringify(honest());
  const expected = JSON.stringify(codeOf(honest()));
  let refused = 0;
  for (let round = 0; round < 1_000; round++) {
    const at = whole.indexOf("0x", random.below(whole.length - 200)) + 2 + random.below(100);
    const digit = "0123456789abcdef"[random.below(16)]!;
    if (!/[0-9a-f]/.test(whole[at]!) || whole[at] === digit) continue;
    let answer: unknown;
    try {
      answer = JSON.parse(whole.slice(0, at) + digit + whole.slice(at + 1));
    } catch {
      continue;
    }
    const result = verifyFilteredBlocks(FIRST, hashes, answer, HASH_KECCAK256);
    if (!result.ok) refused++;
    // What is not proved, but asked for: the addresses of the filter.
    else assert.notDeepEqual(result.value.filter, [contract], whole.slice(at - 20, at + 20));
  }
  assert.ok(refused > 500, `${refused} refused`);
  assert.equal(expected, '"ok"');
});
