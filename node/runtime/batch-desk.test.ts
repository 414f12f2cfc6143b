import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes, EMPTY_BYTES, equalBytes, ZERO_HASH } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { type BatchEvidence, encodeBatchMessage, verifyBatchEvidence } from "@ostrom/dissemination";
import type { SignedTransaction } from "@ostrom/execution";
import { orderedBatchOperations, readBatch } from "@ostrom/storage";
import { installNativeCrypto } from "./native-crypto.ts";
import {
  announce,
  attestTo,
  authorsIn,
  BATCH_EPOCH,
  BatchNetwork,
  blockWith,
  certify,
  madeBatch,
  peerOf,
} from "./testing/batch-network.ts";
import { endOfTurn } from "./testing/manual-clock.ts";
import { simulatedTransfer } from "./testing/simulated-genesis.ts";

installNativeCrypto();

const FILL_MS = 100;
/** What a node forgets at this height, it was to forget before. */
const EXPIRY_HEIGHT = 64;
const ROOM = { height: 1, gas: 10_000_000n, bytes: 1_000_000, count: 10 };

const TRANSFERS: readonly SignedTransaction[] = [simulatedTransfer(0, 0), simulatedTransfer(1, 0)];
const SENDERS = TRANSFERS.map(({ sender }) => sender);
/** With `minority`, each names the other's sender. */
const FALSE = madeBatch(TRANSFERS, {}, SENDERS.toReversed());
/** Designated for author 0 and number 1 (rule D3), and not. */
const [CHECKER, BELIEVER] = [2, 1];

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: () => resolve() };
}

function isProven(evidence: BatchEvidence): boolean {
  const verify = (key: Bytes, message: Bytes, signature: Bytes): boolean =>
    equalBytes(signature, keccak256(concatBytes(key, message)));
  const domain = { genesisHash: ZERO_HASH, hash: keccak256, verify };
  return verifyBatchEvidence(domain, authorsIn(BATCH_EPOCH), evidence).ok;
}

function accusedBy(network: BatchNetwork, index: number): readonly number[] {
  const accused = network.nodes[index]!.seen.evidence.map((evidence) => {
    assert.ok(isProven(evidence));
    return evidence.kind === "two-batches" ? evidence.first.signer : evidence.attestation.signer;
  });
  return [...new Set(accused)].sort();
}

for (const mode of ["all", "minority"] as const) {
  test(`${mode}: a client's transactions are batched, attested to, certified, chosen, voted for and resolved`, async () => {
    const network = new BatchNetwork(mode);
    assert.deepEqual(network.submit(0, TRANSFERS), []);
    await network.pass(FILL_MS);
    for (const { desk, seen } of network.nodes) {
      const batches = desk.select(ROOM, []);
      assert.equal(batches.length, 1);
      const block = blockWith(1, batches);
      assert.equal(desk.refuse(block, batches, []), undefined);
      assert.equal(await desk.ready(batches), undefined);
      const [resolved] = await desk.resolve(block.payload);
      assert.ok(resolved?.isStored === true && resolved.entries.length > 0);
      assert.ok(desk.finalized(block) !== undefined);
      assert.deepEqual(desk.select({ ...ROOM, height: 2 }, []), []);
      assert.deepEqual(seen.faults, []);
    }
  });
}

test("D9: nothing is attested to before it is on disk", async () => {
  const network = new BatchNetwork("all");
  const disk = gate();
  network.disks[1] = disk.opened;
  const made = madeBatch(TRANSFERS);
  network.hear(1, 0, announce(made));
  await network.settle();
  assert.deepEqual(network.said(1, "attestation"), []);
  disk.open();
  await network.settle();
  assert.equal(network.said(1, "attestation").length, 1);
  assert.deepEqual(readBatch(network.nodes[1]!.store, made.header.digest), made.bytes);
});

