import { type Address, type Failure, fail, ok, type Result, ZERO_ADDRESS } from "@ostrom/base";
import { type Genesis, genesisOfEngine } from "@ostrom/execution";
import { FORKS } from "@ostrom/vm";
import { Cleanup } from "./cleanup.ts";
import { type NodeConfiguration, readConfiguration } from "./configuration.ts";
import { describeRoom, diskRoom } from "./disk-watch.ts";
import type { NodeKeys } from "./epoch-sets.ts";
import { createLog, type LogFormat } from "./log.ts";
import { machineClock, machineEntropy, machineTimes } from "./machine.ts";
import {
  countedPunish,
  type NodeFacts,
  type NodeMetrics,
  startMetrics,
  validationOf,
} from "./metrics-node.ts";
import { importLinkRules, moduleLinkPolicy, newestStateOf } from "./module-links.ts";
import { loadProgram } from "./module-loading.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { type NodeParts, type NodeProgram, type NodeWatch, runningNode } from "./node-assembly.ts";
import { NodeAudience } from "./node-audience.ts";
import { NodeCore } from "./node-core.ts";
import type { NodeListener } from "./node-core-options.ts";
import { openNodeKeys, readSecrets } from "./node-keys.ts";
import { createNodeLinks, type NodeLinks } from "./node-links.ts";
import type { NodeOverrides, RunningNode } from "./node-options.ts";
import { NotedWarnings } from "./noted-warnings.ts";
import { type OpenedChain, openChain } from "./opened-chain.ts";
import { NodeOperations } from "./operations.ts";
import { packBytes } from "./packed-bytes.ts";
import { reportPeers } from "./peer-reports.ts";
import type { LogLevel } from "./ports.ts";
import { assemblePowNode } from "./pow-node.ts";
import { readGenesis } from "./provision.ts";
import { startSignatureWorkers } from "./signature-checker.ts";
import { prepareDatabase } from "./snapshot-join.ts";
import { SnapshotService } from "./snapshot-service.ts";
import { transportKey } from "./transport-key.ts";
import { ViewRecorder } from "./view-recorder.ts";

/** Starts the node of a folder: reads its configuration and keys, opens its data, joins the network, serves JSON-RPC.
 * Errors: those of configuration, keys and genesis; `storage/...`; `rpc/port-taken`; `chain/...`. */
export async function startNode(
  folder: string,
  overrides: NodeOverrides,
): Promise<Result<RunningNode, Failure>> {
  const configuration = readConfiguration(folder);
  if (!configuration.ok) return configuration;
  const genesis = readGenesis(folder);
  if (!genesis.ok) return genesis;
  const secrets = readSecrets(folder, genesis.value.suite.transport);
  if (!secrets.ok) return secrets;
  const settings = applyOverrides(configuration.value, overrides);
  const room = await diskRoom(folder, settings.disk);
  if (room.state === "critical") return fail("storage/disk-low", describeRoom(folder, room));
  const warnings = new NotedWarnings(machineClock.nowMs);
  const log = warnings.watch(
    createLog((line) => process.stdout.write(line), settings.name, settings, machineClock.nowMs),
  );
  const cleanup = new Cleanup();
  const chain = genesisOfEngine(genesis.value);
  try {
    const program = await programOf(overrides);
    const parts = { folder, settings, secrets: secrets.value, overrides, program, log, warnings, cleanup };
    return ok(
      chain.engine === "pow"
        ? await assemblePowNode({ ...parts, genesis: chain.genesis })
        : await assemble({ ...parts, genesis: chain.genesis }),
    );
  } catch (error) {
    await cleanup.run(log);
    const { code, message } = error as { code?: unknown; message: string };
    if (typeof code !== "string") log("error", "the start failed", { stack: (error as Error).stack });
    return fail(typeof code === "string" ? code : "node/failed", message);
  }
}

async function programOf({ modules = [], forks = FORKS }: NodeOverrides): Promise<NodeProgram> {
  const parts = { chainModules: modules.map(({ chain }) => chain), forks };
  return { installed: await loadProgram(parts), parts, modules };
}

