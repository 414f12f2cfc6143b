import type { TransferClient } from "./client.ts";
import { type Network, RECOVERY_TIMEOUT_MS } from "./network.ts";
import type { HostsSettings } from "./settings.ts";

/** How one fault went, and what came after it until nothing was left of it.
 * @property longestGapMs without a block while a quorum was connected.
 * @property recoveryMs from its end until those who suffered it had caught up with the quorum.
 * @property settledMs from then until all links were up again and all transfers sent before were final. */
export type FaultFigures = {
  readonly fault: string;
  readonly seconds: number;
  readonly blocks: number;
  readonly longestGapMs: number;
  readonly recoveryMs?: readonly number[];
  readonly settledMs: number;
  /** Whether a quorum was connected all the time. */
  readonly hasQuorum: boolean;
  readonly startMs: number;
  /** When settling began. */
  readonly endMs: number;
};

/** How many may fail at once while a quorum remains. */
const faulty = (validators: number): number => Math.floor((validators - 1) / 3);

/** Runs all faults of a run, one after another; each begins when nothing is left of the one before. */
export async function runFaults(
  network: Network,
  client: TransferClient,
  settings: HostsSettings,
): Promise<readonly FaultFigures[]> {
  const { validators, partitionSeconds, splitSeconds, oneWayCutSeconds, pauseSeconds, restarts } = settings;
  const figures: FaultFigures[] = [];
  const record = async (
    fault: string,
    run: () => Promise<readonly number[] | undefined>,
    hasQuorum = true,
  ): Promise<void> => {
    network.say(fault);
    const startMs = performance.now();
    const startHeight = network.progress.quorumHeight;
    const recoveryMs = await run();
    const endMs = performance.now();
    const settledMs = await settle(network, client);
    const settledAtMs = performance.now();
    const gap = network.progress.longestGap(startMs, settledAtMs);
    figures.push({
      fault,
      seconds: Math.round((settledAtMs - startMs) / 100) / 10,
      blocks: network.progress.quorumHeight - startHeight,
      longestGapMs: Math.round(gap.toMs - gap.fromMs),
      ...(recoveryMs === undefined ? {} : { recoveryMs }),
      settledMs,
      hasQuorum,
      startMs,
      endMs,
    });
  };

  await record("none, under load", async () => {
    await network.sleep(settings.steadySeconds * 1_000);
    return undefined;
  });
  if (partitionSeconds > 0) {
    const minority = lastOnes(validators, faulty(validators));
    await record(`partition of validators ${names(minority)} for ${partitionSeconds} s`, () =>
      partition(network, minority, partitionSeconds),
    );
  }
  if (splitSeconds > 0) {
    const part = lastOnes(validators, faulty(validators) + 1);
    await record(
      `split: validators ${names(part)} from the others, no quorum, for ${splitSeconds} s`,
      () => split(network, part, splitSeconds),
      false,
    );
  }
  if (oneWayCutSeconds > 0) {
    const [mute] = lastOnes(validators - faulty(validators), 1);
    await record(`nobody hears validator ${names([mute!])}, which hears all, for ${oneWayCutSeconds} s`, () =>
      cutOneWay(network, mute!, oneWayCutSeconds),
    );
  }
  if (pauseSeconds > 0) {
    const [paused] = lastOnes(validators - faulty(validators) - 1, 1);
    await record(`validator ${names([paused!])} stands still (SIGSTOP) for ${pauseSeconds} s`, () =>
      pause(network, paused!, pauseSeconds),
    );
  }
  // The last one is not asked: its process is killed.
  for (let index = 0; index < restarts; index++) {
    const signal = index === restarts - 1 ? "SIGKILL" : "SIGTERM";
    await record(`restart of validator ${names([index])} (${signal})`, () => restart(network, index, signal));
  }
  return figures;
}

/** @returns how long it took until all links were up and all transfers sent before were final. */
async function settle(network: Network, client: TransferClient): Promise<number> {
  const startMs = performance.now();
  await network.linked();
  await network.waitUntil("the transfers become final", RECOVERY_TIMEOUT_MS, () =>
    client.isFinalBefore(startMs),
  );
  return Math.round(performance.now() - startMs);
}

async function partition(
  network: Network,
  minority: readonly number[],
  seconds: number,
): Promise<readonly number[]> {
  for (const index of minority) network.expect(index, false);
  await network.separate(minority);
  await network.sleep(seconds * 1_000);
  await network.heal();
  network.say("  healed");
  return Promise.all(minority.map((index) => network.recovery(index)));
}

/** The recovery is that of the chain: until the quorum has a new block. */
async function split(network: Network, part: readonly number[], seconds: number): Promise<readonly number[]> {
  for (const index of network.indices) network.expect(index, false);
  network.quorumConnected(false);
  await network.separate(part);
  await network.sleep(seconds * 1_000);
  await network.heal();
  network.quorumConnected(true);
  network.say("  healed");
  const healedMs = performance.now();
  const height = network.progress.quorumHeight;
  await network.waitUntil("the chain goes on", RECOVERY_TIMEOUT_MS, () => {
    return network.progress.quorumHeight > height;
  });
  const recoveryMs = Math.round(performance.now() - healedMs);
  await Promise.all(network.indices.map((index) => network.recovery(index)));
  return [recoveryMs];
}

async function cutOneWay(network: Network, mute: number, seconds: number): Promise<readonly number[]> {
  network.expect(mute, false);
  const others = network.indices.filter((index) => index !== mute);
  await Promise.all(others.map((index) => network.cut(index, [mute])));
  await network.sleep(seconds * 1_000);
  await network.heal();
  network.say("  healed");
  return [await network.recovery(mute)];
}

async function pause(network: Network, index: number, seconds: number): Promise<readonly number[]> {
  network.expect(index, false);
  network.validators.signal(index, "SIGSTOP");
  await network.sleep(seconds * 1_000);
  network.validators.signal(index, "SIGCONT");
  network.say("  goes on");
  return [await network.recovery(index)];
}

async function restart(
  network: Network,
  index: number,
  signal: "SIGTERM" | "SIGKILL",
): Promise<readonly number[]> {
  network.expect(index, false);
  await network.validators.stop(index, signal);
  const startMs = performance.now();
  await network.validators.start(index);
  network.say(`  ready after ${Math.round(performance.now() - startMs)} ms`);
  await network.recovery(index);
  return [Math.round(performance.now() - startMs)];
}

function lastOnes(end: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, offset) => end - count + offset);
}

function names(indices: readonly number[]): string {
  return indices.map((index) => index + 1).join(" and ");
}
