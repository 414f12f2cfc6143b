import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type Address,
  addressToWord,
  createRandom,
  fromHex,
  hashFromWord,
  must,
  toHex,
  unwrap,
} from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { HASH_KECCAK256, keccak256 } from "@ostrom/crypto";
import {
  addressOfSecretKey,
  decodeHeader,
  hashHeader,
  type SignedTransaction,
  signTransaction,
} from "@ostrom/execution";
import { verifyTrieProof } from "@ostrom/state";
import { OPEN_ACCESS } from "./access-control.ts";
import type { ObserverFilter } from "./access-roles.ts";
import { createRpcServer, type RpcServer } from "./server.ts";
import { call } from "./testing/http-client.ts";
import { createMemoryChain, type MemoryChain } from "./testing/memory-backend.ts";
import { createAccountToken } from "./token.ts";

const random = createRandom(3);
const keys = Array.from({ length: 5 }, () => random.bytes(32));
const [alice, bob, carol, dave, observer] = keys.map(addressOfSecretKey) as [
  Address,
  Address,
  Address,
  Address,
  Address,
];
const COIN = 10n ** 18n;
/** Writes a log with the word of its call data as second topic: PUSH1 0, CALLDATALOAD, PUSH1 1, PUSH1 0, PUSH1 0, LOG2, as creation code. */
const LOGGER = "600b600c600039600b6000f3600035600160006000a200";

type Shown = {
  readonly filter: string | readonly string[];
  readonly blocks: readonly {
    readonly header: string;
    readonly transactions: readonly {
      readonly index: string;
      readonly proof: readonly string[];
      readonly receiptProof: readonly string[];
    }[];
  }[];
};

