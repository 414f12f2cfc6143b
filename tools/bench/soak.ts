// npm run bench -- soak [--minutes 30] [--rate N] [--kill-every 120] [--peak-seconds 8] [--validators 4]
//
// 80% of the peak (which a closed loop measures first on a network of its own, or `--rate`), in transfers; one validator after the other, the first
// excepted, is killed (SIGKILL) and started again. A client whose node was killed offers it again what is not yet in a block. At the end: every
// block's hash is the same on all nodes, and every transaction that a node took is in exactly one block, with a receipt. Told besides are the
// slope of resident memory of each process that lived long enough, and the longest time without a block. Prints one JSON line.
import { parseArgs } from "node:util";
import { assertSameBlocks, blockNumber } from "../../apps/cli/testing/test-network.ts";
import { waitUntil } from "../../apps/cli/testing/wait-until.ts";
import { createCheapClient } from "./cheap-http.ts";
import { InclusionWatcher } from "./inclusion-watcher.ts";
import { type OstromPeer, startOstrom } from "./ostrom-peer.ts";
import { putLoad } from "./put-load.ts";
import { quantile } from "./quantile.ts";
import { MemorySeries } from "./resident-memory.ts";
import { prepareLoad, type SignedLoad } from "./signed-load.ts";
import { type Accepted, SteadyLane } from "./steady-lane.ts";
import { createAccounts } from "./workload.ts";

const SENDER_BALANCE = 1_000n * 10n ** 18n;
const SENDERS = 400;
const BATCH = 100;
const PEAK_IN_FLIGHT = 2_000;
const PEAK_SIGNED = 40_000;
const PEAK_WARM_UP_SECONDS = 4;
const SHARE_OF_PEAK = 0.8;
const MEMORY_INTERVAL_MS = 2_000;
const DRAIN_TIMEOUT_MS = 120_000;
const RECEIPTS_AT_ONCE = 100;

type Options = {
  readonly validators: number;
  readonly minutes: number;
  readonly rate: number;
  readonly killEverySeconds: number;
};

export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      validators: { type: "string", default: "4" },
      minutes: { type: "string", default: "30" },
      rate: { type: "string" },
      "kill-every": { type: "string", default: "120" },
      "peak-seconds": { type: "string", default: "8" },
    },
  });
  const validators = Number(values.validators);
  const accounts = createAccounts(SENDERS);
  const prepare = (count: number): SignedLoad =>
    prepareLoad(accounts, { kind: "transfer", count, lanes: validators, batch: BATCH });
  const start = (): Promise<OstromPeer> =>
    startOstrom({
      validators,
      suite: "ethereum",
      engine: "mixed",
      balances: new Map(accounts.map(({ address }) => [address, SENDER_BALANCE])),
    });
  const peakTps =
    values.rate === undefined
      ? await measurePeak(start, prepare(PEAK_SIGNED), Number(values["peak-seconds"]))
      : undefined;
  const rate = peakTps === undefined ? Number(values.rate) : Math.round(SHARE_OF_PEAK * peakTps);
  const minutes = Number(values.minutes);
  const load = prepare(Math.ceil(rate * minutes * 60));
  const peer = await start();
  try {
    const options = { validators, minutes, rate, killEverySeconds: Number(values["kill-every"]) };
    const result = await soak(peer, load, options);
    console.log(JSON.stringify({ bench: "soak", ...options, peakTps, ...result }));
  } finally {
    await peer.stop();
  }
}

async function measurePeak(
  start: () => Promise<OstromPeer>,
  load: SignedLoad,
  seconds: number,
): Promise<number> {
  const peer = await start();
  try {
    const options = { warmUpSeconds: PEAK_WARM_UP_SECONDS, seconds, inFlight: PEAK_IN_FLIGHT };
    return (await putLoad(peer, load, options)).tps;
  } finally {
    await peer.stop();
  }
}

