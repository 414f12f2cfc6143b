import type { Address, Bytes, Failure, Hash } from "@ostrom/base";
import type { Log } from "@ostrom/state";
import type { Fork } from "@ostrom/vm";
import type { BlockOrigin } from "./chain-module.ts";

/** Ethereum's types, and the agile transaction's (EIP-2718). */
export type TransactionType = 0 | 1 | 2 | 3 | 4 | 0x60;

/** The transaction type whose algorithms are a choice. It lies far from Ethereum's, which count from 0. */
export const AGILE_TRANSACTION_TYPE = 0x60;

export type AccessListEntry = { readonly address: Address; readonly storageKeys: readonly Hash[] };

/** An EIP-7702 authorization tuple. */
export type Authorization = {
  readonly chainId: bigint;
  readonly address: Address;
  readonly nonce: bigint;
  readonly yParity: bigint;
  readonly r: bigint;
  readonly s: bigint;
};

/** A public key as accounts have it. */
export type AccountKey = {
  /** Of core/crypto's registry. */
  readonly schemeId: number;
  /** As long as the scheme's are. */
  readonly publicKey: Bytes;
};

/** One key's signature on an agile transaction. */
export type KeyAuthorization = {
  /** In the account's key set, or among the transaction's inline keys. */
  readonly keyIndex: number;
  readonly schemeId: number;
  readonly signature: Bytes;
};

/** What an agile transaction has instead of y parity, r and s. */
export type AgileFields = {
  /** Stated, not recovered. */
  readonly sender: Address;
  /** Version of the sender's key set that the authorizations are by; 0 with inline keys. */
  readonly keySetVersion: number;
  /** Unix seconds: the last block timestamp with which it may run; 0: any. */
  readonly validUntil: bigint;
  /** How many inline keys must sign; 0 where there are none. */
  readonly threshold: number;
  /** Of an account without a key set on chain. */
  readonly inlineKeys: readonly AccountKey[];
  /** In strictly ascending order of `keyIndex`. */
  readonly authorizations: readonly KeyAuthorization[];
};

/** A signed transaction of any type, in one shape; `raw` is the canonical bytes it was read from (EIP-2718
 * envelope), `hash` is keccak256 of them.
 * Sources: EIP-155, EIP-2930, EIP-1559, EIP-4844, EIP-7702; README.md for type 0x60. */
export type Transaction = {
  readonly type: TransactionType;
  readonly raw: Bytes;
  readonly hash: Hash;
  /** undefined: a legacy transaction without replay protection. */
  readonly chainId: bigint | undefined;
  readonly nonce: bigint;
  /** For types 0 and 1 both are the gas price. */
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly gasLimit: bigint;
  /** undefined: creates a contract. */
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Bytes;
  readonly accessList: readonly AccessListEntry[];
  /** Type 3. */
  readonly maxFeePerBlobGas: bigint;
  readonly blobVersionedHashes: readonly Hash[];
  /** Type 4. */
  readonly authorizations: readonly Authorization[];
  /** Type 0x60, whose y parity, r and s are 0. */
  readonly agile?: AgileFields | undefined;
  readonly yParity: 0 | 1;
  readonly r: bigint;
  readonly s: bigint;
};

/** A transaction whose signature has been checked, with the account that signed it. Of an agile transaction without inline keys, `sender` is
 * what it states: which keys may sign for it, state says. */
export type SignedTransaction = Transaction & {
  readonly sender: Address;
  /** Of an agile transaction without inline keys: `keysDigest` of the keys by which its signatures have been found valid. */
  readonly verifiedKeys?: Hash | undefined;
};

export type Receipt = {
  readonly type: TransactionType;
  readonly succeeded: boolean;
  readonly cumulativeGasUsed: bigint;
  readonly bloom: Bytes;
  readonly logs: readonly Log[];
  /** What follows is not in the receipts trie; it is what JSON-RPC tells besides. */
  readonly gasUsed: bigint;
  readonly effectiveGasPrice: bigint;
  readonly contractAddress: Address | undefined;
};

/** An Ethereum header as of Prague. Source: Yellow Paper 4.3, EIP-1559, 4399, 4895, 4844, 4788, 7685. */
export type Header = {
  readonly parentHash: Hash;
  readonly ommersHash: Hash;
  readonly coinbase: Address;
  readonly stateRoot: Hash;
  readonly transactionsRoot: Hash;
  readonly receiptsRoot: Hash;
  readonly logsBloom: Bytes;
  readonly difficulty: bigint;
  readonly number: number;
  readonly gasLimit: bigint;
  readonly gasUsed: bigint;
  /** Seconds. */
  readonly timestamp: number;
  /** orderDigest: ties the executed block to the payload that consensus ordered. Exactly 32 bytes, as Ethereum's
   * tools expect (genesis: free). */
  readonly extraData: Bytes;
  readonly prevRandao: Hash;
  readonly nonce: Bytes;
  readonly baseFeePerGas: bigint;
  readonly withdrawalsRoot: Hash;
  readonly blobGasUsed: bigint;
  readonly excessBlobGas: bigint;
  readonly parentBeaconBlockRoot: Hash;
  /** undefined before Prague. */
  readonly requestsHash: Hash | undefined;
};

