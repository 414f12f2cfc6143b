// npm run bench -- network [--validators 4] [--kind transfer|erc20] [--vs anvil|hardhat] [--rounds 3] [--seconds 8] [--warm-up 4]
//   [--rate N] [--profile] [--anvil-mode auto|interval|automine|mixed] [--engine mixed|reference|tier0|tier1]
//   [--suite sm|post-quantum] [--signature-check all|minority] [--console] [--in-flight 2000] [--other-in-flight N] [--lanes 4] [--batch 100] [--senders 200]
//
// Signs transactions ahead and submits them over HTTP in batches, in a closed loop (at most `--in-flight` wait at a time) or, with
// `--rate`, as many a second; each sender's go to one node, and senders are spread over all nodes. Latency is from submission to the
// receipt being readable. Every run is on a fresh chain, warmed up first. With `--vs`: the same signed transactions by the same client
// on the other program, alternately, and one line with the ratios of the pairs. With `--suite`: the suite `ethereum` against it.

import { must } from "@ostrom/base";
import { signatureSchemeByName } from "@ostrom/crypto";
import { SUITES, type SuiteName } from "@ostrom/execution";
import { ANVIL_MODES, type AnvilMode, startAnvil, startHardhat } from "./foreign-peers.ts";
import { type NetworkSettings, readNetworkSettings } from "./network-settings.ts";
import { startOstrom } from "./ostrom-peer.ts";
import type { Peer, StartPeer } from "./peer.ts";
import { profileRun } from "./profile-run.ts";
import { type Measured, putLoad } from "./put-load.ts";
import { median } from "./quantile.ts";
import { prepareLoad, type SignedLoad } from "./signed-load.ts";
import { createAccounts } from "./workload.ts";

const SENDER_BALANCE = 1_000n * 10n ** 18n;
/** Long signatures in hex fill the memory. */
const MOST_SIGNED_OF_SUITES = 20_000;
const PROBE_SECONDS = 3;
const PROBE_WARM_UP_SECONDS = 1;

/** Waiting transactions with which each takes most: blocks that come once a second need what comes within two. */
const IN_FLIGHT: Readonly<Record<AnvilMode | "hardhat", number>> = {
  interval: 8_000,
  automine: 1_000,
  mixed: 1_000,
  hardhat: 4_000,
};

type Side = { readonly start: StartPeer; readonly load: SignedLoad; readonly inFlight: number };
type Run = { readonly peer: Peer; readonly measured: Measured };

export async function run(argv: readonly string[]): Promise<void> {
  const settings = readNetworkSettings(argv);
  const ours = ostromSide(settings, settings.suite);
  if (settings.profile) return profileRun(ours.start, ours.load, settings);
  const other = await otherSide(settings, ours.load);
  const runs: { readonly ours: Run; readonly other: Run | undefined }[] = [];
  for (let round = 0; round < settings.rounds; round++) {
    // Who begins changes, so that a machine that becomes slower or faster meanwhile favours nobody.
    const otherFirst = other !== undefined && round % 2 === 1 ? await runOn(other, settings) : undefined;
    const own = await runOn(ours, settings);
    runs.push({ ours: own, other: otherFirst ?? (other && (await runOn(other, settings))) });
  }
  if (other !== undefined) printComparison(settings, runs as readonly { ours: Run; other: Run }[]);
}

function ostromSide(settings: NetworkSettings, suite: SuiteName): Side {
  const scheme = must(
    signatureSchemeByName(SUITES[suite].accounts[0]!),
    "a suite's accounts are of known schemes",
  );
  const accounts = createAccounts(settings.senders, scheme.id);
  const { kind, batch, lanes, signed, validators, engine, signatureCheck, console } = settings;
  const count = suite === "ethereum" ? signed : Math.min(signed, MOST_SIGNED_OF_SUITES);
  const load = prepareLoad(accounts, { kind, count, batch, lanes });
  const options = { validators, suite, engine, signatureCheck, console, balances: balancesOf(load) };
  return { start: () => startOstrom(options), load, inFlight: settings.inFlight };
}

function balancesOf({ accounts }: SignedLoad): ReadonlyMap<string, bigint> {
  return new Map(accounts.map(({ address }) => [address, SENDER_BALANCE]));
}

