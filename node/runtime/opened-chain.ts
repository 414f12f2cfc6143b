import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ConsensusDomain, ethereumDomain, type LogRecord } from "@ostrom/consensus";
import type { Genesis } from "@ostrom/execution";
import {
  createDisk,
  type LevelStore,
  openDataDirectory,
  openWriteAheadLog,
  StorageError,
  type WriteAheadLog,
  writeSecretFile,
} from "@ostrom/storage";
import type { Cleanup } from "./cleanup.ts";
import { EpochSets, type NodeKeys } from "./epoch-sets.ts";
import type { ExecutedHead, Execution } from "./execution-port.ts";
import type { EngineSettings } from "./installed-engine.ts";
import { type ReplayedJournal, replayJournal } from "./journal-records.ts";
import { machineEntropy } from "./machine.ts";
import { KEYS_FOLDER } from "./node-keys.ts";
import { DATA_FOLDER, inFolder, openDatabase } from "./opened-database.ts";
import type { Log } from "./ports.ts";
import { type RecoveredChain, recoverChain } from "./recovered-chain.ts";
import { VoteJournal } from "./vote-journal.ts";

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
  readonly engine: EngineSettings;
  readonly keys: NodeKeys;
  /** There are nodes outside of the validator set that blocks can be fetched from. */
  readonly hasOtherPeers: boolean;
  readonly log: Log;
  readonly cleanup: Cleanup;
}): Promise<OpenedChain> {
  const directory = await openDataDirectory(join(options.folder, DATA_FOLDER), { create: true });
  options.cleanup.add(() => directory.release());
  const { store, execution, genesisHash } = await openDatabase(directory.chainPath, options);
  const sets = new EpochSets(store, options.genesis);
  const recovered = recoverChain(store, sets);
  const replayed = await openLog(directory.logPath, options);
  mindLostBlocks(directory.chainPath, recovered, replayed, sets, options);

  const domain = ethereumDomain(genesisHash);
  const journal = new VoteJournal({ log: replayed.log, domain, replayed, settled: recovered.tip });
  await beginJournal(journal, replayed, recovered, options);
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
  return { ...replayJournal(opened.records), log: opened.log };
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

/** Beside the keys, because it must survive as long as they do: these keys have voted. */
const HAS_VOTED_FILE = "has-voted";
