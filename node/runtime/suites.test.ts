import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, type Bytes, Hash, must, unwrap } from "@ostrom/base";
import { validatorSetHash } from "@ostrom/consensus";
import { HASH_SM3, keccak256, sm3 } from "@ostrom/crypto";
import { addressOfSecretKey, encodeHeader, encodeReceipt } from "@ostrom/execution";
import { orderedTrieRoot, verifyAccountProof } from "@ostrom/state";
import { createMemoryStore, readBody, readHeader, readMeta, readReceipts, type Store } from "@ostrom/storage";
import { openStateView } from "./chain-view.ts";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { checkState } from "./state-check.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { clientKey, simulatedGenesis, simulatedTransfer } from "./testing/simulated-genesis.ts";
import { createValidatorReads } from "./validator-reads.ts";

installNativeCrypto();
const BLOCKS = 5;
const HISTORY_BLOCKS = 64;
const hash = (data: Bytes): Hash => Hash(sm3(data));

/** A chain whose hash function is SM3, with two transfers in each block. */
async function smChain(): Promise<{
  readonly store: Store;
  readonly chain: OrderedChain;
  readonly executor: Executor;
}> {
  const genesis = simulatedGenesis({ validators: 4, clients: 4, hash: "sm3" });
  const chain = new OrderedChain(genesis, { isSigned: false });
  const store = createMemoryStore();
  const executor = await Executor.open(store, genesis, HISTORY_BLOCKS);
  for (let height = 1; height <= BLOCKS; height++) {
    chain.append([0, 1].map((client) => simulatedTransfer(client, height - 1)));
    const report = await executor.execute(chain.inputOf(height));
    assert.deepEqual([report.included.length, report.skipped], [2, []]);
    assert.deepEqual(
      report.nextSetHash,
      validatorSetHash({ hash: sm3 }, chain.validators),
      "the set that a certificate names is named by SM3",
    );
  }
  return { store, chain, executor };
}

test("a node of a chain of suite sm links blocks and makes the tries of transactions and receipts by SM3", async () => {
  const { store } = await smChain();
  assert.equal(readMeta(store)?.hashId, HASH_SM3);
  for (let height = 1; height <= BLOCKS; height++) {
    const { header, hash: named, hashId } = must(readHeader(store, height), "it was executed");
    const parent = must(readHeader(store, height - 1), "so was its parent");
    assert.equal(hashId, HASH_SM3);
    assert.deepEqual(named, hash(encodeHeader(header)));
    assert.deepEqual(header.parentHash, hash(encodeHeader(parent.header)));
    const raws = must(readBody(store, height), "it is stored").map(({ raw }) => raw);
    const receipts = must(readReceipts(store, height), "they are stored").map(encodeReceipt);
    assert.deepEqual(header.transactionsRoot, orderedTrieRoot(raws, sm3));
    assert.deepEqual(header.receiptsRoot, orderedTrieRoot(receipts, sm3));
  }
});

test("hashes of transactions stay Ethereum's on a chain of suite sm: its tools name them so", async () => {
  const { store } = await smChain();
  for (const { hash: named, raw } of must(readBody(store, 1), "it is stored"))
    assert.deepEqual(named, keccak256(raw));
});

test("proofs of the newest and of older states verify by SM3 under the header's state root, and by keccak-256 they do not", async () => {
  const { store } = await smChain();
  const known: Address = addressOfSecretKey(clientKey(1));
  for (let height = 0; height <= BLOCKS; height++) {
    const { stateRoot } = must(readHeader(store, height), "it was executed").header;
    const view = unwrap(openStateView(store, height));
    const { accountProof, account } = unwrap(view.prove(known, []));
    assert.deepEqual(unwrap(verifyAccountProof(stateRoot, known, accountProof, sm3)), account);
    assert.equal(account?.nonce, BigInt(height));
    assert.equal(verifyAccountProof(stateRoot, known, accountProof, keccak256).ok, false);
    view.release();
  }
});

test("the state of a restored backup is checked by the hash function that the chain has", async () => {
  const { store } = await smChain();
  const { stateRoot } = must(readHeader(store, BLOCKS), "it was executed").header;
  assert.ok((await checkState(store, stateRoot, sm3)).ok);
  const wrong = await checkState(store, stateRoot, keccak256);
  assert.equal(wrong.ok ? "ok" : wrong.error.code, "backup/damaged");
});

test("a block that is taken off leads back to its parent's state by SM3, and may be executed again", async () => {
  const { store, chain, executor } = await smChain();
  const before = must(readHeader(store, BLOCKS), "it was executed").hash;
  await executor.unwind(BLOCKS);
  await executor.execute(chain.inputOf(BLOCKS));
  assert.deepEqual(must(readHeader(store, BLOCKS), "it was executed").hash, before);
});

test("what JSON-RPC tells of a validator set is the hash that certificates name", async () => {
  const { store, chain } = await smChain();
  const reads = createValidatorReads(store, chain.genesis);
  const { origin } = must(readHeader(store, BLOCKS), "it was executed");
  assert.deepEqual(reads.set(0)?.hash, origin.nextSetHash);
});
