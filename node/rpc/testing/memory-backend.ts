import {
  type Bytes,
  type Failure,
  fail,
  type Hash,
  hashFromWord,
  must,
  ok,
  type Result,
  toHexDigits,
  ZERO_ADDRESS,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  applyBlock,
  type ChainRules,
  createAccessList,
  createGenesis,
  decodeSignedTransaction,
  type ExecutedBlock,
  estimateGas,
  type Genesis,
  genesisBlock,
  genesisState,
  nextBaseFee,
  type SignedTransaction,
  sealBlock,
  simulateCall,
} from "@ostrom/execution";
import {
  commitState,
  type GenesisAccount,
  historicalReader,
  historicalTries,
  MemoryState,
  mergeUndos,
  proveAccount,
  type StateUndo,
} from "@ostrom/state";
import { DEFAULT_POOL_LIMITS, type PoolAccount, TransactionPool } from "@ostrom/txpool";
import type { EventListener, RpcBackend, Simulation, StateView } from "../backend.ts";
import { revertReason } from "../revert-reason.ts";
import type { TracedChain } from "../trace-port.ts";
import { runTrace } from "../trace-run.ts";

/** A whole chain in memory with one node and no consensus: tests of the server run real transactions on it. */
export type MemoryChain = {
  readonly backend: RpcBackend;
  readonly genesis: Genesis;
  /** Makes a block of what can run in the pool, also an empty one. */
  readonly seal: () => ExecutedBlock;
  /** Raises the certified number, which otherwise follows each block. */
  readonly certify: (blockNumber: number) => void;
  /** Forgets bodies below this block. */
  readonly prune: (earliest: number) => void;
};

export type MemoryChainOptions = {
  readonly accounts: readonly Pick<GenesisAccount, "address" | "balance">[];
  readonly chainId?: bigint;
  readonly rules?: Partial<ChainRules>;
  /** "instant" makes a block when a transaction comes in; "manual" waits for `seal`. */
  readonly sealing?: "instant" | "manual";
  /** Whether `certified` follows `latest` by itself. */
  readonly certifies?: boolean;
  /** How many blocks back state is kept. */
  readonly historyBlocks?: number;
};

const GENESIS_TIME_MS = 1_700_000_000_000;
const BLOCK_INTERVAL_MS = 1_000;
const MAX_BLOCK_BYTES = 1_000_000;

/** The mutable heart of it. */
type Chain = {
  readonly genesis: Genesis;
  readonly state: MemoryState;
  readonly blocks: ExecutedBlock[];
  /** undos[n] leads from block n + 1 back to block n. */
  readonly undos: StateUndo[];
  readonly numbers: Map<string, number>;
  readonly locations: Map<string, { readonly blockNumber: number; readonly index: number }>;
  readonly pool: TransactionPool;
  readonly listeners: Set<EventListener>;
  readonly historyBlocks: number;
  certified: number;
  earliest: number;
};

export function createMemoryChain(options: MemoryChainOptions): MemoryChain {
  const genesis = createGenesis({
    profile: "dev",
    chainId: options.chainId ?? 1337n,
    timestampMs: GENESIS_TIME_MS,
    validators: [],
    accounts: options.accounts.map((account) => ({
      nonce: 0n,
      code: new Uint8Array(0),
      storage: [],
      ...account,
    })),
    ...(options.rules === undefined ? {} : { rules: options.rules }),
  });
  const state = new MemoryState();
  state.commit(genesisState(genesis));
  const first = genesisBlock(genesis, state.stateRoot);
  const chain: Chain = {
    genesis,
    state,
    blocks: [first],
    undos: [],
    numbers: new Map([[toHexDigits(first.hash), 0]]),
    locations: new Map(),
    pool: new TransactionPool(genesis.rules, DEFAULT_POOL_LIMITS, nextBaseFee(first.header, genesis.rules)),
    listeners: new Set(),
    historyBlocks: options.historyBlocks ?? Number.MAX_SAFE_INTEGER,
    certified: 0,
    earliest: 0,
  };
  const certifies = options.certifies ?? true;
  const certify = (blockNumber: number): void => {
    chain.certified = blockNumber;
    tell(chain, (listener) => listener.onCertified?.({ number: blockNumber }));
  };
  const seal = (): ExecutedBlock => {
    const block = sealNext(chain);
    if (certifies) certify(block.header.number);
    return block;
  };
  return {
    backend: createBackend(chain, options.sealing === "manual" ? () => {} : seal),
    genesis,
    seal,
    certify,
    prune: (earliest) => {
      chain.earliest = earliest;
    },
  };
}

