import { type CheapClient, callOnce, createCheapClient } from "./cheap-http.ts";
import { InclusionWatcher } from "./inclusion-watcher.ts";
import type { Peer } from "./peer.ts";
import {
  processMicroseconds,
  residentMegabytes,
  type ThreadTime,
  threadMicroseconds,
} from "./processor-time.ts";
import { quantile } from "./quantile.ts";
import type { LoadBatch, SignedLoad } from "./signed-load.ts";
import { submitWhole } from "./submission-answers.ts";

export type LoadOptions = {
  /** Before anything is measured: compilers and caches become warm. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Transactions that may wait to be included, over all lanes. */
  readonly inFlight: number;
  /** Transactions a second that are offered; undefined: as many as `inFlight` lets through. */
  readonly rate?: number | undefined;
  /** Whether threads are told apart: that costs the client more. */
  readonly threads?: boolean | undefined;
};

/** Between the first and the last inclusion of the measured time. */
export type Measured = {
  readonly tps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the peer's processes, a transaction. */
  readonly cpuUs: number;
  readonly clientCpuUs: number;
  readonly rssMb: number;
  readonly included: number;
  readonly blocks: number;
  /** All that was signed was sent before the time was over: the figures are too low. */
  readonly ranDry: boolean;
  /** Times that a transaction was refused for now and offered again, of the whole run. */
  readonly busy: number;
  readonly window: Window;
};

export type Window = {
  /** On the clock of process.hrtime: that of V8's profiles too. */
  readonly fromUs: number;
  readonly toUs: number;
  readonly transactions: number;
  readonly threads: readonly ThreadTime[];
};

type Checkpoint = {
  readonly at: number;
  readonly clockUs: number;
  readonly included: number;
  readonly blocks: number;
  readonly peerUs: number;
  readonly clientUs: number;
  readonly threads: ReadonlyMap<string, ThreadTime> | undefined;
};

const CHECKPOINT_MS = 50;
const THREAD_CHECKPOINT_MS = 500;
const DRAIN_TIMEOUT_MS = 20_000;
const SETUP_BATCH = 100;
const SETUP_POLL_MS = 20;
/** Receipts whose status is looked at afterwards, spread over all transactions. */
const CHECKED_RECEIPTS = 1_000;
const RECEIPTS_AT_ONCE = 100;

/** Puts a load on a peer and measures it. What is refused because the peer is busy is offered again when it says, and its latency counts
 * from the first time. @throws if a transaction is refused for good, fails or gets no receipt. */
export async function putLoad(peer: Peer, load: SignedLoad, options: LoadOptions): Promise<Measured> {
  const client = createCheapClient(load.lanes.length + 1);
  const run = new LoadRun(client, peer, load, options);
  try {
    if (load.setup !== undefined) await putSetup(client, peer, load.setup);
    return await run.measure();
  } finally {
    client.close();
  }
}

async function putSetup(
  client: CheapClient,
  peer: Peer,
  { raws, lastHash }: NonNullable<SignedLoad["setup"]>,
): Promise<void> {
  const url = peer.urls[0]!;
  for (let from = 0; from < raws.length; from += SETUP_BATCH) {
    const calls = raws
      .slice(from, from + SETUP_BATCH)
      .map((raw, id) => ({ jsonrpc: "2.0", id, method: "eth_sendRawTransaction", params: [raw] }));
    refuseErrors(peer, (await client.post(url, JSON.stringify(calls))).text);
  }
  const deadline = performance.now() + DRAIN_TIMEOUT_MS;
  for (;;) {
    const receipt = await callOnce<{ readonly status: string } | null>(
      client,
      url,
      "eth_getTransactionReceipt",
      [lastHash],
    );
    if (receipt?.status === "0x1") return;
    if (receipt !== null || performance.now() > deadline) throw new Error(`${peer.name}: no token`);
    await new Promise((resolve) => setTimeout(resolve, SETUP_POLL_MS));
  }
}

