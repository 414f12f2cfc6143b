// node driver.ts JSON, in the hub's namespace, started by main.ts, whose channel says when to end: the run itself.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { askMany } from "../../apps/cli/rpc-client.ts";
import { addStoredChain } from "../../apps/cli/testing/stored-chain.ts";
import { blockHashes, blockNumber } from "../../apps/cli/testing/test-network.ts";
import { waitUntil } from "../../apps/cli/testing/wait-until.ts";
import { TransferClient } from "./client.ts";
import { MachineLoad } from "./machine-load.ts";
import { Network } from "./network.ts";
import { runFaults } from "./scenario.ts";
import type { HostsSettings } from "./settings.ts";
import { packetCounts, removeTopology, type Topology } from "./topology.ts";
import { CHAIN_ID, folderOf, initValidators, rpcUrl } from "./validators.ts";

export type DriverOrder = {
  readonly settings: HostsSettings;
  readonly topology: Topology;
  readonly directory: string;
};

/** What the issue asks for: no longer without a block while a quorum is connected. */
const MAX_STALL_MS = 10_000;
const START_TIMEOUT_MS = 60_000;
const DRAIN_TIMEOUT_MS = 60_000;
const BLOCKS_PER_BATCH = 500;
const FIRST_BLOCKS = 3;

const order = JSON.parse(process.argv[2]!) as DriverOrder;
const { settings, topology, directory } = order;
const abort = new AbortController();
process.on("message", () => abort.abort(new Error("the run was ended")));
process.on("disconnect", () => abort.abort(new Error("whoever started the run is gone")));

const urls = Array.from({ length: settings.validators }, (_, index) => rpcUrl(index));
const network = new Network(topology, directory, abort.signal);
const client = new TransferClient({
  urls,
  chainId: CHAIN_ID,
  isReady: (index) => network.validators.isReady(index),
});
const machine = new MachineLoad(() => network.pids);
let exitCode = 0;
try {
  console.log(JSON.stringify(await run()));
} catch (error) {
  exitCode = 1;
  console.error((error as Error).stack);
  console.log(JSON.stringify({ hosts: "failed", reason: (error as Error).message.split("\n", 1)[0] }));
} finally {
  await client.stop();
  await network.stop();
  // Otherwise main.ts does.
  if (!process.connected) {
    await removeTopology(topology);
    if (!settings.keep) rmSync(directory, { recursive: true, force: true });
  }
}
process.exit(exitCode);

async function run(): Promise<object> {
  const { latencyMs, lossPercent, validators } = settings;
  console.log(
    `${validators} validators, a namespace each; ${latencyMs} ms one way (${2 * latencyMs} ms there and back), ` +
      `${lossPercent}% of packets lost, ${settings.transfersPerSecond} transfers a second`,
  );
  await initValidators(directory, validators, client.addresses, settings.epochLength);
  await network.start(settings);
  client.start(settings.transfersPerSecond);
  await network.waitUntil("the first blocks", START_TIMEOUT_MS, () =>
    network.progress.heights.every((height) => height >= FIRST_BLOCKS),
  );
  const startMs = performance.now();
  network.progress.begin(startMs);
  const startHeight = network.progress.quorumHeight;
  const faults = await runFaults(network, client, settings);
  const endMs = performance.now();
  const blocks = network.progress.quorumHeight - startHeight;
  for (const index of network.indices) network.expect(index, true);
  network.say("no more faults: the last transfers become final");
  await client.finish(DRAIN_TIMEOUT_MS);
  const height = await compareHashes();
  const figures = {
    hosts: "passed",
    validators,
    oneWayLatencyMs: latencyMs,
    lossPercent,
    blocks,
    blocksPerSecond: Math.round((blocks / (endMs - startMs)) * 10_000) / 10,
    comparedBlocks: height,
    ...(settings.epochLength === undefined ? {} : { epochs: Math.ceil(height / settings.epochLength) }),
    ...stallFigures(startMs, endMs),
    transfers: client.figures(),
    transfersWhileQuorum: client.finality(faults.filter(({ hasQuorum }) => hasQuorum)),
    faults: faults.map(({ startMs: from, endMs: to, ...fault }) => {
      const { p50Ms, p99Ms, worstMs } = client.finality([{ startMs: from, endMs: to }]);
      return { ...fault, finalityMs: { p50: p50Ms, p99: p99Ms, worst: worstMs } };
    }),
    packets: { ...(await packetCounts(topology)), relay: await network.relayFigures() },
    machine: machine.stop(),
  };
  await network.stop();
  await checkAgreement();
  return judged(figures);
}