function tell(chain: Chain, what: (listener: EventListener) => void): void {
  for (const listener of chain.listeners) what(listener);
}

/** Tells what the pool has given up since the last time. */
function tellDropped(chain: Chain): void {
  const dropped = chain.pool.takeDropped();
  if (dropped.length > 0) tell(chain, (listener) => listener.onDropped?.(dropped));
}

function headOf(chain: Chain): ExecutedBlock {
  return must(chain.blocks.at(-1), "a chain has its genesis block");
}

function accountOf(chain: Chain, sender: SignedTransaction["sender"]): PoolAccount {
  const account = chain.state.account(sender);
  return { nonce: account?.nonce ?? 0n, balance: account?.balance ?? 0n };
}

function sealNext(chain: Chain): ExecutedBlock {
  const { genesis, state, blocks, pool } = chain;
  const parent = headOf(chain).header;
  const height = parent.number + 1;
  const chosen = pool.select({
    gasLimit: genesis.rules.blockGasLimit,
    maxBytes: MAX_BLOCK_BYTES,
    baseFeePerGas: nextBaseFee(parent, genesis.rules),
    ancestors: [],
  });
  const applied = applyBlock({
    rules: genesis.rules,
    parent,
    state,
    ordered: {
      height,
      timestampMs: GENESIS_TIME_MS + height * BLOCK_INTERVAL_MS,
      orderDigest: hashFromWord(BigInt(height)),
      proposer: ZERO_ADDRESS,
      transactions: chosen.map(({ raw }) => raw),
    },
    blockHash: (number) => blocks[Number(number)]?.hash,
  });
  const commit = state.commit(applied.changes);
  const block = sealBlock(applied, commit.stateRoot);
  chain.undos.push(commit.undo);
  blocks.push(block);
  chain.numbers.set(toHexDigits(block.hash), height);
  block.transactions.forEach(({ hash }, index) => {
    chain.locations.set(toHexDigits(hash), { blockNumber: height, index });
  });
  pool.onExecuted({
    block: String(height),
    included: block.transactions,
    skipped: block.skipped,
    changed: applied.changes.accounts.keys(),
    account: (address) => accountOf(chain, address),
    baseFeePerGas: nextBaseFee(block.header, genesis.rules),
    nowMs: GENESIS_TIME_MS + height * BLOCK_INTERVAL_MS,
  });
  tell(chain, (listener) => listener.onBlock?.({ number: height, hash: block.hash }));
  tellDropped(chain);
  return block;
}

function admit(chain: Chain, raw: Bytes): Result<Hash, Failure> {
  const decoded = decodeSignedTransaction(raw);
  if (!decoded.ok) return decoded;
  const transaction = decoded.value;
  const admitted = chain.pool.admit(transaction, accountOf(chain, transaction.sender), GENESIS_TIME_MS);
  return admitted.ok ? ok(transaction.hash) : admitted;
}

