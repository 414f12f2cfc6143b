import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { addressFromHex, fromHex, unwrap } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { HASH_KECCAK256, keccak256 } from "@ostrom/crypto";
import { decodeHeader, encodeReceipt, hashHeader } from "@ostrom/execution";
import { orderedTrieRoot, verifyTrieProof } from "@ostrom/state";
import { indexTrie, proveIndex } from "./index-proof.ts";
import type { LightReads } from "./light-reads.ts";
import { createRpcServer } from "./server.ts";
import { call, result } from "./testing/http-client.ts";
import { createMemoryChain, type MemoryChain } from "./testing/memory-backend.ts";
import { EMITTER_INIT_CODE, transfer } from "./testing/raw-transactions.ts";
import { ACCOUNTS } from "./testing/served-chain.ts";

const CERTIFIED = 2;
const bytesOf = (text: unknown): Uint8Array => unwrap(fromHex(String(text)));

/** Certificates are what a node has stored; what is in them only who verifies them sees. */
const light: LightReads = {
  genesisParameters: "{}",
  newestCertificate: () => ({ height: CERTIFIED, bytes: Uint8Array.of(7) }),
  certificateFrom: (height) =>
    height > CERTIFIED ? undefined : { height: CERTIFIED, bytes: Uint8Array.of(8) },
  epochStep: () => undefined,
};

describe("what light clients ask", () => {
  let chain: MemoryChain;
  let url: string;
  let plainUrl: string;
  const stops: (() => Promise<void>)[] = [];

  before(async () => {
    chain = createMemoryChain({
      accounts: ACCOUNTS.map(({ address }) => ({ address: addressFromHex(address), balance: 10n ** 22n })),
      sealing: "manual",
    });
    const serve = async (backend: MemoryChain["backend"]): Promise<string> => {
      const server = createRpcServer({ backend, port: 0 });
      stops.push(server.stop);
      return `http://127.0.0.1:${(await server.start()).port}`;
    };
    url = await serve({ ...chain.backend, light });
    plainUrl = await serve(chain.backend);
    const sent = [0, 1, 2].map((nonce) =>
      nonce === 1
        ? transfer(1, { to: undefined, value: 0n, data: EMITTER_INIT_CODE, gasLimit: 200_000n })
        : transfer(nonce),
    );
    await chain.backend.pool.submit(sent.map(({ raw }) => bytesOf(raw)));
    chain.seal();
    chain.seal();
    chain.seal();
  });
  after(() => Promise.all(stops.map((stop) => stop())));

  test("a certificate comes with its header: the newest for a tag, the lowest from a height on for a number", async () => {
    for (const [parameter, certificate] of [
      ["finalized", "0x07"],
      ["latest", "0x07"],
      ["0x1", "0x08"],
      ["0x2", "0x08"],
    ] as const) {
      const answer = (await result(url, "ostrom_getStateCertificate", [parameter])) as Record<string, string>;
      assert.deepEqual([answer["height"], answer["certificate"]], ["0x2", certificate]);
      assert.equal(unwrap(decodeHeader(bytesOf(answer["header"]))).number, CERTIFIED);
    }
    assert.equal(await result(url, "ostrom_getStateCertificate", ["0x3"]), null);
    assert.equal(await result(url, "ostrom_getStateCertificate", ["0x99"]), null);
  });

  test("headers come in a row, as far as there are any, and not too many", async () => {
    const headers = (await result(url, "ostrom_getHeaders", ["0x1", 9])) as readonly string[];
    const decoded = headers.map((header) => unwrap(decodeHeader(bytesOf(header))));
    assert.deepEqual(
      decoded.map(({ number }) => number),
      [1, 2, 3],
    );
    assert.deepEqual(decoded[1]?.parentHash, hashHeader(decoded[0]!, HASH_KECCAK256));
    assert.equal((await call(url, "ostrom_getHeaders", ["0x0", 513])).error?.code, -32_005);
  });

  test("transactions and receipts are proved in their tries, and the whole of both is what the roots are of", async () => {
    const block = chain.backend.chain.block(1)!;
    const receipts = chain.backend.chain.receipts(1)!;
    const { transactionsRoot, receiptsRoot } = block.header;
    for (const [index, { hash, raw }] of block.transactions.entries()) {
      const answer = (await result(url, "ostrom_getReceiptProof", [
        `0x${Buffer.from(hash).toString("hex")}`,
      ])) as {
        readonly blockNumber: string;
        readonly transactionIndex: string;
        readonly proof: readonly string[];
        readonly receiptProof: readonly string[];
        readonly previousReceiptProof: readonly string[];
      };
      const value = (
        root: Parameters<typeof verifyTrieProof>[0],
        position: number,
        proof: readonly string[],
      ) => unwrap(verifyTrieProof(root, encodeRlp(rlpUint(position)), proof.map(bytesOf)));
      assert.deepEqual([Number(answer.blockNumber), Number(answer.transactionIndex)], [1, index]);
      assert.deepEqual(value(transactionsRoot, index, answer.proof), raw);
      assert.deepEqual(value(receiptsRoot, index, answer.receiptProof), encodeReceipt(receipts[index]!));
      if (index === 0) assert.deepEqual(answer.previousReceiptProof, []);
      else
        assert.deepEqual(
          value(receiptsRoot, index - 1, answer.previousReceiptProof),
          encodeReceipt(receipts[index - 1]!),
        );
      const shorter = (await result(url, "ostrom_getTransactionProof", [
        `0x${Buffer.from(hash).toString("hex")}`,
      ])) as typeof answer;
      assert.deepEqual(shorter.proof, answer.proof);
    }
    const body = (await result(url, "ostrom_getBlockBody", ["0x1"])) as Record<
      "transactions" | "receipts",
      string[]
    >;
    assert.deepEqual(orderedTrieRoot(body.transactions.map(bytesOf)), transactionsRoot);
    assert.deepEqual(orderedTrieRoot(body.receipts.map(bytesOf)), receiptsRoot);
    assert.deepEqual(await result(url, "ostrom_getBlockBody", ["0x2"]), { transactions: [], receipts: [] });
  });

  test("what is not there is null; a chain without certificates has none of it", async () => {
    const unknown = `0x${"9".repeat(64)}`;
    assert.equal(await result(url, "ostrom_getTransactionProof", [unknown]), null);
    assert.equal(await result(url, "ostrom_getReceiptProof", [unknown]), null);
    assert.equal(await result(url, "ostrom_getEpochProof", [0]), null);
    assert.equal(await result(plainUrl, "ostrom_getGenesis"), null);
    assert.equal(await result(plainUrl, "ostrom_getStateCertificate"), null);
    assert.equal(await result(plainUrl, "ostrom_getEpochProof", ["0x0"]), null);
    const genesis = (await result(url, "ostrom_getGenesis")) as Record<string, string>;
    assert.deepEqual(keccak256(bytesOf(genesis["header"])), chain.backend.chain.header(0)?.hash);
  });

  test("a trie of any number of values proves each of them, and that there is none after the last", () => {
    for (const count of [1, 2, 17, 127, 128, 129, 300]) {
      const values = Array.from({ length: count }, (_, index) => Uint8Array.of(1, index >> 8, index & 255));
      const trie = indexTrie(values, keccak256);
      assert.deepEqual(trie.root, orderedTrieRoot(values));
      for (const index of [0, count >> 1, count - 1, count]) {
        const proved = unwrap(verifyTrieProof(trie.root, encodeRlp(rlpUint(index)), proveIndex(trie, index)));
        assert.deepEqual(proved, values[index]);
      }
    }
  });
});