type StallFigures = {
  readonly longestStallMs: number;
  readonly longestStallAtSecond: number;
  readonly timerDelayDuringItMs: number;
  readonly longestSilenceOfOneMs: number;
  readonly longestSilenceOf: number;
};

/** The longest stall, where it was, and how late this driver's own timers came then: a machine without time for anybody shows there. */
function stallFigures(startMs: number, endMs: number): StallFigures {
  const gap = network.progress.longestGap(startMs, endMs);
  const { worstSilence } = network.progress;
  return {
    longestStallMs: Math.round(gap.toMs - gap.fromMs),
    longestStallAtSecond: Math.round((gap.fromMs - network.startMs) / 100) / 10,
    timerDelayDuringItMs: machine.worstDelayMs(gap.fromMs, gap.toMs),
    longestSilenceOfOneMs: Math.round(worstSilence.toMs - worstSilence.fromMs),
    longestSilenceOf: worstSilence.index + 1,
  };
}

function judged<Figures extends { readonly longestStallMs: number }>(figures: Figures): object {
  const { sent, finalized } = client.figures();
  const wrongs = [
    ...network.validators.unexpectedEnds,
    ...(figures.longestStallMs > MAX_STALL_MS ? [`a stall of ${figures.longestStallMs} ms`] : []),
    ...(sent === finalized ? [] : [`${sent - finalized} transfers are not in the chain`]),
  ];
  if (wrongs.length === 0) return figures;
  exitCode = 1;
  return { ...figures, hosts: "failed", reason: wrongs.join("; ") };
}

/** All validators answer with the same hash for each height, and each has all transfers. @returns up to which height. */
async function compareHashes(): Promise<number> {
  const heads = await Promise.all(urls.map((url) => blockNumber(url, "finalized")));
  const target = Math.max(...heads);
  await waitUntil("all have the highest final block", DRAIN_TIMEOUT_MS, async () => {
    const now = await Promise.all(urls.map((url) => blockNumber(url, "finalized")));
    return Math.min(...now) >= target;
  });
  const [first, ...others] = await Promise.all(urls.map((url) => allHashes(url, target)));
  assert.equal(first!.includes(undefined), false, "validator 1 lacks a block");
  for (const other of others) assert.deepEqual(other, first, "validators have different blocks");
  const nonces = await Promise.all(
    urls.map(async (url) => {
      const questions = client.addresses.map((address) => ({
        method: "eth_getTransactionCount",
        params: [address, "finalized"],
      }));
      return (await askMany(url, questions)).map(({ result }) => Number(result));
    }),
  );
  for (const counts of nonces) assert.deepEqual(counts, client.nonces, "a validator lacks transfers");
  return target;
}

async function allHashes(url: string, to: number): Promise<readonly (string | undefined)[]> {
  const hashes: (string | undefined)[] = [];
  for (let from = 0; from <= to; from += BLOCKS_PER_BATCH) {
    hashes.push(...(await blockHashes(url, from, Math.min(to, from + BLOCKS_PER_BATCH - 1))));
  }
  return hashes;
}

/** What validators ever reported, what is on their disks, and what state certificates say. */
async function checkAgreement(): Promise<void> {
  for (const index of network.indices) {
    await addStoredChain(folderOf(directory, index), `validator-${index + 1}`, network.agreement);
  }
  network.agreement.assertAgreement();
}
