// Failures of other systems that are on record, told again with real nodes. Those of the engine alone are in core/consensus/simplex.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hashFromWord } from "@ostrom/base";
import { installNativeCrypto } from "@ostrom/runtime";
import { PERFECT_LINKS } from "./links.ts";
import { SimulatedNetwork } from "./network.ts";
import type { NetworkOptions } from "./network-options.ts";

installNativeCrypto();

const LONG_MS = 60_000;
const BUSY = { burstEveryMs: 40, burstSize: 2 };
const EPOCHS = { change: { epochLength: 6, epochLead: 3 } };

async function begin(
  seed: number,
  validators: number,
  options: Partial<NetworkOptions> = {},
): Promise<SimulatedNetwork> {
  const network = new SimulatedNetwork({
    seed,
    weights: Array.from({ length: validators }, () => 1),
    ...options,
  });
  network.start();
  network.keepBusy(BUSY);
  assert.ok(await network.reach(4, LONG_MS), network.describe());
  return network;
}

async function assertSettles(network: SimulatedNetwork): Promise<void> {
  const isSettled = await network.settle(LONG_MS);
  assert.deepEqual(network.invariants.violations, []);
  assert.ok(isSettled, network.describe());
}

test("failure 1 (tendermint#3295, #3246): a log whose synced records have changed stops the node; a torn tail does not", async () => {
  const network = await begin(1, 4);
  const victim = network.machines[2]!;
  for (let crash = 0; crash < 6; crash++) {
    victim.crashAtOperation = victim.operations + 5 + 3 * crash;
    await network.clock.runUntil(() => !victim.isOn, LONG_MS);
    victim.start();
    assert.ok(await network.runUntil(() => victim.isUp, LONG_MS), "a torn tail is cut off");
  }
  assert.deepEqual(network.failures, []);
  await network.reach(network.highest + 3, LONG_MS);
  network.allowedFailures.add("storage/damaged");
  assert.ok(victim.disks.rotLog());
  victim.crash();
  victim.start();
  assert.ok(await network.runUntil(() => network.failures.length === 1, LONG_MS));
  assert.deepEqual(
    network.failures.map(({ code }) => code),
    ["storage/damaged"],
  );
  assert.ok(!victim.isOn, "it does not go on as if it remembered");
  network.loseLog(victim);
  victim.start();
  await assertSettles(network);
});

test("failure 7 (besu#9040, #6680): power fails everywhere in the midst of execution; what was proposed and not final is nowhere state", async () => {
  const network = await begin(7, 4);
  for (let round = 0; round < 5; round++) {
    for (const machine of network.machines)
      machine.crashAtOperation = machine.operations + 4 + 5 * round + machine.index;
    assert.ok(await network.clock.runUntil(() => network.machines.every(({ isOn }) => !isOn), LONG_MS));
    for (const machine of network.machines) machine.start();
    const goal = network.invariants.executedHeight + 2;
    assert.ok(await network.reach(goal, LONG_MS), network.describe());
  }
  await assertSettles(network);
});

test("failure 8 (besu#8307): a wiped validator's timers run again, and its vote completes a quorum", async () => {
  const network = await begin(8, 4);
  const [, wiped, dead] = network.machines;
  wiped!.crash();
  network.loseLog(wiped!);
  network.loseDatabase(wiped!);
  wiped!.start();
  assert.ok(await network.reach(network.highest + 3, LONG_MS), network.describe());
  dead!.crash();
  const rest = network.machines.filter((machine) => machine !== dead);
  assert.ok(await network.reach(network.highest + 3, LONG_MS, rest), network.describe());
  dead!.start();
  await assertSettles(network);
});

test("failure 8 (besu#6457): a sole validator waits for nobody, also after power cuts", async () => {
  const network = await begin(18, 1);
  for (let cut = 0; cut < 3; cut++) {
    network.machines[0]!.crash();
    network.machines[0]!.start();
    assert.ok(await network.reach(network.highest + 4, LONG_MS), network.describe());
  }
  await assertSettles(network);
});

test("failure 9 (cometbft#3372, #3406, #3415): who lags goes back to block sync as often as it must, and leaves it again", async () => {
  const network = await begin(9, 4);
  const laggard = network.machines[3]!;
  const others = network.machines.slice(0, 3);
  for (let round = 0; round < 2; round++) {
    network.links.partition((a, b) => a === 3 || b === 3);
    assert.ok(await network.reach(network.highest + 20, LONG_MS, others), network.describe());
    assert.ok(laggard.height < others[0]!.height - 10);
    network.links.partition(() => false);
    assert.ok(await network.reach(network.highest, LONG_MS), network.describe());
    others[round]!.crash();
    const needed = network.machines.filter((machine) => machine !== others[round]);
    assert.ok(
      await network.reach(network.highest + 3, LONG_MS, needed),
      `it votes again: ${network.describe()}`,
    );
    others[round]!.start();
  }
  await assertSettles(network);
});

