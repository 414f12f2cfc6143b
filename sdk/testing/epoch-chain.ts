import { Epoch, type Hash, Height, hex, must, ok, toHexDigits, View } from "@ostrom/base";
import {
  type ConsensusDomain,
  consensusDomain,
  encodeBlock,
  encodeStateCertificate,
  type OrderedBlock,
  orderDigest,
  type StateCertificate,
  ValidatorIndex,
  validatorSetHash,
} from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import {
  addressOfSecretKey,
  type ChainRules,
  createAccessList,
  createGenesis,
  type EpochSchedule,
  type Simulation as ExecutionSimulation,
  encodePayload,
  epochOfHeight,
  estimateGas,
  frozenHeight,
  type Genesis,
  type GenesisModules,
  genesisHash,
  type InstalledModules,
  SUITES,
  type SuiteHash,
  signTransaction,
  simulateCall,
  type TransactionFields,
} from "@ostrom/execution";
import { createRpcServer, type RpcBackend, type Simulation } from "@ostrom/rpc";
import { BARE_PROGRAM, consensusSet, Executor } from "@ostrom/runtime";
import type { WriteOperation } from "@ostrom/state";
import {
  createMemoryStore,
  readHeader,
  type Store,
  stateCertificateOperations,
  validatorSetOperation,
} from "@ostrom/storage";
import { createAddress } from "@ostrom/vm";
import { createChainReads, openStateView } from "../../node/runtime/chain-view.ts";
import { createLightReads, genesisParameters } from "../../node/runtime/light-reads.ts";
import { createValidatorReads } from "../../node/runtime/validator-reads.ts";
import { certify, clientKey, storedSetOf } from "./keys.ts";
import { tillContract } from "./till-contract.ts";

export type EpochChainOptions = {
  readonly chainId?: bigint;
  readonly epochs: number;
  readonly epochLength: number;
  readonly epochLead: number;
  readonly timestampMs: number;
  readonly intervalMs: number;
  /** Whether the newest block of a height is certified in the node's table; the first of an epoch always carries its parent's. */
  readonly isCertified?: (height: number) => boolean;
  readonly rules?: Partial<ChainRules>;
  /** Whose hash function is the chain's; validators vote by BLS in any case. */
  readonly hash?: SuiteHash;
  readonly modules?: { readonly installed: InstalledModules; readonly genesis: GenesisModules };
  /** From this height on the chain is another one than that of the same options without it: its validators have signed both. */
  readonly divergesFrom?: number;
};

const CLIENTS = 4;
const BALANCE = 10n ** 24n;
const HISTORY = 1_000_000;
const GWEI = 10n ** 9n;

/** A chain of many epochs with a real executor, real tries and real certificates, served by the real JSON-RPC server; only the order of
 * its blocks is made by hand, and who validates follows the test's plan. */
export type EpochChain = {
  readonly genesis: Genesis;
  readonly domain: ConsensusDomain;
  readonly store: Store;
  readonly height: number;
  readonly till: Uint8Array;
  readonly teller: Uint8Array;
  readonly transactionHashes: readonly Hash[];
  readonly hashAt: (height: number) => Hash;
  readonly certificateAt: (height: number) => StateCertificate;
  readonly backend: RpcBackend;
  readonly serve: () => Promise<{ readonly url: string; readonly stop: () => Promise<void> }>;
};

export async function makeEpochChain(options: EpochChainOptions): Promise<EpochChain> {
  const genesis = genesisOf(options);
  const { epochLength, epochLead } = options;
  const { rules, validatorSet } = genesis;
  const domain = consensusDomain(genesisHash(genesis), rules.hashId, validatorSet.schemeId);
  const store = createMemoryStore();
  const planned = withPlannedSets(store, options.epochs);
  const executor = await Executor.open(planned, genesis, HISTORY, undefined, {
    ...BARE_PROGRAM,
    modules: options.modules?.installed ?? BARE_PROGRAM.modules,
  });
  const transactionHashes: Hash[] = [];
  const height = options.epochs * epochLength;
  const certificates = await makeBlocks(options, {
    domain,
    executor,
    store,
    schedule: { epochLength, epochLead },
    transactionsOf: createSender(genesis.rules.chainId, transactionHashes),
  });
  const backend = backendOf(store, genesis, domain.genesisHash, options.modules?.installed);
  const deployer = addressOfSecretKey(clientKey(0));
  return {
    genesis,
    domain,
    store,
    height,
    till: createAddress(deployer, 0n),
    teller: createAddress(deployer, 1n),
    transactionHashes,
    hashAt: (number) => must(readHeader(store, number), "the block is there").hash,
    certificateAt: (number) => must(certificates[number - 1], "the block is certified"),
    backend,
    serve: async () => {
      const server = createRpcServer({ backend, port: 0, allowedOrigins: ["*"] });
      const { port } = await server.start();
      return { url: `http://127.0.0.1:${port}`, stop: server.stop };
    },
  };
}

