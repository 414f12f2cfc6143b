// npm run bench -- sync --transactions 20000 [--senders 200] [--validators 4]
// npm run bench -- sync --transactions 0 --empty-blocks 1000
// npm run bench -- sync --transactions 20000 --snapshot [--rounds 3]
//
// A stranger's first sync: validators of a public chain put transfers into blocks; then a node with nothing but genesis and one address
// joins, finds the others, fetches and executes everything from genesis. Prints one JSON line; the clock runs from the moment when the
// node says that it is ready (it is linked with nobody then) to its report of the block that was the newest at its start.
//
// With --snapshot, nodes that execute all blocks and nodes that fetch a certified state join alternately, and the clock runs from the start
// of the process for both: `ratio` is the median of the pairs. Epochs are short, so that there is a state to fetch.
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { unwrap } from "@ostrom/base";
import { provisionJoiner } from "@ostrom/runtime";
import { askMany } from "../../apps/cli/rpc-client.ts";
import { type NodeReport, startNodeProcess, stopNodes } from "../../apps/cli/supervisor.ts";
import { findFreePorts } from "../../apps/cli/testing/free-ports.ts";
import { blockNumber, createTestNetwork, type TestNetwork } from "../../apps/cli/testing/test-network.ts";
import { median } from "./quantile.ts";
import { createAccounts, signAhead } from "./workload.ts";

const SENDER_BALANCE = 1_000n * 10n ** 18n;
const BATCH = 200;
/** Transactions that may wait to be included. */
const IN_FLIGHT = 2_000;
const POLL_MS = 50;
const BYTES_PER_MB = 1e6;
const QUESTIONS_AT_ONCE = 200;

/** Where empty blocks are what is to be synced, they come as fast as this. */
const EMPTY_INTERVAL_MS = 20;

const SHORT_EPOCHS = { epochLength: 16, epochLead: 8 };

type Settings = {
  readonly validators: number;
  readonly transactions: number;
  readonly senders: number;
  readonly emptyBlocks: number;
  /** Pairs of nodes that join; 0: only one, which executes all blocks. */
  readonly pairs: number;
};

export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      validators: { type: "string", default: "4" },
      transactions: { type: "string", default: "20000" },
      senders: { type: "string", default: "200" },
      "empty-blocks": { type: "string", default: "0" },
      snapshot: { type: "boolean", default: false },
      rounds: { type: "string", default: "3" },
    },
  });
  const settings: Settings = {
    validators: Number(values.validators),
    transactions: Number(values.transactions),
    senders: Number(values.senders),
    emptyBlocks: Number(values["empty-blocks"]),
    pairs: values.snapshot ? Number(values.rounds) : 0,
  };
  const accounts = createAccounts(settings.senders);
  const network = await createTestNetwork({
    validators: settings.validators,
    extraBalances: new Map(accounts.map(({ address }) => [address, SENDER_BALANCE])),
  });
  try {
    for (let index = 0; index < settings.validators; index++)
      openToStrangers(network.folder(index), settings);
    await network.startAll();
    await fill(network, settings, signAhead(accounts, settings.transactions, undefined).flat());
    const found = settings.pairs === 0 ? await measure(network) : await compare(network, settings);
    console.log(JSON.stringify({ bench: "sync", validators: settings.validators, ...found }));
  } finally {
    await network.dispose();
  }
}

/** What `ostrom up` makes, as a chain that admits strangers. */
function openToStrangers(folder: string, { emptyBlocks, pairs }: Settings): void {
  const path = join(folder, "genesis.json");
  const genesis = JSON.parse(readFileSync(path, "utf8"));
  const pace = { minBlockIntervalMs: EMPTY_INTERVAL_MS, emptyBlockIntervalMs: EMPTY_INTERVAL_MS };
  const consensus = { ...genesis.consensus, ...(emptyBlocks > 0 ? pace : {}) };
  const epochs = pairs > 0 ? SHORT_EPOCHS : {};
  writeFileSync(path, JSON.stringify({ ...genesis, ...epochs, consensus, profile: "public" }));
}

/** Puts transactions into blocks. */
async function fill(
  network: TestNetwork,
  { senders, emptyBlocks }: Settings,
  raws: readonly string[],
): Promise<void> {
  let included = 0;
  const seen = new Set<number>();
  network.reports((report) => {
    if (report.kind !== "block" || seen.has(report.number)) return;
    seen.add(report.number);
    included += report.transactions;
  });
  // One of each sender after another, so that blocks hold many senders.
  const lane = Math.ceil(raws.length / senders);
  const ordered = Array.from({ length: lane }, (_, nonce) =>
    Array.from({ length: senders }, (__, sender) => raws[sender * lane + nonce] ?? []),
  ).flat(2);
  for (let next = 0; next < ordered.length; next += BATCH) {
    while (next - included > IN_FLIGHT) await pause();
    const batch = ordered.slice(next, next + BATCH);
    await askMany(
      network.urls[0]!,
      batch.map((raw) => ({ method: "eth_sendRawTransaction", params: [raw] })),
    );
  }
  while (included < ordered.length || seen.size < emptyBlocks) await pause();
}

