import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH_LIFETIME_BLOCKS, type BatchHeader, decodeBatch, isBatchOf } from "@ostrom/dissemination";
import type { SignedTransaction } from "@ostrom/execution";
import { installNativeCrypto } from "./native-crypto.ts";
import { BATCH_EPOCH, BatchNetwork, blockWith, certify } from "./testing/batch-network.ts";
import { simulatedTransfer } from "./testing/simulated-genesis.ts";

installNativeCrypto();

const FILL_MS = 100;
const RETRY_MS = 500;
const CLIENTS = 8;
/** EIP-7825. */
const MOST_GAS = 2n ** 24n;

function transfers(count: number, nonce = 0): readonly SignedTransaction[] {
  return Array.from({ length: count }, (_, index) =>
    simulatedTransfer(index % CLIENTS, nonce + Math.floor(index / CLIENTS)),
  );
}

/** Each batch that a node has sent, once, and as it said it is. */
function batchesOf(network: BatchNetwork, index: number): readonly BatchHeader[] {
  const headers = new Map<number, BatchHeader>();
  for (const { message } of network.said(index, "batch")) {
    assert.ok(message.kind === "batch");
    const { header } = message.attestation;
    assert.ok(isBatchOf(header, message.batch) && decodeBatch(message.batch).ok);
    headers.set(header.sequence, header);
  }
  return [...headers.values()];
}

function countOf(headers: readonly BatchHeader[]): number {
  return headers.reduce((sum, { count }) => sum + count, 0);
}

test("under light load transactions are passed on; above it they are batched, and what comes meanwhile joins them", async () => {
  const network = new BatchNetwork("all", { lightLoad: 4 });
  await network.pass(FILL_MS);
  const some = transfers(4);
  assert.deepEqual(network.submit(0, some), some);
  await network.pass(FILL_MS);
  assert.deepEqual(batchesOf(network, 0), []);
  const more = [4, 5, 6, 7].map((client) => simulatedTransfer(client, 0));
  assert.deepEqual(network.submit(0, [...more, simulatedTransfer(4, 1)]), []);
  assert.deepEqual(network.submit(0, [simulatedTransfer(5, 1)]), []);
  await network.pass(FILL_MS);
  assert.equal(countOf(batchesOf(network, 0)), 6);
});

test("batches have at most as many transactions as they may, and numbers that rise", async () => {
  const network = new BatchNetwork("all", { maxTransactions: 5 });
  network.submit(0, transfers(16));
  await network.pass(FILL_MS);
  const made = batchesOf(network, 0);
  assert.equal(countOf(made), 16);
  assert.ok(made.every(({ count }) => count <= 5));
  assert.ok(made.every(({ sequence }, index) => index === 0 || sequence > made[index - 1]!.sequence));
  for (const { seen } of network.nodes) assert.deepEqual(seen.faults, []);
});

test("a transaction that asks for more than a batch's share of a block's gas goes in a batch of its own", async () => {
  const network = new BatchNetwork("all");
  const large = { gasLimit: MOST_GAS };
  network.submit(0, [
    ...transfers(CLIENTS),
    simulatedTransfer(0, 1, large),
    simulatedTransfer(1, 1, large),
    simulatedTransfer(1, 2),
  ]);
  await network.pass(FILL_MS);
  const made = batchesOf(network, 0);
  assert.equal(countOf(made), CLIENTS + 3);
  assert.equal(made.filter(({ gasLimit }) => gasLimit >= MOST_GAS).length, 2);
});

test("D5: the transactions of batches that the cursor passes over come again, in others", async () => {
  const network = new BatchNetwork("all", { maxTransactions: 4 });
  network.submit(0, transfers(8));
  await network.pass(FILL_MS);
  const [first, second] = batchesOf(network, 0);
  assert.ok(first !== undefined && second !== undefined);
  const { desk } = network.nodes[0]!;
  desk.finalized(blockWith(1, [certify(second, 1)]));
  desk.executed(1, [second]);
  await network.pass(FILL_MS);
  const again = batchesOf(network, 0).slice(2);
  assert.ok(countOf(again) >= first.count);
  assert.ok(again.every(({ sequence }) => sequence > second.sequence));
  assert.ok(again.every(({ digest }) => Buffer.compare(digest, first.digest) !== 0));
});

test("D4: a batch that no block has in its time is given up, and its transactions come again", async () => {
  const network = new BatchNetwork("all", { lifetimeBlocks: 6 });
  network.submit(0, transfers(4));
  await network.pass(FILL_MS);
  const [first] = batchesOf(network, 0);
  assert.equal(first?.expiryHeight, 3);
  const { desk } = network.nodes[0]!;
  desk.executed(2, []);
  await network.pass(FILL_MS);
  assert.equal(batchesOf(network, 0).length, 1);
  desk.executed(3, []);
  await network.pass(FILL_MS);
  const [, again] = batchesOf(network, 0);
  assert.equal(again?.count, first?.count);
  assert.equal(again?.expiryHeight, 6);
});

