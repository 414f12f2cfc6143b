import { type Address, type Failure, fail, ok, type Result, ZERO_ADDRESS } from "@ostrom/base";
import { type Genesis, genesisOfEngine } from "@ostrom/execution";
import { Cleanup } from "./cleanup.ts";
import { type NodeConfiguration, readConfiguration } from "./configuration.ts";
import type { NodeKeys } from "./epoch-sets.ts";
import { createLog } from "./log.ts";
import { machineClock, machineEntropy } from "./machine.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { NETWORK_NEWS_MS, type NodeParts, noticeOf, runningNode, serveRpc } from "./node-assembly.ts";
import { NodeCore } from "./node-core.ts";
import { openNodeKeys, readSecrets } from "./node-keys.ts";
import { createNodeLinks } from "./node-links.ts";
import type { NodeOverrides, RunningNode } from "./node-options.ts";
import { type OpenedChain, openChain } from "./opened-chain.ts";
import type { LogLevel } from "./ports.ts";
import { assemblePowNode } from "./pow-node.ts";
import { readGenesis } from "./provision.ts";
import type { RpcClient } from "./rpc-client.ts";
import { startSignatureWorkers } from "./signature-checker.ts";

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
  const secrets = readSecrets(folder);
  if (!secrets.ok) return secrets;
  const settings = applyOverrides(configuration.value, overrides);
  const log = createLog(
    (line) => process.stdout.write(line),
    settings.name,
    settings.logLevel,
    machineClock.nowMs,
  );
  const cleanup = new Cleanup();
  const parts = { folder, settings, secrets: secrets.value, overrides, log, cleanup };
  const chain = genesisOfEngine(genesis.value);
  try {
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

function applyOverrides(configuration: NodeConfiguration, overrides: NodeOverrides): NodeConfiguration {
  const { rpc, link } = configuration;
  return {
    ...configuration,
    rpc: { ...rpc, host: overrides.rpcHost ?? rpc.host, port: overrides.rpcPort ?? rpc.port },
    link: { host: overrides.linkHost ?? link.host, port: overrides.linkPort ?? link.port },
    logLevel: (overrides.logLevel as LogLevel | undefined) ?? configuration.logLevel,
  };
}

async function assemble(parts: NodeParts<Genesis>): Promise<RunningNode> {
  const { settings, genesis, secrets, overrides, log, cleanup } = parts;
  log("info", "native cryptography", installNativeCrypto());
  const keys = openNodeKeys(parts.folder, secrets, log);
  const { promise: failed, resolve: failWith } = Promise.withResolvers<Failure>();
  const onFailure = (error: Error): void => failWith({ code: "node/worker-failed", message: error.message });

  const chain = await openChain({
    ...parts,
    historyBlocks: settings.historyBlocks,
    engine: settings.engine,
    keys,
    hasOtherPeers: Object.keys(settings.peers).length > 0,
  });
  const checker = startSignatureWorkers(onFailure);
  cleanup.add(() => checker.stop());
  let core: NodeCore | undefined;
  const { links, attach } = createNodeLinks({
    settings,
    log,
    genesisHash: chain.domain.genesisHash,
    identity: secrets.identity,
    linkedSets: () => core?.linkedSets() ?? [],
    wasValidator: (peerId) => core?.wasValidator(peerId) ?? false,
  });
  let rpc: RpcClient | undefined;
  const running = new NodeCore({
    ...chain,
    clock: machineClock,
    entropy: machineEntropy,
    log,
    genesis,
    keys,
    network: links,
    punish: links.punish,
    checker,
    head: chain.execution.head,
    listener: {
      block: (report) => {
        rpc?.tell("block", { number: report.height, hash: report.executedHash });
        overrides.onBlock?.(noticeOf(report));
      },
      certified: (number) => rpc?.tell("certified", { number }),
      admitted: (transactions) => rpc?.tell("pending", { hashes: transactions.map(({ hash }) => hash) }),
      dropped: (dropped) => rpc?.tell("dropped", dropped),
      setsChanged: () => links.refresh(),
      failed: failWith,
    },
  });
  core = running;
  cleanup.add(() => running.stop());
  attach(running.handlers);
  const { databasePath, domain } = chain;
  const served = { databasePath, genesisHash: domain.genesisHash, coinbase: coinbaseOf(chain, keys) };
  rpc = await serveRpc(parts, served, running, onFailure);
  const news = setInterval(() => {
    rpc?.tell("network", { peers: links.connected().length, highestBlock: running.heads().highestHeard });
  }, NETWORK_NEWS_MS);
  cleanup.add(() => clearInterval(news));
  await links.start();
  cleanup.add(() => links.stop());
  running.start();

  return runningNode(parts, {
    rpcPort: rpc.port,
    heads: () => ({ head: running.heads().executed, certified: running.heads().certified }),
    failed,
  });
}

/** Where this node's fees go, if it is a validator. */
function coinbaseOf({ sets, recovered }: OpenedChain, { peerId }: NodeKeys): Address {
  const { stored, peerIds } = sets.begun(recovered.tip.epoch);
  return stored.validators[peerIds.indexOf(peerId)]?.address ?? ZERO_ADDRESS;
}
