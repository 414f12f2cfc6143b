// npm run bench -- overload [--validators 4] [--seconds 300] [--times 10] [--peak-seconds 8] [--signed 200000]
//
// Offers `--times` as many transfers a second as the network takes at most, which a closed loop measures first on a network of its own.
// A batch that is not wholly taken is offered again, so that what is refused stays on offer. Meanwhile one connection reads balances. Then the
// load ends, and one payment shows whether the chain is normal again. Prints one JSON line.
import { parseArgs } from "node:util";
import { toHex } from "@ostrom/base";
import { type CheapClient, callOnce, createCheapClient } from "./cheap-http.ts";
import { InclusionWatcher } from "./inclusion-watcher.ts";
import { startOstrom } from "./ostrom-peer.ts";
import type { Peer } from "./peer.ts";
import { residentMegabytes } from "./processor-time.ts";
import { putLoad } from "./put-load.ts";
import { quantile } from "./quantile.ts";
import { type LoadBatch, prepareLoad, type SignedLoad } from "./signed-load.ts";
import { createAccounts, senderOf } from "./workload.ts";

const SENDER_BALANCE = 1_000n * 10n ** 18n;
const SENDERS = 400;
const LANES = 32;
const BATCH = 100;
/** Of a lane, at once: more would only wait in the client. */
const OPEN_REQUESTS = 16;
const PEAK_IN_FLIGHT = 2_000;
const PEAK_WARM_UP_SECONDS = 4;
const READ_INTERVAL_MS = 20;
const MEMORY_INTERVAL_MS = 1_000;
/** Throughput is also told for each part of this length, the worst of which counts. */
const PART_MS = 10_000;
/** An answer later than this counts as none. */
const TIMEOUT_MS = 10_000;
const AFTERMATH_TIMEOUT_MS = 120_000;
const POLL_MS = 20;

type Options = { readonly validators: number; readonly seconds: number; readonly times: number };

/** What the writes heard, by JSON-RPC's code and stable reason. */
type Answers = Map<string, number>;

export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      validators: { type: "string", default: "4" },
      seconds: { type: "string", default: "300" },
      times: { type: "string", default: "10" },
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
  const peak = await onPeer(start, (peer) =>
    putLoad(peer, load, {
      warmUpSeconds: PEAK_WARM_UP_SECONDS,
      seconds: Number(values["peak-seconds"]),
      inFlight: Math.max(PEAK_IN_FLIGHT, LANES * BATCH),
    }),
  );
  const lastPayment = toHex(senderOf(accounts, SENDERS, undefined)(0).raw);
  const result = await onPeer(start, (peer) => overload(peer, load, lastPayment, peak.tps, options));
  console.log(JSON.stringify({ bench: "overload", ...options, peakTps: peak.tps, ...result }));
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
  lastPayment: string,
  peakTps: number,
  { seconds, times }: Options,
): Promise<Readonly<Record<string, unknown>>> {
  const writer = createCheapClient(LANES * OPEN_REQUESTS);
  const reader = createCheapClient(2);
  const answers: Answers = new Map();
  const writeMs: number[] = [];
  const includedAt: number[] = [];
  const megabytes: number[] = [];
  let failure: Error | undefined;
  const watcher = await InclusionWatcher.start(
    reader,
    peer.urls[0]!,
    (hashes) => {
      const now = performance.now();
      for (const _ of hashes) includedAt.push(now);
    },
    (error) => {
      failure ??= error;
    },
  );
  const memory = setInterval(() => megabytes.push(residentMegabytes(peer.processes)), MEMORY_INTERVAL_MS);
  const startedAt = performance.now();
  const deadline = startedAt + seconds * 1_000;
  const pauseMs = (LANES * BATCH * 1_000) / (times * peakTps);
  try {
    const [reads, ...lanes] = await Promise.all([
      readBalances(reader, peer.urls[0]!, load.accounts[0]!.address, deadline),
      ...load.lanes.map((batches, lane) => {
        const url = peer.urls[lane % peer.urls.length]!;
        return offer(writer, url, batches, { pauseMs, deadline, answers, writeMs });
      }),
    ]);
    if (failure !== undefined) throw failure;
    const inTime = includedAt.filter((at) => at <= deadline);
    const aftermathMs = await payOnce(reader, peer.urls[0]!, lastPayment);
    return {
      offeredTps: Math.round((writeMs.length * BATCH) / seconds),
      tps: Math.round(inTime.length / seconds),
      ofPeak: Number((inTime.length / seconds / peakTps).toFixed(3)),
      worstPartTps: worstPart(inTime, startedAt, deadline),
      answers: Object.fromEntries(answers),
      writeP99Ms: Math.round(quantile(writeMs, 0.99)),
      writeTimeouts: writeMs.filter((ms) => ms > TIMEOUT_MS).length,
      reads: reads.length,
      readP50Ms: Number(quantile(reads, 0.5).toFixed(1)),
      readP99Ms: Number(quantile(reads, 0.99).toFixed(1)),
      rssMbMost: Math.round(Math.max(...megabytes)),
      rssMbEnd: Math.round(megabytes.at(-1) ?? 0),
      paymentAfterMs: Math.round(aftermathMs),
      ranDry: lanes.some((isDry) => isDry),
      settings: peer.settings,
    };
  } finally {
    clearInterval(memory);
    watcher.stop();
    writer.close();
    reader.close();
  }
}

