import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, toHexDigits } from "@ostrom/base";
import { type Message, orderDigest } from "@ostrom/consensus";
import { installNativeCrypto } from "./native-crypto.ts";
import { EpochNetwork, type Member } from "./testing/epoch-network.ts";

installNativeCrypto();

const members = (...nodes: readonly number[]): readonly Member[] => nodes.map((node) => ({ node }));

/** All these nodes have the same block at a height. */
function assertSame(network: EpochNetwork, height: number, nodes: readonly number[]): void {
  const hashes = new Set(nodes.map((node) => network.hash(node, height)));
  assert.equal(hashes.size, 1, `block ${height}: ${network.describe()}`);
  assert.ok(!hashes.has(undefined));
}

test("epochs follow each other: blocks go on, all of them are certified", async () => {
  const network = new EpochNetwork({
    nodes: 4,
    epochLength: 6,
    epochLead: 3,
    setOf: () => members(0, 1, 2, 3),
  });
  await network.start(0, 1, 2, 3);
  const all = [0, 1, 2, 3];
  assert.ok(
    await network.until(() => all.every((node) => network.certified(node) >= 26)),
    network.describe(),
  );
  assertSame(network, 26, all);
  assert.deepEqual(
    network.nodes[0]!.reports.slice(0, 26).map(({ epoch, height }) => [epoch, height]),
    Array.from({ length: 26 }, (_, index) => [Math.floor(index / 6), index + 1]),
  );
  assert.deepEqual(
    network.nodes.flatMap(({ failures }) => failures),
    [],
  );
});

test("a set that has shrunk to one validator goes on, and those who left follow it", async () => {
  const setOf = (epoch: number): readonly Member[] => (epoch === 0 ? members(0, 1, 2, 3) : members(2));
  const network = new EpochNetwork({ nodes: 4, epochLength: 6, epochLead: 3, setOf });
  await network.start(0, 1, 2, 3);
  const all = [0, 1, 2, 3];
  assert.ok(
    await network.until(() => all.every((node) => network.certified(node) >= 20)),
    network.describe(),
  );
  assertSame(network, 20, all);
});

/** What validators sign, over all their lives: nobody says two things of one view or one height, nor anything under another's name. */
class WordKeeper {
  readonly problems: string[] = [];
  /** Epochs in which a node voted. */
  readonly voted = new Map<number, Set<number>>();
  readonly #said = new Map<string, string>();

  constructor(network: EpochNetwork) {
    network.onSent = (from, _to, message) => {
      this.hear(network, from, message);
      return true;
    };
  }

  hear(network: EpochNetwork, from: number, message: Message): void {
    if (message.kind === "vote") {
      const { kind, epoch, view, digest } = message.vote.vote;
      this.#voted(from, epoch);
      this.#expectSeat(network, from, epoch, message.vote.signer);
      const word = kind === "notarize" ? "notarizes in" : "ends";
      this.#once(`${from} ${word} ${epoch}/${view}`, `${kind} ${toHexDigits(digest)}`);
    }
    if (message.kind === "proposal") {
      const { epoch, view, proposer } = message.block;
      this.#voted(from, epoch);
      this.#expectSeat(network, from, epoch, proposer);
      const digest = orderDigest(network.domain, message.block);
      this.#once(`${from} notarizes in ${epoch}/${view}`, `notarize ${toHexDigits(digest)}`);
    }
    if (message.kind === "executed") {
      const { epoch, height, executedHash } = message.executed.executed;
      this.#expectSeat(network, from, epoch, message.executed.signer);
      this.#once(`${from} says of ${height}`, toHexDigits(executedHash));
    }
  }

  #voted(from: number, epoch: number): void {
    this.voted.set(from, (this.voted.get(from) ?? new Set()).add(epoch));
  }

  #expectSeat(network: EpochNetwork, from: number, epoch: number, signer: number): void {
    const { validators } = network.storedSet(epoch);
    if (validators[signer]?.name !== `node-${from}`)
      this.problems.push(`${from} signs as ${signer} in ${epoch}`);
  }

  #once(subject: string, word: string): void {
    const before = this.#said.get(subject) ?? word;
    this.#said.set(subject, before);
    if (before !== word) this.problems.push(`${subject}: ${before}, then ${word}`);
  }
}