/** What consensus hands to execution: one finalized payload. */
export type OrderedPayload = {
  readonly height: number;
  /** Strictly above the parent's. */
  readonly timestampMs: number;
  readonly orderDigest: Hash;
  /** Fee recipient of the validator that proposed it. */
  readonly proposer: Address;
  /** Raw EIP-2718 transactions in order. */
  readonly transactions: readonly Bytes[];
  /** Of a block that was mined. */
  readonly mined?: MinedBlock | undefined;
  /** Of a block that was voted on: what modules may know of its origin. */
  readonly origin?: BlockOrigin | undefined;
  /** Of a block of a development chain: what its developer has fixed. */
  readonly instant?: InstantBlock | undefined;
};

/** What a block of a development chain has in place of what the rules would give it. */
export type InstantBlock = {
  readonly baseFeePerGas?: bigint | undefined;
  readonly prevRandao?: Hash | undefined;
};

/** What only a development chain allows; no genesis that another node reads can say it. */
export type DevelopmentRules = {
  /** The most bytes of deployed code; EIP-170's limit if absent. */
  readonly codeSizeLimit?: number | undefined;
  /** The most gas of a transaction in place of EIP-7825's; undefined: that of the rule set. */
  readonly maxTransactionGas?: bigint | undefined;
};

export type MinedBlock = {
  /** Wei that are made for the proposer. */
  readonly reward: bigint;
  /** Hashes that the block cost on average; the header's `difficulty`. */
  readonly difficulty: bigint;
};

/** Why a transaction cannot run when its turn comes; `retry` says whether it goes back to the pool. */
export type SkipReason = Failure<
  | "execution/nonce-too-high"
  | "execution/nonce-too-low"
  | "execution/fee-below-base-fee"
  | "execution/insufficient-funds"
  | "execution/sender-has-code"
  | "execution/block-gas-exceeded"
  | "execution/not-permitted"
  /** The keys that signed may not, or no more, act for the sender. */
  | "execution/not-authorized"
  /** `validUntil` is past. */
  | "execution/outdated"
  | "execution/invalid"
> & { readonly retry: boolean };

export type Skipped = { readonly hash: Hash; readonly reason: SkipReason };

export type ExecutedBlock = {
  readonly header: Header;
  readonly hash: Hash;
  readonly transactions: readonly SignedTransaction[];
  readonly receipts: readonly Receipt[];
  readonly skipped: readonly Skipped[];
};

/** The rules that genesis fixes for execution. */
export type ChainRules = {
  readonly chainId: bigint;
  /** Rule sets by the block timestamp (seconds) from which they hold; the first entry holds from 0. */
  readonly forks: readonly { readonly fork: Fork; readonly fromTimestamp: number }[];
  /** The chain has a registry of modules, whose state may schedule further rule sets by height. Votes, which do not read state, then
   * take what is valid by any of them; execution skips what is not valid at its height. */
  readonly schedulesForks?: boolean | undefined;
  readonly blockGasLimit: bigint;
  /** EIP-1559's 8; 256 by default, because blocks are some 50 times as frequent. */
  readonly baseFeeChangeDenominator: bigint;
  readonly elasticityMultiplier: bigint;
  readonly minBaseFeePerGas: bigint;
  /** What a sender pays for: gas used (exact Ethereum), or at least half the limit (public chains). */
  readonly gasCharge: "used" | "used-or-half-limit";
  /** Hash function of headers, trie nodes and keys, and of consensus' digests, by core/crypto's id. */
  readonly hashId: number;
  /** Ids of the signature schemes that may authorize transactions; all else is refused. */
  readonly accountSchemes: readonly number[];
  /** Proofs of ECVRF, by which stake draws its validators, count for nothing: an elliptic curve must not decide who validates. */
  readonly refusesSortition?: boolean | undefined;
  /** Of a development chain (engine `instant`): accounts can be impersonated there (impersonation.ts). Undefined on every other chain. */
  readonly development?: DevelopmentRules | undefined;
  /** Accounts may have key sets (key-sets.ts): type 0x60 is valid, and the verify precompiles are there. */
  readonly hasKeySets?: boolean | undefined;
};