/** Offers one lane's batches at a steady pace until the deadline, whether or not earlier ones are answered; what was refused comes first
 * again. @returns whether none was left before the deadline. */
async function offer(
  client: CheapClient,
  url: string,
  batches: readonly LoadBatch[],
  to: {
    readonly pauseMs: number;
    readonly deadline: number;
    readonly answers: Answers;
    readonly writeMs: number[];
  },
): Promise<boolean> {
  const refused: LoadBatch[] = [];
  const open = new Set<Promise<void>>();
  const post = async (batch: LoadBatch): Promise<void> => {
    const at = performance.now();
    const { status, text } = await client.post(url, batch.body);
    to.writeMs.push(performance.now() - at);
    if (status !== 200) count(to.answers, `HTTP ${status}`, batch.hashes.length);
    if (status !== 200 || !takeAnswers(text, to.answers)) refused.push(batch);
  };
  let next = 0;
  for (let dueAt = performance.now(); ; dueAt += to.pauseMs) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - performance.now())));
    while (open.size >= OPEN_REQUESTS) await Promise.race(open);
    if (performance.now() >= to.deadline) break;
    const batch = refused.shift() ?? batches[next++];
    if (batch === undefined) break;
    const posted = post(batch).finally(() => open.delete(posted));
    open.add(posted);
  }
  await Promise.all(open);
  return next > batches.length;
}

type Answer = {
  readonly error?: { readonly code: number; readonly data?: { readonly reason?: string } };
};

/** Reasons for which a transaction need not be offered again: the node has it, or it is in a block. */
const TAKEN = /known|nonce-too-low/;

/** Counts what each call heard. @returns whether all of the batch is taken. */
function takeAnswers(text: string, answers: Answers): boolean {
  const all = JSON.parse(text) as readonly Answer[] | Answer;
  let isTaken = true;
  for (const { error } of Array.isArray(all) ? (all as readonly Answer[]) : [all as Answer]) {
    if (error === undefined) {
      count(answers, "taken", 1);
      continue;
    }
    const reason = `${error.code} ${error.data?.reason ?? ""}`.trim();
    count(answers, reason, 1);
    if (!TAKEN.test(reason)) isTaken = false;
  }
  return isTaken;
}

function count(answers: Answers, what: string, by: number): void {
  answers.set(what, (answers.get(what) ?? 0) + by);
}

/** @returns milliseconds of each read. */
async function readBalances(
  client: CheapClient,
  url: string,
  address: string,
  deadline: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let at = performance.now(); at < deadline; at = performance.now()) {
    await callOnce<string>(client, url, "eth_getBalance", [address, "latest"]);
    times.push(performance.now() - at);
    await new Promise((resolve) => setTimeout(resolve, READ_INTERVAL_MS));
  }
  return times;
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

/** The fewest transactions a second of all whole parts. */
function worstPart(includedAt: readonly number[], startedAt: number, deadline: number): number | undefined {
  const parts = Array.from({ length: Math.floor((deadline - startedAt) / PART_MS) }, () => 0);
  for (const at of includedAt) {
    const part = Math.floor((at - startedAt) / PART_MS);
    if (part < parts.length) parts[part]!++;
  }
  return parts.length === 0 ? undefined : Math.round((Math.min(...parts) / PART_MS) * 1_000);
}
