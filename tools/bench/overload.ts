// npm run bench -- overload [--validators 4] [--seconds 300] [--times 10] [--peak-seconds 8] [--signed 200000] [--peak N]
//
// Offers `--times` as many transfers a second as the network takes at most, which a closed loop measures first on a network of its own (or `--peak`).
// The clients ignore what busy answers say: a batch that is not wholly taken is offered again at once. Meanwhile one connection reads
// balances. Then the load ends, and payments show whether the chain is normal again. Prints one JSON line.
import { parseArgs } from "node:util";
import { toHex } from "@ostrom/base";
import { type CheapClient, callOnce, createCheapClient } from "./cheap-http.ts";
import { InclusionWatcher } from "./inclusion-watcher.ts";
import { OfferedLoad, OPEN_REQUESTS, offer } from "./offered-load.ts";
import { startOstrom } from "./ostrom-peer.ts";
import type { Peer } from "./peer.ts";
import { residentMegabytes, threadMicroseconds } from "./processor-time.ts";
import { putLoad } from "./put-load.ts";
import { quantile } from "./quantile.ts";
import { prepareLoad, type SignedLoad } from "./signed-load.ts";
import { readBalances } from "./single-reads.ts";
import { createAccounts, senderOf } from "./workload.ts";

const SENDER_BALANCE = 1_000n * 10n ** 18n;
const SENDERS = 400;
const LANES = 32;
const BATCH = 100;
const PEAK_IN_FLIGHT = 3_200;
const PEAK_WARM_UP_SECONDS = 4;
const MEMORY_INTERVAL_MS = 1_000;
/** Throughput, and the network's processor time of an included transaction, are also told for each part of this length. */
const PART_MS = 10_000;
/** Threads that take less of a transaction are not told by name. */
const LEAST_TOLD_US = 5;
const AFTERMATH_TIMEOUT_MS = 120_000;
const POLL_MS = 20;

type Mark = {
  readonly at: number;
  readonly included: number;
  readonly byThread: ReadonlyMap<string, number>;
};
type Options = { readonly validators: number; readonly seconds: number; readonly times: number };

export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      validators: { type: "string", default: "4" },
      seconds: { type: "string", default: "300" },
      times: { type: "string", default: "10" },
      peak: { type: "string" },
      "peak-seconds": { type: "string", default: "8" },
      signed: { type: "string", default: "200000" },
    },
  });
  const options = {
    validators: Number(values.validators),
    seconds: Number(values.seconds),
    times: Number(values.times),
  };
  // The last account pays when the load is over.
  const accounts = createAccounts(SENDERS + 1);
  const load = prepareLoad(accounts.slice(0, SENDERS), {
    kind: "transfer",
    count: Number(values.signed),
    lanes: LANES,
    batch: BATCH,
  });
  const start = () =>
    startOstrom({
      validators: options.validators,
      suite: "ethereum",
      engine: "mixed",
      balances: new Map(accounts.map(({ address }) => [address, SENDER_BALANCE])),
    });
  const measurePeak = (peer: Peer) =>
    putLoad(peer, load, {
      warmUpSeconds: PEAK_WARM_UP_SECONDS,
      seconds: Number(values["peak-seconds"]),
      inFlight: PEAK_IN_FLIGHT,
    });
  const peak =
    values.peak === undefined
      ? await onPeer(start, measurePeak)
      : { tps: Number(values.peak), cpuUs: undefined };
  const pay = senderOf(accounts, SENDERS, undefined);
  const payments = [0, 1].map((nonce) => toHex(pay(nonce).raw));
  const result = await onPeer(start, (peer) => overload(peer, load, payments, peak.tps, options));
  const peakFigures = { peakTps: peak.tps, peakCpuUs: peak.cpuUs };
  console.log(JSON.stringify({ bench: "overload", ...options, ...peakFigures, ...result }));
}

async function onPeer<T>(start: () => Promise<Peer>, use: (peer: Peer) => Promise<T>): Promise<T> {
  const peer = await start();
  try {
    return await use(peer);
  } finally {
    await peer.stop();
  }
}

