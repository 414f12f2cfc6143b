import type { Failure, Hash } from "@ostrom/base";
import type { AnyGenesis } from "@ostrom/execution";
import {
  CHECKED_BLOCKS,
  checkChain,
  type LevelStore,
  openLevelStore,
  readFloor,
  readHead,
  readMeta,
  StorageError,
} from "@ostrom/storage";
import type { Cleanup } from "./cleanup.ts";
import { startExecutionWorker } from "./execution-client.ts";
import type { ExecutedHead } from "./execution-port.ts";
import type { EngineSettings } from "./installed-engine.ts";
import type { MemorySettings } from "./memory-settings.ts";
import type { ProgramParts } from "./module-loading.ts";
import type { Log } from "./ports.ts";
import type { UnwindingExecution } from "./pow-execution.ts";

/** In a node's folder: all that it keeps. */
export const DATA_FOLDER = "data";

/** The database of a chain with its execution worker. */
export type OpenedDatabase = {
  readonly store: LevelStore;
  readonly execution: UnwindingExecution & { readonly head: ExecutedHead };
  readonly genesisHash: Hash;
};

/** Opens the database here first, then in the execution worker, and checks that its newest blocks are linked. Rejects with
 * `storage/...`, `chain/...`. */
export async function openDatabase(
  path: string,
  options: {
    readonly genesis: AnyGenesis;
    readonly historyBlocks: number;
    readonly memory: MemorySettings;
    readonly engine: EngineSettings;
    readonly program: ProgramParts;
    readonly log: Log;
    readonly cleanup: Cleanup;
    /** What has to be done to the database before anything is executed on it. */
    readonly prepare?: ((store: LevelStore) => Promise<void>) | undefined;
  },
): Promise<OpenedDatabase> {
  const { genesis, historyBlocks, memory, engine, program, log, cleanup } = options;
  const store = await openLevelStore(path, { cacheBytes: memory.databaseCacheBytes });
  cleanup.add(() => store.close());
  await options.prepare?.(store);
  const execution = await startExecutionWorker(
    { databasePath: path, genesis, historyBlocks, memory, engine, program },
    log,
  ).catch((error: Failure) => {
    throw inFolder(path, error);
  });
  cleanup.add(() => execution.stop());
  const checked = checkChain(store, checkedDepth(store));
  if (!checked.ok) throw inFolder(path, checked.error);
  const meta = readMeta(store);
  if (meta === undefined)
    throw new StorageError("storage/damaged", `${path} does not say which chain it holds`);
  return { store, execution, genesisHash: meta.genesisHash };
}

/** A node that began with a snapshot has no older blocks. */
function checkedDepth(store: LevelStore): number {
  const head = readHead(store)?.height ?? 0;
  return Math.min(CHECKED_BLOCKS, head - readFloor(store).headers + 1);
}

/** The same failure, naming the folder it is about where it does not do so itself. */
export function inFolder(folder: string, error: Failure): Error {
  const { code, message } = error;
  if (code === undefined) return error as unknown as Error;
  return Object.assign(new Error(message.includes(folder) ? message : `${folder}: ${message}`), { code });
}
