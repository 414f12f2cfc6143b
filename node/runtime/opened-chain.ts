import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Failure } from "@ostrom/base";
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
  writeSecretFile,
} from "@ostrom/storage";
import type { Cleanup } from "./cleanup.ts";
import { startExecutionWorker } from "./execution-client.ts";
import type { ExecutedHead, Execution } from "./execution-port.ts";
import { machineEntropy } from "./machine.ts";
import type { Log } from "./ports.ts";
import { KEYS_FOLDER, type NodeSecrets } from "./provision.ts";
import { type RecoveredChain, recoverChain } from "./recovered-chain.ts";
import { replayJournal, VoteJournal } from "./vote-journal.ts";

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
  readonly own: ValidatorIndex;
  readonly secrets: NodeSecrets;
  readonly log: Log;
  readonly cleanup: Cleanup;
  readonly onFailure: (error: Error) => void;
}): Promise<OpenedChain> {
  const { genesis, historyBlocks, own, secrets, log, cleanup, onFailure } = options;
  const directory = await openDataDirectory(join(options.folder, DATA_FOLDER), { create: true });
  cleanup.add(() => directory.release());
  const store = await openLevelStore(directory.chainPath);
  cleanup.add(() => store.close());
  const execution = await startExecutionWorker(
    { databasePath: directory.chainPath, genesis, historyBlocks },
    onFailure,
  ).catch((error: Failure) => {
    throw inFolder(directory.chainPath, error);
  });
  cleanup.add(() => execution.stop());
  const checked = checkChain(store);
  if (!checked.ok) throw inFolder(directory.chainPath, checked.error);
  const meta = readMeta(store);
  if (meta === undefined)
    throw new StorageError("storage/damaged", `${directory.chainPath} does not say which chain it holds`);
  const recovered = recoverChain(store);

  const opened = await openWriteAheadLog(createDisk(directory.logPath), machineEntropy.bytes).catch(
    (error: StorageError) => {
      throw inFolder(directory.logPath, error);
    },
  );
  cleanup.add(() => opened.log.close());
  if (opened.truncatedBytes > 0)
    log("warn", "cut a torn write off the write-ahead log", { bytes: opened.truncatedBytes });
  const domain = ethereumDomain(meta.genesisHash);
  const { consensusSecret } = secrets;
  const sign = (message: Uint8Array): Uint8Array => bls().sign(consensusSecret, message);
  const replayed = replayJournal(opened.records);
  // What was signed was durable before: LevelDB passes over damaged parts of its own log in silence.
  const newestSigned = Math.max(0, ...replayed.executed.keys());
  if (newestSigned > recovered.tip.height) {
    log(
      "warn",
      "the database has lost blocks that were on disk; they are fetched from the other validators",
      {
        folder: directory.chainPath,
        newest: recovered.tip.height,
        lostThrough: newestSigned,
      },
    );
  }
  const settledView = recovered.tip.view;
  const journal = new VoteJournal({ log: opened.log, domain, own, sign, replayed, settledView });
  const hasVotedPath = join(options.folder, KEYS_FOLDER, HAS_VOTED_FILE);
  if (replayed.isEmpty) {
    const isLost = recovered.tip.height > 0 || existsSync(hasVotedPath);
    if (isLost) {
      const hint = `if the whole network begins anew, remove ${hasVotedPath} of every validator`;
      log(
        "warn",
        "the write-ahead log is gone: this validator abstains until the others are past its votes",
        {
          hint,
        },
      );
    }
    await journal.begin(isLost);
  }
  // Before the first vote: without it, nobody would miss a log that is lost.
  if (!existsSync(hasVotedPath)) await writeSecretFile(hasVotedPath, "");
  return {
    databasePath: directory.chainPath,
    store,
    execution,
    domain,
    recovered,
    journal,
    records: replayed.records,
  };
}

/** The same failure, naming the folder it is about where it does not do so itself. */
function inFolder(folder: string, error: Failure): Error {
  const { code, message } = error;
  if (code === undefined) return error as unknown as Error;
  return Object.assign(new Error(message.includes(folder) ? message : `${folder}: ${message}`), { code });
}

/** Beside the keys, because it must survive as long as they do: these keys have voted. */
const HAS_VOTED_FILE = "has-voted";
