import { join } from "node:path";
import { type Address, addressFromHex, type Failure, toHexDigits, ZERO_ADDRESS } from "@ostrom/base";
import type { PowGenesis } from "@ostrom/execution";
import { openDataDirectory } from "@ostrom/storage";
import { CONFIGURATION_FILE } from "./configuration.ts";
import { machineClock, machineEntropy } from "./machine.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { NETWORK_NEWS_MS, type NodeParts, noticeOf, runningNode, serveRpc } from "./node-assembly.ts";
import { createNodeLinks } from "./node-links.ts";
import type { RunningNode } from "./node-options.ts";
import { DATA_FOLDER, openDatabase } from "./opened-database.ts";
import { checkHistory, powConfig } from "./pow-config.ts";
import { PowCore } from "./pow-core.ts";
import type { PowListener } from "./pow-core-options.ts";
import { type Miner, NO_MINER } from "./pow-miner.ts";
import { startMinerThreads } from "./pow-miner-threads.ts";
import type { RpcClient } from "./rpc-client.ts";
import { startSignatureWorkers } from "./signature-checker.ts";

/** Puts a node of a mined chain together and starts it. Rejects as `startNode` fails. */
export async function assemblePowNode(parts: NodeParts<PowGenesis>): Promise<RunningNode> {
  const { folder, settings, genesis, secrets, log, cleanup } = parts;
  log("info", "native cryptography", installNativeCrypto());
  const tooShort = checkHistory(settings.historyBlocks, genesis);
  if (tooShort !== undefined) {
    const message = `${join(folder, CONFIGURATION_FILE)}: ${tooShort}`;
    throw Object.assign(new Error(message), { code: "configuration/invalid" });
  }
  const { promise: failed, resolve: failWith } = Promise.withResolvers<Failure>();
  const onFailure = (error: Error): void => failWith({ code: "node/worker-failed", message: error.message });

  const directory = await openDataDirectory(join(folder, DATA_FOLDER), { create: true });
  cleanup.add(() => directory.release());
  const { historyBlocks, engine } = settings;
  const databaseOptions = { genesis, historyBlocks, engine, log, cleanup };
  const { store, execution, genesisHash } = await openDatabase(directory.chainPath, databaseOptions);
  const checker = startSignatureWorkers(onFailure);
  cleanup.add(() => checker.stop());
  const miner = startMiner(parts, onFailure);
  const { links, attach } = createNodeLinks({
    settings,
    log,
    genesisHash,
    identity: secrets.identity,
    linkedSets: () => [genesis.validatorSet],
    wasValidator: () => false,
  });
  const coinbase = coinbaseOf(parts);
  let rpc: RpcClient | undefined;
  const core = new PowCore({
    clock: machineClock,
    entropy: machineEntropy,
    log,
    genesis,
    config: powConfig(genesis, genesisHash),
    store,
    network: links,
    punish: links.punish,
    execution,
    checker,
    miner,
    coinbase,
    head: execution.head,
    listener: listenerOf(parts, () => rpc, failWith),
  });
  cleanup.add(() => core.stop());
  attach(core.handlers);
  rpc = await serveRpc(parts, { databasePath: directory.chainPath, genesisHash, coinbase }, core, onFailure);
  const news = setInterval(() => {
    const mining = core.mining();
    rpc?.tell("network", {
      peers: links.connected().length,
      highestBlock: core.heads().highestHeard,
      mining,
    });
  }, NETWORK_NEWS_MS);
  cleanup.add(() => clearInterval(news));
  await links.start();
  cleanup.add(() => links.stop());
  core.start();
  return runningNode(parts, {
    rpcPort: rpc.port,
    heads: () => ({ head: core.heads().executed, certified: core.heads().certified }),
    failed,
  });
}

function listenerOf(
  { overrides }: NodeParts<PowGenesis>,
  rpc: () => RpcClient | undefined,
  failed: (failure: Failure) => void,
): PowListener {
  return {
    block: (report) => {
      rpc()?.tell("block", { number: report.height, hash: report.executedHash });
      overrides.onBlock?.(noticeOf(report));
    },
    unwound: (unwound) => rpc()?.tell("unwound", unwound),
    finalized: (number) => rpc()?.tell("certified", { number }),
    admitted: (transactions) => rpc()?.tell("pending", { hashes: transactions.map(({ hash }) => hash) }),
    dropped: (dropped) => rpc()?.tell("dropped", dropped),
    failed,
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
