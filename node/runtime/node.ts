import {
  type Address,
  equalBytes,
  type Failure,
  fail,
  ok,
  type Result,
  toHex,
  toHexDigits,
} from "@ostrom/base";
import { ValidatorIndex, type ValidatorSet } from "@ostrom/consensus";
import { bls } from "@ostrom/crypto";
import type { Genesis } from "@ostrom/execution";
import { Cleanup } from "./cleanup.ts";
import { type NodeConfiguration, readConfiguration } from "./configuration.ts";
import type { ExecutionReport } from "./execution-port.ts";
import { createLog } from "./log.ts";
import { machineClock, machineEntropy } from "./machine.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { NodeCore } from "./node-core.ts";
import { createNodeLinks } from "./node-links.ts";
import type { BlockNotice, NodeOverrides, RunningNode } from "./node-options.ts";
import { type OpenedChain, openChain } from "./opened-chain.ts";
import type { Log, LogLevel } from "./ports.ts";
import { type NodeSecrets, readGenesis, readSecrets } from "./provision.ts";
import { type RpcClient, startRpcWorker } from "./rpc-client.ts";
import { startSignatureWorkers } from "./signature-checker.ts";
import { consensusSet } from "./validator-sets.ts";

export const CLIENT_VERSION = "Ostrom/v0.1.0/typescript";

/** How often the JSON-RPC thread is told how many peers there are. */
const NETWORK_NEWS_MS = 500;

/** Starts the node of a folder: reads its configuration and keys, opens its data, joins the network, serves JSON-RPC.
 * Errors: those of configuration, keys and genesis; `storage/...`; `rpc/port-taken`; `node/not-a-validator`; `chain/...`. */
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
  try {
    return ok(
      await assemble({
        folder,
        settings,
        genesis: genesis.value,
        secrets: secrets.value,
        overrides,
        log,
        cleanup,
      }),
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
  const own = findOwn(parts.folder, validators, secrets);
  const { promise: failed, resolve: failWith } = Promise.withResolvers<Failure>();
  const onFailure = (error: Error): void => failWith({ code: "node/worker-failed", message: error.message });

  const chain = await openChain({
    ...parts,
    historyBlocks: settings.historyBlocks,
    engine: settings.engine,
    own,
  });
  const checker = startSignatureWorkers(onFailure);
  cleanup.add(() => checker.stop());
  const { links, attach } = createNodeLinks({ ...parts, genesisHash: chain.domain.genesisHash, validators });
  let rpc: RpcClient | undefined;
  const core = new NodeCore({
    ...chain,
    clock: machineClock,
    entropy: machineEntropy,
    log,
    genesis,
    validators,
    own,
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
      failed: failWith,
    },
  });
  cleanup.add(() => core.stop());
  attach(core.handlers);
  rpc = await serveRpc(parts, chain, core, validators.validators[own]!.address, onFailure);
  const news = setInterval(() => {
    rpc?.tell("network", { peers: links.connected().length, highestBlock: core.heads().highestHeard });
  }, NETWORK_NEWS_MS);
  cleanup.add(() => clearInterval(news));
  await links.start();
  cleanup.add(() => links.stop());
  core.start();

  let stopping: Promise<void> | undefined;
  return {
    name: settings.name,
    rpcUrl: `http://${settings.rpc.host.includes(":") ? `[${settings.rpc.host}]` : settings.rpc.host}:${rpc.port}`,
    heads: () => ({ head: core.heads().executed, certified: core.heads().certified }),
    failed,
    stop: () => {
      stopping ??= cleanup.run(log);
      return stopping;
    },
  };
}

/** This node's place in the set. @throws if its keys are none of a validator's. */
function findOwn(folder: string, validators: ValidatorSet, secrets: NodeSecrets): ValidatorIndex {
  const consensusKey = bls().publicKey(secrets.consensusSecret);
  const index = validators.validators.findIndex(
    (validator) =>
      toHexDigits(validator.transportKey) === secrets.identity.peerId &&
      equalBytes(validator.consensusKey, consensusKey),
  );
  if (index >= 0) return ValidatorIndex(index);
  const message = `the keys in ${folder} belong to no validator of its genesis.json: put the keys and the genesis.json of one network there`;
  throw Object.assign(new Error(message), { code: "node/not-a-validator" });
}

async function serveRpc(
  { settings, genesis, log, cleanup }: Parts,
  chain: OpenedChain,
  core: NodeCore,
  coinbase: Address,
  onFailure: (error: Error) => void,
): Promise<RpcClient> {
  const { rpc } = settings;
  const client = await startRpcWorker(
    {
      databasePath: chain.databasePath,
      historyBlocks: settings.historyBlocks,
      engine: settings.engine,
      rules: genesis.rules,
      genesisHash: chain.domain.genesisHash,
      clientVersion: CLIENT_VERSION,
      coinbase,
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

function noticeOf(report: ExecutionReport): BlockNotice {
  return {
    number: report.height,
    hash: toHex(report.executedHash),
    transactions: report.included.length,
    gasUsed: report.gasUsed.toString(),
  };
}
