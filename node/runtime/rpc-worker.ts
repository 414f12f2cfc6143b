import { setTimeout as sleep } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import { Hash, must, toHexDigits } from "@ostrom/base";
import { readModuleRegistry } from "@ostrom/execution";
import {
  createRpcServer,
  type DropReason,
  type EventListener,
  observeRpc,
  type RpcBackend,
  type RpcServer,
  type RpcTls,
} from "@ostrom/rpc";
import { storeReader } from "@ostrom/state";
import { type LevelStore, openLevelStore } from "@ostrom/storage";
import { createChainReads } from "./chain-view.ts";
import { createLightReads } from "./light-reads.ts";
import { countingObserver, showRpc } from "./metrics-rpc.ts";
import { joinMetrics } from "./metrics-thread.ts";
import { moduleAccess } from "./module-access.ts";
import { importServiceModules, loadProgram } from "./module-loading.ts";
import { moduleListing, serveModules } from "./module-methods.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { packBytes, unpackBytes } from "./packed-bytes.ts";
import { unpackResults } from "./packed-results.ts";
import { QueryClient } from "./query-client.ts";
import { watchRpcCertificate } from "./rpc-certificate.ts";
import type {
  RpcNodeEvents,
  RpcNodeVocabulary,
  RpcWorkerEvents,
  RpcWorkerOptions,
  RpcWorkerVocabulary,
} from "./rpc-port.ts";
import { shareAnswers } from "./shared-answers.ts";
import { TraceClient } from "./trace-client.ts";
import { createValidatorReads } from "./validator-reads.ts";
import type { ViewPage } from "./view-page.ts";
import { createViewReads } from "./view-reads.ts";
import { connectWorker } from "./worker-calls.ts";

/** Drops of the pool that are remembered for eth_sendRawTransactionSync and for whoever asks. */
const MAX_REMEMBERED_DROPS = 16_384;
/** The whole pool is copied for clients at most once in this time: the copy holds up the main thread. */
const POOL_COPY_INTERVAL_MS = 100;
/** Links are looked at for clients at most once in this time. */
const PEERS_INTERVAL_MS = 250;
/** A node this many blocks behind the highest it has heard of is catching up. */
const SYNCING_DISTANCE = 8;

const metricsPage = joinMetrics(() => {
  if (server !== undefined) showRpc(server.connections());
});
if (metricsPage !== undefined) observeRpc(countingObserver(metricsPage));
installNativeCrypto();

let store: LevelStore | undefined;
let server: RpcServer | undefined;
let queries: QueryClient | undefined;
let traces: TraceClient | undefined;

const listeners = new Set<EventListener>();
const drops = new Map<string, DropReason>();
let network: RpcNodeEvents["network"] = { peers: 0, highestBlock: 0 };
let startingBlock = 0;
let views: ViewPage | undefined;

const node = connectWorker<RpcWorkerVocabulary, RpcNodeVocabulary, RpcWorkerEvents, RpcNodeEvents>(
  must(parentPort ?? undefined, "this file runs in a worker"),
  {
    start,
    stop: async () => {
      await server?.stop();
      await queries?.stop();
      await traces?.stop();
      await store?.close();
      return undefined;
    },
  },
);

node.on("block", (block) => {
  for (const listener of listeners) listener.onBlock?.(block);
});
node.on("unwound", (unwound) => {
  for (const listener of listeners) listener.onUnwound?.(unwound);
});
node.on("certified", (block) => {
  for (const listener of listeners) listener.onCertified?.(block);
});
node.on("pending", ({ hashes }) => {
  const unpacked = unpackBytes(hashes).map(Hash);
  for (const listener of listeners) listener.onPendingTransactions?.(unpacked);
});
node.on("dropped", (dropped) => {
  for (const { hash, reason } of dropped) rememberDrop(hash, reason);
  for (const listener of listeners) listener.onDropped?.(dropped);
});
node.on("views", (page) => {
  views = page;
});
node.on("network", (news) => {
  network = news;
});

