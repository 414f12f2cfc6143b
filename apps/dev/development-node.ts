import {
  type Address,
  type Bytes,
  type Failure,
  fail,
  type Hash,
  must,
  ok,
  type Result,
  toHex,
  ZERO_ADDRESS,
} from "@ostrom/base";
import { INITIAL_INSTANT_STATE, type MiningInterval } from "@ostrom/consensus";
import { decodeSignedTransaction } from "@ostrom/execution";
import {
  createMethods,
  createRpcServer,
  DEFAULT_LIMITS,
  type Method,
  type RpcBackend,
  type RpcLimits,
  type RpcLog,
} from "@ostrom/rpc";
import { readMeta, readTransactionLocation } from "@ostrom/storage";
import type { Fork } from "@ostrom/vm";
import {
  AccountBook,
  DEVELOPMENT_MNEMONIC,
  type DevelopmentAccount,
  deriveDevelopmentAccounts,
} from "./accounts.ts";
import { anvilMethods } from "./anvil-methods.ts";
import { callingMethods } from "./calling-methods.ts";
import { createChainReads } from "./chain-reads.ts";
import { composedMethods } from "./composed-methods.ts";
import { installEngineOnDemand } from "./contract-engine.ts";
import type { Controls } from "./controls.ts";
import { DevelopmentChain, type MiningSettings } from "./development-chain.ts";
import { decodeDump, encodeDump, readPooled } from "./dump.ts";
import { evmMethods } from "./evm-methods.ts";
import { createInstantGenesis } from "./genesis.ts";
import { hardhatMethods } from "./hardhat-methods.ts";
import { openKeptTable, readKeptEngine, writeKeptEngine } from "./kept-chain.ts";
import { invalidInput, plainParameters } from "./method-parts.ts";
import { installFastCrypto } from "./native-crypto.ts";
import type { DevelopmentObserver } from "./observation.ts";
import type { TransactionOrder } from "./pending-pool.ts";
import { reorganisationMethods } from "./reorganisations.ts";
import { withReservedBlocks } from "./reserved-blocks.ts";
import { createRewindableStore, type DevelopmentTable, memoryTable } from "./rewindable-store.ts";
import { type SendingParts, sendingMethods, transactionReader } from "./sending-methods.ts";
import { Simulations } from "./simulations.ts";
import { stateMethods } from "./state-methods.ts";
import { tokenMethods } from "./token-methods.ts";

export type DevelopmentOptions = {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Others than programs of this machine may reach it: anyone of them can do anything to the chain. */
  readonly allowsNetwork: boolean;
  readonly chainId: bigint;
  readonly fork: Fork;
  readonly mnemonic: string;
  readonly accounts: number;
  /** Of each account, in wei. */
  readonly balance: bigint;
  readonly isAutomining: boolean;
  readonly interval: MiningInterval | undefined;
  readonly blockGasLimit: bigint;
  /** undefined: a gwei. */
  readonly baseFeePerGas: bigint | undefined;
  readonly minGasPrice: bigint;
  /** Bytes; undefined: EIP-170's. */
  readonly codeSizeLimit: number | undefined;
  /** Of block 0, in seconds; undefined: now. */
  readonly timestamp: number | undefined;
  readonly allowsEqualTimestamps: boolean;
  readonly order: TransactionOrder;
  /** Where the chain is kept; undefined: in memory. */
  readonly dataFolder: string | undefined;
  /** A dump to begin with. */
  readonly dump: Bytes | undefined;
  readonly clientVersion: string;
  readonly observer: DevelopmentObserver;
  readonly log: RpcLog | undefined;
  readonly nowMs: () => number;
  readonly random: () => number;
};

const BALANCE = 10_000n * 10n ** 18n;
const GAS_LIMIT = 30_000_000n;
const CHAIN_ID = 31_337n;
const PORT = 8_545;
/** As many as Hardhat's node has; anvil has the first ten. */
const ACCOUNTS = 20;
const MS_PER_SECOND = 1_000;

/** What `ostrom dev` starts unless it is told. The version begins with a name that Hardhat's network helpers accept. */
export const DEFAULT_DEVELOPMENT: DevelopmentOptions = {
  host: "127.0.0.1",
  port: PORT,
  allowsNetwork: false,
  chainId: CHAIN_ID,
  fork: "osaka",
  mnemonic: DEVELOPMENT_MNEMONIC,
  accounts: ACCOUNTS,
  balance: BALANCE,
  isAutomining: true,
  interval: undefined,
  blockGasLimit: GAS_LIMIT,
  baseFeePerGas: undefined,
  minGasPrice: 0n,
  codeSizeLimit: undefined,
  timestamp: undefined,
  allowsEqualTimestamps: false,
  order: "fees",
  dataFolder: undefined,
  dump: undefined,
  clientVersion: "anvil/ostrom-dev/v0.1.0",
  observer: {},
  log: undefined,
  nowMs: Date.now,
  random: Math.random,
};

