import { join } from "node:path";
import {
  type Address,
  addressFromHex,
  type Failure,
  type Hash,
  toHexDigits,
  ZERO_ADDRESS,
} from "@ostrom/base";
import type { PowGenesis } from "@ostrom/execution";
import type { PeerId } from "@ostrom/network";
import { openDataDirectory } from "@ostrom/storage";
import { BlockRecorder } from "./block-recorder.ts";
import { CONFIGURATION_FILE } from "./configuration.ts";
import { machineClock, machineEntropy, machineTimes } from "./machine.ts";
import { CHAIN } from "./metrics-catalog.ts";
import { count } from "./metrics-counters.ts";
import { countedNetwork } from "./metrics-network.ts";
import { countedPunish, startMetrics } from "./metrics-node.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { type NodeParts, type NodeWatch, runningNode } from "./node-assembly.ts";
import { NodeAudience } from "./node-audience.ts";
import { createNodeLinks, type NodeLinks } from "./node-links.ts";
import type { RunningNode } from "./node-options.ts";
import { DATA_FOLDER, type OpenedDatabase, openDatabase } from "./opened-database.ts";
import { NodeOperations } from "./operations.ts";
import { packBytes } from "./packed-bytes.ts";
import { reportPeers } from "./peer-reports.ts";
import { checkHistory, powConfig } from "./pow-config.ts";
import { PowCore } from "./pow-core.ts";
import type { PowListener } from "./pow-core-options.ts";
import { type Miner, NO_MINER } from "./pow-miner.ts";
import { startMinerThreads } from "./pow-miner-threads.ts";
import { startSignatureWorkers } from "./signature-checker.ts";

/** Blocks come at random: so many intervals without one are no chance any more. */
const STARVED_AFTER_BLOCKS = 20;

/** Puts a node of a mined chain together and starts it. Rejects as `startNode` fails. */
export async function assemblePowNode(parts: NodeParts<PowGenesis>): Promise<RunningNode> {
  const { genesis, log, cleanup } = parts;
  log("info", "native cryptography", installNativeCrypto());
  refuseShortHistory(parts);
  const { promise: failed, resolve: failWith } = Promise.withResolvers<Failure>();
  const onFailure = (error: Error): void => failWith({ code: "node/worker-failed", message: error.message });

  const metrics = await startMetrics(parts);
  const { databasePath, store, execution, genesisHash } = await openData(parts);
  const operations = await NodeOperations.open({
    ...parts,
    databasePath,
    genesisHash,
    head: execution.head,
    failWith,
    failed,
  });
  const checker = startSignatureWorkers(parts.genesis.rules, onFailure);
  cleanup.add(() => checker.stop());
  const miner = startMiner(parts, onFailure);
  const { links, network, attach, start, credit } = openLinks(parts, genesisHash);
  const coinbase = coinbaseOf(parts);
  const audience = new NodeAudience(parts);
  const blocks = new BlockRecorder("pow", execution.head.blockHash, machineTimes);
  const core = new PowCore({
    clock: machineClock,
    entropy: machineEntropy,
    log,
    genesis,
    config: powConfig(genesis, genesisHash),
    store,
    network,
    punish: countedPunish(links.punish),
    execution,
    checker,
    modules: parts.program.installed.modules,
    miner,
    coinbase,
    head: execution.head,
    listener: metrics.listener(listenerOf(audience, blocks, credit, failWith)),
  });
  cleanup.add(() => core.stop());
  attach(core.handlers);
  const watch = watchOf(links, genesis, blocks);
  const stored = { databasePath, genesisHash, coinbase, operations, watch };
  const linked = () => {
    return {
      peers: links.connected().length,
      highestBlock: core.heads().highestHeard,
      mining: core.mining(),
    };
  };
  const rpcPort = await audience.serve(stored, core, linked, onFailure);
  await start(cleanup);
  audience.watchModules({ rpcPort, genesisHash }, execution.head);
  core.start();
  const heads = () => core.heads();
  metrics.watch(
    {
      heads,
      poolStatus: () => core.pool.status(),
      links: links.stats,
      peers: () => links.connected().length,
      validation: undefined,
    },
    execution.head,
  );
  return runningNode(parts, { rpcPort, heads, failed, metricsUrl: metrics.url });
}