/** 3 is removed and 4 comes in epoch 1, where 1 has another key; in epoch 2 everybody has another place; in epoch 4, 3 is back. */
function changingSet(epoch: number): readonly Member[] {
  if (epoch === 0) return members(0, 1, 2, 3);
  const rotated = { node: 1, key: 1 };
  if (epoch === 1) return [{ node: 0 }, rotated, { node: 2 }, { node: 4 }];
  return [{ node: 4 }, { node: 2 }, rotated, { node: 0 }, ...(epoch >= 4 ? [{ node: 3 }] : [])];
}

function changingNetwork(): { readonly network: EpochNetwork; readonly keeper: WordKeeper } {
  const network = new EpochNetwork({ nodes: 5, epochLength: 8, epochLead: 4, setOf: changingSet });
  network.nodes[1]!.keys.push(1);
  return { network, keeper: new WordKeeper(network) };
}

const ALL = [0, 1, 2, 3, 4];

test("one is removed, one joins, one changes its key: each votes in its epochs, all have the same blocks", async () => {
  const { network, keeper } = changingNetwork();
  await network.start(...ALL);
  assert.ok(
    await network.until(() => ALL.every((node) => network.certified(node) >= 10)),
    network.describe(),
  );
  // Of four, two old ones are not a quorum: it takes the votes of the new one and of the new key.
  network.stop(2);
  assert.ok(
    await network.until(() => [0, 1, 4].every((node) => network.certified(node) >= 20)),
    network.describe(),
  );
  await network.start(2);
  assert.ok(
    await network.until(() => ALL.every((node) => network.certified(node) >= 40)),
    network.describe(),
  );
  assertSame(network, 40, ALL);
  assert.deepEqual(keeper.problems, []);
  assert.deepEqual([...keeper.voted.get(4)!].sort(), [
    1,
    2,
    3,
    4,
    ...(keeper.voted.get(4)!.has(5) ? [5] : []),
  ]);
  assert.deepEqual(
    [...keeper.voted.get(3)!].slice(0, 2),
    [0, 4],
    "who was removed follows, and is let in again",
  );
  const told = network.nodes[3]!.lines.map(({ message }) => message);
  assert.ok(told.some((message) => message.startsWith("this node is no validator any more")));
  assert.ok(told.some((message) => message.startsWith("this node is a validator from now on")));
  assert.deepEqual(
    network.nodes.flatMap(({ failures }) => failures),
    [],
  );
});

for (const seed of [1, 2, 3]) {
  test(`power cuts at any time over changing sets contradict nothing: seed ${seed}`, async () => {
    const { network, keeper } = changingNetwork();
    const random = createRandom(seed);
    await network.start(...ALL);
    for (let round = 0; round < 30; round++) {
      const victim = random.below(5);
      await network.until(() => false, 5 + random.below(60));
      if (network.nodes[victim]!.core === undefined) continue;
      network.stop(victim);
      await network.until(() => false, random.below(60));
      await network.start(victim);
    }
    const goal = Math.max(...ALL.map((node) => network.height(node))) + 4;
    assert.ok(
      await network.until(() => ALL.every((node) => network.certified(node) >= goal)),
      network.describe(),
    );
    assertSame(network, goal, ALL);
    assert.deepEqual(keeper.problems, []);
    assert.deepEqual(
      network.nodes.flatMap(({ failures }) => failures),
      [],
    );
  });
}

test("who was away for epochs, whose sets it does not know, comes back by block sync", async () => {
  const { network, keeper } = changingNetwork();
  await network.start(0, 1, 2, 4);
  assert.ok(await network.until(() => network.certified(0) >= 44), network.describe());
  await network.start(3);
  assert.ok(await network.until(() => network.certified(3) >= 48), network.describe());
  assertSame(network, 44, ALL);
  assert.ok(keeper.voted.get(3)!.size > 0, "and votes, where it is a validator again");
  assert.deepEqual(keeper.problems, []);
});