export type DevelopmentNode = {
  readonly port: number;
  readonly accounts: readonly DevelopmentAccount[];
  readonly genesisTimestamp: number;
  /** The whole chain as it is, for `DevelopmentOptions.dump`. */
  readonly dump: () => Promise<Bytes>;
  readonly stop: () => Promise<void>;
};

/** A developer's requests may take long (many blocks at once) and be large (contracts without a size limit). */
const LIMITS: Partial<RpcLimits> = {
  requestTimeoutMs: 600_000,
  transactionBytes: 8 * 1024 * 1024,
  bodyBytes: 256 * 1024 * 1024,
  receivedBytes: 1024 * 1024 * 1024,
  unreadResponseBytes: 1024 * 1024 * 1024,
  batchResponseBytes: 256 * 1024 * 1024,
  logRangeBlocks: Number.MAX_SAFE_INTEGER,
  logBlocks: 1_000_000,
};

/** Starts a development chain with its JSON-RPC server, in this thread. Rejects with an RpcStartError, or with `dev/exposed`, `dev/bad-dump`,
 * `dev/other-chain`. */
export async function startDevelopmentNode(options: DevelopmentOptions): Promise<DevelopmentNode> {
  refuseExposure(options);
  installFastCrypto();
  const accounts = deriveDevelopmentAccounts(options.mnemonic, options.accounts);
  const table = options.dataFolder === undefined ? memoryTable() : await openKeptTable(options.dataFolder);
  const chain = await openChain(options, accounts, table);
  if (options.dataFolder !== undefined) chain.console.expect();
  const controls = controlsOf(chain, table, options, accounts);
  if (options.dump !== undefined) await controls.load(options.dump);
  const server = createRpcServer({
    ...serve(controls, options),
    host: options.host,
    port: options.port,
    ...(options.allowsNetwork ? { allowedHosts: ["*"], allowedOrigins: ["*"] } : {}),
    limits: { ...LIMITS, callGas: options.blockGasLimit },
    ...(options.log === undefined ? {} : { log: options.log }),
  });
  const { port } = await server.start();
  installEngineOnDemand();
  return {
    port,
    accounts,
    genesisTimestamp: chain.genesis.timestampMs / MS_PER_SECOND,
    dump: controls.dump,
    stop: async () => {
      await server.stop();
      if (options.dataFolder !== undefined) await chain.exclusive(() => writeKeptEngine(chain, table));
      await chain.stop();
    },
  };
}

/** Whether programs of this machine alone reach who listens there. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}

function refuseExposure({ host, allowsNetwork }: DevelopmentOptions): void {
  if (allowsNetwork || isLoopback(host)) return;
  const message =
    `${host} can be reached by other machines, and whoever reaches a development chain can do anything to it, with keys that everybody ` +
    "knows: listen on 127.0.0.1, or say --allow-network";
  throw Object.assign(new Error(message), { code: "dev/exposed" });
}

function initialSettings({ blockGasLimit, minGasPrice }: DevelopmentOptions): MiningSettings {
  return { coinbase: COINBASE, blockGasLimit, minGasPrice };
}

/** Nobody's, as long as no developer says otherwise. */
const COINBASE: Address = ZERO_ADDRESS;

async function openChain(
  options: DevelopmentOptions,
  accounts: readonly DevelopmentAccount[],
  table: DevelopmentTable,
): Promise<DevelopmentChain> {
  const { fork, chainId, blockGasLimit, balance, timestamp, nowMs, random, codeSizeLimit } = options;
  const seconds = timestamp ?? Math.floor(nowMs() / MS_PER_SECOND);
  const genesis = createInstantGenesis({
    chainId,
    fork,
    blockGasLimit,
    initialBaseFeePerGas: options.baseFeePerGas,
    timestampMs: seconds * MS_PER_SECOND,
    addresses: accounts.map(({ address }) => address),
    balance,
    development: { codeSizeLimit, maxTransactionGas: undefined },
  });
  const store = withReservedBlocks(createRewindableStore(table), genesis.rules);
  const { order, observer } = options;
  const clock = { nowMs, random };
  const settings = initialSettings(options);
  const chain = await DevelopmentChain.open({ genesis, store, settings, clock, order, observer });
  const { isAutomining, interval, allowsEqualTimestamps } = options;
  const kept = readKeptEngine(table, chainId);
  const offset = timestamp === undefined ? 0 : timestamp - Math.floor(nowMs() / MS_PER_SECOND);
  chain.begin(
    kept?.engine ?? { ...INITIAL_INSTANT_STATE, offset, isAutomining, interval, allowsEqualTimestamps },
    kept?.settings ?? settings,
  );
  return chain;
}