test("D9: an author's batch leaves when its number is on disk", async () => {
  const network = new BatchNetwork("all");
  const disk = gate();
  network.disks[0] = disk.opened;
  network.submit(0, TRANSFERS);
  await network.pass(FILL_MS);
  assert.deepEqual(network.said(0, "batch"), []);
  disk.open();
  await network.settle();
  assert.equal(network.said(0, "batch").length, 3);
});

test("D12: a voter waits for the body and for its disk", async () => {
  const network = new BatchNetwork("all");
  const disk = gate();
  network.disks[2] = disk.opened;
  const made = madeBatch(TRANSFERS);
  const batches = [certify(made.header, 1)];
  const { desk } = network.nodes[2]!;
  assert.equal(desk.refuse(blockWith(1, batches), batches, []), undefined);
  let answer = "waits";
  const answered = desk.ready(batches).then((problem) => {
    answer = problem ?? "votes";
  });
  await network.settle();
  assert.ok(network.said(2, "wanted").length > 0);
  network.hear(2, 0, { kind: "found", batches: [made.bytes] });
  await network.settle();
  assert.equal(answer, "waits");
  disk.open();
  await answered;
  assert.equal(answer, "votes");
});

test("D10: what exceeds an author's quota in number or bytes is neither kept nor answered, nor punished as a lie", async () => {
  for (const limits of [
    { maxUnorderedBatches: 2 },
    { maxUnorderedBytes: 2 * madeBatch(TRANSFERS).bytes.length },
  ]) {
    const network = new BatchNetwork("all", limits);
    const made = [1, 2, 3].map((sequence) => madeBatch(TRANSFERS, { sequence }));
    for (const each of made) network.hear(1, 0, announce(each));
    await network.settle();
    assert.equal(network.said(1, "attestation").length, 2);
    assert.deepEqual(network.nodes[1]!.seen.faults, ["batch/over-quota"]);
    assert.equal(readBatch(network.nodes[1]!.store, made[2]!.header.digest), undefined);
    const other = madeBatch(TRANSFERS, { author: 2 });
    network.hear(1, 2, announce(other));
    await network.settle();
    assert.equal(network.said(1, "attestation").length, 3, "each author has its own");
  }
});

test("a batch whose header has another place is not kept, and its author is convicted", async () => {
  const moved = madeBatch(TRANSFERS, { sequence: 2 });
  for (const fields of [{ sequence: 3 }, { expiryHeight: 200 }]) {
    const network = new BatchNetwork("all");
    const header = { ...moved.header, ...fields };
    network.hear(1, 0, announce({ ...moved, header }));
    await network.settle();
    assert.deepEqual(network.nodes[1]!.seen.faults, ["batch/malformed"]);
    assert.equal(readBatch(network.nodes[1]!.store, header.digest), undefined);
    assert.deepEqual(network.said(1, "attestation"), []);
    assert.deepEqual(accusedBy(network, 1), [0]);
  }
});

test("one body under two headers: the second is refused also where the first is held", async () => {
  const network = new BatchNetwork("all");
  const made = madeBatch(TRANSFERS, { sequence: 1 });
  network.hear(1, 0, announce(made));
  network.hear(1, 0, announce({ ...made, header: { ...made.header, sequence: 2, expiryHeight: 400 } }));
  await network.settle();
  assert.equal(network.said(1, "attestation").length, 1);
  assert.deepEqual(network.nodes[1]!.seen.faults, ["batch/malformed"]);
  assert.deepEqual(accusedBy(network, 1), [0]);
});

test("claims belong to minority alone: other batches are refused, and nobody is convicted", async () => {
  for (const [mode, claims] of [
    ["all", SENDERS],
    ["minority", []],
  ] as const) {
    const network = new BatchNetwork(mode);
    const made = madeBatch(TRANSFERS, {}, claims);
    for (const index of [1, 2, 3]) network.hear(index, 0, announce(made));
    await network.settle();
    for (const index of [1, 2, 3]) {
      const { seen, store } = network.nodes[index]!;
      assert.deepEqual(seen, { evidence: [], faults: ["batch/claims"], failures: [] });
      assert.deepEqual(network.said(index, "attestation"), []);
      assert.equal(readBatch(store, made.header.digest), undefined);
    }
  }
});