/** What ours is compared with, if with anything. */
async function otherSide(settings: NetworkSettings, load: SignedLoad): Promise<Side | undefined> {
  if (settings.vs === "anvil") return anvilSide(settings, load);
  if (settings.vs === "hardhat") {
    const inFlight = settings.otherInFlight ?? IN_FLIGHT.hardhat;
    return { start: () => startHardhat(balancesOf(load)), load, inFlight };
  }
  return settings.suite === "ethereum" ? undefined : ostromSide(settings, "ethereum");
}

/** Anvil in the mode that was asked for, or in its best one for this load, by trying each. */
async function anvilSide(settings: NetworkSettings, load: SignedLoad): Promise<Side> {
  const sideOf = (mode: AnvilMode): Side => ({
    start: () => startAnvil(mode, balancesOf(load)),
    load,
    inFlight: settings.otherInFlight ?? IN_FLIGHT[mode],
  });
  if (settings.anvilMode !== "auto") return sideOf(settings.anvilMode);
  const options = { ...settings, seconds: PROBE_SECONDS, warmUpSeconds: PROBE_WARM_UP_SECONDS };
  let best: { readonly mode: AnvilMode; readonly tps: number } | undefined;
  for (const mode of ANVIL_MODES) {
    const { tps, failure } = await tryOut(sideOf(mode), options);
    console.log(JSON.stringify({ bench: "anvil mode", mode, tps, failure }));
    if (tps > (best?.tps ?? 0)) best = { mode, tps };
  }
  if (best === undefined) throw new Error("anvil runs in none of its modes");
  return sideOf(best.mode);
}

/** A mode that fails under load is one not to choose. */
async function tryOut(
  side: Side,
  settings: NetworkSettings,
): Promise<{ readonly tps: number; readonly failure?: string }> {
  try {
    return { tps: (await measureOn(side, settings)).measured.tps };
  } catch (error) {
    return { tps: 0, failure: (error as Error).message };
  }
}

async function runOn(side: Side, settings: NetworkSettings): Promise<Run> {
  const result = await measureOn(side, settings);
  const { peer, measured } = result;
  const { window: _, ...figures } = measured;
  const { kind } = settings;
  const { inFlight } = side;
  console.log(
    JSON.stringify({
      bench: "network",
      peer: peer.name,
      kind,
      ...figures,
      inFlight,
      settings: peer.settings,
    }),
  );
  return result;
}

async function measureOn({ start, load, inFlight }: Side, settings: NetworkSettings): Promise<Run> {
  const { warmUpSeconds, seconds, rate } = settings;
  const peer = await start();
  try {
    return { peer, measured: await putLoad(peer, load, { warmUpSeconds, seconds, inFlight, rate }) };
  } finally {
    await peer.stop();
  }
}

function printComparison(
  settings: NetworkSettings,
  pairs: readonly { readonly ours: Run; readonly other: Run }[],
): void {
  const { kind, validators, rounds, seconds, warmUpSeconds, lanes, batch, senders, rate } = settings;
  const ratios = pairs.map(({ ours, other }) => ours.measured.tps / other.measured.tps);
  const cpuRatios = pairs.map(({ ours, other }) => other.measured.cpuUs / ours.measured.cpuUs);
  const rounded = (value: number): number => Number(value.toFixed(3));
  console.log(
    JSON.stringify({
      bench: "network comparison",
      kind,
      validators,
      vs: settings.vs ?? "suite ethereum",
      ratio: rounded(median(ratios)),
      ratioMin: rounded(Math.min(...ratios)),
      ratioMax: rounded(Math.max(...ratios)),
      // The other's processor time of a transaction by ours: what other work the machine has changes it little.
      cpuRatio: rounded(median(cpuRatios)),
      ours: summary(pairs.map(({ ours }) => ours)),
      other: summary(pairs.map(({ other }) => other)),
      client: { rounds, seconds, warmUpSeconds, lanes, batch, senders, rate },
    }),
  );
}

/** Medians of the rounds. */
function summary(runs: readonly Run[]): Readonly<Record<string, unknown>> {
  const of = (read: (measured: Measured) => number): number =>
    median(runs.map(({ measured }) => read(measured)));
  return {
    name: runs[0]!.peer.name,
    tps: of(({ tps }) => tps),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    cpuUs: of(({ cpuUs }) => cpuUs),
    clientCpuUs: of(({ clientCpuUs }) => clientCpuUs),
    rssMb: of(({ rssMb }) => rssMb),
    ranDry: runs.some(({ measured }) => measured.ranDry),
    settings: runs[0]!.peer.settings,
  };
}