test("who knows nobody of the set that it is to follow is helped by strangers", async () => {
  const setOf = (epoch: number): readonly Member[] =>
    epoch === 0 ? members(0, 1, 2, 3) : members(4, 5, 6, 7);
  const network = new EpochNetwork({ nodes: 9, epochLength: 6, epochLead: 3, setOf });
  const keeper = new WordKeeper(network);
  await network.start(0, 1, 2, 3, 4, 5, 6, 7);
  assert.ok(await network.until(() => network.certified(4) >= 15), network.describe());
  for (const gone of [0, 1, 2, 3]) network.stop(gone);
  await network.start(8);
  assert.ok(await network.until(() => network.certified(8) >= 20), network.describe());
  assertSame(network, 20, [4, 8]);
  assert.equal(keeper.voted.get(8), undefined);
  assert.deepEqual(keeper.problems, []);
});

test("a validator that lost its log asks in that epoch and in the next, and contradicts nothing", async () => {
  const { network, keeper } = changingNetwork();
  const asked = new Set<number>();
  network.onSent = (from, _to, message) => {
    keeper.hear(network, from, message);
    if (from === 0 && message.kind === "view-request") asked.add(message.epoch);
    return true;
  };
  await network.start(...ALL);
  assert.ok(await network.until(() => network.height(0) >= 13), network.describe());
  network.stop(0);
  network.loseLog(0);
  await network.start(0);
  assert.ok(await network.until(() => network.certified(0) >= 36), network.describe());
  assert.deepEqual([...asked], [1, 2]);
  assert.deepEqual(keeper.problems, []);
  const votedAgain = [...keeper.voted.get(0)!];
  assert.ok([2, 3].every((epoch) => votedAgain.includes(epoch)));
});

test("a validator that lost its database keeps its word, though its log has left out what that held", async () => {
  const { network, keeper } = changingNetwork();
  await network.start(...ALL);
  assert.ok(await network.until(() => network.height(0) >= 22), network.describe());
  network.stop(0);
  network.loseDatabase(0);
  await network.start(0);
  assert.ok(await network.until(() => network.certified(0) >= 30), network.describe());
  // Of four, it takes its vote.
  network.stop(2);
  const goal = network.height(1) + 6;
  assert.ok(await network.until(() => network.certified(0) >= goal), network.describe());
  assertSame(network, goal, [0, 1, 4]);
  assert.deepEqual(keeper.problems, []);
});

test("the first block of an epoch waits for a certificate of the set that it has", async () => {
  const network = new EpochNetwork({
    nodes: 4,
    epochLength: 6,
    epochLead: 3,
    setOf: () => members(0, 1, 2, 3),
  });
  let isCut = true;
  network.onSent = (_from, _to, message) =>
    !(isCut && (message.kind === "executed" || message.kind === "state-certificate"));
  await network.start(0, 1, 2, 3);
  await network.until(() => false, 2_000);
  assert.deepEqual(
    [0, 1, 2, 3].map((node) => network.height(node)),
    [6, 6, 6, 6],
  );
  isCut = false;
  assert.ok(await network.until(() => network.certified(3) >= 14), network.describe());
});

test("a last block that nobody finalizes is made final by sealing blocks, and a newcomer is shown that", async () => {
  const network = new EpochNetwork({
    nodes: 5,
    epochLength: 6,
    epochLead: 3,
    setOf: () => members(0, 1, 2, 3),
  });
  let heights = new Map<string, number>();
  let sealed = 0;
  network.onSent = (_from, _to, message) => {
    if (message.kind === "proposal") {
      const { height, epoch } = message.block;
      heights.set(toHexDigits(orderDigest(network.domain, message.block)), height - 6 * epoch);
      if (height > 6 * (epoch + 1)) sealed++;
    }
    const digest =
      message.kind === "vote" && message.vote.vote.kind === "finalize" ? message.vote.vote.digest : undefined;
    return digest === undefined || ![6, 7].includes(heights.get(toHexDigits(digest)) ?? 0);
  };
  await network.start(0, 1, 2, 3);
  assert.ok(await network.until(() => network.certified(0) >= 14), network.describe());
  assert.ok(sealed > 0);
  heights = new Map();
  await network.start(4);
  assert.ok(await network.until(() => network.certified(4) >= 14), network.describe());
  assertSame(network, 14, [0, 1, 2, 3, 4]);
  network.stop(1);
  await network.start(1);
  assert.ok(await network.until(() => network.certified(1) >= 20), network.describe());
});