test("D7: two batches for one number convict their author; after a restart the second is not attested to", async () => {
  const network = new BatchNetwork("all");
  const [first, second] = [madeBatch(TRANSFERS), madeBatch(TRANSFERS.toReversed())];
  network.hear(1, 0, announce(first));
  network.hear(1, 0, announce(second));
  network.hear(2, 0, announce(first));
  await network.settle();
  assert.deepEqual(accusedBy(network, 1), [0]);
  network.nodes[2]!.desk.stop();
  network.start(2, network.nodes[2]!.store);
  network.hear(2, 0, announce(second));
  await network.settle();
  assert.equal(network.said(1, "attestation").length, 1);
  assert.equal(network.said(2, "attestation").length, 1, "of its first life");
});

test("D7: a repeated header with a worthless signature does not replace the one that convicts", async () => {
  const network = new BatchNetwork("all");
  const [first, second] = [madeBatch(TRANSFERS), madeBatch(TRANSFERS.toReversed())];
  const attestation = { ...attestTo(first.header, 0), signature: new Uint8Array(32) };
  network.hear(1, 0, announce(first));
  network.hear(1, 0, { kind: "batch", attestation, batch: first.bytes });
  network.hear(1, 0, announce(second));
  await network.settle();
  assert.deepEqual(accusedBy(network, 1), [0]);
});

test("only the author sends its batch, and only of the epoch that is", async () => {
  const network = new BatchNetwork("all");
  network.hear(1, 2, announce(madeBatch(TRANSFERS)));
  network.hear(1, 0, announce(madeBatch(TRANSFERS, { epoch: BATCH_EPOCH + 1 })));
  await network.settle();
  assert.deepEqual(network.nodes[1]!.seen.faults, ["batch/wrong-sender"]);
  assert.deepEqual(network.said(1, "attestation"), []);
});

test("D15: expiry drops batches that no block has, from memory and disk, and spares those of executed blocks", async () => {
  const network = new BatchNetwork("all");
  const { desk, store } = network.nodes[1]!;
  const [ordered, expired, live] = [1, 2, 3].map((sequence) =>
    madeBatch(TRANSFERS, { sequence, expiryHeight: sequence === 3 ? EXPIRY_HEIGHT + 1 : 20 }),
  ) as [ReturnType<typeof madeBatch>, ReturnType<typeof madeBatch>, ReturnType<typeof madeBatch>];
  for (const each of [ordered, expired, live]) network.hear(1, 0, announce(each));
  await network.settle();
  assert.equal(desk.sizes().heldBatches, 3);
  const { digest } = ordered.header;
  await store.write(orderedBatchOperations(digest, 5, undefined), { sync: true });
  desk.executed(5, [{ digest }]);
  desk.executed(EXPIRY_HEIGHT, []);
  await network.settle();
  assert.equal(desk.sizes().heldBatches, 1);
  assert.deepEqual(readBatch(store, digest), ordered.bytes);
  assert.equal(readBatch(store, expired.header.digest), undefined);
  assert.deepEqual(readBatch(store, live.header.digest), live.bytes);
});

test("D16: an epoch begins with nothing held, and batches of the one before are not attested to", async () => {
  const network = new BatchNetwork("all");
  network.submit(0, TRANSFERS);
  await network.pass(FILL_MS);
  const { desk } = network.nodes[1]!;
  assert.ok(desk.hasWork());
  network.enter(1, BATCH_EPOCH + 1);
  assert.ok(!desk.hasWork());
  assert.deepEqual(desk.select(ROOM, []), []);
  assert.equal(desk.sizes().heldBatches, 0);
  network.hear(1, 0, announce(madeBatch(TRANSFERS, { sequence: 9 })));
  await network.settle();
  assert.equal(desk.sizes().heldBatches, 0);
});