async function start(options: RpcWorkerOptions): Promise<{ readonly port: number }> {
  store = await openLevelStore(options.databasePath, { create: false });
  queries = new QueryClient(options, (level, message, fields) =>
    node.emit("log", { level, message, fields: plainFields(fields) }),
  );
  traces = new TraceClient(options, (level, message, fields) =>
    node.emit("log", { level, message, fields: plainFields(fields) }),
  );
  const backend = createBackend(store, { executor: queries, traces }, options);
  startingBlock = backend.chain.heads().latest;
  const { modules } = await loadProgram(options.program);
  // A chain without a registry never has modules.
  const hasModules = readModuleRegistry(storeReader(store)) !== undefined;
  const services = hasModules ? await importServiceModules(options.services) : [];
  const tls = options.tls && watchRpcCertificate(options.tls, renewCertificate);
  server = createRpcServer({
    backend,
    tls,
    methods: [moduleListing(modules), ...serveModules(services)],
    host: options.host,
    port: options.port,
    allowedHosts: options.allowedHosts,
    allowedOrigins: options.allowedOrigins,
    access: { settings: options.access, reads: moduleAccess(backend.chain, services, options.access.peerId) },
    limits: options.limits,
    log: (level, message, fields) => node.emit("log", { level, message, fields: plainFields(fields) }),
  });
  return server.start();
}

/** The old certificate stays where the new one is none. */
function renewCertificate(renewed: RpcTls | Error): void {
  const report = (level: "info" | "warn", message: string, fields: Readonly<Record<string, unknown>>): void =>
    node.emit("log", { level, message, fields });
  try {
    if (renewed instanceof Error) throw renewed;
    server?.renew(renewed);
    report("info", "JSON-RPC has a new certificate", {});
  } catch (error) {
    report("warn", "JSON-RPC keeps its old certificate", { reason: (error as Error).message });
  }
}

function createBackend(
  level: LevelStore,
  threads: Pick<RpcBackend, "executor" | "traces">,
  options: RpcWorkerOptions,
): RpcBackend {
  const chain = createChainReads(level, options.historyBlocks, (hash) => drops.get(toHexDigits(hash)));
  const { rules, genesisHash, clientVersion, coinbase } = options;
  views = options.views;
  const peers = shareAnswers(
    () => node.call("peers", undefined),
    () => sleep(PEERS_INTERVAL_MS, undefined, { ref: false }),
  );
  const wholePool = shareAnswers(
    () => node.call("poolContent", undefined),
    () => sleep(POOL_COPY_INTERVAL_MS, undefined, { ref: false }),
  );
  return {
    info: { rules, genesisHash, clientVersion, coinbase },
    chain,
    ...threads,
    pool: {
      submit: async (raws) => unpackResults(await node.call("submit", packBytes(raws))),
      get: (hash) => node.call("poolGet", hash),
      status: () => node.call("poolStatus", undefined),
      content: (sender) => (sender === undefined ? wholePool() : node.call("poolContent", sender)),
      pendingNonce: (sender) => node.call("pendingNonce", sender),
    },
    events: {
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    syncing: () => {
      const currentBlock = chain.heads().latest;
      if (network.highestBlock - currentBlock < SYNCING_DISTANCE) return undefined;
      return { startingBlock, currentBlock, highestBlock: network.highestBlock };
    },
    mining: () => network.mining,
    ...(options.epochs === undefined
      ? {}
      : {
          validators: createValidatorReads(level, options.epochs),
          light: createLightReads(level, options.epochs, options.genesisParameters),
        }),
    operate: (call) => node.call("operate", call),
    ...(views === undefined ? {} : { views: createViewReads(currentViews) }),
    node: { about: options.about, peers },
    peerCount: () => network.peers,
  };
}

function currentViews(): ViewPage {
  return must(views, "records that begin go on");
}

function rememberDrop(hash: Hash, reason: DropReason): void {
  drops.set(toHexDigits(hash), reason);
  if (drops.size > MAX_REMEMBERED_DROPS) drops.delete(drops.keys().next().value ?? "");
}

/** Errors do not cross threads with their messages inside a plain object: they are written out. */
function plainFields(fields: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error ? (value.stack ?? value.message) : value,
    ]),
  );
}