async function openData({
  folder,
  settings,
  genesis,
  program,
  log,
  cleanup,
}: NodeParts<PowGenesis>): Promise<OpenedDatabase & { readonly databasePath: string }> {
  const directory = await openDataDirectory(join(folder, DATA_FOLDER), { create: true });
  cleanup.add(() => directory.release());
  const { historyBlocks, memory, engine } = settings;
  const options = { genesis, historyBlocks, memory, engine, program: program.parts, log, cleanup };
  return { ...(await openDatabase(directory.chainPath, options)), databasePath: directory.chainPath };
}

function refuseShortHistory({ folder, settings, genesis }: NodeParts<PowGenesis>): void {
  const tooShort = checkHistory(settings.historyBlocks, genesis);
  if (tooShort === undefined) return;
  const message = `${join(folder, CONFIGURATION_FILE)}: ${tooShort}`;
  throw Object.assign(new Error(message), { code: "configuration/invalid" });
}

/** @returns also what credits the peer whose headers or bodies came last, because a block could be put on. */
function openLinks(
  parts: NodeParts<PowGenesis>,
  genesisHash: Hash,
): Pick<NodeLinks, "links" | "network" | "attach" | "start"> & { readonly credit: () => void } {
  const { genesis, secrets } = parts;
  let giver: PeerId | undefined;
  const { links, strangers, attach, start } = createNodeLinks({
    ...parts,
    isOpenChain: genesis.profile === "public" || genesis.profile === "dev",
    spreadsToAll: true,
    starvedAfterMs: STARVED_AFTER_BLOCKS * genesis.consensus.targetIntervalMs,
    heard: () => undefined,
    genesisHash,
    identity: secrets.identity,
    linkedSets: () => [genesis.validatorSet],
    wasValidator: () => false,
  });
  return {
    links,
    network: countedNetwork(links),
    start,
    attach: (handlers) =>
      attach({
        ...handlers,
        onFrame: (peerId, channel, payload) => {
          if (channel === "sync") giver = peerId;
          handlers.onFrame(peerId, channel, payload);
        },
      }),
    credit: () => {
      if (giver !== undefined) strangers?.credit(giver);
      giver = undefined;
    },
  };
}

function listenerOf(
  audience: NodeAudience,
  blocks: BlockRecorder,
  credit: () => void,
  failed: (failure: Failure) => void,
): PowListener {
  return {
    block: (report) => {
      credit();
      const { height, executedHash, included, gasUsed } = report;
      blocks.executed({ height, hash: executedHash, transactions: included.length, gasUsed });
      audience.block(report);
    },
    unwound: (unwound) => {
      count(CHAIN.unwound);
      blocks.unwound(unwound.block.hash, unwound.block.header);
      audience.tell("unwound", unwound);
    },
    finalized: (number) => {
      blocks.finalized(number);
      audience.tell("certified", { number });
    },
    admitted: (transactions) =>
      audience.tell("pending", { hashes: packBytes(transactions.map(({ hash }) => hash)) }),
    dropped: (dropped) => audience.tell("dropped", dropped),
    failed,
  };
}

/** What JSON-RPC tells of links and blocks. Genesis names some peers, though they have no vote. */
function watchOf(
  links: NodeLinks["links"],
  { validatorSet: { validators } }: PowGenesis,
  blocks: BlockRecorder,
): NodeWatch {
  const names = new Map(validators.map(({ transportKey, name }) => [toHexDigits(transportKey), name]));
  return {
    views: blocks.page,
    peers: () =>
      reportPeers(
        links.stats(),
        (peerId) => names.get(peerId),
        () => undefined,
      ),
  };
}

function startMiner({ settings, cleanup }: NodeParts<PowGenesis>, onFailure: (error: Error) => void): Miner {
  const { mining } = settings;
  if (!mining.enabled || mining.threads === 0) return NO_MINER;
  const miner = startMinerThreads(mining, machineClock, onFailure);
  cleanup.add(() => miner.stop());
  return miner;
}

/** Where rewards and fees go: where node.json says, else where genesis says of this node. */
function coinbaseOf({ settings, genesis, secrets }: NodeParts<PowGenesis>): Address {
  const { coinbase } = settings.mining;
  if (coinbase !== "") return addressFromHex(coinbase);
  const own = genesis.validatorSet.validators.find(
    ({ transportKey }) => toHexDigits(transportKey) === secrets.identity.peerId,
  );
  return own?.address ?? ZERO_ADDRESS;
}