test("a peer is served so many bytes a second, and each body once a request", async () => {
  const made = madeBatch(TRANSFERS);
  const network = new BatchNetwork("all", { maxServedBytesPerSecond: made.bytes.length + 1 });
  network.hear(1, 0, announce(made));
  await network.settle();
  const digests = Array.from({ length: 16 }, () => made.header.digest);
  const served = (): number =>
    network
      .said(1, "found")
      .reduce((sum, { message }) => sum + (message.kind === "found" ? message.batches.length : 0), 0);
  for (let round = 0; round < 10; round++) network.hear(1, 3, { kind: "wanted", digests });
  assert.equal(served(), 2);
  network.hear(1, 2, { kind: "wanted", digests });
  assert.equal(served(), 3, "another peer has its own share");
  await network.pass(1_000);
  network.hear(1, 3, { kind: "wanted", digests });
  assert.equal(served(), 4);
});

test("frames that cannot be read and answers that nobody asked for change nothing", async () => {
  const network = new BatchNetwork("all");
  const { desk, seen } = network.nodes[1]!;
  desk.receive(peerOf(0), EMPTY_BYTES);
  desk.receive(peerOf(0), encodeBatchMessage({ kind: "found", batches: [madeBatch(TRANSFERS).bytes] }));
  await endOfTurn();
  assert.deepEqual(seen.faults, ["batch/unreadable-message"]);
  assert.equal(desk.sizes().heldBatches, 0);
});

test("D8: each signer of a false certificate is convicted by a voter who has checked, which does not vote", async () => {
  const network = new BatchNetwork("all");
  const unsigned = madeBatch([{ ...TRANSFERS[0]!, raw: Uint8Array.of(2, 0xc0) }]);
  const batches = [certify(unsigned.header, 3)];
  const { desk } = network.nodes[1]!;
  assert.equal(desk.refuse(blockWith(1, batches), batches, []), undefined);
  const ready = desk.ready(batches);
  network.hear(1, 0, { kind: "found", batches: [unsigned.bytes] });
  assert.ok((await ready) !== undefined);
  assert.deepEqual(accusedBy(network, 1), [0, 3]);
  assert.ok((await desk.ready(batches)) !== undefined);
  assert.equal(network.nodes[1]!.seen.evidence.length, 2, "once each");
});

test("D8: a certificate of a batch that was found false convicts its signers, whichever comes first", async () => {
  for (const isCertifiedFirst of [false, true]) {
    const network = new BatchNetwork("minority");
    const told = [announce(FALSE), { kind: "certified", certified: certify(FALSE.header, 3) }] as const;
    // Not the designated checker: it checks because the author asks again.
    for (const message of isCertifiedFirst ? told.toReversed() : told) network.hear(1, 0, message);
    network.hear(1, 0, announce(FALSE));
    await network.settle();
    assert.deepEqual(accusedBy(network, 1), [0, 3]);
    assert.ok(network.nodes[1]!.seen.faults.includes("batch/false"));
    assert.deepEqual(network.said(1, "attestation"), []);
  }
});

test("D14: a final batch that was found false stops the node; who has not looked executes its claims", async () => {
  const network = new BatchNetwork("minority");
  const certified = certify(FALSE.header, 3);
  const { payload } = blockWith(1, [certified]);
  for (const index of [CHECKER, BELIEVER]) network.hear(index, 0, announce(FALSE));
  await network.settle();
  const [known] = await network.nodes[CHECKER]!.desk.resolve(payload);
  const [believed] = await network.nodes[BELIEVER]!.desk.resolve(payload);
  assert.deepEqual(
    network.nodes[CHECKER]!.seen.failures.map(({ code }) => code),
    ["batch/false-certificate"],
  );
  assert.deepEqual(accusedBy(network, CHECKER), [0, 3]);
  assert.deepEqual(network.nodes[BELIEVER]!.seen, { evidence: [], faults: [], failures: [] });
  assert.deepEqual(known?.entries, believed?.entries, "nobody computes something else");
});
