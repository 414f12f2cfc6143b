import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, Height, must, toHex, toHexDigits } from "@ostrom/base";
import { encodePowMessage } from "@ostrom/consensus";
import { storeReader } from "@ostrom/state";
import { readCertifiedHeight, readHead, readTransactionLocation } from "@ostrom/storage";
import { installNativeCrypto } from "./native-crypto.ts";
import { readPowHeader } from "./pow-chain-store.ts";
import { PowNetwork, type TestMiner } from "./testing/pow-network.ts";
import { simulatedTransfer } from "./testing/simulated-genesis.ts";

installNativeCrypto();
const REWARD = 2n * 10n ** 18n;

function assertAgreement(network: PowNetwork, upTo: number): void {
  const [first, ...others] = network.miners;
  for (let height = 0; height <= upTo; height++) {
    const expected = toHex(must(first!.hashAt(height), "the block is there"));
    for (const other of others)
      assert.equal(toHex(must(other.hashAt(height), "the block is there")), expected, `block ${height}`);
  }
}

function finalizedOf(node: TestMiner): number {
  return node.core?.heads().certified ?? 0;
}

/** No node failed, and nobody was blamed for anything. */
function assertCalm(network: PowNetwork): void {
  for (const { failures, warnings } of network.miners) assert.deepEqual([failures, warnings], [[], []]);
}

test("miners build one chain, final at its depth, and each is paid for its blocks", async () => {
  const network = new PowNetwork({ miners: 2 });
  await network.startAll();
  await network.runUntil(() => network.miners.every((node) => finalizedOf(node) >= 20));
  assertCalm(network);
  assertAgreement(network, 20);
  for (const { store, core } of network.miners) {
    assert.equal(readCertifiedHeight(store!), core!.heads().certified);
    assert.equal(core!.heads().certified, core!.heads().executed - network.genesis.consensus.finalityDepth);
    const paid = ["1", "2"].map(
      (digit) => storeReader(store!).account(addressFromHex(`0x${"c".repeat(39)}${digit}`))?.balance ?? 0n,
    );
    assert.equal(paid[0]! + paid[1]!, REWARD * BigInt(core!.heads().executed));
    assert.ok(paid[0]! > 0n && paid[1]! > 0n);
  }
});

test("how far the chain is, is what headers with work say: no peer can make it up", async () => {
  const network = new PowNetwork({ miners: 2 });
  await network.startAll();
  await network.runUntil(() => network.miners.every(({ height }) => height >= 3));
  const [node, liar] = network.miners as [TestMiner, TestMiner];
  const known = must(readPowHeader(node.store!, 3), "the block is there");
  const header = { ...known, height: Height(2 ** 40), parent: known.payloadHash };
  const frame = encodePowMessage({ kind: "announce", headers: [header] });
  node.core!.handlers.onFrame(liar.peerId, "consensus", frame);
  assert.ok(node.core!.heads().highestHeard < 100, `${node.core!.heads().highestHeard}`);
  assert.ok(node.core!.heads().highestHeard >= 3);
});

test("a transaction given to one node is mined, whoever finds the block", async () => {
  const network = new PowNetwork({ miners: 3, seed: 2 });
  await network.startAll();
  network.miner(0).isMining = false;
  await network.runUntil(() => network.miner(0).height >= 2);
  const transfer = simulatedTransfer(0, 0);
  network.submit(network.miner(0), [transfer]);
  const isMined = (node: TestMiner): boolean =>
    readTransactionLocation(node.store!, transfer.hash) !== undefined;
  await network.runUntil(() => network.miners.every(isMined));
  assertCalm(network);
  for (const { core } of network.miners) assert.deepEqual(core!.pool.status(), { pending: 0, queued: 0 });
});

test("the lighter branch is taken off block by block, and its transactions are mined on the heavier", async () => {
  const network = new PowNetwork({ miners: 3, seed: 3 });
  await network.startAll();
  await network.runUntil(() => network.miners.every(({ height }) => height >= 3));
  const [alone, ...others] = network.miners as [TestMiner, TestMiner, TestMiner];
  for (const other of others) network.cut(alone, other);
  const fork = alone.height;
  const transfers = [simulatedTransfer(0, 0), simulatedTransfer(0, 1), simulatedTransfer(1, 0)];
  network.submit(alone, transfers);
  await network.runUntil(() => alone.height >= fork + 3);
  alone.isMining = false;
  await network.runUntil(() => others.every(({ height }) => height >= alone.height + 1));
  assert.ok(transfers.every(({ hash }) => readTransactionLocation(alone.store!, hash) !== undefined));
  for (const other of others) network.heal(alone, other);
  await network.runUntil(() => network.miners.every((node) => finalizedOf(node) >= fork + 6));
  assertCalm(network);
  assertAgreement(network, fork + 6);
  const numbers = alone.unwound.map(({ block }) => block.header.number);
  assert.ok(numbers.length >= 3);
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => b - a),
  );
  const gone = alone.unwound.flatMap(({ block }) => block.transactions.map(({ hash }) => toHexDigits(hash)));
  assert.deepEqual(gone.sort(), transfers.map(({ hash }) => toHexDigits(hash)).sort());
  for (const { hash } of transfers)
    assert.ok(readTransactionLocation(others[0]!.store!, hash) !== undefined, "it was mined again");
  assert.deepEqual(alone.core!.pool.status(), { pending: 0, queued: 0 });
});

