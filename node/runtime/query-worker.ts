import { parentPort } from "node:worker_threads";
import { fail, type Hash, must, ok, type Result } from "@ostrom/base";
import {
  type AccessListOutcome,
  type CallOutcome,
  type ChainRules,
  createAccessList,
  estimateGas,
  type GasEstimate,
  type Header,
  type InstalledModules,
  simulateCall,
} from "@ostrom/execution";
import type { Simulation, SimulationFailure, StateView } from "@ostrom/rpc";
import { type LevelStore, openLevelStore, readHeader } from "@ostrom/storage";
import { openStateView } from "./chain-view.ts";
import type { ExecutionWorkerEvents } from "./execution-port.ts";
import { type EngineSettings, installContractEngine } from "./installed-engine.ts";
import { joinMetrics } from "./metrics-thread.ts";
import { loadProgram, type ProgramParts } from "./module-loading.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { connectWorker } from "./worker-calls.ts";

/** What may be asked of a query worker. It runs one message at a time, without effect on the chain. */
export type QueryWorkerVocabulary = {
  readonly open: {
    readonly argument: {
      readonly databasePath: string;
      readonly rules: ChainRules;
      readonly engine: EngineSettings;
      readonly program: ProgramParts;
    };
    readonly answer: undefined;
  };
  /** Answers in the order of the questions. */
  readonly run: { readonly argument: readonly Query[]; readonly answer: readonly QueryAnswer[] };
};

export type Query = {
  readonly kind: "call" | "estimateGas" | "createAccessList";
  readonly simulation: Simulation;
};

export type QueryAnswer = Result<CallOutcome | GasEstimate | AccessListOutcome, SimulationFailure>;

let opened:
  | { readonly store: LevelStore; readonly rules: ChainRules; readonly modules: InstalledModules }
  | undefined;

/** What queries of one message that ask for the same block share. */
type OpenedBlock = { readonly header: Header; readonly view: StateView };

/** Runs one after the other; each block's state is opened once for all. */
function runAll(queries: readonly Query[]): readonly QueryAnswer[] {
  const blocks = new Map<number, Result<OpenedBlock, SimulationFailure>>();
  try {
    return queries.map(({ kind, simulation }): QueryAnswer => {
      const { blockNumber } = simulation;
      const block = blocks.get(blockNumber) ?? openBlock(blockNumber);
      blocks.set(blockNumber, block);
      return block.ok ? runOne(kind, simulation, block.value) : block;
    });
  } finally {
    for (const block of blocks.values()) if (block.ok) block.value.view.release();
  }
}

function openBlock(blockNumber: number): Result<OpenedBlock, SimulationFailure> {
  const { store } = must(opened, "a worker is opened before it is asked");
  const header = readHeader(store, blockNumber)?.header;
  if (header === undefined) return fail("rpc/unknown-block", `there is no block ${blockNumber} yet`);
  const view = openStateView(store, blockNumber);
  return view.ok ? ok({ header, view: view.value }) : view;
}

function runOne(kind: Query["kind"], simulation: Simulation, { header, view }: OpenedBlock): QueryAnswer {
  const { store, rules, modules } = must(opened, "a worker is opened before it is asked");
  const { request, accountOverrides, blockOverride, gasCap } = simulation;
  const blockHash = (number: bigint): Hash | undefined => readHeader(store, Number(number))?.hash;
  const prepared = {
    rules,
    modules,
    header,
    state: view.reader,
    blockHash,
    request,
    accountOverrides,
    blockOverride,
    gasCap,
  };
  switch (kind) {
    case "call":
      return simulateCall(prepared);
    case "estimateGas":
      return estimateGas(prepared);
    case "createAccessList":
      return createAccessList(prepared);
    default:
      return kind satisfies never;
  }
}

joinMetrics();
installNativeCrypto();
const client = connectWorker<QueryWorkerVocabulary, Record<never, never>, ExecutionWorkerEvents>(
  must(parentPort ?? undefined, "this file runs in a worker"),
  {
    open: async ({ databasePath, rules, engine, program }) => {
      const { modules } = await loadProgram(program);
      opened = { store: await openLevelStore(databasePath, { create: false }), rules, modules };
      // Ends with this thread.
      installContractEngine(engine, (level, message, fields = {}) =>
        client.emit("log", { level, message, fields }),
      );
      return undefined;
    },
    run: runAll,
  },
);
