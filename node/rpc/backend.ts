import type { Address, Bytes, Failure, Hash, Result } from "@ostrom/base";
import type {
  AccessListEntry,
  AccountOverride,
  BlockOverride,
  CallOutcome,
  CallRequest,
  ChainRules,
  Header,
  Receipt,
  SignedTransaction,
  SkipReason,
  ValidatorSet,
} from "@ostrom/execution";
import type { AccountProof, StateChanges, StateReader } from "@ostrom/state";
import type { Json } from "./json.ts";
import type { LightReads } from "./light-reads.ts";
import type { NodeReads } from "./node-reads.ts";
import type { TracePort } from "./trace-port.ts";
import type { ViewReads } from "./view-records.ts";

/** What the JSON-RPC server sees of a node. The runtime implements it; `testing/` has one that lives in memory.
 *
 * Reads of the chain and of state are synchronous, because they are database reads in the server's own thread; what
 * another thread answers (pool, executor) is a promise. All values that cross threads are plain data that the
 * structured clone algorithm copies (bigint, Uint8Array, arrays, objects). Nothing here throws for bad input; a thrown
 * error becomes -32603 for the one request that met it. */
export type RpcBackend = {
  readonly info: ChainInfo;
  readonly chain: ChainReads;
  readonly executor: Executor;
  /** Runs transactions again (debug_trace*, ots_*, eth_simulateV1); undefined: it does not. */
  readonly traces?: TracePort;
  readonly pool: PoolPort;
  readonly events: EventSource;
  /** undefined when the node follows the head. Cheap: called for each eth_syncing. */
  readonly syncing: () => SyncProgress | undefined;
  /** What this node's miner does; undefined on a chain that is not mined. */
  readonly mining?: () => MiningReport | undefined;
  /** undefined on a chain that no validators order. */
  readonly validators?: ValidatorReads;
  /** What light clients ask for; undefined on a chain without state certificates. */
  readonly light?: LightReads;
  /** What the node itself does for its operators; undefined: nothing. */
  readonly operate?: (call: OperatorCall) => Promise<Result<Json, Failure>>;
  /** What became of the newest views, or blocks. */
  readonly views?: ViewReads;
  /** undefined: it tells nothing of itself. */
  readonly node?: NodeReads;
  /** What the next block will have, where its developer decides and not the clock and the rules. */
  readonly nextBlock?: NextBlock;
  /** Validators and other nodes that this one is linked with now. */
  readonly peerCount: () => number;
};

/** @returns what a block would have if it were made now; the timestamp in seconds, and who would get its tips. */
export type NextBlock = () => {
  readonly timestamp: number;
  readonly baseFeePerGas: bigint;
  readonly coinbase?: Address;
};

/** An operator's method on its way to the node, which writes it down before it is done. */
export type OperatorCall = {
  readonly method: string;
  readonly parameters: readonly Json[];
  /** For the operator log: an account, "operator-secret", or "anonymous". */
  readonly actor: string;
  /** The caller has shown the operator secret of the machine. */
  readonly isOwner: boolean;
};

export type ChainInfo = {
  readonly rules: ChainRules;
  readonly genesisHash: Hash;
  /** What web3_clientVersion answers. Hardhat's network helpers want it to begin with hardhat, anvil or zksync, so it
   * is configurable. `DEFAULT_CLIENT_VERSION` if undefined. */
  readonly clientVersion?: string;
  /** Where this node's own fees go (eth_coinbase). */
  readonly coinbase?: Address;
};

/** Numbers of blocks. */
export type Heads = {
  /** The newest durably executed block: the tag `latest`. */
  readonly latest: number;
  /** The newest block with a state certificate: the tags `safe` and `finalized`. At most `latest`. */
  readonly certified: number;
  /** The oldest block whose body and receipts are still kept: what lies below answers "pruned history" (4444). 0 for a
   * node that keeps all. Genesis is always kept. */
  readonly earliest: number;
  /** The oldest block whose state can be read and proved; 0 if undefined. */
  readonly earliestState?: number;
};

export type BlockHeader = { readonly hash: Hash; readonly header: Header };

export type Block = BlockHeader & { readonly transactions: readonly SignedTransaction[] };

/** A block that is no longer in the chain. */
export type UnwoundBlock = { readonly block: Block; readonly receipts: readonly Receipt[] };

export type TransactionLocation = { readonly blockNumber: number; readonly index: number };

/** Reads of executed blocks. undefined: there is no such block, or it is pruned. The server keeps a small cache of
 * decoded blocks and receipts, so the implementation need not. */
