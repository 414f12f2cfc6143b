import type { Bytes, Failure, Hash, Result } from "@ostrom/base";
import type {
  AccountOverride,
  BlockOrigin,
  BlockOverride,
  CallRequest,
  ChainRules,
  EpochSchedule,
  InstalledModules,
  ReadRevertReason,
  TraceOptions,
} from "@ostrom/execution";
import type { ChainReads } from "./backend.ts";
import type { SimulatedBlocks } from "./simulate-request.ts";

/** A question that is answered by running transactions again, in a thread that may be ended: plain data. */
export type TraceQuery =
  /** A transaction of a block. */
  | {
      readonly kind: "transaction";
      readonly blockNumber: number;
      readonly index: number;
      readonly options: TraceOptions;
    }
  | { readonly kind: "block"; readonly blockNumber: number; readonly options: TraceOptions }
  /** A block's RLP, on the state after the parent that it names. */
  | { readonly kind: "rawBlock"; readonly raw: Bytes; readonly options: TraceOptions }
  /** A call on the state after a block, or after the block's transactions before `transactionIndex`. */
  | {
      readonly kind: "call";
      readonly blockNumber: number;
      readonly transactionIndex: number | undefined;
      readonly request: CallRequest;
      readonly accountOverrides: readonly AccountOverride[];
      readonly blockOverride: BlockOverride;
      readonly gasCap: bigint;
      readonly options: TraceOptions;
    }
  /** ots_*: a transaction's messages. */
  | {
      readonly kind: "messages";
      readonly blockNumber: number;
      readonly index: number;
      readonly form: "trace" | "operations" | "error";
    }
  /** ots_*: who created a contract. */
  | { readonly kind: "creator"; readonly address: Bytes }
  /** ots_*: an account's transactions. */
  | {
      readonly kind: "search";
      readonly address: Bytes;
      readonly blockNumber: number;
      readonly direction: "before" | "after";
      readonly pageSize: number;
    }
  | { readonly kind: "senderNonce"; readonly address: Bytes; readonly nonce: bigint }
  | {
      readonly kind: "simulate";
      readonly blockNumber: number;
      readonly blocks: SimulatedBlocks;
      readonly gasCap: bigint;
    };

export type TraceRequest = {
  readonly query: TraceQuery;
  /** After this it is given up with `rpc/timeout`. */
  readonly timeoutMs: number;
  /** Bytes that a trace may hold, about, and its answer have. */
  readonly maxBytes: number;
};

/** `rpc/simulation` carries the JSON-RPC code that the specification has for it. */
export type TraceFailure = Failure & { readonly rpcCode?: number };

/** Runs transactions again for whoever asks what they did, in a thread of its own, one question after the other. */
export type TracePort = {
  /** @returns JSON text.
   * Errors: `rpc/unknown-block`, `rpc/state-too-old`, `rpc/timeout`, `rpc/busy`, `execution/trace-too-large`, `execution/module-missing`,
   * and those of simulations. */
  readonly trace: (request: TraceRequest) => Promise<Result<string, TraceFailure>>;
};

/** What is needed to run blocks of a chain again. */
export type TracedChain = {
  readonly rules: ChainRules;
  readonly modules: InstalledModules | undefined;
  readonly epochs: EpochSchedule | undefined;
  readonly reads: ChainReads;
  readonly blockHash: (blockNumber: bigint) => Hash | undefined;
  /** As the block was ordered; undefined where it was not voted on. */
  readonly origin: (blockNumber: number) => BlockOrigin | undefined;
  readonly readReason: ReadRevertReason;
};
