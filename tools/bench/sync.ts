// npm run bench -- sync --transactions 20000 [--senders 200] [--validators 4]
// npm run bench -- sync --transactions 0 --empty-blocks 1000
//
// A stranger's first sync: validators of a public chain put transfers into blocks; then a node with nothing but genesis and one address
// joins, finds the others, fetches and executes everything from genesis. Prints one JSON line; the clock runs from the moment when the
// node says that it is ready (it is linked with nobody then) to its report of the block that was the newest at its start.
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

type Settings = {
  readonly validators: number;
  readonly transactions: number;
  readonly senders: number;
  readonly emptyBlocks: number;
};

export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      validators: { type: "string", default: "4" },
      transactions: { type: "string", default: "20000" },
      senders: { type: "string", default: "200" },
      "empty-blocks": { type: "string", default: "0" },
    },
  });
  const settings: Settings = {
    validators: Number(values.validators),
    transactions: Number(values.transactions),
    senders: Number(values.senders),
    emptyBlocks: Number(values["empty-blocks"]),
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
    console.log(
      JSON.stringify({ bench: "sync", validators: settings.validators, ...(await measure(network)) }),
    );
  } finally {
    await network.dispose();
  }
}

/** What `ostrom up` makes, as a chain that admits strangers. */
function openToStrangers(folder: string, { emptyBlocks }: Settings): void {
  const path = join(folder, "genesis.json");
  const genesis = JSON.parse(readFileSync(path, "utf8"));
  const pace = { minBlockIntervalMs: EMPTY_INTERVAL_MS, emptyBlockIntervalMs: EMPTY_INTERVAL_MS };
  const consensus = { ...genesis.consensus, ...(emptyBlocks > 0 ? pace : {}) };
  writeFileSync(path, JSON.stringify({ ...genesis, consensus, profile: "public" }));
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

async function measure(network: TestNetwork): Promise<object> {
  const [port, linkPort] = (await findFreePorts(1, 2)) as [number, number];
  const folder = join(network.directory, "stranger");
  unwrap(
    provisionJoiner(
      {
        name: "stranger",
        folder,
        link: { host: "127.0.0.1", port: linkPort },
        rpc: { host: "127.0.0.1", port },
        bootstrap: [`127.0.0.1:${network.file.nodes[0]!.linkPort}`],
      },
      join(network.folder(0), "genesis.json"),
      (length) => new Uint8Array(randomBytes(length)),
    ),
  );
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
