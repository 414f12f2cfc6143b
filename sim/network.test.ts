import assert from "node:assert/strict";
import { test } from "node:test";
import { installNativeCrypto } from "./native-crypto.ts";
import { SimulatedNetwork } from "./testing/simulated-network.ts";

installNativeCrypto();

const LONG_MS = 30_000;

/** Everything sent is executed and certified everywhere, and nobody broke a rule on the way. */
async function assertSettles(network: SimulatedNetwork): Promise<void> {
  assert.ok(await network.settle(LONG_MS), `not settled: ${network.describe()}`);
  assert.deepEqual(network.check(), []);
  assert.ok(network.sent > 0);
}

/** Power fails here and there, sometimes everywhere at once; unsynced bytes are lost or torn. */
async function crashAtRandom(network: SimulatedNetwork, times: number): Promise<void> {
  const { random, validators, clock } = network;
  for (let round = 0; round < times; round++) {
    await clock.runFor(50 + random.below(350));
    const all = random.chance(1, 4);
    const victims = all ? validators : [validators[random.below(validators.length)]!];
    for (const victim of victims) {
      victim.crash();
      clock.at(random.below(300), () => victim.start());
    }
  }
  await clock.runFor(300);
}

test("four validators order, execute and certify the transactions of their clients", async () => {
  const network = new SimulatedNetwork({ seed: 1, validators: 4 });
  network.start();
  network.keepBusy(20);
  assert.ok(await network.reach(10, LONG_MS), network.describe());
  await assertSettles(network);
  assert.deepEqual(network.failures, []);
});

for (const seed of [1, 2, 3]) {
  test(`power cuts lose unsynced bytes and nothing else: four validators, seed ${seed}`, async () => {
    const conditions = { lossPerMille: 20, jitterMs: 15 };
    const network = new SimulatedNetwork({ seed, validators: 4, conditions });
    network.start();
    network.keepBusy(30);
    await crashAtRandom(network, 6);
    await assertSettles(network);
    assert.deepEqual(network.failures, []);
  });
}

test("seven validators without a quorum on either side stand still, and go on when links are back", async () => {
  const network = new SimulatedNetwork({ seed: 7, validators: 7, conditions: { lossPerMille: 10 } });
  network.start();
  network.keepBusy(40);
  assert.ok(await network.reach(4, LONG_MS), network.describe());
  network.links.partition((from, to) => from < 4 !== to < 4);
  await network.clock.runFor(300);
  const before = network.highest;
  await network.clock.runFor(1_500);
  assert.equal(network.highest, before, "neither four nor three of seven are a quorum");
  network.links.heal();
  assert.ok(await network.reach(before + 3, 5_000), network.describe());
  await assertSettles(network);
});

test("who was cut off catches up by block sync, and then votes again", async () => {
  const network = new SimulatedNetwork({ seed: 5, validators: 4 });
  const [first, , third, laggard] = network.validators;
  network.start();
  network.keepBusy(50);
  network.links.partition((from, to) => from === 3 || to === 3);
  assert.ok(await network.reach(25, LONG_MS, network.validators.slice(0, 3)), network.describe());
  assert.equal(laggard!.height, 0);
  network.links.heal();
  assert.ok(await network.reach(25, 3_000), network.describe());
  // Two of the others are gone for a while: without the laggard's vote there is no quorum with the fourth.
  third!.crash();
  const goal = first!.height + 3;
  assert.ok(await network.reach(goal, LONG_MS, [first!, laggard!]), network.describe());
  third!.start();
  await assertSettles(network);
});

test("a validator that lost its log abstains until the others are past its votes, then votes again", async () => {
  const network = new SimulatedNetwork({ seed: 11, validators: 4 });
  network.start();
  network.keepBusy(30);
  assert.ok(await network.reach(5, LONG_MS), network.describe());
  const [, victim, other] = network.validators;
  victim!.crash();
  victim!.loseLog();
  victim!.start();
  assert.ok(await network.reach(network.highest + 4, LONG_MS), network.describe());
  other!.crash();
  const rest = network.validators.filter((validator) => validator !== other);
  assert.ok(
    await network.reach(network.highest + 3, LONG_MS, rest),
    `its vote is needed: ${network.describe()}`,
  );
  other!.start();
  await assertSettles(network);
});

for (const what of ["log", "database"] as const) {
  test(`a validator whose ${what} cannot be written stops with that reason; the others go on without it`, async () => {
    const network = new SimulatedNetwork({ seed: 13, validators: 4 });
    network.start();
    network.keepBusy(30);
    assert.ok(await network.reach(3, LONG_MS), network.describe());
    const victim = network.validators[2]!;
    if (what === "log") victim.logDisk.setFaults({ appendFailsOneIn: 1 });
    else victim.database.setFaults({ writeFailsOneIn: 1 });
    assert.ok(await network.clock.runUntil(() => !victim.isUp, 2_000));
    assert.deepEqual(
      network.failures.map(({ index, code }) => [index, code]),
      [[2, "storage/disk-full"]],
    );
    const rest = network.validators.filter((validator) => validator !== victim);
    assert.ok(await network.reach(network.highest + 3, LONG_MS, rest), network.describe());
    victim.logDisk.setFaults({});
    victim.database.setFaults({});
    victim.start();
    await assertSettles(network);
  });
}

test("the same seed gives the same run, to the byte and the millisecond; another seed another", async () => {
  const traces: string[] = [];
  for (const seed of [21, 21, 22]) {
    const network = new SimulatedNetwork({ seed, validators: 4, conditions: { lossPerMille: 20 } });
    network.start();
    network.keepBusy(25);
    await crashAtRandom(network, 3);
    await network.reach(5, LONG_MS);
    traces.push(network.traceHash());
  }
  assert.equal(traces[0], traces[1]);
  assert.notEqual(traces[0], traces[2]);
});
