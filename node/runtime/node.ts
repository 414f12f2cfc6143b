import { join } from "node:path";
import { type Failure, fail, ok, type Result, toHex } from "@ostrom/base";
import { ethereumDomain, ValidatorIndex, type ValidatorSet } from "@ostrom/consensus";
import { bls } from "@ostrom/crypto";
import { formatGenesis, type Genesis } from "@ostrom/execution";
import { createLinks, type Links, type NetworkHandlers } from "@ostrom/network";
import {
  checkChain,
  createDisk,
  openDataDirectory,
  openLevelStore,
  openWriteAheadLog,
  readMeta,
  StorageError,
} from "@ostrom/storage";
import { type NodeConfiguration, readConfiguration } from "./configuration.ts";
import { startExecutionWorker } from "./execution-client.ts";
import { createLog } from "./log.ts";
import { machineClock, machineEntropy } from "./machine.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { NodeCore } from "./node-core.ts";
import type { NodeOverrides, RunningNode } from "./node-options.ts";
import type { Log, LogLevel } from "./ports.ts";
import { type NodeSecrets, readGenesis, readSecrets } from "./provision.ts";
import { recoverChain } from "./recovered-chain.ts";
import { startRpcWorker } from "./rpc-client.ts";
import { startSignatureWorkers } from "./signature-checker.ts";
import { consensusSet } from "./validator-sets.ts";
import { replayJournal, VoteJournal } from "./vote-journal.ts";

export const CLIENT_VERSION = "Ostrom/v0.1.0/typescript";

const DATA_FOLDER = "data";
/** How often the JSON-RPC thread is told how many peers there are. */
const NETWORK_NEWS_MS = 500;

/** Things to close, the last opened first. */
class Cleanup {
  #steps: (() => Promise<unknown> | unknown)[] = [];

  add(step: () => Promise<unknown> | unknown): void {
    this.#steps.unshift(step);
  }

  async run(log: Log): Promise<void> {
    for (const step of this.#steps.splice(0)) {
      try {
        await step();
      } catch (error) {
        log("error", "closing failed", { error });
      }
    }
  }
}

/** Starts the node of a folder: reads its configuration and keys, opens its data, joins the network, serves JSON-RPC.
 * Errors: those of configuration, keys and genesis; `storage/...`; `rpc/port-taken`; `node/not-a-validator`; `chain/...`. */
