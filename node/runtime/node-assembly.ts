import { type Address, type Bytes, type Failure, type Hash, type Result, toHex } from "@ostrom/base";
import type { AnyGenesis } from "@ostrom/execution";
import type { PoolContent, TransactionPool } from "@ostrom/txpool";
import type { Cleanup } from "./cleanup.ts";
import type { NodeConfiguration } from "./configuration.ts";
import type { ExecutionReport } from "./execution-port.ts";
import type { NodeSecrets } from "./node-keys.ts";
import type { BlockNotice, NodeOverrides, RunningNode } from "./node-options.ts";
import type { Log } from "./ports.ts";
import { type RpcClient, startRpcWorker } from "./rpc-client.ts";

export const CLIENT_VERSION = "Ostrom/v0.1.0/typescript";

/** How often the JSON-RPC thread is told how many peers there are. */
export const NETWORK_NEWS_MS = 500;

/** What a node is put together from, whatever its engine. */
export type NodeParts<Chain> = {
  readonly folder: string;
  readonly settings: NodeConfiguration;
  readonly genesis: Chain;
  readonly secrets: NodeSecrets;
  readonly overrides: NodeOverrides;
  readonly log: Log;
  readonly cleanup: Cleanup;
};

/** What JSON-RPC asks of a node's core. */
export type ServedCore = {
  readonly pool: TransactionPool;
  readonly submit: (raws: readonly Bytes[]) => Promise<readonly Result<Hash, Failure>[]>;
  readonly poolContent: (sender: Address | undefined) => PoolContent;
  readonly pendingNonce: (sender: Address) => bigint;
};

/** Starts the JSON-RPC server. Rejects with `rpc/port-taken` and its like. */
export async function serveRpc(
  { settings, genesis, log, cleanup }: NodeParts<AnyGenesis>,
  chain: { readonly databasePath: string; readonly genesisHash: Hash; readonly coinbase: Address },
  core: ServedCore,
  onFailure: (error: Error) => void,
): Promise<RpcClient> {
  const { rpc } = settings;
  const { epochLength, epochLead } = genesis;
  const client = await startRpcWorker(
    {
      databasePath: chain.databasePath,
      historyBlocks: settings.historyBlocks,
      engine: settings.engine,
      rules: genesis.rules,
      genesisHash: chain.genesisHash,
      clientVersion: CLIENT_VERSION,
      coinbase: chain.coinbase,
      epochs: genesis.consensus.engine === "pow" ? undefined : { epochLength, epochLead },
      host: rpc.host,
      port: rpc.port,
      allowedHosts: rpc.allowedHosts,
      allowedOrigins: rpc.allowedOrigins,
      limits: {
        bodyBytes: rpc.maxBodyBytes,
        batchRequests: rpc.maxBatch,
        logRangeBlocks: rpc.maxLogRange,
        callGas: BigInt(rpc.callGasCap),
      },
    },
    {
      submit: (raws) => core.submit(raws),
      poolGet: (hash) => core.pool.get(hash),
      poolStatus: () => core.pool.status(),
      poolContent: (sender) => core.poolContent(sender),
      pendingNonce: (sender) => core.pendingNonce(sender),
    },
    log,
    onFailure,
  );
  cleanup.add(() => client.stop());
  return client;
}

/** The handle of a node that has started. */
export function runningNode(
  { settings, cleanup, log }: NodeParts<AnyGenesis>,
  node: { readonly rpcPort: number } & Pick<RunningNode, "heads" | "failed">,
): RunningNode {
  const { host } = settings.rpc;
  let stopping: Promise<void> | undefined;
  return {
    name: settings.name,
    rpcUrl: `http://${host.includes(":") ? `[${host}]` : host}:${node.rpcPort}`,
    heads: node.heads,
    failed: node.failed,
    stop: () => {
      stopping ??= cleanup.run(log);
      return stopping;
    },
  };
}

/** What a block's report tells the process. */
export function noticeOf(report: ExecutionReport): BlockNotice {
  return {
    number: report.height,
    hash: toHex(report.executedHash),
    transactions: report.included.length,
    gasUsed: report.gasUsed.toString(),
  };
}
