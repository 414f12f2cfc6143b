import type { Address, Failure, Hash } from "@ostrom/base";
import type {
  AuthorityCheck,
  ChainRules,
  PermissionCheck,
  SignedTransaction,
  SkipReason,
} from "@ostrom/execution";

/** Bounds of a pool. */
export type PoolLimits = {
  readonly maxTransactions: number;
  /** Sum of the raw lengths. */
  readonly maxBytes: number;
  readonly maxTransactionBytes: number;
  readonly maxPerSender: number;
  /** Transactions of one sender that wait for a missing nonce. */
  readonly maxQueuedPerSender: number;
  /** Transactions of all senders that wait for a missing nonce. */
  readonly maxQueued: number;
  /** A transaction that waits for a missing nonce is dropped after this time. */
  readonly queuedLifetimeMs: number;
  /** Least tip (priority fee) in wei. */
  readonly minTipPerGas: bigint;
  /** Whether legacy transactions without a chain id are admitted: they could run on every chain. */
  readonly allowsUnprotected: boolean;
  /** Reasons of drops that are remembered. */
  readonly maxDropReasons: number;
};

export const DEFAULT_POOL_LIMITS: PoolLimits = {
  maxTransactions: 65_536,
  maxBytes: 64 * 1024 * 1024,
  maxTransactionBytes: 128 * 1024,
  maxPerSender: 2_048,
  maxQueuedPerSender: 64,
  maxQueued: 4_096,
  queuedLifetimeMs: 3 * 3_600_000,
  minTipPerGas: 0n,
  allowsUnprotected: false,
  maxDropReasons: 16_384,
};

/** What the pool must know of a sender, as of the newest executed block. */
export type PoolAccount = {
  readonly nonce: bigint;
  readonly balance: bigint;
  /** True if the account delegates to code (EIP-7702): others may spend its balance, so it gets one slot only. */
  readonly isDelegated?: boolean;
  /** True if it acts by its key set alone (`isKeyedAccount` of its code). Read with the rest, so that nothing is read twice. */
  readonly isKeyed?: boolean;
};

export type AdmissionErrorCode =
  | "txpool/already-known"
  | "txpool/too-large"
  | "txpool/unprotected"
  | "txpool/not-permitted"
  | "txpool/not-authorized"
  | "txpool/outdated"
  | "txpool/underpriced"
  | "txpool/replacement-underpriced"
  | "txpool/nonce-too-low"
  | "txpool/insufficient-funds"
  | "txpool/sender-limit"
  | "txpool/queue-limit"
  | "txpool/full"
  | "transaction/wrong-chain-id"
  | "transaction/blobs-not-accepted"
  | "transaction/type-not-active"
  | "transaction/algorithm-not-allowed"
  | "transaction/gas-limit-above-block"
  | "transaction/gas-limit-above-cap"
  | "transaction/init-code-too-large"
  | "transaction/intrinsic-gas";

export type AdmissionFailure = Failure<AdmissionErrorCode>;

export type Admitted = {
  /** True if it can run next; false if it waits for a missing nonce. */
  readonly isPending: boolean;
  /** The transaction whose place it took. */
  readonly replaced: Hash | undefined;
};

/** Why a transaction left the pool other than by being mined, or was skipped at its turn. */
export type DropReason =
  | SkipReason
  | Failure<
      | "txpool/replaced"
      | "txpool/evicted"
      | "txpool/expired"
      | "txpool/nonce-too-low"
      | "txpool/insufficient-funds"
      | "txpool/not-permitted"
      | "txpool/not-authorized"
      | "txpool/outdated"
    >;

export type Dropped = { readonly hash: Hash; readonly reason: DropReason };

export type PoolStatus = { readonly pending: number; readonly queued: number };

export type PoolContent = {
  /** Can run next; of each sender in nonce order. */
  readonly pending: readonly SignedTransaction[];
  /** Wait for a missing nonce. */
  readonly queued: readonly SignedTransaction[];
};

export type Selection = {
  /** Most gas that the chosen may ask for together. */
  readonly gasLimit: bigint;
  /** Most bytes of a payload of the chosen. */
  readonly maxBytes: number;
  /** How many are chosen at most; any number if absent. */
  readonly maxCount?: number | undefined;
  /** Which may be chosen: a sender's others, and what comes after them, are passed over. All if absent. */
  readonly accepts?: ((transaction: SignedTransaction) => boolean) | undefined;
  /** Of the block to be, as far as it is known. */
  readonly baseFeePerGas: bigint;
  /** Ordered blocks that are not executed here yet and precede the new one: what is marked under these names is taken as
   * done. */
  readonly ancestors: readonly string[];
  /** Of the block to be, in whole seconds: transactions that are not valid any more by then are passed over. 0 if absent. */
  readonly timestamp?: number | undefined;
};

/** Ethereum's rules of one time, by name. */
export type RuleSet = ChainRules["forks"][number]["fork"];

/** What became of an ordered block. */
export type ExecutionNews = {
  /** The name it was marked under. */
  readonly block: string;
  readonly included: readonly SignedTransaction[];
  readonly skipped: readonly { readonly hash: Hash; readonly reason: SkipReason }[];
  /** Addresses (hex digits, as the keys of StateChanges.accounts) that the block changed. */
  readonly changed: Iterable<string>;
  readonly account: (address: Address) => PoolAccount;
  /** Of the next block. */
  readonly baseFeePerGas: bigint;
  readonly nowMs: number;
  /** What modules permit as of this block (`permissionAsOf`); asked of what comes back. */
  readonly permits?: PermissionCheck | undefined;
  /** The block may have changed what modules permit: those who may not send any more lose what they have here. */
  readonly hasNewPermissions?: boolean | undefined;
  /** What key sets say as of this block (`authorityAsOf`), on a chain that has them. */
  readonly authority?: AuthorityCheck | undefined;
  /** Whose keys the block changed (hex digits): what they have here is asked again. "all" when elliptic curves were declared broken. */
  readonly rekeyed?: readonly string[] | "all" | undefined;
  /** Rule set of the next block, where state schedules them (`ChainRules.schedulesForks`). */
  readonly fork?: RuleSet | undefined;
};

/** A transaction in the pool. */
export type Entry = {
  readonly transaction: SignedTransaction;
  /** Hash as hex digits. */
  readonly key: string;
  /** Order of arrival; breaks ties. */
  readonly sequence: number;
  readonly admittedMs: number;
  /** The most it can take from its sender: gasLimit * maxFeePerGas + value. */
  readonly cost: bigint;
};
