import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
  );
  cleanup.add(() => execution.stop());
  const checked = checkChain(store);
  if (!checked.ok) throw Object.assign(new Error(checked.error.message), { code: checked.error.code });
  const meta = readMeta(store);
  if (meta === undefined)
    throw new StorageError("storage/damaged", `${directory.chainPath} does not say which chain it holds`);
  const recovered = recoverChain(store);

  const opened = await openWriteAheadLog(createDisk(directory.logPath), machineEntropy.bytes);
  cleanup.add(() => opened.log.close());
  if (opened.truncatedBytes > 0)
    log("warn", "cut a torn write off the write-ahead log", { bytes: opened.truncatedBytes });
  const domain = ethereumDomain(meta.genesisHash);
  const { consensusSecret } = secrets;
  const sign = (message: Uint8Array): Uint8Array => bls().sign(consensusSecret, message);
  const replayed = replayJournal(opened.records);
  const journal = new VoteJournal({ log: opened.log, domain, own, sign, replayed });
  if (opened.isNew && mayHaveVoted(options.folder, recovered)) {
    log(
      "warn",
      "the write-ahead log is gone: this validator abstains until the others are past what it may have voted for",
      {
        hint: `if the whole network begins anew, remove ${join(options.folder, KEYS_FOLDER, HAS_VOTED_FILE)} of every validator`,
      },
    );
    await journal.markLost();
  }
  writeFileSync(join(options.folder, KEYS_FOLDER, HAS_VOTED_FILE), "");
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

/** Beside the keys, because it must survive as long as they do: these keys have voted. */
const HAS_VOTED_FILE = "has-voted";

function mayHaveVoted(folder: string, recovered: RecoveredChain): boolean {
  return recovered.tip.height > 0 || existsSync(join(folder, KEYS_FOLDER, HAS_VOTED_FILE));
}
