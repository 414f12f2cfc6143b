import type { Address, Bytes, Hash } from "@ostrom/base";
import type { Genesis, Skipped } from "@ostrom/execution";
import type { EngineTiers } from "@ostrom/vm";
import type { EngineSettings } from "./installed-engine.ts";
import type { LogLevel } from "./ports.ts";

/** One finalized block on its way to execution; plain data, so that it crosses threads. */
export type OrderedInput = {
  readonly height: number;
  readonly view: number;
  readonly epoch: number;
  readonly timestampMs: number;
  readonly orderDigest: Hash;
  /** Receives the fees. */
  readonly proposer: Address;
  /** Transactions whose signatures this node has checked: hash (32 bytes) and sender (20 bytes) of each, one after another. */
  readonly senders: Bytes;
  /** The ordered block, whose payload is to be executed, and the finalization certificate, encoded, for peers that sync. */
  readonly orderedBlock: Bytes;
  readonly finalization: Bytes;
};

/** What came of it. Everything is on disk, synced. */
export type ExecutionReport = {
  readonly height: number;
  readonly view: number;
  readonly epoch: number;
  readonly orderDigest: Hash;
  readonly executedHash: Hash;
  readonly nextSetHash: Hash;
  /** Base fee of the block after this one. */
  readonly nextBaseFee: bigint;
  readonly gasUsed: bigint;
  readonly included: readonly Hash[];
  readonly skipped: readonly Skipped[];
  /** Addresses (hex digits) whose account or storage the block changed. */
  readonly changed: readonly string[];
};

/** The newest executed block of the store. */
export type ExecutedHead = {
  readonly height: number;
  readonly blockHash: Hash;
  readonly nextBaseFee: bigint;
};

/** Executes finalized blocks in the order given, off the thread that asks. In production a worker (`execution-worker.ts`), in the
 * simulator the executor itself. */
export type Execution = {
  readonly execute: (input: OrderedInput) => Promise<ExecutionReport>;
  readonly stop: () => Promise<void>;
};

export type ExecutionWorkerVocabulary = {
  readonly open: {
    readonly argument: {
      readonly databasePath: string;
      readonly genesis: Genesis;
      readonly historyBlocks: number;
      readonly engine: EngineSettings;
    };
    readonly answer: ExecutedHead;
  };
  readonly execute: {
    readonly argument: { readonly input: OrderedInput; readonly tiers: EngineTiers };
    readonly answer: ExecutionReport;
  };
  /** What came of the newest block, once more: whoever asked first has not heard it. */
  readonly recall: { readonly argument: OrderedInput; readonly answer: ExecutionReport };
  readonly close: { readonly argument: undefined; readonly answer: undefined };
};

export type ExecutionWorkerEvents = {
  readonly log: {
    readonly level: LogLevel;
    readonly message: string;
    readonly fields: Readonly<Record<string, unknown>>;
  };
};