function genesisOf({
  chainId,
  timestampMs,
  rules,
  hash = "keccak256",
  modules,
  epochLength,
  epochLead,
}: EpochChainOptions): Genesis {
  const genesis = createGenesis({
    profile: "dev",
    chainId: chainId ?? 4_242n,
    timestampMs,
    suite: { ...SUITES.ethereum, hash },
    validators: storedSetOf(0).validators,
    ...(rules === undefined ? {} : { rules }),
    ...(modules === undefined ? {} : { modules: modules.genesis }),
    accounts: Array.from({ length: CLIENTS }, (_, index) => ({
      address: addressOfSecretKey(clientKey(index)),
      balance: BALANCE,
      nonce: 0n,
      code: new Uint8Array(0),
      storage: [],
    })),
  });
  return { ...genesis, epochLength, epochLead };
}

type Making = {
  readonly domain: ConsensusDomain;
  readonly executor: Executor;
  readonly store: Store;
  readonly schedule: EpochSchedule;
  readonly transactionsOf: (height: number) => readonly Uint8Array[];
};

/** Orders, executes and certifies all blocks. @returns the certificates, by height from 1 on. */
async function makeBlocks(
  { epochs, timestampMs, intervalMs, divergesFrom, isCertified = () => true }: EpochChainOptions,
  { domain, executor, store, schedule, transactionsOf }: Making,
): Promise<readonly StateCertificate[]> {
  const { epochLength } = schedule;
  const certificates: StateCertificate[] = [];
  let parent = domain.genesisHash;
  for (let number = 1; number <= epochs * epochLength; number++) {
    const epoch = epochOfHeight(schedule, number);
    const view = View(((number - 1) % epochLength) + 1);
    const shiftMs = number >= (divergesFrom ?? Number.POSITIVE_INFINITY) ? 1 : 0;
    const block: OrderedBlock = {
      epoch: Epoch(epoch),
      view,
      height: Height(number),
      parent,
      parentView: View(view - 1),
      timestampMs: timestampMs + number * intervalMs + shiftMs,
      proposer: ValidatorIndex(number % 4),
      stateCertificate: certificates.at(-1),
      payload: encodePayload(transactionsOf(number)),
    };
    parent = orderDigest(domain, block);
    const executedHash = await executeBlock(executor, block, parent);
    const named = number >= frozenHeight(schedule, epoch) ? epoch + 1 : epoch;
    const nextSetHash = validatorSetHash(domain, consensusSet(storedSetOf(named), named));
    const executed = {
      epoch: Epoch(epoch),
      height: Height(number),
      orderDigest: parent,
      executedHash,
      nextSetHash,
    };
    const certificate = certify(domain, executed, number % 3 === 0 ? [0, 1, 2] : [0, 1, 2, 3]);
    certificates.push(certificate);
    if (!isCertified(number) && number < epochs * epochLength) continue;
    const operations = stateCertificateOperations(store, number, encodeStateCertificate(certificate));
    await store.write(operations, { sync: false });
  }
  return certificates;
}

async function executeBlock(executor: Executor, block: OrderedBlock, digest: Hash): Promise<Hash> {
  const { epoch, view, height, timestampMs } = block;
  const { validators } = storedSetOf(epoch);
  const report = await executor.execute({
    height,
    view,
    epoch,
    timestampMs,
    orderDigest: digest,
    proposer: must(validators[block.proposer], "the proposer is a validator").address,
    senders: new Uint8Array(0),
    orderedBlock: encodeBlock(block),
    finalization: new Uint8Array(0),
  });
  return report.executedHash;
}

