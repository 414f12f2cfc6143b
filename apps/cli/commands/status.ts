import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, UsageError } from "../command.ts";
import { inOneLine } from "../failure-line.ts";
import { DEFAULT_DATA_DIRECTORY, readLocalNetwork } from "../local-network.ts";
import { type Progress, startProgress } from "../progress-bar.ts";
import { ask, askMany, DEFAULT_RPC_URL } from "../rpc-client.ts";
import { styled } from "../text-style.ts";

const WAIT_POLL_MS = 300;
/** Between two looks at nodes that follow the chain, blocks go on. */
const FOLLOWING_BLOCKS = 8;

type NodeStatus = {
  readonly rpc: string;
  readonly client: string;
  readonly chainId: number;
  readonly latest: number;
  readonly latestHash: string;
  readonly finalized: number;
  readonly finalizedHash: string;
  readonly peers: number;
  readonly pending: number;
  readonly queued: number;
  readonly syncing: boolean;
  /** Of a chain that is mined. */
  readonly mining?: { readonly mining: boolean; readonly hashrate: number; readonly difficulty: number };
};

/** A node to ask. @property folder of one that `ostrom up` made. */
type AskedNode = { readonly rpc: string; readonly folder?: string };

type Answer = AskedNode & ({ readonly status: NodeStatus } | { readonly error: string });

export const status: Command = {
  name: "status",
  summary:
    "show what a node, or each validator of a local network, knows of its chain, and whether they agree",
  usage: "[flags]",
  flags: [
    { name: "rpc", kind: "list", placeholder: "URL", help: "a node to ask; repeat to ask several" },
    {
      name: "data-dir",
      kind: "text",
      placeholder: "DIR",
      help: "a local network: asks all of its validators",
      default: DEFAULT_DATA_DIRECTORY,
    },
    {
      name: "wait",
      kind: "switch",
      help: "wait until all of them answer and follow the chain; shows how far they are",
    },
  ],
  examples: [
    "ostrom status",
    "ostrom status --rpc http://127.0.0.1:8547",
    "ostrom status --wait",
    "ostrom status --json",
  ],
  run: async ({ values, given }) => {
    const asked = nodesToAsk(values["rpc"], String(values["dataDir"]), given.has("dataDir"));
    if (values["wait"] === true) await waitUntilAllFollow(asked, values["json"] === true);
    const answers = await Promise.all(asked.map(readStatus));
    const known = answers.flatMap((answer) => ("status" in answer ? [answer.status] : []));
    if (values["json"] === true) {
      for (const answer of answers)
        console.log(
          JSON.stringify("status" in answer ? answer.status : { rpc: answer.rpc, error: answer.error }),
        );
    } else {
      printTable(answers);
    }
    const disagreement = known.length < 2 ? undefined : await findDisagreement(known);
    if (disagreement !== undefined) throw new UsageError(disagreement);
    if (known.length > 1 && values["json"] !== true) {
      const height = Math.min(...known.map((one) => one.finalized));
      console.log(`\n${styled("good", `All ${known.length} agree`)} on the chain up to block ${height}.`);
    }
    return known.length === 0 ? 1 : 0;
  },
};

function nodesToAsk(urls: unknown, dataDirectory: string, isDirectoryGiven: boolean): readonly AskedNode[] {
  if (Array.isArray(urls) && urls.length > 0) return (urls as string[]).map((rpc) => ({ rpc }));
  const network = readLocalNetwork(resolve(dataDirectory));
  if (network !== undefined) {
    return network.nodes.map(({ folder, rpcPort }) => ({
      rpc: `http://127.0.0.1:${rpcPort}`,
      folder: join(dataDirectory, folder),
    }));
  }
  if (isDirectoryGiven) throw new UsageError(`${dataDirectory} holds no network that "ostrom up" made`);
  return [{ rpc: DEFAULT_RPC_URL }];
}

/** Waits as long as it takes: whoever is tired of it presses Ctrl-C. */
async function waitUntilAllFollow(asked: readonly AskedNode[], isSilent: boolean): Promise<void> {
  const label = asked.length === 1 ? asked[0]!.rpc : `${asked.length} nodes`;
  let progress: Progress | undefined;
  for (;;) {
    const answers = await Promise.all(asked.map(readStatus));
    const known = answers.flatMap((answer) => ("status" in answer ? [answer.status] : []));
    const isReady = known.length === asked.length && known.every((one) => !one.syncing);
    const highest = Math.max(
      0,
      ...known.map((one) => one.latest),
      ...(await Promise.all(known.map(highestOf))),
    );
    const lowest = known.length < asked.length ? 0 : Math.min(...known.map((one) => one.latest));
    if (isReady && highest - lowest <= FOLLOWING_BLOCKS) break;
    // The goal moves while it is walked to: the bar is drawn for where it is now.
    progress ??= startProgress({ label, total: Math.max(highest, 1), unit: "blocks", isSilent });
    progress.update(lowest, known.length < asked.length ? `${known.length} of ${asked.length} answer` : "");
    await sleep(WAIT_POLL_MS);
  }
  progress?.end();
}

