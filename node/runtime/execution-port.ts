import type { Address, Bytes, Hash } from "@ostrom/base";
import type { ActivationReport, AnyGenesis, MinedBlock, PortReport, Skipped } from "@ostrom/execution";
import type { EngineTiers } from "@ostrom/vm";
import type { RegistryNews } from "./chain-needs.ts";
import type { EngineSettings } from "./installed-engine.ts";
import type { MemorySettings } from "./memory-settings.ts";
import type { ProgramParts } from "./module-loading.ts";
import type { PackedBytes } from "./packed-bytes.ts";
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
  /** Transactions whose signatures this node has checked: hash (32 bytes), sender (20 bytes) and `verifiedKeys` (32 bytes, zeros if there is
   * none) of each, one after another. */
  readonly senders: Bytes;
  /** Batches that the payload refers to, in its order. */
  readonly batches?: readonly ResolvedBatch[] | undefined;
  /** Each author's newest ordered batch after this block, as core/dissemination encodes it; undefined where it is as before. */
  readonly batchCursors?: Bytes | undefined;
  /** The ordered block, whose payload is to be executed, and the finalization certificate, encoded, for peers that sync. */
  readonly orderedBlock: Bytes;
  readonly finalization: Bytes;
  /** Of a block that was mined: `orderedBlock` is its payload alone then, `finalization` is empty, and `record` is what the engine
   * keeps of it besides. */
  readonly mined?: (MinedBlock & { readonly record: Bytes }) | undefined;
};

/** A batch with what this node knows of its transactions. */
export type ResolvedBatch = {
  readonly digest: Hash;
  readonly expiryHeight: number;
  readonly bytes: Bytes;
  /** Of each of its transactions, as `senders` has it; all zeros where this node has found nobody who signed it. */
  readonly entries: Bytes;
  /** Whether its bytes are on disk, synced. */
  readonly isStored: boolean;
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
  /** Addresses (hex digits) whose keys the block changed. */
  readonly rekeyed?: readonly string[] | undefined;
  /** What this block has decided of the next epoch's validator set, if it is the one that does. */
  readonly frozen?: FrozenSet | undefined;
  /** Modules that became active. */
  readonly activations?: readonly ActivationReport[] | undefined;
  /** At a frozen height, where a module decides who validates. */
  readonly port?: PortReport | undefined;
  /** What state says of modules. */
  readonly registry?: RegistryNews | undefined;
};

/** A validator set that is decided. */
export type FrozenSet = {
  readonly epoch: number;
  /** Whether it differs from the set before. */
  readonly isChanged: boolean;
  /** Why the set before goes on although state holds another one. */
  readonly refused: string | undefined;
  /** Names of those that state has and the set has not: their new keys are not proved. */
  readonly leftOut: readonly string[];
};

/** The newest executed block of the store. */
export type ExecutedHead = {
  readonly height: number;
  readonly blockHash: Hash;
  readonly nextBaseFee: bigint;
  /** What state says of modules. */
  readonly registry?: RegistryNews | undefined;
};

/** Executes finalized blocks in the order given, off the thread that asks. In production a worker (`execution-worker.ts`), in the
 * simulator the executor itself. */
export type Execution = {
  readonly execute: (input: OrderedInput) => Promise<ExecutionReport>;
  readonly stop: () => Promise<void>;
};

/** A report that crosses threads: many small arrays cost more there than all else of it. */
export type PackedReport = Omit<ExecutionReport, "included"> & { readonly included: PackedBytes };

export type ExecutionWorkerVocabulary = {
  readonly open: {
    readonly argument: {
      readonly databasePath: string;
      readonly genesis: AnyGenesis;
      readonly historyBlocks: number;
      readonly memory: MemorySettings;
      readonly engine: EngineSettings;
      readonly program: ProgramParts;
    };
    readonly answer: ExecutedHead;
  };
  readonly execute: {
    readonly argument: { readonly input: OrderedInput; readonly tiers: EngineTiers };
    readonly answer: PackedReport;
  };
  /** Takes the newest block off; nothing happens if it is off already. */
  readonly unwind: { readonly argument: number; readonly answer: ExecutedHead };
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