/** Sets that are decided are the test's, whatever the state says. */
function withPlannedSets(store: Store, epochs: number): Store {
  const planned = new Map(
    Array.from({ length: epochs + 2 }, (_, epoch) => {
      const operation = validatorSetOperation(epoch, storedSetOf(epoch));
      return [toHexDigits(operation.key), operation] as const;
    }),
  );
  const replaced = (operation: WriteOperation): WriteOperation =>
    planned.get(toHexDigits(operation.key)) ?? operation;
  return { ...store, write: (batch, options) => store.write(batch.map(replaced), options) };
}

/** Transactions of a block: two deployments, then payments in blocks 3, 6, 9 ... and several at once in every twelfth. */
function createSender(chainId: bigint, hashes: Hash[]): (height: number) => readonly Uint8Array[] {
  const nonces = new Map<number, number>();
  const send = (client: number, fields: Partial<TransactionFields>): Uint8Array => {
    const nonce = nonces.get(client) ?? 0;
    nonces.set(client, nonce + 1);
    const transaction = signTransaction(
      {
        type: 2,
        chainId,
        nonce: BigInt(nonce),
        maxFeePerGas: 100n * GWEI,
        maxPriorityFeePerGas: 1n,
        gasLimit: 1_000_000n,
        ...fields,
      },
      clientKey(client),
    );
    hashes.push(transaction.hash);
    return transaction.raw;
  };
  const till = createAddress(addressOfSecretKey(clientKey(0)), 0n);
  const pay = (amount: number): Uint8Array => {
    const to = toHexDigits(addressOfSecretKey(clientKey(1))).padStart(64, "0");
    const word = amount.toString(16).padStart(64, "0");
    return hex(`c4076876${to}${word}`);
  };
  return (height) => {
    if (height === 1) return [send(0, { data: hex(tillContract("Till").bytecode) })];
    if (height === 2) return [send(0, { data: hex(tillContract("Teller").bytecode) })];
    if (height % 3 !== 0) return [];
    const transfer = (): Uint8Array => send(2, { to: addressOfSecretKey(clientKey(3)), value: 7n });
    if (height % 12 === 0)
      return [
        transfer(),
        send(0, { to: till, data: pay(1) }),
        transfer(),
        send(0, { to: till, data: pay(2) }),
      ];
    return [send(0, { to: till, data: pay(1) })];
  };
}

function backendOf(
  store: Store,
  genesis: Genesis,
  hash: Hash,
  modules: InstalledModules | undefined,
): RpcBackend {
  const { epochLength, epochLead, rules } = genesis;
  const schedule = { epochLength, epochLead };
  const run = async <T>(simulation: Simulation, use: (prepared: ExecutionSimulation) => T): Promise<T> => {
    const { blockNumber, request, accountOverrides, blockOverride, gasCap } = simulation;
    const header = must(readHeader(store, blockNumber), "the block is there").header;
    const view = openStateView(store, blockNumber);
    if (!view.ok) throw new Error(view.error.code);
    const blockHash = (number: bigint): Hash | undefined => readHeader(store, Number(number))?.hash;
    const state = view.value.reader;
    return use({
      rules,
      header,
      state,
      blockHash,
      request,
      accountOverrides,
      blockOverride,
      gasCap,
      modules,
    });
  };
  return {
    info: { rules, genesisHash: hash },
    chain: createChainReads(store, HISTORY, () => undefined),
    executor: {
      call: (simulation) => run(simulation, simulateCall),
      estimateGas: (simulation) => run(simulation, estimateGas),
      createAccessList: (simulation) => run(simulation, createAccessList),
    },
    pool: {
      submit: async (raws) => raws.map((raw) => ok(keccak256(raw))),
      get: async () => undefined,
      status: async () => ({ pending: 0, queued: 0 }),
      content: async () => ({ pending: [], queued: [] }),
      pendingNonce: async () => 0n,
    },
    events: { subscribe: () => () => undefined },
    syncing: () => undefined,
    validators: createValidatorReads(store, schedule),
    light: createLightReads(store, schedule, genesisParameters(genesis)),
    peerCount: () => 0,
  };
}