test("a heavier branch that forks too deep stops the node, which says so", async () => {
  const network = new PowNetwork({ miners: 2, seed: 4 });
  await network.startAll();
  await network.runUntil(() => network.miners.every(({ height }) => height >= 2));
  const [light, heavy] = network.miners as [TestMiner, TestMiner];
  network.cut(light, heavy);
  const depth = network.genesis.consensus.maxReorgDepth;
  await network.runUntil(() => light.height >= 2 + depth + 3);
  light.isMining = false;
  await network.runUntil(() => heavy.height >= light.height + 2);
  const before = readHead(light.store!);
  network.heal(light, heavy);
  await network.runUntil(() => light.failures.length > 0);
  assert.equal(light.failures[0]?.code, "pow/reorganisation-too-deep");
  await network.runFor(5_000);
  assert.equal(light.failures.length, 1);
  assert.deepEqual(readHead(light.store!), before);
  assert.deepEqual(heavy.failures, []);
});

test("a node that was away catches up headers first, and goes on where its disk left it", async () => {
  const network = new PowNetwork({ miners: 3, seed: 5 });
  await network.startAll();
  await network.runUntil(() => network.miners.every(({ height }) => height >= 5));
  const away = network.miner(2);
  network.crash(away);
  await network.runUntil(() => network.miner(0).height >= 60);
  const reports = away.reports.length;
  await network.start(away);
  assert.ok(away.height >= 1, "it recovered its chain");
  await network.runUntil(() => away.height >= 60);
  assert.ok(away.reports.length - reports >= 50);
  await network.runUntil(() => network.miners.every((node) => finalizedOf(node) >= 60));
  assertCalm(network);
  assertAgreement(network, 60);
});

test("power that fails after any write of a reorganisation leaves a chain from which it goes on", async () => {
  let crashes = 0;
  for (let writes = 1; ; writes++) {
    const network = new PowNetwork({ miners: 2, seed: 8 });
    await network.startAll();
    await network.runUntil(() => network.miners.every(({ height }) => height >= 2));
    const [light, heavy] = network.miners as [TestMiner, TestMiner];
    network.cut(light, heavy);
    const fork = light.height;
    network.submit(light, [simulatedTransfer(0, 0)]);
    await network.runUntil(() => light.height >= fork + 3);
    light.isMining = false;
    await network.runUntil(() => heavy.height > light.height);
    heavy.isMining = false;
    light.writesUntilCrash = writes;
    network.heal(light, heavy);
    const goal = toHex(must(heavy.hashAt(heavy.height), "its head is there"));
    const isThere = (): boolean =>
      light.core !== undefined &&
      light.height === heavy.height &&
      toHex(light.hashAt(light.height)!) === goal;
    await network.runUntil(() => light.core === undefined || isThere());
    if (light.core !== undefined) break;
    crashes++;
    await network.start(light);
    await network.runUntil(isThere);
    assert.deepEqual([light.failures, heavy.failures], [[], []]);
    assertAgreement(network, heavy.height);
  }
  // Three blocks off, four or more on.
  assert.ok(crashes >= 7, `${crashes} crashes`);
});

test("power that fails anywhere, in reorganisations too, leaves a chain that goes on and agrees", async () => {
  const network = new PowNetwork({ miners: 3, seed: 6 });
  await network.startAll();
  let nonce = 0;
  for (let round = 0; round < 40; round++) {
    const node = network.miner(network.random.below(3));
    const other = network.miner((node.index + 1) % 3);
    if (network.random.chance(1, 3)) network.cut(node, other);
    await network.runFor(network.random.below(4_000));
    network.submit(other, [simulatedTransfer(0, nonce++)]);
    if (network.random.chance(1, 2)) network.heal(node, other);
    await network.runFor(network.random.below(200));
    network.crash(node);
    await network.runFor(network.random.below(1_000));
    await network.start(node);
  }
  for (const [a, b] of [
    [0, 1],
    [1, 2],
    [0, 2],
  ] as const)
    network.heal(network.miner(a), network.miner(b));
  const goal = Math.max(...network.miners.map(({ height }) => height)) + 5;
  await network.runUntil(() => network.miners.every((node) => finalizedOf(node) >= goal));
  for (const { failures } of network.miners) assert.deepEqual(failures, []);
  assertAgreement(network, goal);
  assert.ok(network.miners.some(({ unwound }) => unwound.length > 0));
});
