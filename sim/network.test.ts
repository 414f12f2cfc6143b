import assert from "node:assert/strict";
import { test } from "node:test";
import { installNativeCrypto } from "@ostrom/runtime";
import { SimulatedNetwork } from "./network.ts";
import { randomFor } from "./random.ts";

installNativeCrypto();

const LONG_MS = 30_000;
const BUSY = { burstEveryMs: 25, burstSize: 2 };

function networkOf(seed: number, validators: number, lossPerMille = 0): SimulatedNetwork {
  const weights = Array.from({ length: validators }, () => 1);
  return new SimulatedNetwork({ seed, weights, conditions: { lossPerMille } });
}

/** Everything sent is executed and certified everywhere, and nobody broke a rule on the way. */
async function assertSettles(network: SimulatedNetwork): Promise<void> {
  const isSettled = await network.settle(LONG_MS);
  assert.deepEqual(network.invariants.violations, []);
  assert.ok(isSettled, `not settled: ${network.describe()}`);
  assert.ok(network.clients.sent > 0);
}

/** Power fails here and there, sometimes everywhere at once; unsynced bytes are lost or torn. */
async function crashAtRandom(network: SimulatedNetwork, times: number): Promise<void> {
  const { machines, clock } = network;
  const random = randomFor(network.seed, "crashes");
  for (let round = 0; round < times; round++) {
    await clock.runFor(50 + random.below(350));
    const all = random.chance(1, 4);
    const victims = all ? machines : [machines[random.below(machines.length)]!];
    for (const victim of victims) {
      victim.crash();
      clock.at(random.below(300), () => victim.start());
    }
  }
  await clock.runFor(300);
}

test("four validators order, execute and certify the transactions of their clients", async () => {
  const network = networkOf(1, 4);
  network.start();
  network.keepBusy(BUSY);
  assert.ok(await network.reach(10, LONG_MS), network.describe());
  await assertSettles(network);
  assert.deepEqual(network.failures, []);
});

for (const seed of [1, 2, 3]) {
  test(`power cuts lose unsynced bytes and nothing else: four validators, seed ${seed}`, async () => {
    const network = networkOf(seed, 4, 20);
    network.start();
    network.keepBusy(BUSY);
    await crashAtRandom(network, 6);
    await assertSettles(network);
    assert.deepEqual(network.failures, []);
  });
}

test("seven validators without a quorum on either side stand still, and go on when links are back", async () => {
  const network = networkOf(7, 7, 10);
  network.start();
  network.keepBusy(BUSY);
  assert.ok(await network.reach(4, LONG_MS), network.describe());
  network.links.partition((from, to) => from < 4 !== to < 4);
  await network.clock.runFor(300);
  const before = network.highest;
  await network.clock.runFor(1_500);
  assert.equal(network.highest, before, "neither four nor three of seven are a quorum");
  network.links.partition(() => false);
  assert.ok(await network.reach(before + 3, 5_000), network.describe());
  await assertSettles(network);
});

test("who was cut off catches up by block sync, and then votes again", async () => {
  const network = networkOf(5, 4);
  const [first, , third, laggard] = network.machines;
  network.start();
  network.keepBusy(BUSY);
  network.links.partition((from, to) => from === 3 || to === 3);
  assert.ok(await network.reach(25, LONG_MS, network.machines.slice(0, 3)), network.describe());
  assert.equal(laggard!.height, 0);
  network.links.partition(() => false);
  assert.ok(await network.reach(25, 3_000), network.describe());
  // One of the others is gone for a while: without the laggard's vote there is no quorum.
  third!.crash();
  const goal = first!.height + 3;
  assert.ok(await network.reach(goal, LONG_MS, [first!, laggard!]), network.describe());
  third!.start();
  await assertSettles(network);
});

for (const what of ["log", "database"] as const) {
  test(`a validator that lost its ${what} abstains until the others are past its votes, then votes again`, async () => {
    const network = networkOf(11, 4);
    network.start();
    network.keepBusy(BUSY);
    assert.ok(await network.reach(5, LONG_MS), network.describe());
    const [, victim, other] = network.machines;
    victim!.crash();
    if (what === "log") network.loseLog(victim!);
    else network.loseDatabase(victim!);
    victim!.start();
    assert.ok(await network.reach(network.highest + 4, LONG_MS), network.describe());
    other!.crash();
    const rest = network.machines.filter((machine) => machine !== other);
    assert.ok(
      await network.reach(network.highest + 3, LONG_MS, rest),
      `its vote is needed: ${network.describe()}`,
    );
    other!.start();
    await assertSettles(network);
  });
}

for (const what of ["log", "database"] as const) {
  test(`a validator whose ${what} cannot be written stops with that reason; the others go on without it`, async () => {
    const network = networkOf(13, 4);
    network.allowedFailures.add("storage/disk-full");
    network.start();
    network.keepBusy(BUSY);
    assert.ok(await network.reach(3, LONG_MS), network.describe());
    const victim = network.machines[2]!;
    victim.disks.setFull(what, true);
    assert.ok(await network.clock.runUntil(() => !victim.isUp, 2_000));
    assert.deepEqual(
      network.failures.map(({ machine, code }) => [machine, code]),
      [[2, "storage/disk-full"]],
    );
    const rest = network.machines.filter((machine) => machine !== victim);
    assert.ok(await network.reach(network.highest + 3, LONG_MS, rest), network.describe());
    victim.disks.setFull(what, false);
    victim.start();
    await assertSettles(network);
  });
}

test("the same seed gives the same run, to the byte and the microsecond; another seed another", async () => {
  const traces: string[] = [];
  for (const seed of [21, 21, 22]) {
    const network = networkOf(seed, 4, 20);
    network.start();
    network.keepBusy(BUSY);
    await crashAtRandom(network, 3);
    await network.reach(5, LONG_MS);
    traces.push(network.trace.hash());
  }
  assert.equal(traces[0], traces[1]);
  assert.notEqual(traces[0], traces[2]);
});
