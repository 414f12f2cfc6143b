import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ConsensusDomain, consensusDomain, type LogRecord } from "@ostrom/consensus";
import type { Genesis } from "@ostrom/execution";
import {
  createDisk,
  type LevelStore,
  openDataDirectory,
  openWriteAheadLog,
  replaceSecretFile,
  StorageError,
  type WriteAheadLog,
} from "@ostrom/storage";
import type { Cleanup } from "./cleanup.ts";
import { EpochSets, type NodeKeys } from "./epoch-sets.ts";
import type { ExecutedHead, Execution } from "./execution-port.ts";
import type { EngineSettings } from "./installed-engine.ts";
import { type ReplayedJournal, replayJournal } from "./journal-records.ts";
import { machineEntropy } from "./machine.ts";
import type { MemorySettings } from "./memory-settings.ts";
import { timedLog } from "./metrics-storage.ts";
import type { ProgramParts } from "./module-loading.ts";
import { KEYS_FOLDER } from "./node-keys.ts";
import { DATA_FOLDER, inFolder, openDatabase } from "./opened-database.ts";
import type { Log } from "./ports.ts";
import { type RecoveredChain, recoverChain } from "./recovered-chain.ts";
import { type VotedMark, VoteJournal } from "./vote-journal.ts";

/** All that lies on disk, opened and checked: the database with its execution worker, and the write-ahead log. */
export type OpenedChain = {
  readonly databasePath: string;
  readonly store: LevelStore;
  readonly execution: Execution & { readonly head: ExecutedHead };
  readonly domain: ConsensusDomain;
  readonly sets: EpochSets;
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
  readonly memory: MemorySettings;
  readonly engine: EngineSettings;
  readonly program: ProgramParts;
  readonly keys: NodeKeys;
  /** There are nodes outside of the validator set that blocks can be fetched from. */
  readonly hasOtherPeers: boolean;
  readonly log: Log;
  readonly cleanup: Cleanup;
  /** What has to be done to the database before anything is executed on it. */
  readonly prepare?: ((store: LevelStore) => Promise<void>) | undefined;
}): Promise<OpenedChain> {
  const directory = await openDataDirectory(join(options.folder, DATA_FOLDER), { create: true });
  options.cleanup.add(() => directory.release());
  const { store, execution, genesisHash } = await openDatabase(directory.chainPath, options);
  const sets = new EpochSets(store, options.genesis);
  const recovered = recoverChain(store, sets);
  const replayed = await openLog(directory.logPath, options);
  mindLostBlocks(directory.chainPath, recovered, replayed, sets, options);

  const { rules, validatorSet } = options.genesis;
  const domain = consensusDomain(genesisHash, rules.hashId, validatorSet.schemeId);
  const mark = votedMark(join(options.folder, KEYS_FOLDER, HAS_VOTED_FILE), recovered.tip.epoch);
  const journal = new VoteJournal({ log: replayed.log, domain, replayed, settled: recovered.tip, mark });
  const { peerIds } = sets.begun(recovered.tip.epoch);
  const isAlone = peerIds.length === 1 && peerIds[0] === options.keys.peerId;
  await beginJournal(journal, replayed, recovered, mark, isAlone, options);
  const { records } = replayed;
  return { databasePath: directory.chainPath, store, execution, domain, sets, recovered, journal, records };
}

type Options = Parameters<typeof openChain>[0];

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
  return { ...replayJournal(opened.records), log: timedLog(opened.log) };
}

/** What was signed was durable before: LevelDB passes over damaged parts of its own log in silence.
 * @throws if nobody else has the lost blocks: a validator alone must not make others in their place. */
function mindLostBlocks(
  folder: string,
  recovered: RecoveredChain,
  replayed: ReplayedJournal,
  sets: EpochSets,
  { keys, hasOtherPeers, log }: Options,
): void {
  const lostThrough = Math.max(0, ...replayed.executed.keys());
  const newest = recovered.tip.height;
  if (lostThrough <= newest) return;
  const { peerIds } = sets.begun(recovered.tip.epoch);
  if (!hasOtherPeers && peerIds.every((peerId) => peerId === keys.peerId)) {
    throw new StorageError(
      "storage/damaged",
      `${folder} has lost blocks: its newest is ${newest}, and this validator signed results through ${lostThrough}. It is the only ` +
        "one, so nobody has them: restore the folder from a backup, or name a node that has them in peers of node.json",
    );
  }
  const what = "the database has lost blocks that were on disk; they are fetched from the other validators";
  log("warn", what, { folder, newest, lostThrough });
}

/** Begins a log that is empty, as a lost one if these keys may have voted before. */
async function beginJournal(
  journal: VoteJournal,
  replayed: ReplayedJournal,
  recovered: RecoveredChain,
  mark: VotedMark,
  isAlone: boolean,
  { folder, log }: Options,
): Promise<void> {
  const hasVotedPath = join(folder, KEYS_FOLDER, HAS_VOTED_FILE);
  if (replayed.isEmpty) {
    const isLost = recovered.tip.height > 0 || mark.epoch !== undefined;
    if (isLost && isAlone) {
      throw new StorageError(
        "storage/damaged",
        `the write-ahead log of ${folder} is gone, and this validator is the only one: nobody can tell how far it had voted. Restore ` +
          `the log folder from a backup. If nobody follows this chain, remove ${hasVotedPath} and the data folder, and begin anew`,
      );
    }
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
}

/** Beside the keys, because it must survive as long as they do: the newest epoch in which they have voted. */
export const HAS_VOTED_FILE = "has-voted";

/** @param storedEpoch epoch of the newest block in the store: where the file says nothing that can be read, they had voted one epoch
 * later at most, if the store is theirs. */
function votedMark(path: string, storedEpoch: number): VotedMark {
  const text = existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
  const epoch = text === undefined || !/^[0-9]{1,15}$/.test(text) ? storedEpoch + 1 : Number(text);
  return {
    epoch: text === undefined ? undefined : epoch,
    write: (newest) => replaceSecretFile(path, `${newest}\n`),
  };
}
