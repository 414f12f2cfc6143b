import assert from "node:assert/strict";
import { test } from "node:test";
import { must } from "@ostrom/base";
import { EpochSets } from "./epoch-sets.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { createParticipation } from "./participation.ts";
import { EpochNetwork, type Member } from "./testing/epoch-network.ts";

installNativeCrypto();

const members = (...nodes: readonly number[]): readonly Member[] => nodes.map((node) => ({ node }));

test("participation: who is away proposes nothing, signs nothing, and its leads are counted as missed", async () => {
  const network = new EpochNetwork({
    nodes: 4,
    epochLength: 1_000,
    epochLead: 8,
    setOf: () => members(0, 1, 2, 3),
  });
  await network.start(0, 1, 2);
  assert.ok(await network.until(() => network.certified(0) >= 24), network.describe());
  const { store } = network.nodes[0]!;
  const participation = createParticipation(store, new EpochSets(store, network.genesis), network.domain);
  const { fromBlock, toBlock, validators, finalizations, results } = must(
    participation(0, 20),
    "it has begun",
  );
  assert.equal(toBlock - fromBlock + 1, 20);
  assert.equal(
    validators.reduce((sum, { proposedBlocks }) => sum + proposedBlocks, 0),
    20,
  );
  const [first, , , away] = validators;
  assert.ok(first !== undefined && away !== undefined);
  assert.deepEqual([away.proposedBlocks, away.finalizationsSigned, away.resultsSigned], [0, 0, 0]);
  assert.ok(away.missedLeads > 0);
  assert.equal(first.missedLeads, 0);
  // Three of four are just enough: each certificate has all of them.
  assert.equal(first.finalizationsSigned, finalizations);
  assert.equal(first.resultsSigned, results);
  assert.ok(results > 0 && finalizations > 0);
});

test("participation: never of more blocks than the epoch has, and of none that has not begun", async () => {
  const network = new EpochNetwork({
    nodes: 1,
    epochLength: 6,
    epochLead: 3,
    setOf: () => members(0),
  });
  await network.start(0);
  assert.ok(await network.until(() => network.height(0) >= 14), network.describe());
  const { store } = network.nodes[0]!;
  const participation = createParticipation(store, new EpochSets(store, network.genesis), network.domain);
  const { fromBlock, toBlock } = must(participation(1, 1_000), "it has begun");
  assert.deepEqual([fromBlock, toBlock], [7, 12]);
  assert.equal(participation(9, 10), undefined);
});
