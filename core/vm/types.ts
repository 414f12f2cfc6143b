import type { Address, Bytes, Hash } from "@ostrom/base";
import type { JournaledState } from "@ostrom/state";
import type { Memory } from "./memory.ts";
import type { MessageObserver } from "./observe.ts";
import type { PrecompileResult } from "./precompiles/index.ts";

/** The rule sets that the engine has, oldest first. */
export type Fork = "cancun" | "prague" | "osaka";

export type BlockContext = {
  readonly number: bigint;
  /** Seconds. */
  readonly timestamp: bigint;
  readonly coinbase: Address;
  readonly gasLimit: bigint;
  readonly baseFeePerGas: bigint;
  readonly prevRandao: Hash;
  readonly blobBaseFee: bigint;
  readonly chainId: bigint;
  /** Hash of one of the last 256 blocks, or undefined outside them. */
  readonly blockHash: (number: bigint) => Hash | undefined;
};

export type TransactionContext = {
  readonly origin: Address;
  readonly gasPrice: bigint;
  readonly blobVersionedHashes: readonly Hash[];
};

/** What every message of a transaction shares. */
export type ExecutionContext = {
  readonly fork: Fork;
  readonly block: BlockContext;
  readonly transaction: TransactionContext;
  readonly state: JournaledState;
  /** In place of the fork's own. */
  readonly precompiles?: PrecompileSet;
  /** The most bytes that deployed code may have, on development chains alone; EIP-170's limit if absent. Init code may have twice as much. */
  readonly codeSizeLimit?: number | undefined;
  /** Called before each instruction (debugging, tracing); undefined on the fast path. */
  readonly onStep?: (step: Step) => void;
  /** Told of messages as they begin and end (tracing); undefined on the fast path. */
  readonly observer?: MessageObserver;
};

/** Contracts that are part of the protocol: pure functions of their input. */
export type PrecompileSet = {
  /** Warm from a transaction's start (EIP-2929). */
  readonly addresses: readonly Address[];
  /** @returns undefined if no precompile has this address. */
  readonly call: (address: Address, input: Bytes, gasLimit: bigint) => PrecompileResult | undefined;
};

/** An instruction that is about to run. */
export type Step = {
  /** 1 for the outermost message. */
  readonly depth: number;
  readonly programCounter: number;
  readonly opcode: number;
  readonly gasLeft: bigint;
  /** The top is last. The frame's own, which goes on changing. */
  readonly stack: readonly bigint[];
  /** The frame's own too, as large as it was before the instruction. */
  readonly memory: Pick<Memory, "bytes" | "size">;
  /** Output of the frame's last call (EIP-211). */
  readonly returnData: Bytes;
  /** Whose storage the code acts on. */
  readonly address: Address;
};

/** The outermost message of a transaction, or of eth_call. Its caller's nonce and fee are charged already; the value is
 * transferred by the engine. */
export type Message = {
  readonly caller: Address;
  /** undefined: create a contract with `data` as init code; the caller's nonce has been raised already, so the address
   * derives from nonce - 1. */
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Bytes;
  readonly gas: bigint;
};

export type Outcome = {
  readonly status: "success" | "revert" | "fault";
  /** Why a fault happened; for messages to people. */
  readonly fault?: FaultCode;
  /** More about it than its code tells, in words: why a program is invalid. */
  readonly reason?: string;
  /** Return data, revert data, or empty. */
  readonly output: Bytes;
  readonly gasLeft: bigint;
  /** Where a create put the contract. */
  readonly created?: Address;
};

export type FaultCode =
  | "vm/out-of-gas"
  | "vm/stack-underflow"
  | "vm/stack-overflow"
  | "vm/invalid-jump"
  | "vm/invalid-opcode"
  | "vm/static-violation"
  | "vm/return-data-out-of-bounds"
  | "vm/create-collision"
  | "vm/code-too-large"
  | "vm/init-code-too-large"
  | "vm/code-begins-with-ef"
  | "vm/insufficient-balance"
  | "vm/depth-exceeded"
  | "vm/nonce-exhausted"
  | "vm/precompile-failed"
  /** A program (contract-host) stopped by itself, or by a rule: unreachable, division by zero, out of bounds. */
  | "vm/trap"
  | "vm/invalid-program";
