import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hashFromWord, must, toHexDigits } from "@ostrom/base";
import { decodeRlpWith, encodeRlp, type RlpItem, readRlpBytes, readRlpList } from "@ostrom/codec";
import { HASH_KECCAK256 } from "@ostrom/crypto";
import { decodeHeader, decodeSignedTransaction, type Header, hashHeader } from "@ostrom/execution";
import { ANONYMOUS_SESSION } from "./access-control.ts";
import type { Block, RpcBackend } from "./backend.ts";
import { createDispatcher } from "./dispatch.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { createServices } from "./services.ts";
import { createFakeBackend, FAKE_RULES } from "./testing/fake-backend.ts";
import type { RpcAnswer } from "./testing/http-client.ts";
import { readChain, readExchanges, VECTORS_MISSING } from "./testing/vectors.ts";

/** Methods whose answers follow from blocks alone. */
const FROM_BLOCKS: readonly string[] = [
  "debug_getRawBlock",
  "debug_getRawHeader",
  "debug_getRawTransaction",
  "eth_blockNumber",
  "eth_chainId",
  "eth_getBlockByHash",
  "eth_getBlockByNumber",
  "eth_getBlockTransactionCountByHash",
  "eth_getBlockTransactionCountByNumber",
  "eth_getTransactionByBlockHashAndIndex",
  "eth_getTransactionByBlockNumberAndIndex",
  "eth_getTransactionByHash",
  "net_version",
];
const CHAIN_ID = 3503995874084926n;

/** The vectors' blocks from Cancun on; their headers are as ours. Older ones we have no format for. */
function readBlocks(): { readonly blocks: ReadonlyMap<number, Block>; readonly latest: number } {
  const blocks = new Map<number, Block>();
  let latest = 0;
  // The file is a sequence of items, which one list around them makes readable.
  const bytes = readChain();
  const wrapped = encodeListOf(bytes);
  const decoded = decodeRlpWith(wrapped, (item) => readRlpList(item, "chain").map(readBlock));
  assert.ok(decoded.ok);
  for (const block of decoded.value) {
    latest++;
    if (block !== undefined) blocks.set(block.header.number, block);
  }
  return { blocks, latest };
}

function encodeListOf(payload: Uint8Array): Uint8Array {
  const length = Uint8Array.from([payload.length >> 16, (payload.length >> 8) & 0xff, payload.length & 0xff]);
  assert.ok(length[0]! > 0);
  return Uint8Array.from([0xf7 + length.length, ...length, ...payload]);
}

function readBlock(item: RlpItem): Block | undefined {
  const [headerItem, transactionItems] = readRlpList(item, "block");
  const header = decodeHeader(encodeRlp(must(headerItem, "a block has a header")));
  if (!header.ok) return undefined;
  const transactions = readRlpList(must(transactionItems, "a block has transactions"), "transactions").map(
    (entry) => {
      const decoded = decodeSignedTransaction(
        entry instanceof Uint8Array ? readRlpBytes(entry, "transaction") : encodeRlp(entry),
      );
      assert.ok(decoded.ok);
      return decoded.value;
    },
  );
  return { header: header.value, hash: hashHeader(header.value as Header, HASH_KECCAK256), transactions };
}

function backendOf(blocks: ReadonlyMap<number, Block>, latest: number): RpcBackend {
  const fake = createFakeBackend();
  const numbers = new Map([...blocks].map(([number, { hash }]) => [toHexDigits(hash), number]));
  const locations = new Map(
    [...blocks].flatMap(([blockNumber, { transactions }]) =>
      transactions.map(({ hash }, index) => [toHexDigits(hash), { blockNumber, index }] as const),
    ),
  );
  return {
    ...fake,
    info: { rules: { ...FAKE_RULES, chainId: CHAIN_ID }, genesisHash: hashFromWord(0n) },
    chain: {
      ...fake.chain,
      heads: () => ({ latest, certified: latest, earliest: 0 }),
      header: (number) => blocks.get(number),
      block: (number) => blocks.get(number),
      blockNumberOf: (hash) => numbers.get(toHexDigits(hash)),
      transactionLocation: (hash) => locations.get(toHexDigits(hash)),
    },
  };
}

describe("answers from the vectors' own blocks", { skip: VECTORS_MISSING ?? false }, () => {
  test("are the vectors' answers, to the last digit", async (t) => {
    const { blocks, latest } = readBlocks();
    assert.ok(blocks.size > 0);
    const services = createServices({ backend: backendOf(blocks, latest) }, DEFAULT_LIMITS, (error) =>
      assert.fail(String(error)),
    );
    const dispatch = createDispatcher(services.methods, DEFAULT_LIMITS, (_method, error) =>
      assert.fail(String(error)),
    );
    let compared = 0;
    let older = 0;
    for (const { file, method, request, answer } of readExchanges()) {
      if (!FROM_BLOCKS.includes(method) || answer.error !== undefined) continue;
      const text = await dispatch(JSON.stringify(request), {
        ...services,
        connection: undefined,
        session: ANONYMOUS_SESSION,
      });
      const ours = JSON.parse(text ?? "") as RpcAnswer;
      if (answer.result !== null && isMissing(ours)) {
        older++;
        continue;
      }
      assert.deepEqual(ours, answer, file);
      compared++;
    }
    t.diagnostic(
      `${compared} exchanges equal; ${older} are of blocks before Cancun; ${blocks.size} of ${latest} blocks read`,
    );
    assert.ok(compared >= 16);
  });
});

/** We have no such block: it is from before Cancun. */
function isMissing({ result, error }: RpcAnswer): boolean {
  return result === null || result === "0x" || error?.message === "header not found";
}