function refuseErrors(peer: Peer, text: string): void {
  if (!text.includes('"error"')) return;
  throw new Error(`${peer.name} refused a transaction: ${/"error":.{0,300}/.exec(text)?.[0]}`);
}

class LoadRun {
  readonly #client: CheapClient;
  readonly #peer: Peer;
  readonly #load: SignedLoad;
  readonly #options: LoadOptions;
  readonly #batchOf = new Map<string, LoadBatch>();
  readonly #sentAt = new Map<LoadBatch, number>();
  readonly #inFlight: number[];
  readonly #latencies: number[] = [];
  readonly #checkpoints: Checkpoint[] = [];
  #wakers: (() => void)[] = [];
  #busy = 0;
  #failure: Error | undefined;
  #watcher: InclusionWatcher | undefined;

  constructor(client: CheapClient, peer: Peer, load: SignedLoad, options: LoadOptions) {
    this.#client = client;
    this.#peer = peer;
    this.#load = load;
    this.#options = options;
    this.#inFlight = load.lanes.map(() => 0);
    for (const batch of load.lanes.flat()) for (const hash of batch.hashes) this.#batchOf.set(hash, batch);
  }

  async measure(): Promise<Measured> {
    const { warmUpSeconds, seconds } = this.#options;
    this.#watcher = await InclusionWatcher.start(
      this.#client,
      this.#peer.urls[0]!,
      (hashes) => this.#note(hashes),
      (error) => this.#fail(error),
    );
    try {
      const startedAt = performance.now();
      const measuredFrom = startedAt + warmUpSeconds * 1_000;
      const deadline = measuredFrom + seconds * 1_000;
      const sent = await Promise.all(this.#load.lanes.map((_, lane) => this.#runLane(lane, deadline)));
      const rssMb = residentMegabytes(this.#peer.processes);
      await this.#drain(sent.reduce((sum, count) => sum + count, 0));
      await this.#checkReceipts(sent);
      const ranDry = sent.some((count, lane) => count === this.#countOf(lane));
      const window = this.#window(measuredFrom, deadline);
      return { ...window, rssMb: Math.round(rssMb), ranDry, busy: this.#busy };
    } finally {
      this.#watcher.stop();
    }
  }

  #countOf(lane: number): number {
    return this.#load.lanes[lane]!.reduce((sum, { hashes }) => sum + hashes.length, 0);
  }

  async #runLane(lane: number, deadline: number): Promise<number> {
    const { inFlight, rate } = this.#options;
    const url = this.#peer.urls[lane % this.#peer.urls.length]!;
    const share = Math.floor(inFlight / this.#load.lanes.length);
    const startedAt = performance.now();
    let sent = 0;
    for (const batch of this.#load.lanes[lane]!) {
      const count = batch.hashes.length;
      if (rate !== undefined) {
        // Lanes take turns, so that what is offered comes evenly.
        const dueAt = startedAt + ((sent * this.#load.lanes.length + lane * count) / rate) * 1_000;
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - performance.now())));
      }
      while (this.#inFlight[lane]! + count > Math.max(share, count) && this.#failure === undefined)
        await new Promise<void>((wake) => this.#wakers.push(wake));
      if (this.#failure !== undefined) throw this.#failure;
      if (performance.now() >= deadline) break;
      this.#sentAt.set(batch, performance.now());
      this.#inFlight[lane]! += count;
      const post = (body: Buffer): ReturnType<CheapClient["post"]> => this.#client.post(url, body);
      await submitWhole(post, batch, (transactions) => {
        this.#busy += transactions;
      });
      sent += count;
    }
    return sent;
  }

  #note(hashes: readonly string[]): void {
    const now = performance.now();
    for (const hash of hashes) {
      const batch = this.#batchOf.get(hash);
      const sentAt = batch === undefined ? undefined : this.#sentAt.get(batch);
      // Not of this load: the token's setup.
      if (batch === undefined || sentAt === undefined) continue;
      this.#inFlight[batch.lane]!--;
      this.#latencies.push(now - sentAt);
    }
    const spacing = this.#options.threads === true ? THREAD_CHECKPOINT_MS : CHECKPOINT_MS;
    if (now - (this.#checkpoints.at(-1)?.at ?? 0) >= spacing) this.#checkpoints.push(this.#look(now));
    for (const wake of this.#wakers.splice(0)) wake();
  }

  #look(at: number): Checkpoint {
    const { user, system } = process.cpuUsage();
    const pids = this.#peer.processes;
    return {
      at,
      clockUs: Number(process.hrtime.bigint() / 1_000n),
      included: this.#latencies.length,
      blocks: this.#watcher!.blocks,
      peerUs: processMicroseconds(pids),
      clientUs: user + system,
      threads: this.#options.threads === true ? threadMicroseconds(pids) : undefined,
    };
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const wake of this.#wakers.splice(0)) wake();
  }

  async #drain(sent: number): Promise<void> {
    const deadline = performance.now() + DRAIN_TIMEOUT_MS;
    while (this.#latencies.length < sent) {
      if (this.#failure !== undefined) throw this.#failure;
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`${sent - this.#latencies.length} transactions got no receipt`);
      const timer = setTimeout(
        () => this.#fail(new Error(`${sent - this.#latencies.length} of ${sent} got no receipt`)),
        left,
      );
      await new Promise<void>((wake) => this.#wakers.push(wake));
      clearTimeout(timer);
    }
  }

  /** @throws if one of a sample of all transactions failed. */
  async #checkReceipts(sent: readonly number[]): Promise<void> {
    const all = this.#load.lanes.flatMap((batches, lane) =>
      batches.flatMap(({ hashes }) => hashes).slice(0, sent[lane]),
    );
    const step = Math.max(1, Math.floor(all.length / CHECKED_RECEIPTS));
    const sample = all.filter((_, index) => index % step === 0);
    for (let from = 0; from < sample.length; from += RECEIPTS_AT_ONCE) {
      const calls = sample
        .slice(from, from + RECEIPTS_AT_ONCE)
        .map((hash, id) => ({ jsonrpc: "2.0", id, method: "eth_getTransactionReceipt", params: [hash] }));
      const { text } = await this.#client.post(this.#peer.urls[0]!, JSON.stringify(calls));
      for (const { result } of JSON.parse(text) as readonly { readonly result: { status: string } | null }[])
        if (result?.status !== "0x1") throw new Error(`a transaction failed: ${JSON.stringify(result)}`);
    }
  }

  #window(measuredFrom: number, deadline: number): Omit<Measured, "rssMb" | "ranDry" | "busy"> {
    const inTime = this.#checkpoints.filter(({ at }) => at >= measuredFrom && at <= deadline);
    const first = inTime[0];
    const last = inTime.at(-1);
    if (first === undefined || last === undefined || first === last)
      throw new Error(`${this.#peer.name}: too few blocks in the measured time`);
    const included = last.included - first.included;
    const latencies = this.#latencies.slice(first.included, last.included);
    return {
      tps: Math.round((included / (last.at - first.at)) * 1_000),
      p50Ms: Math.round(quantile(latencies, 0.5)),
      p99Ms: Math.round(quantile(latencies, 0.99)),
      cpuUs: Math.round((last.peerUs - first.peerUs) / Math.max(1, included)),
      clientCpuUs: Number(((last.clientUs - first.clientUs) / Math.max(1, included)).toFixed(1)),
      included,
      blocks: last.blocks - first.blocks,
      window: {
        fromUs: first.clockUs,
        toUs: last.clockUs,
        transactions: included,
        threads: [...(last.threads ?? [])].map(([key, { microseconds, ...thread }]) => ({
          ...thread,
          microseconds: microseconds - (first.threads?.get(key)?.microseconds ?? 0),
        })),
      },
    };
  }
}
