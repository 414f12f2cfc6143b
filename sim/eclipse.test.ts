import assert from "node:assert/strict";
import { test } from "node:test";
import { attemptEclipse, DEFAULT_ECLIPSE, MAX_LAG_BLOCKS } from "./eclipse.ts";
import { EclipseWorld } from "./eclipse-world.ts";

// More of them: node sim/eclipse.ts --seeds N
const SEEDS = [1, 2];
const MINUTE_MS = 60_000;

test("eclipse: 200 hostile nodes of four groups against 8 honest ones: the victim keeps honest outbound peers and the chain, over restarts", async () => {
  for (const seed of SEEDS) {
    const outcome = await attemptEclipse({ ...DEFAULT_ECLIPSE, seed });
    assert.ok(outcome.leastHonest >= 2, `seed ${seed}: ${JSON.stringify(outcome)}`);
    assert.ok(
      outcome.mostHostile <= DEFAULT_ECLIPSE.hostileGroups,
      `seed ${seed}: ${JSON.stringify(outcome)}`,
    );
    assert.ok(outcome.worstLagBlocks <= MAX_LAG_BLOCKS, `seed ${seed}: ${JSON.stringify(outcome)}`);
  }
});

test("eclipse: the same seed gives the same run", async () => {
  const options = { ...DEFAULT_ECLIPSE, hostile: 10, honest: 3, seed: 3 };
  assert.deepEqual(await attemptEclipse(options), await attemptEclipse(options));
});

test("eclipse: a hostile flood of all inbound places leaves places for honest strangers", async () => {
  const world = new EclipseWorld({ ...DEFAULT_ECLIPSE, hostileGroups: 16, dialIntervalMs: 4_000, seed: 9 });
  const [first, ...others] = world.honest;
  for (const party of world.honest) world.start(party, party === first ? [] : [first!]);
  await world.clock.runFor(5 * MINUTE_MS);
  const target = world.nodes.get(first!.peerId)!;
  const inbound = target.discovery.linked().filter(({ isOutbound }) => !isOutbound);
  assert.ok(inbound.length > 50, `${inbound.length} inbound`);
  // One comes late, when all places are taken.
  const late = world.start(world.victim, [first!]);
  await world.clock.runFor(MINUTE_MS);
  assert.ok(late.outbound.some(({ isHostile }) => !isHostile));
  const linked = others.filter(({ peerId }) =>
    world.nodes.get(peerId)!.outbound.some(({ isHostile }) => !isHostile),
  );
  assert.equal(linked.length, others.length);
});

test("eclipse: parts of a network that were cut off find each other again", async () => {
  const world = new EclipseWorld({ ...DEFAULT_ECLIPSE, hostile: 40, seed: 4 });
  const [first] = world.honest;
  for (const party of world.honest) world.start(party, party === first ? [] : [first!]);
  await world.clock.runFor(3 * MINUTE_MS);
  const side = new Map(world.honest.map(({ peerId }, index) => [peerId, index < 4]));
  world.partition((a, b) => side.has(a) && side.has(b) && side.get(a) !== side.get(b));
  await world.clock.runFor(2 * MINUTE_MS);
  world.partition(() => false);
  const isWhole = (): boolean =>
    world.honest.some((a) =>
      world.honest.some(
        (b) => side.get(a.peerId) !== side.get(b.peerId) && world.areLinked(a.peerId, b.peerId),
      ),
    );
  assert.ok(await world.clock.runUntil(isWhole, 10 * MINUTE_MS));
  await world.clock.runFor(MINUTE_MS);
  for (const { peerId } of world.honest)
    assert.ok(world.height - world.nodes.get(peerId)!.height <= MAX_LAG_BLOCKS);
});