export type ChainReads = {
  readonly heads: () => Heads;
  readonly header: (blockNumber: number) => BlockHeader | undefined;
  readonly block: (blockNumber: number) => Block | undefined;
  /** As many as the block has transactions, in their order. */
  readonly receipts: (blockNumber: number) => readonly Receipt[] | undefined;
  readonly blockNumberOf: (blockHash: Hash) => number | undefined;
  readonly transactionLocation: (transactionHash: Hash) => TransactionLocation | undefined;
  /** Where logs are; undefined: blocks must be looked through one by one. */
  readonly logIndex?: LogIndexReads;
  /** Why a transaction that was ordered or pooled here was given up, if that is still remembered. */
  readonly dropReason: (transactionHash: Hash) => DropReason | undefined;
  /** State after the newest block, each read by itself: a block may come between two of them. Cheaper than `stateAt` where an answer
   * needs one read. */
  readonly newestState?: StateReader;
  /** State as it was after the block.
   * Errors: `rpc/unknown-block`; `rpc/state-too-old` (its reverse differences are pruned). */
  readonly stateAt: (
    blockNumber: number,
  ) => Result<StateView, Failure<"rpc/unknown-block" | "rpc/state-too-old">>;
};

/** What a log may be found by: its address (position 0), or one of its topics (1 to 4). */
export type LogTerm = { readonly position: 0 | 1 | 2 | 3 | 4; readonly value: Bytes };

/** Which blocks may have which logs: never too few, rarely too many. */
export type LogIndexReads = {
  /** From this block on all logs are in it; undefined: none are. */
  readonly start: () => number | undefined;
  /** Blocks with such a log, ascending. @param term undefined: any log. Both bounds are included. */
  readonly heights: (
    term: LogTerm | undefined,
    fromBlock: number,
    toBlock: number,
    limit: number,
  ) => Promise<readonly number[]>;
  readonly has: (term: LogTerm, blockNumber: number) => boolean;
};

/** Of execution's skips (SkipReason) or of the pool's evictions (a pool code such as `txpool/replaced`). */
export type DropReason = SkipReason | Failure;

/** State as of one block, to be released after use (a database snapshot may hang on it). Used synchronously within one
 * request. */
export type StateView = {
  readonly reader: StateReader;
  /** Merkle proofs of an account and some of its slots (EIP-1186), against the block's stateRoot. */
  readonly prove: (
    address: Address,
    slots: readonly bigint[],
  ) => Result<StateProof, Failure<"rpc/state-too-old">>;
  /** The state root that these changes to it would lead to. */
  readonly rootAfter?: (changes: StateChanges) => Hash;
  readonly release: () => void;
};

/** RLP of the trie nodes from the root, slots in the order asked for. An absent account is proved absent. */
export type StateProof = AccountProof;

/** One simulated run on top of a block's state. */
export type Simulation = {
  readonly blockNumber: number;
  readonly request: CallRequest;
  readonly accountOverrides: readonly AccountOverride[];
  readonly blockOverride: BlockOverride;
  /** The most gas that the run may use, whatever the request says. */
  readonly gasCap: bigint;
  /** After this the executor gives up with `rpc/timeout`. */
  readonly timeoutMs: number;
};

/** The run could not even start (a fee below the base fee, funds, intrinsic gas), or state is gone, or time is up. */
export type SimulationFailure = Failure<
  | "rpc/unknown-block"
  | "rpc/state-too-old"
  | "rpc/timeout"
  | "rpc/busy"
  | "execution/nonce-too-high"
  | "execution/nonce-too-low"
  | "execution/fee-below-base-fee"
  | "execution/insufficient-funds"
  | "execution/intrinsic-gas"
  | "execution/sender-has-code"
  | "execution/block-gas-exceeded"
  | "execution/not-permitted"
  | "execution/module-missing"
  | "execution/invalid"
>;

/** Runs messages without effect, in a thread of its own (the runtime's choice). Rules: fees are not charged where the
 * request names none; nonces are not checked; the sender needs `value` (and the fee, if named). */
export type Executor = {
  readonly call: (simulation: Simulation) => Promise<Result<CallOutcome, SimulationFailure>>;
  /** The smallest gas limit with which the run succeeds, or the outcome ("revert" or "fault") that it has with all the
   * gas it may use. */
  readonly estimateGas: (simulation: Simulation) => Promise<Result<GasEstimate, SimulationFailure>>;
  readonly createAccessList: (
    simulation: Simulation,
  ) => Promise<Result<AccessListOutcome, SimulationFailure>>;
};

