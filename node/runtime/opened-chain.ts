import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Failure, Hash } from "@ostrom/base";
import { type ConsensusDomain, ethereumDomain, type LogRecord, type ValidatorIndex } from "@ostrom/consensus";
import { bls } from "@ostrom/crypto";
import type { Genesis } from "@ostrom/execution";
import {
  checkChain,
  createDisk,
  type LevelStore,
  openDataDirectory,
  openLevelStore,
  openWriteAheadLog,
  readMeta,
  StorageError,
  type WriteAheadLog,
  writeSecretFile,
} from "@ostrom/storage";
import type { Cleanup } from "./cleanup.ts";
import { startExecutionWorker } from "./execution-client.ts";
import type { ExecutedHead, Execution } from "./execution-port.ts";
import type { EngineSettings } from "./installed-engine.ts";
import { machineEntropy } from "./machine.ts";
import type { Log } from "./ports.ts";
import { KEYS_FOLDER, type NodeSecrets } from "./provision.ts";
import { type RecoveredChain, recoverChain } from "./recovered-chain.ts";
import { type ReplayedJournal, replayJournal, VoteJournal } from "./vote-journal.ts";

const DATA_FOLDER = "data";

/** All that lies on disk, opened and checked: the database with its execution worker, and the write-ahead log. */
export type OpenedChain = {
  readonly databasePath: string;
  readonly store: LevelStore;
  readonly execution: Execution & { readonly head: ExecutedHead };
  readonly domain: ConsensusDomain;
  readonly recovered: RecoveredChain;
  readonly journal: VoteJournal;
  readonly records: readonly LogRecord[];
};

/** Opens a node's data folder. Rejects with `storage/...`, `chain/...`: each message says what to do.
 * @param cleanup is given what closes it again. */
export async function openChain(options: {
  readonly folder: string;
  readonly genesis: Genesis;
  readonly historyBlocks: number;
  readonly engine: EngineSettings;
  readonly own: ValidatorIndex;
  readonly secrets: NodeSecrets;
  readonly log: Log;
  readonly cleanup: Cleanup;
}): Promise<OpenedChain> {
  const { own, secrets } = options;
  const directory = await openDataDirectory(join(options.folder, DATA_FOLDER), { create: true });
  options.cleanup.add(() => directory.release());
  const { store, execution, genesisHash } = await openDatabase(directory.chainPath, options);
  const recovered = recoverChain(store);
  const replayed = await openLog(directory.logPath, options);
  warnOfLostBlocks(directory.chainPath, recovered, replayed, options.log);

  const domain = ethereumDomain(genesisHash);
  const { consensusSecret } = secrets;
  const sign = (message: Uint8Array): Uint8Array => bls().sign(consensusSecret, message);
  const settledView = recovered.tip.view;
  const journal = new VoteJournal({ log: replayed.log, domain, own, sign, replayed, settledView });
  await beginJournal(journal, replayed, recovered, options);
  const { records } = replayed;
  return { databasePath: directory.chainPath, store, execution, domain, recovered, journal, records };
}

type Options = Parameters<typeof openChain>[0];

/** Opens the database here first, then in the execution worker, and checks that its newest blocks are linked. */
async function openDatabase(
  path: string,
  { genesis, historyBlocks, engine, log, cleanup }: Options,
): Promise<Pick<OpenedChain, "store" | "execution"> & { readonly genesisHash: Hash }> {
  const store = await openLevelStore(path);
  cleanup.add(() => store.close());
  const execution = await startExecutionWorker(
    { databasePath: path, genesis, historyBlocks, engine },
    log,
  ).catch((error: Failure) => {
    throw inFolder(path, error);
  });
  cleanup.add(() => execution.stop());
  const checked = checkChain(store);
  if (!checked.ok) throw inFolder(path, checked.error);
  const meta = readMeta(store);
  if (meta === undefined)
    throw new StorageError("storage/damaged", `${path} does not say which chain it holds`);
  return { store, execution, genesisHash: meta.genesisHash };
}

async function openLog(
  path: string,
  { log, cleanup }: Options,
): Promise<ReplayedJournal & { readonly log: WriteAheadLog }> {
  const opened = await openWriteAheadLog(createDisk(path), machineEntropy.bytes).catch(
    (error: StorageError) => {
      throw inFolder(path, error);
    },
  );
  cleanup.add(() => opened.log.close());
  if (opened.truncatedBytes > 0) {
    log("warn", "cut a torn write off the write-ahead log", { bytes: opened.truncatedBytes });
  }
  return { ...replayJournal(opened.records), log: opened.log };
}

/** What was signed was durable before: LevelDB passes over damaged parts of its own log in silence. */
function warnOfLostBlocks(
  folder: string,
  recovered: RecoveredChain,
  replayed: ReplayedJournal,
  log: Log,
): void {
  const lostThrough = Math.max(0, ...replayed.executed.keys());
  const newest = recovered.tip.height;
  if (lostThrough <= newest) return;
  const what = "the database has lost blocks that were on disk; they are fetched from the other validators";
  log("warn", what, { folder, newest, lostThrough });
}

/** Begins a log that is empty, as a lost one if these keys may have voted before. */
async function beginJournal(
  journal: VoteJournal,
  replayed: ReplayedJournal,
  recovered: RecoveredChain,
  { folder, log }: Options,
): Promise<void> {
  const hasVotedPath = join(folder, KEYS_FOLDER, HAS_VOTED_FILE);
  if (replayed.isEmpty) {
    const isLost = recovered.tip.height > 0 || existsSync(hasVotedPath);
    if (isLost) {
      log(
        "warn",
        "the write-ahead log is gone: this validator abstains until the others are past its votes",
        {
          hint: `if the whole network begins anew, remove ${hasVotedPath} of every validator`,
        },
      );
    }
    await journal.begin(isLost);
  }
  // Before the first vote: without it, nobody would miss a log that is lost.
  if (!existsSync(hasVotedPath)) await writeSecretFile(hasVotedPath, "");
}

/** The same failure, naming the folder it is about where it does not do so itself. */
function inFolder(folder: string, error: Failure): Error {
  const { code, message } = error;
  if (code === undefined) return error as unknown as Error;
  return Object.assign(new Error(message.includes(folder) ? message : `${folder}: ${message}`), { code });
}

/** Beside the keys, because it must survive as long as they do: these keys have voted. */
const HAS_VOTED_FILE = "has-voted";
