// npm run bench -- network --validators 4 --seconds 20 --kind transfer|erc20 [--engine mixed|reference|tier0|tier1]
//   [--suite sm|post-quantum]
//
// Signs transactions ahead, submits them over HTTP in batches to all validators in a closed loop (at most `--in-flight`
// wait at a time), and waits until each one's receipt can be read. Prints one JSON line. With a suite: one line for the suite `ethereum`,
// one for the suite with accounts of its own kind, and the ratio.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { must } from "@ostrom/base";
import { signatureSchemeByName } from "@ostrom/crypto";
import { SUITE_NAMES, SUITES, type SuiteName } from "@ostrom/execution";
import { createTestNetwork, type TestNetwork } from "../../apps/cli/testing/test-network.ts";
import { InclusionWatcher } from "./inclusion-watcher.ts";
import { type BenchAccount, createAccounts, deployToken, type Kind, signAhead } from "./workload.ts";

type Settings = {
  readonly validators: number;
  readonly seconds: number;
  readonly kind: Kind;
  readonly batch: number;
  readonly senders: number;
  readonly inFlight: number;
  readonly signed: number;
  /** Who runs contracts: node.json's `engine.tiers`. */
  readonly engine: string;
  readonly suite: SuiteName;
};

/** Long signatures in hex fill the memory. */
const MOST_SIGNED_OF_SUITES = 20_000;
const SENDER_BALANCE = 1_000n * 10n ** 18n;
const DRAIN_TIMEOUT_MS = 30_000;

export async function run(argv: readonly string[]): Promise<void> {
  const settings = readSettings(argv);
  const { tps: baseline } = await runOn({ ...settings, suite: "ethereum" });
  if (settings.suite === "ethereum") return;
  const { tps } = await runOn({ ...settings, signed: Math.min(settings.signed, MOST_SIGNED_OF_SUITES) });
  console.log(
    JSON.stringify({ bench: "network suites", suite: settings.suite, baseline, tps, ratio: tps / baseline }),
  );
}

async function runOn(settings: Settings): Promise<Measured> {
  const suite = SUITES[settings.suite];
  const scheme = must(signatureSchemeByName(suite.accounts[0]!), "a suite's accounts are of known schemes");
  const accounts = createAccounts(settings.senders, scheme.id);
  const network = await createTestNetwork({
    validators: settings.validators,
    suite: { name: settings.suite, suite },
    extraBalances: new Map(accounts.map((account) => [account.address, SENDER_BALANCE])),
  });
  try {
    for (let index = 0; index < settings.validators; index++)
      chooseEngine(network.folder(index), settings.engine);
    await network.startAll();
    const measured = await measure(network, accounts, settings);
    console.log(JSON.stringify({ bench: "network", ...settings, scheme: scheme.name, ...measured }));
    return measured;
  } finally {
    await network.dispose();
  }
}

function chooseEngine(folder: string, tiers: string): void {
  const path = join(folder, "node.json");
  const configuration = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...configuration, engine: { tiers } }));
}

function readSettings(argv: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      validators: { type: "string", default: "4" },
      seconds: { type: "string", default: "20" },
      kind: { type: "string", default: "transfer" },
      batch: { type: "string", default: "100" },
      senders: { type: "string", default: "200" },
      "in-flight": { type: "string", default: "2000" },
      signed: { type: "string", default: "60000" },
      engine: { type: "string", default: "mixed" },
      suite: { type: "string", default: "ethereum" },
    },
  });
  if (values.kind !== "transfer" && values.kind !== "erc20")
    throw new Error("--kind: expected transfer or erc20");
  const suite = SUITE_NAMES.find((name) => name === values.suite);
  if (suite === undefined) throw new Error(`--suite: expected one of ${SUITE_NAMES.join(", ")}`);
  return {
    validators: Number(values.validators),
    seconds: Number(values.seconds),
    kind: values.kind,
    batch: Number(values.batch),
    senders: Number(values.senders),
    inFlight: Number(values["in-flight"]),
    signed: Number(values.signed),
    engine: values.engine,
    suite,
  };
}

type Measured = { readonly tps: number } & Readonly<Record<string, unknown>>;

async function measure(
  network: TestNetwork,
  accounts: readonly BenchAccount[],
  settings: Settings,
): Promise<Measured> {
  const token = settings.kind === "erc20" ? await deployToken(network.urls[0]!, accounts) : undefined;
  const signed = signAhead(accounts, settings.signed, token);
  const watcher = await InclusionWatcher.start(network.urls[0]!);
  const pids = network.file.nodes.map((_, index) => network.node(index)!.process.pid!);
  const cpuBefore = pids.map(cpuMicroseconds);
  const startedAt = performance.now();
  const deadline = startedAt + settings.seconds * 1_000;
  const submitted = await submitAll(network.urls, signed, settings, watcher, deadline);
  await watcher.drain(DRAIN_TIMEOUT_MS);
  const cpuAfter = pids.map(cpuMicroseconds);
  const rssMb = pids.map(residentMegabytes);
  watcher.stop();
  const { latencies, lastAt, failed } = watcher.result();
  const elapsedSeconds = (lastAt - startedAt) / 1_000;
  const included = latencies.length;
  const cpu = cpuAfter.reduce((sum, after, index) => sum + after - cpuBefore[index]!, 0);
  return {
    submitted,
    included,
    failed,
    tps: Math.round(included / elapsedSeconds),
    p50Ms: Math.round(quantile(latencies, 0.5)),
    p99Ms: Math.round(quantile(latencies, 0.99)),
    cpuUsPerTransaction: Math.round(cpu / Math.max(1, included)),
    rssMb: Math.round(rssMb.reduce((sum, one) => sum + one, 0)),
    blocks: watcher.blocks(),
    ranDry: submitted === signed.reduce((sum, lane) => sum + lane.length, 0),
  };
}

/** One lane of submissions a validator; each sender stays on one validator, so that its nonces arrive in order. */
async function submitAll(
  urls: readonly string[],
  signed: readonly (readonly string[])[],
  settings: Settings,
  watcher: InclusionWatcher,
  deadline: number,
): Promise<number> {
  const counts = await Promise.all(
    urls.map(async (url, lane) => {
      const own = interleave(signed.filter((_, sender) => sender % urls.length === lane));
      const share = Math.max(settings.batch, Math.floor(settings.inFlight / urls.length));
      let next = 0;
      while (next < own.length && performance.now() < deadline) {
        const batch = own.slice(next, next + settings.batch);
        await watcher.roomFor(lane, batch.length, share);
        watcher.expect(lane, batch);
        await submit(url, batch);
        next += batch.length;
      }
      return next;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** First transactions of all senders, then their second ones, and so on. */
function interleave(senders: readonly (readonly string[])[]): readonly string[] {
  const longest = Math.max(0, ...senders.map((own) => own.length));
  return Array.from({ length: longest }, (_, index) => senders.flatMap((own) => own[index] ?? [])).flat();
}

async function submit(url: string, batch: readonly string[]): Promise<void> {
  const body = JSON.stringify(
    batch.map((raw, id) => ({ jsonrpc: "2.0", id, method: "eth_sendRawTransaction", params: [raw] })),
  );
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  const answers = (await response.json()) as readonly { readonly error?: { readonly message: string } }[];
  const refused = answers.find((answer) => answer.error !== undefined);
  if (refused?.error !== undefined) throw new Error(`a transaction was refused: ${refused.error.message}`);
}

const CLOCK_TICKS_PER_SECOND = 100;

/** User and system time of a process and all its threads. */
function cpuMicroseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND) * 1_000_000;
}

function residentMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1024;
}

function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0;
}