test("failure 11 (fabric#5076): blocks that sync brings twice, and again after a crash, are executed once", async () => {
  const network = await begin(11, 4);
  network.links.partition((a, b) => a === 3 || b === 3);
  assert.ok(
    await network.reach(network.highest + 15, LONG_MS, network.machines.slice(0, 3)),
    network.describe(),
  );
  network.links.condition(() => ({ ...PERFECT_LINKS, jitterMs: 30, duplicatePerMille: 1_000 }));
  network.links.partition(() => false);
  const laggard = network.machines[3]!;
  laggard.crashAtOperation = laggard.operations + 12;
  await network.clock.runUntil(() => !laggard.isOn, LONG_MS);
  laggard.start();
  assert.ok(await network.reach(network.highest, LONG_MS), network.describe());
  assert.deepEqual(network.failures, []);
  await assertSettles(network);
});

/** Sets change by transactions until somebody was removed, and then for two epochs more. */
async function changeSets(network: SimulatedNetwork): Promise<void> {
  network.isAcceptable = (members) => members.length >= 3;
  network.registrar?.start();
  const isRemoved = (): boolean => (network.counts.get("validator removed") ?? 0) > 0;
  assert.ok(await network.runUntil(isRemoved, LONG_MS), network.describe());
  const goal = network.invariants.executedHeight + 2 * EPOCHS.change.epochLength;
  assert.ok(
    await network.runUntil(() => network.invariants.executedHeight >= goal, LONG_MS),
    network.describe(),
  );
  network.registrar?.stop();
}

test("failure 11 (fabric#5024) and 16 (besu#1476): blocks signed by validators that were removed since are valid for who syncs later", async () => {
  const network = await begin(16, 4, { standby: 1, genesis: EPOCHS });
  await changeSets(network);
  const newcomer = network.machines[0]!;
  newcomer.crash();
  network.loseDatabase(newcomer);
  network.loseLog(newcomer);
  newcomer.start();
  const goal = network.invariants.executedHeight;
  const isHere = await network.reach(goal, LONG_MS, [newcomer]);
  assert.deepEqual(network.invariants.violations, []);
  assert.ok(isHere, network.describe());
  await assertSettles(network);
});

// There is no graph of blocks here. What corresponds to a missing ancestor is a notarized block whose body never came: certificates admit
// to its view, and the body is asked for from those who must have it.
test("failure 13 (iota#4517, #5148, sui#19763): who never hears a leader gets the bodies of its blocks from the others", async () => {
  const network = await begin(13, 4);
  network.links.silence((from, to) => from === 0 && to === 3);
  const goal = network.highest + 20;
  assert.ok(await network.reach(goal, LONG_MS), network.describe());
  network.links.silence(() => false);
  await assertSettles(network);
});

test("failure 14 (Sui, January 2026; paloma#1144): a validator whose execution differs stops and says so; the others go on", async () => {
  const wrong = hashFromWord(1n);
  const network = new SimulatedNetwork({
    seed: 14,
    weights: [1, 1, 1, 1],
    seams: {
      boot: {
        execution: (execution, { machine }) => ({
          ...execution,
          execute: async (input) => {
            const report = await execution.execute(input);
            return machine === 3 && input.height === 6 ? { ...report, executedHash: wrong } : report;
          },
        }),
      },
      expectedFailures: ["node/diverged"],
    },
  });
  network.start();
  network.keepBusy(BUSY);
  const sound = network.machines.slice(0, 3);
  await network.clock.runUntil(() => sound.every(({ certified }) => certified >= 12), LONG_MS);
  assert.ok(
    sound.every(({ certified }) => certified >= 12),
    network.describe(),
  );
  assert.deepEqual(
    network.failures.map(({ machine, code }) => [machine, code]),
    [[3, "node/diverged"]],
  );
  assert.ok(!network.machines[3]!.isOn, "it signs and serves no more");
  assert.deepEqual(
    [...new Set(network.invariants.violations.map(({ machine, invariant }) => `${machine} ${invariant}`))],
    ["3 agreement"],
  );
});