function controlsOf(
  chain: DevelopmentChain,
  table: DevelopmentTable,
  options: DevelopmentOptions,
  accounts: readonly DevelopmentAccount[],
): Controls {
  const { clientVersion, chainId } = options;
  // For hardhat_reset. Values are shared, so it costs little.
  const begun = table.all();
  const first = { engine: chain.engine, settings: chain.settings };
  return {
    chain,
    accounts: new AccountBook(accounts),
    clientVersion,
    instanceId: toHex(chain.maker.head.hash),
    isMined: (hash) => readTransactionLocation(chain.store, hash) !== undefined,
    reset: () =>
      chain.exclusive(async () => {
        const values = await begun;
        await chain.replaceAll(() => table.replace(values), first.engine, first.settings);
      }),
    dump: () => chain.exclusive(async () => encodeDump(chain, await table.all())),
    load: (bytes) =>
      chain.exclusive(async () => {
        const dump = decodeDump(bytes);
        const refused = dump.ok ? refusedDump(dump.value.chainId, chainId) : dump;
        if (!dump.ok || !refused.ok) throw invalidInput(refused.ok ? "" : refused.error.message);
        chain.console.expect();
        await chain.replaceAll(
          () => table.replace(dump.value.values),
          dump.value.engine,
          dump.value.settings,
        );
        for (const text of dump.value.pool) {
          const transaction = readPooled(chain, text);
          if (transaction !== undefined) chain.pool.add(transaction);
        }
      }),
  };
}

function refusedDump(found: bigint, expected: bigint): Result<void, Failure> {
  if (found === expected) return ok(undefined);
  return fail(
    "dev/other-chain",
    `the state is of chain ${found}, this is chain ${expected}: use --chain-id ${found}`,
  );
}

function serve(
  controls: Controls,
  { clientVersion, blockGasLimit }: DevelopmentOptions,
): {
  readonly backend: RpcBackend;
  readonly methods: readonly Method[];
  readonly replacing: readonly Method[];
} {
  const { chain, accounts } = controls;
  const { store, maker } = chain;
  const { rules } = chain.genesis;
  const reads = createChainReads(store, maker, rules.hashId);
  const simulations = new Simulations(chain, reads);
  const nonceOf = (address: Address): bigint => chain.nonceOf(address);
  const genesisHash = readMeta(store)?.genesisHash ?? maker.head.hash;
  const backend: RpcBackend = {
    info: {
      rules,
      genesisHash,
      clientVersion,
      get coinbase() {
        return chain.settings.coinbase;
      },
    },
    chain: reads,
    executor: simulations.executor(),
    traces: simulations.traces(),
    pool: {
      submit: (raws) => Promise.all(raws.map((raw) => submit(chain, raw))),
      get: async (hash) => chain.pool.get(hash),
      status: async () => {
        const { pending, queued } = chain.pool.content(nonceOf);
        return { pending: pending.length, queued: queued.length };
      },
      content: async (sender) => chain.pool.content(nonceOf, sender),
      pendingNonce: async (sender) => chain.pendingNonce(sender),
    },
    events: { subscribe: (listener) => chain.subscribe(listener) },
    syncing: () => undefined,
    nextBlock: () => ({ ...chain.nextBlock(), coinbase: chain.settings.coinbase }),
    peerCount: () => 0,
  };
  const gasCap = (): bigint => chain.settings.blockGasLimit;
  const parts: SendingParts = { chain, accounts, simulations };
  const methods: Method[] = [
    ...evmMethods(controls),
    ...stateMethods(controls),
    ...hardhatMethods(controls),
    ...anvilMethods(controls),
    ...tokenMethods(controls, simulations, gasCap),
    ...reorganisationMethods(controls, { readTransaction: transactionReader(parts) }),
  ];
  const replacing = [...sendingMethods(parts), ...callingMethods(simulations, reads, gasCap)];
  const limits = { ...DEFAULT_LIMITS, ...LIMITS, callGas: blockGasLimit };
  const plain = createMethods(limits, methods, replacing);
  const named = (name: string): Method => must(plain.get(name), "every node has this method");
  const all = [...plain.values(), ...composedMethods(controls, named)];
  return { backend, methods, replacing: all.map((method) => answered(method, chain)) };
}

/** Tells the observer what was asked. */
function answered(method: Method, { observer }: DevelopmentChain): Method {
  const { name, call, text } = method;
  const told = async <T>(run: () => T | Promise<T>): Promise<T> => {
    let refusal: string | undefined;
    try {
      return await run();
    } catch (error) {
      refusal = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      observer.onAnswer?.(name, refusal);
    }
  };
  const read = (given: readonly unknown[]) => plainParameters(given, method);
  const { callMany: _together, text: _text, ...rest } = method;
  return {
    ...rest,
    call: (context, given) => told(() => call(context, read(given))),
    ...(text === undefined ? {} : { text: (context, given) => told(() => text(context, read(given))) }),
  };
}

/** For eth_sendRawTransactionSync, which hears of a failed transaction by its receipt. */
async function submit(chain: DevelopmentChain, raw: Bytes): Promise<Result<Hash, Failure>> {
  const decoded = decodeSignedTransaction(raw);
  if (!decoded.ok) return decoded;
  const outcome = await chain.send(decoded.value);
  return outcome.kind === "refused" ? { ok: false, error: outcome.reason } : ok(outcome.hash);
}