export type GasEstimate =
  | { readonly kind: "estimated"; readonly gas: bigint }
  | { readonly kind: "failed"; readonly outcome: CallOutcome };

export type AccessListOutcome = {
  readonly accessList: readonly AccessListEntry[];
  /** The last run's, with that list. */
  readonly outcome: CallOutcome;
};

export type PoolStatus = { readonly pending: number; readonly queued: number };

/** `pending`: can run next; `queued`: waits for a missing nonce. Of each sender in nonce order. */
export type PoolContent = {
  readonly pending: readonly SignedTransaction[];
  readonly queued: readonly SignedTransaction[];
};

export type PoolPort = {
  /** Offers transactions (EIP-2718 bytes, not checked yet). One answer for each, in order; a failed one has a code of
   * txpool or execution. Accepted means: admitted here and given to the other nodes. */
  readonly submit: (raws: readonly Bytes[]) => Promise<readonly Result<Hash, Failure>[]>;
  readonly get: (transactionHash: Hash) => Promise<SignedTransaction | undefined>;
  readonly status: () => Promise<PoolStatus>;
  /** All of the pool, or one sender's. */
  readonly content: (sender?: Address) => Promise<PoolContent>;
  /** The nonce that the sender's next transaction should have, its runnable ones in the pool counted. */
  readonly pendingNonce: (sender: Address) => Promise<bigint>;
};

/** Callbacks run in the server's thread, after the fact they tell of can be read through `ChainReads`. */
export type EventListener = {
  /** The newest block was taken off, newest first, before the blocks that take its place: a reorganisation. It can no longer be
   * read, so the news carry it whole. */
  readonly onUnwound?: (unwound: UnwoundBlock) => void;
  /** Each executed block once, in order. A number not above an earlier one means a reorganisation from there. */
  readonly onBlock?: (block: { readonly number: number; readonly hash: Hash }) => void;
  /** `certified` rose to this number. */
  readonly onCertified?: (block: { readonly number: number }) => void;
  /** Transactions that entered the pool as runnable. */
  readonly onPendingTransactions?: (hashes: readonly Hash[]) => void;
  /** Transactions that were given up: skipped for good at their turn, or evicted from the pool. */
  readonly onDropped?: (dropped: readonly { readonly hash: Hash; readonly reason: DropReason }[]) => void;
};

export type EventSource = {
  /** @returns a function that ends it. */
  readonly subscribe: (listener: EventListener) => () => void;
};

export type MiningReport = {
  readonly isMining: boolean;
  /** This node's, in the last seconds. */
  readonly hashesPerSecond: number;
  /** Hashes that the next block costs on average. */
  readonly difficulty: bigint;
};

/** Who validates, epoch after epoch. Database reads, as those of the chain. */
export type ValidatorReads = {
  /** Blocks in an epoch, and how many blocks before an epoch's end the next one's set is decided. */
  readonly epochs: { readonly length: number; readonly lead: number };
  /** The epoch of the block after the newest one. */
  readonly currentEpoch: () => number;
  /** undefined: not decided yet. */
  readonly set: (epoch: number) => (ValidatorSet & { readonly hash: Hash }) | undefined;
  /** What came of the newest blocks of an epoch, as their certificates tell: at most `blocks` of them. */
  readonly participation?: (epoch: number, blocks: number) => Participation | undefined;
  /** Of this epoch and later ones, oldest epoch first. */
  readonly evidence: (fromEpoch: number, limit: number) => readonly StoredEvidence[];
};

/** How the validators of one epoch have done. Blocks are named by the first and the last. */
export type Participation = {
  readonly fromBlock: number;
  readonly toBlock: number;
  /** By index. */
  readonly validators: readonly {
    readonly proposedBlocks: number;
    /** Views between those blocks that it led and that gave none. */
    readonly missedLeads: number;
    /** Blocks whose finalization, and whose result's certificate, it signed. A certificate is made of the first signatures that suffice: who comes
     * later is not in it. */
    readonly finalizationsSigned: number;
    readonly resultsSigned: number;
  }[];
  /** How many of the blocks have such a certificate of their own. */
  readonly finalizations: number;
  readonly results: number;
};

/** Two statements of one validator that contradict each other, as core/consensus encodes them. */
export type StoredEvidence = {
  readonly epoch: number;
  /** Index in the set of that epoch. */
  readonly validator: number;
  readonly kind: "votes" | "results" | "batches";
  readonly bytes: Bytes;
};

/** Numbers of blocks. */
export type SyncProgress = {
  readonly startingBlock: number;
  readonly currentBlock: number;
  readonly highestBlock: number;
};