function applyOverrides(configuration: NodeConfiguration, overrides: NodeOverrides): NodeConfiguration {
  const { rpc, link } = configuration;
  return {
    ...configuration,
    rpc: {
      ...rpc,
      host: overrides.rpcHost ?? rpc.host,
      port: overrides.rpcPort ?? rpc.port,
      tls: overrides.rpcTls ?? rpc.tls,
    },
    metrics: {
      host: overrides.metricsHost ?? configuration.metrics.host,
      port: overrides.metricsPort ?? configuration.metrics.port,
    },
    logFormat: (overrides.logFormat as LogFormat | undefined) ?? configuration.logFormat,
    link: { host: overrides.linkHost ?? link.host, port: overrides.linkPort ?? link.port },
    sync: (overrides.sync as NodeConfiguration["sync"] | undefined) ?? configuration.sync,
    logLevel: (overrides.logLevel as LogLevel | undefined) ?? configuration.logLevel,
  };
}

async function assemble(parts: NodeParts<Genesis>): Promise<RunningNode> {
  const { settings, genesis, secrets, log, cleanup } = parts;
  log("info", "native cryptography", installNativeCrypto());
  const keys = openNodeKeys(parts.folder, secrets, log);
  const { promise: failed, resolve: failWith } = Promise.withResolvers<Failure>();
  const onFailure = (error: Error): void => failWith({ code: "node/worker-failed", message: error.message });

  const metrics = await startMetrics(parts);
  const chain = await openChain({
    ...parts,
    historyBlocks: settings.historyBlocks,
    memory: settings.memory,
    engine: settings.engine,
    program: parts.program.parts,
    keys,
    hasOtherPeers: Object.keys(settings.peers).length > 0,
    prepare: (store) => prepareDatabase(parts, store),
  });
  const { databasePath, domain } = chain;
  const operations = await NodeOperations.open({
    ...parts,
    databasePath,
    genesisHash: domain.genesisHash,
    head: chain.execution.head,
    keys,
    failWith,
    failed,
  });
  const checker = startSignatureWorkers(genesis.rules, onFailure);
  cleanup.add(() => checker.stop());
  let core: NodeCore | undefined;
  const { links, network, strangers, attach, start } = await openLinks(parts, chain, () => core);
  const audience = new NodeAudience(parts);
  const views = openViewRecorder(chain, audience);
  const snapshots = openSnapshots(parts, chain, { links, network });
  const running = new NodeCore({
    ...chain,
    floorOf: (peerId) => snapshots.floorOf(peerId),
    clock: machineClock,
    entropy: machineEntropy,
    log,
    genesis,
    keys: operations.watchKeys(keys),
    network,
    strangers,
    punish: countedPunish(links.punish),
    checker,
    transport: transportKey(secrets.identity),
    modules: parts.program.installed.modules,
    head: chain.execution.head,
    views,
    listener: listenerOf({ metrics, snapshots, audience, links, views }, failWith),
  });
  core = running;
  cleanup.add(() => running.stop());
  attach(snapshots.wrap(running.handlers));
  const coinbase = coinbaseOf(chain, keys);
  const watch = watchOf(running, chain, links, views);
  const stored = { databasePath, genesisHash: domain.genesisHash, coinbase, operations, watch };
  const linked = () => ({ peers: links.connected().length, highestBlock: running.heads().highestHeard });
  const rpcPort = await audience.serve(stored, running, linked, onFailure);
  await start(cleanup);
  audience.watchModules({ rpcPort, genesisHash: domain.genesisHash }, chain.execution.head);
  running.start();
  metrics.watch(factsOf(running, chain, links, keys), chain.execution.head);

  return runningNode(parts, { rpcPort, heads: () => running.heads(), failed, metricsUrl: metrics.url });
}