describe("ostrom_getFilteredBlocks", () => {
  let chain: MemoryChain;
  let server: RpcServer;
  let url = "";
  let filter: ObserverFilter | undefined;
  let logger: Address;
  const sent: SignedTransaction[] = [];
  const nonces = new Map<number, bigint>();

  const send = async (
    from: number,
    to: Address | undefined,
    data: Uint8Array = new Uint8Array(0),
  ): Promise<SignedTransaction> => {
    const nonce = nonces.get(from) ?? 0n;
    nonces.set(from, nonce + 1n);
    const signed = signTransaction(
      {
        type: 2,
        chainId: 1337n,
        nonce,
        gasLimit: 200_000n,
        maxFeePerGas: 100n * 10n ** 9n,
        maxPriorityFeePerGas: 1n,
        to,
        value: to === undefined || data.length > 0 ? 0n : 1n,
        data,
      },
      keys[from]!,
    );
    const [admitted] = await chain.backend.pool.submit([signed.raw]);
    assert.ok(admitted?.ok, JSON.stringify(admitted));
    sent.push(signed);
    return signed;
  };

  const tokenOf = (): string => {
    const issuedAt = Math.floor(Date.now() / 1_000);
    const { genesisHash } = chain.backend.info;
    return createAccountToken(
      { kind: "secp256k1", secret: keys[4]! },
      { genesisHash, issuedAt, seconds: 600 },
    ).token;
  };

  const ask = async (from: number, to: number): Promise<Shown> => {
    const answer = await call(
      url,
      "ostrom_getFilteredBlocks",
      [from, to].map((n) => `0x${n.toString(16)}`),
      {
        authorization: `Bearer ${tokenOf()}`,
      },
    );
    assert.equal(answer.error, undefined, JSON.stringify(answer.error));
    return answer.result as Shown;
  };

  /** Hashes of the transactions shown, each proved in its header together with its receipt. */
  const provedIn = (shown: Shown): readonly string[] =>
    shown.blocks.flatMap(({ header: text, transactions }) => {
      const header = unwrap(decodeHeader(unwrap(fromHex(text))));
      return transactions.map(({ index, proof, receiptProof }) => {
        const key = encodeRlp(rlpUint(Number(index)));
        const nodes = (texts: readonly string[]) => texts.map((node) => unwrap(fromHex(node)));
        const raw = must(unwrap(verifyTrieProof(header.transactionsRoot, key, nodes(proof))), "it is there");
        assert.ok(unwrap(verifyTrieProof(header.receiptsRoot, key, nodes(receiptProof))) !== undefined);
        return toHex(keccak256(raw));
      });
    });

  before(async () => {
    chain = createMemoryChain({
      accounts: [alice, bob, carol, dave].map((address) => ({ address, balance: 100n * COIN })),
      sealing: "manual",
    });
    server = createRpcServer({
      backend: chain.backend,
      port: 0,
      access: {
        settings: { ...OPEN_ACCESS, kind: "jwt", anonymousReads: false, maxTokenSeconds: 3_600 },
        reads: { rolesOf: () => (filter === undefined ? [] : ["auditor"]), filterOf: () => filter },
      },
    });
    url = `http://127.0.0.1:${(await server.start()).port}`;
    filter = "all";
    // Block 1: alice to bob, carol to dave, and a contract by dave. Block 2: dave writes bob into a log. Block 3 is empty.
    await send(0, bob);
    await send(2, dave);
    await send(3, undefined, unwrap(fromHex(`0x${LOGGER}`)));
    chain.seal();
    logger = must(
      chain.backend.chain.receipts(1)?.find(({ contractAddress }) => contractAddress)?.contractAddress,
      "made",
    );
    await send(3, logger, hashFromWord(addressToWord(bob)));
    await send(2, alice);
    chain.seal();
    chain.seal();
  });
  after(() => server.stop());

  const hashesOf = (...indices: readonly number[]): readonly string[] =>
    indices.map((index) => toHex(sent[index]!.hash)).sort();

  test("each observer is shown what concerns its addresses, proved, and nothing else", async () => {
    const cases: readonly (readonly [ObserverFilter, readonly number[]])[] = [
      ["all", [0, 1, 2, 3, 4]],
      [[alice], [0, 4]],
      [[bob], [0, 3]],
      [[carol], [1, 4]],
      [[logger], [2, 3]],
      [
        [alice, bob],
        [0, 3, 4],
      ],
      [[observer], []],
      [[], []],
    ];
    for (const [wanted, indices] of cases) {
      filter = wanted;
      chain.seal();
      const shown = await ask(0, 3);
      assert.deepEqual([...provedIn(shown)].sort(), hashesOf(...indices), JSON.stringify(shown.filter));
      const headers = shown.blocks.map(({ header }) =>
        hashHeader(unwrap(decodeHeader(unwrap(fromHex(header)))), HASH_KECCAK256),
      );
      assert.deepEqual(
        headers.map(toHex),
        [0, 1, 2, 3].map((n) => toHex(chain.backend.chain.header(n)!.hash)),
      );
    }
  });

  test("what is not shown cannot be read out of the proofs", async () => {
    filter = [alice];
    chain.seal();
    const text = JSON.stringify(await ask(0, 3));
    for (const index of [1, 2, 3])
      assert.ok(!text.includes(toHex(sent[index]!.raw).slice(10, 60)), `transaction ${index}`);
  });

  test("an account that the chain gives no filter is refused; a range that is too long, or backwards, too", async () => {
    const refused = async (from: string, to: string): Promise<number | undefined> => {
      const headers = { authorization: `Bearer ${tokenOf()}` };
      return (await call(url, "ostrom_getFilteredBlocks", [from, to], headers)).error?.code;
    };
    filter = undefined;
    chain.seal();
    assert.equal(await refused("0x0", "0x1"), 4100);
    filter = "all";
    chain.seal();
    assert.equal(await refused("0x0", "0x80"), -32005);
    assert.equal(await refused("0x2", "0x1"), -32000);
    assert.equal((await ask(0, 100)).blocks.length, (chain.backend.chain.heads().latest ?? 0) + 1);
  });
});
