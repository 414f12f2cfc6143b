import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, addressFromHex, must, toHex, unwrap } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { addressOfSecretKey } from "@ostrom/execution";
import { verifyAccountProof, verifyTrieProof } from "@ostrom/state";
import { createMemoryStore, readHeader, type Store } from "@ostrom/storage";
import { createChainReads, openStateView } from "./chain-view.ts";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import {
  CLIENT_BALANCE,
  clientKey,
  simulatedGenesis,
  simulatedTransfer,
} from "./testing/simulated-genesis.ts";

installNativeCrypto();
const HISTORY_BLOCKS = 6;
const BLOCKS = 10;
/** Adds its calldata's word to slot 0, and stores that at the slot of the block's number. */
const COUNTER_CODE = Uint8Array.fromHex("60005460003501806000554355");
const counter = addressFromHex("00000000000000000000000000000000000c0de5");
const absent = addressFromHex("000000000000000000000000000000000000dead");
const clients = [0, 1, 2].map((index) => addressOfSecretKey(clientKey(index)));

type Remembered = { readonly nonce: bigint; readonly balance: bigint };

/** A chain whose every block changes accounts and slots, with what was true after each. */
async function grow(): Promise<{
  readonly store: Store;
  readonly after: readonly (readonly Remembered[])[];
  readonly sums: readonly bigint[];
}> {
  const base = simulatedGenesis({ validators: 4, clients: 3 });
  const account = { address: counter, balance: 0n, nonce: 1n, code: COUNTER_CODE, storage: [] };
  const chain = new OrderedChain({ ...base, alloc: [...base.alloc, account] });
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  const remember = (): readonly Remembered[] => {
    const view = unwrap(openStateView(store, executor.head().height));
    const seen = clients.map((address) => {
      const { nonce, balance } = must(view.reader.account(address), "clients exist");
      return { nonce, balance };
    });
    view.release();
    return seen;
  };
  const after = [remember()];
  const sums = [0n];
  for (let height = 1; height <= BLOCKS; height++) {
    const data = new Uint8Array(32);
    data[31] = height;
    const call = simulatedTransfer(0, height - 1, { to: counter, data, value: 0n, gasLimit: 100_000n });
    // Every third block leaves the other clients alone.
    const others = height % 3 === 0 ? [] : [simulatedTransfer(1, Number(after[height - 1]![1]!.nonce))];
    chain.append([call, ...others]);
    const report = await executor.execute(chain.inputOf(height));
    assert.equal(report.skipped.length, 0);
    after.push(remember());
    sums.push(sums[height - 1]! + BigInt(height));
  }
  return { store, after, sums };
}

const grown = await grow();

test("the state of each block in history is read as it was", () => {
  for (let height = BLOCKS - HISTORY_BLOCKS; height <= BLOCKS; height++) {
    const view = unwrap(openStateView(grown.store, height));
    for (const [index, address] of clients.entries()) {
      const { nonce, balance } = must(view.reader.account(address), "clients exist");
      assert.deepEqual({ nonce, balance }, grown.after[height]![index], `client ${index} at ${height}`);
    }
    assert.equal(view.reader.storage(counter, 0n), grown.sums[height]);
    for (let block = 1; block <= BLOCKS; block++) {
      assert.equal(view.reader.storage(counter, BigInt(block)), block <= height ? grown.sums[block] : 0n);
    }
    view.release();
  }
});

test("proofs of each block in history verify against the state root of its header", () => {
  for (let height = BLOCKS - HISTORY_BLOCKS; height <= BLOCKS; height++) {
    const view = unwrap(openStateView(grown.store, height));
    const { stateRoot } = must(readHeader(grown.store, height), "the block is stored").header;
    const prove = (address: Address, slots: readonly bigint[]) => {
      const proof = unwrap(view.prove(address, slots));
      return { proof, account: unwrap(verifyAccountProof(stateRoot, address, proof.accountProof)) };
    };
    for (const [index, address] of clients.entries()) {
      const { account } = prove(address, []);
      assert.equal(account?.nonce, grown.after[height]![index]!.nonce);
      assert.equal(account?.balance, grown.after[height]![index]!.balance);
    }
    assert.equal(prove(absent, []).account, undefined);
    const slots = [0n, BigInt(height), BigInt(BLOCKS), 999n];
    const { proof, account } = prove(counter, slots);
    const { storageRoot } = must(account, "the counter exists");
    for (const { slot, value, proof: nodes } of proof.storage) {
      const expected =
        slot === 0n ? grown.sums[height] : slot <= BigInt(height) ? grown.sums[Number(slot)] : 0n;
      assert.equal(value, expected, `slot ${slot} at ${height}`);
      const key = Uint8Array.fromHex(slot.toString(16).padStart(64, "0"));
      const proved = unwrap(verifyTrieProof(storageRoot, keccak256(key), nodes));
      assert.equal(proved === undefined, expected === 0n);
    }
    view.release();
  }
});

test("a view does not change when later blocks come", async () => {
  const chain = new OrderedChain();
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  const view = unwrap(openStateView(store, 0));
  chain.append([simulatedTransfer(0, 0)]);
  await executor.execute(chain.inputOf(1));
  assert.equal(view.reader.account(clients[0]!)?.balance, CLIENT_BALANCE);
  const { stateRoot } = must(readHeader(store, 0), "genesis is stored").header;
  const { accountProof } = unwrap(view.prove(clients[0]!, []));
  assert.equal(unwrap(verifyAccountProof(stateRoot, clients[0]!, accountProof))?.nonce, 0n);
  view.release();
});

test("state beyond history is refused, as are blocks that are not there", () => {
  const code = (height: number): string => {
    const view = openStateView(grown.store, height);
    return view.ok ? "ok" : view.error.code;
  };
  assert.equal(code(BLOCKS - HISTORY_BLOCKS), "ok");
  assert.equal(code(BLOCKS - HISTORY_BLOCKS - 1), "rpc/state-too-old");
  assert.equal(code(0), "rpc/state-too-old");
  assert.equal(code(BLOCKS + 1), "rpc/unknown-block");
  assert.equal(code(-1), "rpc/unknown-block");
});

test("blocks, receipts and locations are read by number and hash; drops from the store before the pool", () => {
  const chain = createChainReads(grown.store, HISTORY_BLOCKS, () => ({
    code: "txpool/expired",
    message: "",
  }));
  const earliestState = BLOCKS - HISTORY_BLOCKS;
  assert.deepEqual(chain.heads(), { latest: BLOCKS, certified: 0, earliest: 0, earliestState });
  const block = must(chain.block(2), "the block is stored");
  assert.equal(block.transactions.length, 2);
  assert.equal(chain.blockNumberOf(block.hash), 2);
  assert.equal(toHex(must(chain.header(3), "").header.parentHash), toHex(block.hash));
  assert.equal(chain.receipts(2)?.length, 2);
  assert.deepEqual(chain.transactionLocation(block.transactions[1]!.hash), { blockNumber: 2, index: 1 });
  assert.equal(chain.block(BLOCKS + 1), undefined);
  assert.equal(chain.dropReason(block.hash)?.code, "txpool/expired");
});