function openSnapshots(
  { genesis, log, cleanup }: NodeParts<Genesis>,
  chain: OpenedChain,
  { links, network }: Pick<NodeLinks, "links" | "network">,
): SnapshotService {
  const punish = countedPunish(links.punish);
  const snapshots = new SnapshotService({
    ...chain,
    schedule: genesis,
    network,
    punish,
    clock: machineClock,
    log,
  });
  cleanup.add(() => snapshots.stop());
  return snapshots;
}

/** Who hears what the core has to say. */
function listenerOf(
  {
    metrics,
    snapshots,
    audience,
    links,
    views,
  }: Pick<NodeLinks, "links"> & {
    readonly metrics: NodeMetrics;
    readonly snapshots: SnapshotService;
    readonly audience: NodeAudience;
    readonly views: ViewRecorder;
  },
  failed: (failure: Failure) => void,
): NodeListener {
  return metrics.listener({
    block: (report) => {
      const { height, included, gasUsed } = report;
      views.executed({ height, transactions: included.length, gasUsed });
      audience.block(report);
    },
    certified: (number) => {
      metrics.certified(number);
      snapshots.certified(number);
      views.certified(number);
      audience.tell("certified", { number });
    },
    admitted: (transactions) =>
      audience.tell("pending", { hashes: packBytes(transactions.map(({ hash }) => hash)) }),
    dropped: (dropped) => audience.tell("dropped", dropped),
    setsChanged: () => links.refresh(),
    failed,
  });
}

/** Records of views begin with the set that is in force. */
function openViewRecorder({ sets, recovered }: OpenedChain, audience: NodeAudience): ViewRecorder {
  return new ViewRecorder(sets.begun(recovered.tip.epoch).validators.validators.length, {
    ...machineTimes,
    moved: (page) => audience.tell("views", page),
  });
}

/** What JSON-RPC tells of links and views. */
function watchOf(
  core: NodeCore,
  { sets }: OpenedChain,
  links: NodeLinks["links"],
  views: ViewRecorder,
): NodeWatch {
  return {
    views: views.page,
    peers: () => {
      const { stored, peerIds } = sets.begun(core.epoch);
      const indexOf = new Map(peerIds.map((peerId, index) => [peerId, index]));
      return reportPeers(
        links.stats(),
        (peerId) => stored.validators[indexOf.get(peerId) ?? -1]?.name,
        (peerId) => views.heightOf(core.epoch, indexOf.get(peerId)),
      );
    },
  };
}

/** What the metrics tell of a running node. */
function factsOf(
  core: NodeCore,
  { sets }: OpenedChain,
  links: NodeLinks["links"],
  { peerId }: NodeKeys,
): NodeFacts {
  return {
    heads: () => core.heads(),
    poolStatus: () => core.pool.status(),
    links: links.stats,
    peers: () => links.connected().length,
    validation: () => validationOf(sets.begun(core.epoch), core.epoch, peerId, links.connected()),
  };
}

/** Links to validators and, where the chain lets them in, to strangers. @param core is there once they are used. */
async function openLinks(
  parts: NodeParts<Genesis>,
  { store, domain }: OpenedChain,
  core: () => NodeCore | undefined,
): Promise<NodeLinks> {
  const linkRules = await importLinkRules(parts.program.parts.chainModules);
  return createNodeLinks({
    ...parts,
    isOpenChain: parts.genesis.profile === "public",
    spreadsToAll: false,
    heard: (peerId, height) => core()?.hearHead(peerId, height),
    policy: moduleLinkPolicy(linkRules, newestStateOf(store), machineClock.nowMs),
    genesisHash: domain.genesisHash,
    identity: parts.secrets.identity,
    linkedSets: () => core()?.linkedSets() ?? [],
    wasValidator: (peerId) => core()?.wasValidator(peerId) ?? false,
  });
}

/** Where this node's fees go, if it is a validator. */
function coinbaseOf({ sets, recovered }: OpenedChain, { peerId }: NodeKeys): Address {
  const { stored, peerIds } = sets.begun(recovered.tip.epoch);
  return stored.validators[peerIds.indexOf(peerId)]?.address ?? ZERO_ADDRESS;
}
