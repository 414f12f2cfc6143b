import { parentPort } from "node:worker_threads";
import { type Hash, must, type Result } from "@ostrom/base";
import type { BlockOrigin, ChainRules, EpochSchedule } from "@ostrom/execution";
import { revertReason, runTrace, type TracedChain, type TraceFailure, type TraceRequest } from "@ostrom/rpc";
import { type LevelStore, openLevelStore, readHeader, readOrdered, type Store } from "@ostrom/storage";
import { createChainReads } from "./chain-view.ts";
import type { ExecutionWorkerEvents } from "./execution-port.ts";
import { type EngineSettings, installContractEngine } from "./installed-engine.ts";
import { joinMetrics } from "./metrics-thread.ts";
import { loadProgram, type ProgramParts } from "./module-loading.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { orderedOf } from "./recalled-report.ts";
import { connectWorker } from "./worker-calls.ts";

export type TraceWorkerOptions = {
  readonly databasePath: string;
  readonly historyBlocks: number;
  readonly rules: ChainRules;
  readonly engine: EngineSettings;
  readonly program: ProgramParts;
  /** undefined on a chain that no validators order. */
  readonly epochs: EpochSchedule | undefined;
};

/** What may be asked of the thread that runs transactions again, one question at a time. */
export type TraceWorkerVocabulary = {
  readonly open: { readonly argument: TraceWorkerOptions; readonly answer: undefined };
  readonly trace: {
    readonly argument: TraceRequest;
    readonly answer: Result<string, TraceFailure>;
  };
};

let chain: TracedChain | undefined;

/** As the engine that ordered the block wrote it down. */
function originOf(store: Store, { epochs }: TraceWorkerOptions, height: number): BlockOrigin | undefined {
  const ordered = epochs === undefined ? undefined : readOrdered(store, height);
  if (ordered === undefined) return undefined;
  return orderedOf({ mined: undefined, orderedBlock: ordered.block }).origin;
}

async function open(options: TraceWorkerOptions): Promise<undefined> {
  const { modules } = await loadProgram(options.program);
  const store: LevelStore = await openLevelStore(options.databasePath, { create: false });
  // Ends with this thread.
  installContractEngine(options.engine, (level, message, fields = {}) =>
    client.emit("log", { level, message, fields }),
  );
  chain = {
    rules: options.rules,
    modules,
    epochs: options.epochs,
    reads: createChainReads(store, options.historyBlocks, () => undefined),
    blockHash: (number): Hash | undefined => readHeader(store, Number(number))?.hash,
    origin: (height) => originOf(store, options, height),
    readReason: revertReason,
  };
  return undefined;
}

joinMetrics();
installNativeCrypto();
const client = connectWorker<TraceWorkerVocabulary, Record<never, never>, ExecutionWorkerEvents>(
  must(parentPort ?? undefined, "this file runs in a worker"),
  { open, trace: (request) => runTrace(must(chain, "a worker is opened before it is asked"), request) },
);