/** Makes the folder of a node that knows genesis and one address. */
async function provision(network: TestNetwork, name: string): Promise<string> {
  const [port, linkPort] = (await findFreePorts(1, 2)) as [number, number];
  const folder = join(network.directory, name);
  unwrap(
    provisionJoiner(
      {
        name,
        folder,
        link: { host: "127.0.0.1", port: linkPort },
        rpc: { host: "127.0.0.1", port },
        bootstrap: [`127.0.0.1:${network.file.nodes[0]!.linkPort}`],
      },
      join(network.folder(0), "genesis.json"),
      (length) => new Uint8Array(randomBytes(length)),
    ),
  );
  return folder;
}

/** Nodes that join by either way, alternately. */
async function compare(network: TestNetwork, { pairs, transactions }: Settings): Promise<object> {
  const replays: number[] = [];
  const snapshots: number[] = [];
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const replay = await secondsToJoin(network, `replay-${pair}`, "replay");
    const snapshot = await secondsToJoin(network, `snapshot-${pair}`, "snapshot");
    replays.push(replay);
    snapshots.push(snapshot);
    ratios.push(snapshot / replay);
  }
  const middle = (values: readonly number[]): number => Number(median(values).toFixed(3));
  return {
    transactions,
    blocks: await blockNumber(network.urls[0]!, "latest"),
    pairs,
    replaySeconds: middle(replays),
    snapshotSeconds: middle(snapshots),
    ratio: middle(ratios),
    ratioMin: Number(Math.min(...ratios).toFixed(3)),
    ratioMax: Number(Math.max(...ratios).toFixed(3)),
  };
}

/** From the start of the process until the node has the block that was the newest then. */
async function secondsToJoin(network: TestNetwork, name: string, sync: string): Promise<number> {
  const folder = await provision(network, name);
  const target = await blockNumber(network.urls[0]!, "latest");
  const { promise: reached, resolve } = Promise.withResolvers<number>();
  const onReport = (report: NodeReport): void => {
    const height = report.kind === "block" ? report.number : report.kind === "ready" ? report.head : 0;
    if (height >= target) resolve(performance.now());
  };
  const startedAt = performance.now();
  const node = startNodeProcess({ name, folder, onReport, extraFlags: ["--sync", sync] });
  const started = await node.started;
  if (started.kind === "failed") throw new Error(started.message);
  if (started.kind === "ready") onReport(started);
  const seconds = ((await reached) - startedAt) / 1_000;
  await stopNodes([node]);
  return seconds;
}

async function measure(network: TestNetwork): Promise<object> {
  const folder = await provision(network, "stranger");
  const target = await blockNumber(network.urls[0]!, "latest");
  const bytes = await sizeOfBlocks(network.urls[0]!, target);
  let transactions = 0;
  const { promise: reached, resolve } = Promise.withResolvers<number>();
  const onReport = (report: NodeReport): void => {
    if (report.kind !== "block" || report.number > target) return;
    transactions += report.transactions;
    if (report.number === target) resolve(performance.now());
  };
  const node = startNodeProcess({ name: "stranger", folder, onReport });
  const started = await node.started;
  const readyAt = performance.now();
  if (started.kind === "failed") throw new Error(started.message);
  const seconds = ((await reached) - readyAt) / 1_000;
  await stopNodes([node]);
  const perSecond = (count: number): number => Number((count / seconds).toFixed(1));
  return {
    blocks: target,
    transactions,
    megabytes: Number((bytes / BYTES_PER_MB).toFixed(2)),
    seconds: Number(seconds.toFixed(2)),
    blocksPerSecond: perSecond(target),
    transactionsPerSecond: perSecond(transactions),
    megabytesPerSecond: Number((bytes / BYTES_PER_MB / seconds).toFixed(2)),
  };
}

/** As JSON-RPC tells the sizes: the RLP of Ethereum's blocks, which is near to what goes over the links. */
async function sizeOfBlocks(url: string, through: number): Promise<number> {
  let bytes = 0;
  for (let from = 1; from <= through; from += QUESTIONS_AT_ONCE) {
    const count = Math.min(QUESTIONS_AT_ONCE, through - from + 1);
    const answers = await askMany(
      url,
      Array.from({ length: count }, (_, index) => ({
        method: "eth_getBlockByNumber",
        params: [`0x${(from + index).toString(16)}`, false],
      })),
    );
    for (const { result } of answers) bytes += Number((result as { readonly size: string }).size);
  }
  return bytes;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
