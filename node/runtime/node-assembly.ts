import { type Address, type Bytes, type Failure, type Hash, type Result, toHex } from "@ostrom/base";
import type { AnyGenesis } from "@ostrom/execution";
import type { PeerReport } from "@ostrom/rpc";
import type { PoolContent, TransactionPool } from "@ostrom/txpool";
import type { Installed } from "./chain-needs.ts";
import type { Cleanup } from "./cleanup.ts";
import type { NodeConfiguration } from "./configuration.ts";
import type { ExecutionReport } from "./execution-port.ts";
import { genesisParameters } from "./light-reads.ts";
import type { ModuleManifest } from "./module-face.ts";
import type { ProgramParts } from "./module-loading.ts";
import type { StoredSecrets } from "./node-keys.ts";
import type { BlockNotice, NodeOverrides, RunningNode } from "./node-options.ts";
import type { NotedWarnings } from "./noted-warnings.ts";
import type { NodeOperations } from "./operations.ts";
import { unpackBytes } from "./packed-bytes.ts";
import { packResults } from "./packed-results.ts";
import { describeNode } from "./peer-reports.ts";
import type { Log } from "./ports.ts";
import { tlsFilesOf } from "./rpc-certificate.ts";
import { type RpcClient, startRpcWorker } from "./rpc-client.ts";
import type { ViewPage } from "./view-page.ts";

export const CLIENT_VERSION = "Ostrom/v0.1.0/typescript";

/** How often the JSON-RPC thread is told how many peers there are. */
export const NETWORK_NEWS_MS = 500;

/** What a node is put together from, whatever its engine. */
export type NodeParts<Chain> = {
  readonly folder: string;
  readonly settings: NodeConfiguration;
  readonly genesis: Chain;
  readonly secrets: StoredSecrets;
  readonly overrides: NodeOverrides;
  readonly program: NodeProgram;
  readonly log: Log;
  /** What of the log belongs into the operator log too. */
  readonly warnings: NotedWarnings;
  readonly cleanup: Cleanup;
};

/** What the node's program has. */
export type NodeProgram = {
  /** As this thread has it. */
  readonly installed: Installed;
  /** For the other threads. */
  readonly parts: ProgramParts;
  readonly modules: readonly ModuleManifest[];
};

/** What JSON-RPC asks of a node's core. */
export type ServedCore = {
  readonly pool: TransactionPool;
  readonly submit: (raws: readonly Bytes[]) => Promise<readonly Result<Hash, Failure>[]>;
  readonly poolContent: (sender: Address | undefined) => PoolContent;
  readonly pendingNonce: (sender: Address) => bigint;
};

/** What JSON-RPC tells of this node's links and of consensus. */
export type NodeWatch = {
  readonly views: ViewPage | undefined;
  readonly peers: () => readonly PeerReport[];
};

/** Starts the JSON-RPC server. Rejects with `rpc/port-taken` and its like. */
export async function serveRpc(
  { folder, settings, genesis, secrets, program, log, cleanup }: NodeParts<AnyGenesis>,
  chain: {
    readonly databasePath: string;
    readonly genesisHash: Hash;
    readonly coinbase: Address;
    readonly operations: NodeOperations;
    readonly watch: NodeWatch;
  },
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
      program: program.parts,
      services: program.modules,
      genesisHash: chain.genesisHash,
      clientVersion: CLIENT_VERSION,
      coinbase: chain.coinbase,
      about: describeNode({ settings, genesis, secrets }, CLIENT_VERSION),
      views: chain.watch.views,
      epochs: genesis.consensus.engine === "pow" ? undefined : { epochLength, epochLead },
      genesisParameters: genesisParameters(genesis),
      host: rpc.host,
      port: rpc.port,
      tls: tlsFilesOf(folder, rpc.tls),
      allowedHosts: rpc.allowedHosts,
      allowedOrigins: rpc.allowedOrigins,
      access: chain.operations.access,
      limits: {
        bodyBytes: rpc.maxBodyBytes,
        batchRequests: rpc.maxBatch,
        logRangeBlocks: rpc.maxLogRange,
        callGas: BigInt(rpc.callGasCap),
      },
    },
    {
      // Each gets memory of its own: the pool keeps some of a message's transactions and must not hold on to all.
      submit: async (raws) => packResults(await core.submit(unpackBytes(raws).map((raw) => raw.slice()))),
      poolGet: (hash) => core.pool.get(hash),
      poolStatus: () => core.pool.status(),
      poolContent: (sender) => core.poolContent(sender),
      pendingNonce: (sender) => core.pendingNonce(sender),
      operate: (call) => chain.operations.operate(call),
      peers: () => chain.watch.peers(),
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
  node: {
    readonly rpcPort: number;
    readonly heads: () => { readonly executed: number; readonly certified: number };
    readonly failed: RunningNode["failed"];
    readonly metricsUrl: string | undefined;
  },
): RunningNode {
  let stopping: Promise<void> | undefined;
  return {
    name: settings.name,
    rpcUrl: httpUrl(settings.rpc.host, node.rpcPort, settings.rpc.tls.certificate !== ""),
    heads: () => {
      const { executed, certified } = node.heads();
      return { head: executed, certified };
    },
    failed: node.failed,
    metricsUrl: node.metricsUrl,
    stop: () => {
      stopping ??= cleanup.run(log);
      return stopping;
    },
  };
}

/** Where JSON-RPC answers on this machine: to programs of it in plain HTTP too. */
export function localRpcUrl({ settings }: Pick<NodeParts<AnyGenesis>, "settings">, port: number): string {
  const { host } = settings.rpc;
  if (host === "0.0.0.0") return httpUrl("127.0.0.1", port);
  return httpUrl(host === "::" ? "::1" : host, port);
}

export function httpUrl(host: string, port: number, isSecure = false): string {
  return `${isSecure ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
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