function stateAt(chain: Chain, blockNumber: number): ReturnType<RpcBackend["chain"]["stateAt"]> {
  const block = chain.blocks[blockNumber];
  if (block === undefined) return fail("rpc/unknown-block", "there is no such block");
  const { number: latest } = headOf(chain).header;
  if (latest - blockNumber > chain.historyBlocks) return fail("rpc/state-too-old", "state is pruned");
  const { state } = chain;
  const history = mergeUndos(state.stateRoot, chain.undos.slice(blockNumber).reverse());
  const reader = historicalReader(state, history);
  const view: StateView = {
    reader,
    prove: (address, slots) => {
      const tries = historicalTries(state, history);
      return ok(proveAccount({ reader, tries, stateRoot: block.header.stateRoot }, address, slots));
    },
    rootAfter: (changes) => {
      const tries = historicalTries(state, history);
      return commitState(
        { reader, tries, slots: () => [], stateRoot: block.header.stateRoot },
        changes,
        keccak256,
      ).stateRoot;
    },
    release: () => {},
  };
  return ok(view);
}

function tracedChain(chain: Chain): TracedChain {
  return {
    rules: chain.genesis.rules,
    modules: undefined,
    epochs: undefined,
    reads: createReads(chain),
    blockHash: (number) => chain.blocks[Number(number)]?.hash,
    origin: () => undefined,
    readReason: revertReason,
  };
}

function createReads(chain: Chain): RpcBackend["chain"] {
  return {
    heads: () => ({
      latest: headOf(chain).header.number,
      certified: chain.certified,
      earliest: chain.earliest,
    }),
    header: (number) => chain.blocks[number],
    block: (number) => (number !== 0 && number < chain.earliest ? undefined : chain.blocks[number]),
    receipts: (number) => chain.blocks[number]?.receipts,
    blockNumberOf: (hash) => chain.numbers.get(toHexDigits(hash)),
    transactionLocation: (hash) => chain.locations.get(toHexDigits(hash)),
    dropReason: (hash) => chain.pool.dropReason(hash),
    stateAt: (blockNumber) => stateAt(chain, blockNumber),
  };
}

function createBackend(chain: Chain, onSubmitted: () => void): RpcBackend {
  const first = must(chain.blocks[0], "a chain has its genesis block");
  const simulate = <T>(run: (simulation: Parameters<typeof simulateCall>[0]) => T) => {
    return async ({
      blockNumber,
      ...given
    }: Simulation): Promise<T | Result<never, Failure<"rpc/unknown-block">>> => {
      const view = stateAt(chain, blockNumber);
      const block = chain.blocks[blockNumber];
      if (!view.ok || block === undefined) return fail("rpc/unknown-block", "there is no such block");
      return run({
        rules: chain.genesis.rules,
        header: block.header,
        state: view.value.reader,
        blockHash: (number) => chain.blocks[Number(number)]?.hash,
        ...given,
      });
    };
  };
  return {
    info: { rules: chain.genesis.rules, genesisHash: first.hash, coinbase: ZERO_ADDRESS },
    chain: createReads(chain),
    executor: {
      call: simulate(simulateCall),
      estimateGas: simulate(estimateGas),
      createAccessList: simulate(createAccessList),
    },
    traces: { trace: async (request) => runTrace(tracedChain(chain), request) },
    pool: createPool(chain, onSubmitted),
    events: {
      subscribe: (listener) => {
        chain.listeners.add(listener);
        return () => chain.listeners.delete(listener);
      },
    },
    syncing: () => undefined,
    peerCount: () => 0,
  };
}

function createPool(chain: Chain, onSubmitted: () => void): RpcBackend["pool"] {
  const { pool } = chain;
  return {
    submit: async (raws) => {
      const results = raws.map((raw) => admit(chain, raw));
      const accepted = pool.takeNew().map(({ hash }) => hash);
      if (accepted.length > 0) {
        tell(chain, (listener) => listener.onPendingTransactions?.(accepted));
        onSubmitted();
      }
      tellDropped(chain);
      return results;
    },
    get: async (hash) => pool.get(hash),
    status: async () => pool.status(),
    content: async (sender) => pool.content(sender),
    pendingNonce: async (sender) => pool.pendingNonce(sender, accountOf(chain, sender).nonce),
  };
}