async function soak(
  peer: OstromPeer,
  load: SignedLoad,
  options: Options,
): Promise<Readonly<Record<string, unknown>>> {
  const client = createCheapClient(2 * options.validators + 2);
  const chain = new SeenChain();
  const watcher = await InclusionWatcher.start(
    client,
    peer.urls[0]!,
    (hashes) => chain.add(hashes),
    (error) => chain.fail(error),
  );
  const memory = new MemorySeries(() => pidsOf(peer, options.validators));
  const looking = setInterval(() => memory.look(), MEMORY_INTERVAL_MS);
  const deadline = performance.now() + options.minutes * 60_000;
  const pauseMs = (load.lanes.length * BATCH * 1_000) / options.rate;
  const lanes = load.lanes.map(
    (batches, lane) => new SteadyLane(client, peer.urls[lane]!, batches, (hash) => chain.has(hash)),
  );
  try {
    const [kills] = await Promise.all([
      keepKilling(peer, lanes, deadline, options),
      ...lanes.map((lane) => lane.run({ pauseMs, deadline })),
    ]);
    const accepted = lanes.flatMap((lane) => lane.accepted);
    await chain.waitFor(accepted);
    const latencies = accepted.map(({ hash, at }) => chain.seenAt(hash) - at);
    const heads = await Promise.all(peer.urls.map((url) => blockNumber(url, "finalized")));
    await waitUntil("all validators have the highest block", DRAIN_TIMEOUT_MS, async () => {
      const now = await Promise.all(peer.urls.map((url) => blockNumber(url, "finalized")));
      return Math.min(...now) >= Math.max(...heads);
    });
    await assertSameBlocks(peer.urls, Math.max(...heads));
    return {
      kills,
      accepted: accepted.length,
      tps: Math.round(accepted.length / (options.minutes * 60)),
      receipts: await countReceipts(client, peer.urls, accepted),
      twice: chain.twice,
      busy: lanes.reduce((sum, { busy }) => sum + busy, 0),
      offeredAgain: lanes.reduce((sum, { offeredAgain }) => sum + offeredAgain, 0),
      blocks: Math.max(...heads),
      sameBlocksOn: peer.urls.length,
      p50Ms: Math.round(quantile(latencies, 0.5)),
      p99Ms: Math.round(quantile(latencies, 0.99)),
      longestStallMs: Math.round(chain.longestStallMs),
      memory: memory.slopes(),
      settings: peer.settings,
    };
  } finally {
    clearInterval(looking);
    watcher.stop();
    client.close();
  }
}

function pidsOf({ network }: OstromPeer, validators: number): ReadonlyMap<string, number> {
  const pids = new Map<string, number>();
  for (let index = 0; index < validators; index++) {
    const pid = network.node(index)?.process.pid;
    if (pid !== undefined) pids.set(network.file.nodes[index]!.name, pid);
  }
  return pids;
}

/** The first validator stays: blocks are looked at there. @returns how many were killed. */
async function keepKilling(
  { network }: OstromPeer,
  lanes: readonly SteadyLane[],
  deadline: number,
  { validators, killEverySeconds }: Options,
): Promise<number> {
  for (let kills = 0; ; kills++) {
    const nextAt = performance.now() + killEverySeconds * 1_000;
    // The last one has time to catch up before the load ends.
    if (nextAt + (killEverySeconds * 1_000) / 4 > deadline) return kills;
    await new Promise((resolve) => setTimeout(resolve, killEverySeconds * 1_000));
    const victim = 1 + (kills % (validators - 1));
    await network.kill(victim, "SIGKILL");
    await network.start(victim);
    lanes[victim]!.offerAgain();
  }
}

/** What the first validator's blocks hold. */
class SeenChain {
  readonly #seenAt = new Map<string, number>();
  #twice = 0;
  #lastAt: number | undefined;
  #longestStallMs = 0;
  #failure: Error | undefined;

  add(hashes: readonly string[]): void {
    const now = performance.now();
    if (this.#lastAt !== undefined) this.#longestStallMs = Math.max(this.#longestStallMs, now - this.#lastAt);
    this.#lastAt = now;
    for (const hash of hashes) {
      if (this.#seenAt.has(hash)) this.#twice++;
      this.#seenAt.set(hash, now);
    }
  }

  fail(error: Error): void {
    this.#failure ??= error;
  }

  has(hash: string): boolean {
    return this.#seenAt.has(hash);
  }

  /** Only of what is in a block. */
  seenAt(hash: string): number {
    return this.#seenAt.get(hash)!;
  }

  /** Transactions that were found in a second place. */
  get twice(): number {
    return this.#twice;
  }

  get longestStallMs(): number {
    return this.#longestStallMs;
  }

  /** @throws if one of them gets into no block. */
  async waitFor(accepted: readonly Accepted[]): Promise<void> {
    const missing = (): number => accepted.filter(({ hash }) => !this.#seenAt.has(hash)).length;
    await waitUntil(
      "all transactions that were taken are in blocks",
      DRAIN_TIMEOUT_MS,
      () => {
        if (this.#failure !== undefined) throw this.#failure;
        return missing() === 0;
      },
      500,
    ).catch((error: unknown) => {
      throw new Error(`${missing()} of ${accepted.length} are in no block`, { cause: error });
    });
  }
}

/** Every one is asked for, of the validators in turn. @returns how many have a receipt. */
async function countReceipts(
  client: ReturnType<typeof createCheapClient>,
  urls: readonly string[],
  accepted: readonly Accepted[],
): Promise<number> {
  let found = 0;
  for (let from = 0; from < accepted.length; from += RECEIPTS_AT_ONCE) {
    const calls = accepted
      .slice(from, from + RECEIPTS_AT_ONCE)
      .map(({ hash }, id) => ({ jsonrpc: "2.0", id, method: "eth_getTransactionReceipt", params: [hash] }));
    const url = urls[(from / RECEIPTS_AT_ONCE) % urls.length]!;
    const { text } = await client.post(url, JSON.stringify(calls));
    const answers = JSON.parse(text) as readonly { readonly result?: { readonly status: string } | null }[];
    found += answers.filter(({ result }) => result?.status === "0x1").length;
  }
  return found;
}