async function highestOf({ rpc, syncing }: NodeStatus): Promise<number> {
  if (!syncing) return 0;
  const told = await ask<{ readonly highestBlock: string } | false>(rpc, "eth_syncing");
  return told === false ? 0 : Number(told.highestBlock);
}

async function readStatus(asked: AskedNode): Promise<Answer> {
  try {
    return { ...asked, status: await askStatus(asked.rpc) };
  } catch (error) {
    return { ...asked, error: inOneLine((error as Error).message) };
  }
}

async function askStatus(rpc: string): Promise<NodeStatus> {
  const methods = [
    ["web3_clientVersion", []],
    ["eth_chainId", []],
    ["eth_getBlockByNumber", ["latest", false]],
    ["eth_getBlockByNumber", ["finalized", false]],
    ["net_peerCount", []],
    ["txpool_status", []],
    ["eth_syncing", []],
    ["ostrom_getMining", []],
  ] as const;
  const answers = await askMany(
    rpc,
    methods.map(([method, params]) => ({ method, params })),
  );
  answers.forEach(({ error }, index) => {
    if (error !== undefined) throw new UsageError(`${rpc}: ${methods[index]![0]}: ${error.message}`);
  });
  const [client, chainId, latest, finalized, peers, pool, syncing, mining] = answers.map(
    ({ result }) => result,
  );
  const latestBlock = latest as { number: string; hash: string };
  const finalizedBlock = finalized as { number: string; hash: string };
  const counts = pool as { pending: string; queued: string };
  return {
    rpc,
    client: String(client),
    chainId: Number(chainId),
    latest: Number(latestBlock.number),
    latestHash: latestBlock.hash,
    finalized: Number(finalizedBlock.number),
    finalizedHash: finalizedBlock.hash,
    peers: Number(peers),
    pending: Number(counts.pending),
    queued: Number(counts.queued),
    syncing: syncing !== false,
    ...(mining === null ? {} : { mining: readMining(mining as Record<string, unknown>) }),
  };
}

function readMining({
  mining,
  hashrate,
  difficulty,
}: Record<string, unknown>): Required<NodeStatus>["mining"] {
  return { mining: mining === true, hashrate: Number(hashrate), difficulty: Number(difficulty) };
}

/** Compares the newest block that all have finalized. @returns what is wrong, if anything is. */
async function findDisagreement(known: readonly NodeStatus[]): Promise<string | undefined> {
  const chains = new Set(known.map((one) => one.chainId));
  if (chains.size > 1) return `these nodes are of different chains: ${[...chains].join(", ")}`;
  const height = Math.min(...known.map((one) => one.finalized));
  const hashes = await Promise.all(
    known.map(async ({ rpc }) => {
      const tag = `0x${height.toString(16)}`;
      const block = await ask<{ readonly hash: string } | null>(rpc, "eth_getBlockByNumber", [tag, false]);
      return { rpc, hash: block?.hash ?? "none" };
    }),
  );
  const [first] = hashes;
  const other = hashes.find(({ hash }) => hash !== first!.hash);
  if (other === undefined) return undefined;
  return (
    `the nodes disagree on block ${height}: ${first!.rpc} has ${first!.hash}, ${other.rpc} has ${other.hash}. ` +
    "They are of different chains, or one of them is damaged"
  );
}

function printTable(answers: readonly Answer[]): void {
  const isAnyKnown = answers.some((answer) => "status" in answer);
  const isMined = answers.some((answer) => "status" in answer && answer.status.mining !== undefined);
  const header = [
    ...["JSON-RPC", "chain", "block", "finalized", "hash of the latest", "peers", "pool", "state"],
    ...(isMined ? ["difficulty", "hashes/s"] : []),
  ];
  const rows = answers.map((answer) =>
    "status" in answer
      ? cellsOf(answer.status)
      : [answer.rpc, "-", "-", "-", "-", "-", "-", "does not answer", ...(isMined ? ["-", "-"] : [])],
  );
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  for (const [index, row] of (isAnyKnown ? [header, ...rows] : []).entries()) {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd();
    const isSilent = index > 0 && "error" in answers[index - 1]!;
    console.log(index === 0 ? styled("strong", line) : isSilent ? styled("bad", line) : line);
  }
  const failed = answers.flatMap((answer) => ("error" in answer ? [answer] : []));
  if (isAnyKnown) {
    for (const { folder } of failed)
      if (folder !== undefined) console.error(`Start it again with: ostrom run --data-dir ${folder}`);
  } else if (failed[0]?.folder !== undefined) {
    const directory = dirname(failed[0].folder);
    const flag = directory === DEFAULT_DATA_DIRECTORY ? "" : ` --data-dir ${directory}`;
    console.error(`ostrom status: the network in ${directory} does not run: start it with ostrom up${flag}`);
  } else {
    for (const { error } of failed) console.error(`ostrom status: ${error}`);
  }
}

function cellsOf(status: NodeStatus): readonly string[] {
  return [
    status.rpc,
    String(status.chainId),
    String(status.latest),
    String(status.finalized),
    `${status.latestHash.slice(0, 18)}...`,
    String(status.peers),
    String(status.pending + status.queued),
    status.syncing ? "catching up" : "follows the chain",
    ...(status.mining === undefined
      ? []
      : [String(status.mining.difficulty), String(status.mining.hashrate)]),
  ];
}
