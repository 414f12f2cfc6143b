import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "../command.ts";
import { askMany, DEFAULT_RPC_URL } from "../rpc-client.ts";
import { DEFAULT_DATA_DIRECTORY, NETWORK_FILE, type NetworkFile } from "../local-network.ts";

type NodeStatus = {
  readonly rpc: string;
  readonly client: string;
  readonly chainId: number;
  readonly latest: number;
  readonly finalized: number;
  readonly latestHash: string;
  readonly peers: number;
  readonly pending: number;
  readonly queued: number;
  readonly syncing: boolean;
};

export const status: Command = {
  name: "status",
  summary: "show what a node, or each validator of a local network, knows of its chain",
  usage: "[flags]",
  flags: [
    { name: "rpc", kind: "list", placeholder: "URL", help: "a node to ask; may be given several times" },
    { name: "data-dir", kind: "text", placeholder: "DIR", help: "a local network: asks all of its validators", default: DEFAULT_DATA_DIRECTORY },
  ],
  examples: ["ostrom status", "ostrom status --rpc http://127.0.0.1:8547", "ostrom status --json"],
  run: async ({ values }) => {
    const urls = nodeUrls(values["rpc"] as readonly string[] | undefined, String(values["dataDir"]));
    const answers = await Promise.allSettled(urls.map(readStatus));
    let failed = 0;
    answers.forEach((answer, index) => {
      const rpc = urls[index]!;
      if (answer.status === "fulfilled") {
        console.log(values["json"] === true ? JSON.stringify(answer.value) : describe(answer.value));
        return;
      }
      failed++;
      const message = (answer.reason as Error).message;
      if (values["json"] === true) console.log(JSON.stringify({ rpc, error: message }));
      else console.error(message);
    });
    return failed === urls.length ? 1 : 0;
  },
};

function nodeUrls(given: readonly string[] | undefined, dataDirectory: string): readonly string[] {
  if (given !== undefined && given.length > 0) return given;
  const path = join(dataDirectory, NETWORK_FILE);
  if (!existsSync(path)) return [DEFAULT_RPC_URL];
  const network = JSON.parse(readFileSync(path, "utf8")) as NetworkFile;
  return network.nodes.map((node) => `http://127.0.0.1:${node.rpcPort}`);
}

async function readStatus(rpc: string): Promise<NodeStatus> {
  const [client, chainId, latest, finalized, peers, pool, syncing] = await askMany(rpc, [
    { method: "web3_clientVersion", params: [] },
    { method: "eth_chainId", params: [] },
    { method: "eth_getBlockByNumber", params: ["latest", false] },
    { method: "eth_getBlockByNumber", params: ["finalized", false] },
    { method: "net_peerCount", params: [] },
    { method: "txpool_status", params: [] },
    { method: "eth_syncing", params: [] },
  ]);
  const block = latest?.result as { number: string; hash: string };
  const counts = pool?.result as { pending: string; queued: string };
  return {
    rpc,
    client: String(client?.result),
    chainId: Number(chainId?.result),
    latest: Number(block.number),
    finalized: Number((finalized?.result as { number: string }).number),
    latestHash: block.hash,
    peers: Number(peers?.result),
    pending: Number(counts.pending),
    queued: Number(counts.queued),
    syncing: syncing?.result !== false,
  };
}

function describe(status: NodeStatus): string {
  const state = status.syncing ? "catching up" : "follows the chain";
  return (
    `${status.rpc}  chain ${status.chainId}  block ${status.latest} (finalized ${status.finalized})  ` +
    `${status.latestHash.slice(0, 18)}...  ${status.peers} peers  ${status.pending + status.queued} in the pool  ${state}`
  );
}