test("D4: no limit of a node makes batches live longer than the rule allows", async () => {
  const network = new BatchNetwork("all", { lifetimeBlocks: 10 * BATCH_LIFETIME_BLOCKS });
  network.submit(0, transfers(4));
  await network.pass(FILL_MS);
  assert.equal(batchesOf(network, 0)[0]?.expiryHeight, BATCH_LIFETIME_BLOCKS / 2);
});

test("D16: what was in batches of the epoch before is batched anew", async () => {
  const network = new BatchNetwork("all");
  network.submit(0, transfers(4));
  await network.pass(FILL_MS);
  for (const index of network.nodes.keys()) network.enter(index, BATCH_EPOCH + 1);
  await network.pass(FILL_MS);
  const [before, after] = batchesOf(network, 0);
  assert.equal(after?.epoch, BATCH_EPOCH + 1);
  assert.equal(after?.count, before?.count);
});

test("D16: who makes no batches in the new epoch passes on what waited for its own, once, and nothing else", async () => {
  const network = new BatchNetwork("all", { maxTransactions: 4 });
  const taken = [...transfers(6), simulatedTransfer(6, 1)];
  network.submit(0, taken);
  const { pool } = network.nodes[0]!;
  const other = simulatedTransfer(7, 0);
  assert.ok(pool.admit(other, { nonce: 0n, balance: 10n ** 30n }, network.clock.nowMs()).ok);
  await network.pass(FILL_MS);
  const passedOn = network.enter(0, BATCH_EPOCH + 1, false);
  assert.deepEqual(new Set(passedOn), new Set(taken));
  assert.deepEqual(network.enter(0, BATCH_EPOCH + 2, false), []);
  assert.deepEqual(network.submit(0, [simulatedTransfer(5, 1)]).length, 1);
});

test("a block that is executed makes no batch of what comes slowly", async () => {
  const network = new BatchNetwork("all", { lightLoad: 4 });
  await network.pass(FILL_MS);
  const { desk } = network.nodes[0]!;
  const [slow, next] = [simulatedTransfer(0, 0), simulatedTransfer(1, 0)];
  assert.deepEqual(network.submit(0, [slow]), [slow]);
  desk.executed(1, []);
  assert.deepEqual(network.submit(0, [next]), [next]);
  await network.pass(FILL_MS);
  assert.deepEqual(batchesOf(network, 0), []);
});

test("D9: a restarted author goes on above its numbers, also when its clock was set back", async () => {
  const network = new BatchNetwork("all");
  network.submit(0, transfers(4));
  await network.pass(FILL_MS);
  const { desk, store } = network.nodes[0]!;
  desk.stop();
  network.clock.set(1_000);
  network.start(0, store);
  network.submit(0, transfers(4));
  await network.pass(FILL_MS);
  const [before, after] = batchesOf(network, 0);
  assert.ok(before !== undefined && after !== undefined && after.sequence > before.sequence);
  for (const { seen } of network.nodes) assert.deepEqual(seen.evidence, []);
});

test("D9: who does not know any more what it has made in an epoch makes no batches in it", async () => {
  const network = new BatchNetwork("all");
  network.nodes[0]!.desk.stop();
  network.start(0, undefined, false);
  const some = transfers(40);
  assert.deepEqual(network.submit(0, some), some);
  await network.pass(FILL_MS);
  assert.deepEqual(batchesOf(network, 0), []);
  network.enter(0, BATCH_EPOCH + 1);
  assert.deepEqual(network.submit(0, transfers(8, 5)), []);
});

test("who has not attested is sent a batch again, and certificates again until a block has it", async () => {
  const network = new BatchNetwork("all");
  network.drops = ({ message }) => message.kind === "attestation";
  network.submit(0, transfers(4));
  await network.pass(FILL_MS);
  assert.equal(network.said(0, "batch").length, 3);
  network.drops = () => false;
  await network.pass(RETRY_MS);
  assert.ok(network.said(0, "certified").length >= 3);
  const told = network.said(0, "certified").length;
  await network.pass(RETRY_MS);
  assert.equal(network.said(0, "certified").length, told + 3);
});

test("D3: with minority an author takes numbers whose checkers it reaches", async () => {
  const network = new BatchNetwork("minority");
  for (const offline of [1, 2]) network.offline.add(offline);
  network.submit(0, transfers(4));
  await network.pass(FILL_MS);
  assert.ok(network.said(0, "certified").length > 0, "validator 3 has checked it at once");
});

test("own batches that wait for their order are bounded", async () => {
  const network = new BatchNetwork("all", { maxTransactions: 1, maxUnorderedBatches: 4 });
  network.submit(0, transfers(8));
  await network.pass(FILL_MS);
  assert.equal(batchesOf(network, 0).length, 2);
  for (const { seen } of network.nodes) assert.deepEqual(seen.faults, []);
});