async function overload(
  peer: Peer,
  load: SignedLoad,
  payments: readonly string[],
  peakTps: number,
  { seconds, times }: Options,
): Promise<Readonly<Record<string, unknown>>> {
  const writer = createCheapClient(LANES * OPEN_REQUESTS);
  const reader = createCheapClient(2);
  const offered = new OfferedLoad();
  const includedAt: number[] = [];
  const megabytes = [residentMegabytes(peer.processes)];
  const marks: Mark[] = [];
  let failure: Error | undefined;
  const url = peer.urls[0]!;
  const watcher = await InclusionWatcher.start(
    reader,
    url,
    (hashes) => {
      for (const _ of hashes) includedAt.push(performance.now());
    },
    (error) => {
      failure ??= error;
    },
  );
  const memory = setInterval(() => megabytes.push(residentMegabytes(peer.processes)), MEMORY_INTERVAL_MS);
  const mark = (): number =>
    marks.push({ at: performance.now(), included: includedAt.length, byThread: cpuByThread(peer) });
  mark();
  const startedAt = marks[0]!.at;
  const parts = setInterval(mark, PART_MS);
  const pace = {
    deadline: startedAt + seconds * 1_000,
    pauseMs: (LANES * BATCH * 1_000) / (times * peakTps),
  };
  const clientBefore = process.cpuUsage();
  try {
    const [reads, ...lanes] = await Promise.all([
      readBalances(reader, url, load.accounts[0]!.address, pace.deadline),
      ...load.lanes.map((batches, lane) => {
        // Lanes take turns, so that what is offered comes evenly.
        const turn = { firstAt: startedAt + (lane / LANES) * pace.pauseMs, ...pace };
        return offer(writer, peer.urls[lane % peer.urls.length]!, batches, turn, offered);
      }),
    ]);
    clearInterval(parts);
    const clientCores = coresSince(startedAt, clientBefore);
    const paymentsAfterMs = await payEach(reader, url, payments);
    if (failure !== undefined) throw failure;
    const tps = includedAt.filter((at) => at <= pace.deadline).length / seconds;
    return {
      tps: Math.round(tps),
      ofPeak: Number((tps / peakTps).toFixed(3)),
      parts: marks.slice(1).map((to, index) => partBetween(marks[index]!, to)),
      ...figuresOf(offered, seconds),
      ...reads,
      clientCores,
      ...memoryFigures(megabytes),
      paymentsAfterMs,
      ranDry: lanes.some((isDry) => isDry),
      settings: peer.settings,
    };
  } finally {
    clearInterval(memory);
    clearInterval(parts);
    watcher.stop();
    writer.close();
    reader.close();
  }
}

function coresSince(startedAt: number, before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return Number(((user + system) / ((performance.now() - startedAt) * 1_000)).toFixed(3));
}

async function payEach(client: CheapClient, url: string, payments: readonly string[]): Promise<number[]> {
  const took: number[] = [];
  for (const raw of payments) took.push(Math.round(await payOnce(client, url, raw)));
  return took;
}

/** What the writes heard. */
function figuresOf(offered: OfferedLoad, seconds: number): Readonly<Record<string, unknown>> {
  return {
    offeredTps: Math.round(offered.offered / seconds),
    heldTps: Math.round(offered.held / seconds),
    answers: Object.fromEntries(offered.answers),
    takenP50Ms: Math.round(quantile(offered.takenMs, 0.5)),
    takenP99Ms: Math.round(quantile(offered.takenMs, 0.99)),
    refusedP50Ms: Math.round(quantile(offered.refusedMs, 0.5)),
    refusedP99Ms: Math.round(quantile(offered.refusedMs, 0.99)),
    timeouts: offered.timeouts,
  };
}

function memoryFigures(megabytes: readonly number[]): Readonly<Record<string, number>> {
  return {
    rssMbStart: Math.round(megabytes[0]!),
    rssMbMost: Math.round(Math.max(...megabytes)),
    rssMbEnd: Math.round(megabytes.at(-1)!),
  };
}

function cpuByThread(peer: Peer): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { kind, microseconds } of threadMicroseconds(peer.processes).values()) {
    sums.set(kind, (sums.get(kind) ?? 0) + microseconds);
  }
  return sums;
}

/** Submits a payment as soon as it is taken. @returns milliseconds until its receipt can be read. @throws if it takes too long. */
async function payOnce(client: CheapClient, url: string, raw: string): Promise<number> {
  const startedAt = performance.now();
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_sendRawTransaction", params: [raw] });
  let hash: string | undefined;
  while (performance.now() - startedAt < AFTERMATH_TIMEOUT_MS) {
    if (hash === undefined) {
      hash = (JSON.parse((await client.post(url, body)).text) as { readonly result?: string }).result;
    } else if ((await callOnce(client, url, "eth_getTransactionReceipt", [hash])) !== null) {
      return performance.now() - startedAt;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error("a payment after the overload got no receipt");
}

type Part = {
  readonly tps: number;
  readonly cpuUs: number;
  readonly byThread: Readonly<Record<string, number>>;
};

/** Microseconds of processor time are for each transaction that was included meanwhile. */
function partBetween(from: Mark, to: Mark): Part {
  const included = to.included - from.included;
  const byThread: Record<string, number> = {};
  let sum = 0;
  for (const [kind, microseconds] of to.byThread) {
    const us = (microseconds - (from.byThread.get(kind) ?? 0)) / Math.max(1, included);
    sum += us;
    if (us >= LEAST_TOLD_US) byThread[kind] = Math.round(us);
  }
  return {
    tps: Math.round((included / (to.at - from.at)) * 1_000),
    cpuUs: Math.round(sum),
    byThread,
  };
}
