import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ConsoleDescription } from "@ostrom/indexer";
import type { ConsoleOptions } from "./console-options.ts";
import type { PageFile } from "./page-files.ts";
import { jsonFile } from "./responses.ts";

const TIMEOUT_MS = 2_000;
const FRESH_MS = 1_000;
const VERSION: string = (
  JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8")) as { readonly version: string }
).version;

/** `/console.json`, made anew at most once a second: whoever asks often must not have the nodes asked, and a genesis compressed, as often. */
export function createDescriber(options: ConsoleOptions, hasDocs: () => boolean): () => Promise<PageFile> {
  let made: { readonly atMs: number; readonly file: Promise<PageFile> } | undefined;
  return () => {
    const nowMs = performance.now();
    if (made === undefined || nowMs - made.atMs >= FRESH_MS)
      made = { atMs: nowMs, file: describeConsole(options, hasDocs()).then(jsonFile) };
    return made.file;
  };
}

/** What `/console.json` says. The nodes are asked in turn until one answers. */
async function describeConsole(options: ConsoleOptions, hasDocs: boolean): Promise<ConsoleDescription> {
  const { nodes, database, chainName } = options;
  const facts = await firstAnswer(nodes.map(({ url }) => url));
  const hasIndex = database !== undefined;
  return {
    format: 1,
    chainName,
    chainId: facts.chainId,
    engine: facts.engine,
    genesisHash: facts.genesisHash,
    genesis: wholeGenesis(nodes) ?? facts.genesis,
    nodes: nodes.map(({ name, url }, index) => ({ name, path: `/rpc/${index}`, url })),
    services: { index: hasIndex, docs: hasDocs, verification: hasIndex, traces: facts.hasTraces },
    version: VERSION,
  };
}

/** The genesis.json of a node whose folder is here: it names the first validators, whom a browser then need not take on trust. */
function wholeGenesis(nodes: ConsoleOptions["nodes"]): unknown {
  for (const { folder } of nodes) {
    if (folder === undefined) continue;
    try {
      return JSON.parse(readFileSync(join(folder, "genesis.json"), "utf8"));
    } catch {
      // Of a folder that has none, the next node's, or what a node tells.
    }
  }
  return undefined;
}

type Facts = {
  readonly chainId: number;
  readonly engine: string;
  readonly genesisHash: `0x${string}` | null;
  readonly genesis: unknown;
  readonly hasTraces: boolean;
};

const NO_FACTS: Facts = { chainId: 0, engine: "unknown", genesisHash: null, genesis: null, hasTraces: false };

async function firstAnswer(urls: readonly string[]): Promise<Facts> {
  for (const url of urls) {
    const facts = await askFacts(url).catch(() => undefined);
    if (facts !== undefined) return facts;
  }
  return NO_FACTS;
}

async function askFacts(url: string): Promise<Facts> {
  const questions = [
    ["eth_chainId", []],
    ["eth_getBlockByNumber", ["0x0", false]],
    ["ostrom_getGenesis", []],
    ["debug_traceTransaction", []],
    ["ostrom_nodeInfo", []],
  ] as const;
  const response = await fetch(url, {
    method: "POST",
    // As pages are: what they may not call is not promised to them.
    headers: { "content-type": "application/json", via: "1.1 ostrom-console" },
    body: JSON.stringify(questions.map(([method, params], id) => ({ jsonrpc: "2.0", id, method, params }))),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const answers = (await response.json()) as readonly Answer[];
  const [chainId, block, genesis, trace, info] = questions.map((_, id) =>
    answers.find((one) => one.id === id),
  );
  const engine = (info?.result as { readonly engine?: string } | undefined)?.engine;
  return {
    chainId: Number(chainId?.result ?? 0),
    engine: engine ?? "unknown",
    genesisHash: (block?.result as { readonly hash: `0x${string}` } | undefined)?.hash ?? null,
    genesis: genesis?.result ?? null,
    // Without arguments it is refused as such by whoever has it.
    hasTraces: trace?.error?.code === INVALID_PARAMS,
  };
}

const INVALID_PARAMS = -32602;

type Answer = { readonly id: number; readonly result?: unknown; readonly error?: { readonly code: number } };
