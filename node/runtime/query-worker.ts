import { parentPort } from "node:worker_threads";
import { fail, type Hash, must, type Result } from "@ostrom/base";
import {
  type AccessListOutcome,
  type CallOutcome,
  type ChainRules,
  createAccessList,
  type Simulation as ExecutionSimulation,
  estimateGas,
  type GasEstimate,
  type InstalledModules,
  simulateCall,
} from "@ostrom/execution";
import type { Simulation, SimulationFailure } from "@ostrom/rpc";
import { type LevelStore, openLevelStore, readHeader } from "@ostrom/storage";
import { openStateView } from "./chain-view.ts";
import type { ExecutionWorkerEvents } from "./execution-port.ts";
import { type EngineSettings, installContractEngine } from "./installed-engine.ts";
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
  readonly call: { readonly argument: Simulation; readonly answer: Result<CallOutcome, SimulationFailure> };
  readonly estimateGas: {
    readonly argument: Simulation;
    readonly answer: Result<GasEstimate, SimulationFailure>;
  };
  readonly createAccessList: {
    readonly argument: Simulation;
    readonly answer: Result<AccessListOutcome, SimulationFailure>;
  };
};

let opened:
  | { readonly store: LevelStore; readonly rules: ChainRules; readonly modules: InstalledModules }
  | undefined;

function simulate<T>(
  simulation: Simulation,
  run: (prepared: ExecutionSimulation) => Result<T, SimulationFailure>,
): Result<T, SimulationFailure> {
  const { store, rules, modules } = must(opened, "a worker is opened before it is asked");
  const { blockNumber, request, accountOverrides, blockOverride, gasCap } = simulation;
  const header = readHeader(store, blockNumber)?.header;
  if (header === undefined) return fail("rpc/unknown-block", `there is no block ${blockNumber} yet`);
  const view = openStateView(store, blockNumber);
  if (!view.ok) return view;
  try {
    const blockHash = (number: bigint): Hash | undefined => readHeader(store, Number(number))?.hash;
    const state = view.value.reader;
    return run({
      rules,
      modules,
      header,
      state,
      blockHash,
      request,
      accountOverrides,
      blockOverride,
      gasCap,
    });
  } finally {
    view.value.release();
  }
}

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
    call: (simulation) => simulate(simulation, simulateCall),
    estimateGas: (simulation) => simulate(simulation, estimateGas),
    createAccessList: (simulation) => simulate(simulation, createAccessList),
  },
);