export async function startNode(folder: string, overrides: NodeOverrides): Promise<Result<RunningNode, Failure>> {
  const configuration = readConfiguration(folder);
  if (!configuration.ok) return configuration;
  const genesis = readGenesis(folder);
  if (!genesis.ok) return genesis;
  const secrets = readSecrets(folder);
  if (!secrets.ok) return secrets;
  const settings = applyOverrides(configuration.value, overrides);
  const log = createLog((line) => process.stdout.write(line), settings.name, settings.logLevel, machineClock.nowMs);
  const cleanup = new Cleanup();
  try {
    return ok(await assemble({ folder, settings, genesis: genesis.value, secrets: secrets.value, overrides, log, cleanup }));
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

type Parts = {
  readonly folder: string;
  readonly settings: NodeConfiguration;
  readonly genesis: Genesis;
  readonly secrets: NodeSecrets;
  readonly overrides: NodeOverrides;
  readonly log: Log;
  readonly cleanup: Cleanup;
};

async function assemble(parts: Parts): Promise<RunningNode> {
  const { settings, genesis, secrets, overrides, log, cleanup } = parts;
  log("info", "native cryptography", installNativeCrypto());
  const validators = consensusSet(genesis.validatorSet, 0);
  const own = findOwn(validators, secrets);
  const { promise: failed, resolve: failWith } = Promise.withResolvers<Failure>();
  const onFailure = (error: Error): void => failWith({ code: "node/worker-failed", message: error.message });

  const directory = await openDataDirectory(join(parts.folder, DATA_FOLDER), { create: true });
  cleanup.add(() => directory.release());
  const store = await openLevelStore(directory.chainPath);
  cleanup.add(() => store.close());
  const genesisText = JSON.stringify(formatGenesis(genesis));
  const { historyBlocks } = settings;
  const execution = await startExecutionWorker({ databasePath: directory.chainPath, genesisText, historyBlocks }, onFailure);
  cleanup.add(() => execution.stop());
  const checked = checkChain(store);
  if (!checked.ok) throw Object.assign(new Error(checked.error.message), { code: checked.error.code });
  const meta = readMeta(store);
  if (meta === undefined) throw new StorageError("storage/damaged", `${directory.chainPath}: it does not say which chain it holds`);
  const recovered = recoverChain(store);

  const opened = await openWriteAheadLog(createDisk(directory.logPath), machineEntropy.bytes);
  if (opened.truncatedBytes > 0) log("warn", "cut a torn write off the log", { bytes: opened.truncatedBytes });
  cleanup.add(() => opened.log.close());
  const replayed = replayJournal(opened.records);
  const domain = ethereumDomain(meta.genesisHash);
  const { consensusSecret } = secrets;
  const sign = (message: Uint8Array): Uint8Array => bls().sign(consensusSecret, message);
  const journal = new VoteJournal({ log: opened.log, domain, own, sign, replayed });

  const checker = startSignatureWorkers(onFailure);
  cleanup.add(() => checker.stop());
  const { links, attach } = createNodeLinks(parts, validators);
  const core = new NodeCore({
    clock: machineClock,
    entropy: machineEntropy,
    log,
    genesis,
    domain,
    validators,
    own,
    store,
    network: links,
    execution,
    checker,
    journal,
    records: replayed.records,
    lostLog: opened.isNew && recovered.tip.height > 0,
    recovered,
    head: execution.head,
    listener: {
      block: (report) => {
        rpc?.tell("block", { number: report.height, hash: report.executedHash });
        overrides.onBlock?.({
          number: report.height,
          hash: toHex(report.executedHash),
          transactions: report.included.length,
          gasUsed: report.gasUsed.toString(),
        });
      },
      certified: (number) => rpc?.tell("certified", { number }),
      admitted: (transactions) => rpc?.tell("pending", { hashes: transactions.map(({ hash }) => hash) }),
      dropped: (dropped) => rpc?.tell("dropped", dropped),
      failed: failWith,
    },
  });
  cleanup.add(() => core.stop());
  attach(core.handlers);
  let rpc: Awaited<ReturnType<typeof startRpcWorker>> | undefined;
  rpc = await startRpcWorker(
    {
      databasePath: directory.chainPath,
      rules: genesis.rules,
      genesisHash: meta.genesisHash,
      clientVersion: CLIENT_VERSION,
      coinbase: validators.validators[own]!.address,
      host: settings.rpc.host,
      port: settings.rpc.port,
      allowedHosts: settings.rpc.allowedHosts,
      allowedOrigins: settings.rpc.allowedOrigins,
      limits: {
        bodyBytes: settings.rpc.maxBodyBytes,
        batchRequests: settings.rpc.maxBatch,
        logRangeBlocks: settings.rpc.maxLogRange,
        callGas: BigInt(settings.rpc.callGasCap),
      },
    },
    {
      submit: (raws) => core.submit(raws),
      poolGet: (hash) => core.pool.get(hash),
      poolStatus: () => core.pool.status(),
      poolContent: (sender) => core.pool.content(sender),
      pendingNonce: (sender) => core.pendingNonce(sender),
    },
    log,
    onFailure,
  );
  const server = rpc;
  cleanup.add(() => server.stop());
  const news = setInterval(() => {
    server.tell("network", { peers: links.connected().length, highestBlock: core.heads().highestHeard });
  }, NETWORK_NEWS_MS);
  cleanup.add(() => clearInterval(news));
  await links.start();
  cleanup.add(() => links.stop());

  let head = recovered.tip.height as number;
  let stopping: Promise<void> | undefined;
  return {
    name: settings.name,
    rpcUrl: `http://${settings.rpc.host.includes(":") ? `[${settings.rpc.host}]` : settings.rpc.host}:${server.port}`,
    heads: () => ({ head, certified: core.heads().certified }),
    failed,
    stop: () => {
      stopping ??= cleanup.run(log);
      return stopping;
    },
  };
}
