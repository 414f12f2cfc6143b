import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CLIENT_VERSION,
  DATA_FOLDER,
  installNativeCrypto,
  makeBackup,
  OperatorLog,
  readConfiguration,
} from "@ostrom/runtime";
import { type DataDirectory, openDataDirectory, openLevelStore, StorageError } from "@ostrom/storage";
import { type Command, UsageError, type Values } from "../command.ts";
import { ACCESS_FLAGS, folderOf, type NodeAccess, ownNodeAccess, remoteAccess } from "../node-access.ts";
import { startProgress } from "../progress-bar.ts";
import { ask } from "../rpc-client.ts";

const MEBIBYTE = 1024 * 1024;
const DEFAULT_MEBIBYTES_PER_SECOND = 32;
const ASK_AGAIN_MS = 300;

type BackupState = { readonly path: string } & (
  | { readonly state: "under way"; readonly bytes: number }
  | { readonly state: "failed"; readonly code: string; readonly message: string }
  | {
      readonly state: "done";
      readonly height: number;
      readonly blockHash: string;
      readonly bytes: number;
      readonly milliseconds: number;
      readonly manifestSha256: string;
    }
);

export const backup: Command = {
  name: "backup",
  summary: "copy a node's chain, whether it runs or not, with checksums",
  usage: "--data-dir DIR --out DIR | --rpc URL --out NAME",
  flags: [
    { name: "data-dir", kind: "text", placeholder: "DIR", help: "the node's folder on this machine" },
    { name: "out", kind: "text", placeholder: "DIR", help: "where the backup goes: a new folder" },
    {
      name: "rpc",
      kind: "text",
      placeholder: "URL",
      help: "a node elsewhere, that makes it in its own folder of backups under the name --out",
    },
    ...ACCESS_FLAGS,
    {
      name: "with-keys",
      kind: "switch",
      help: "with the node's secrets; guard such a backup as you guard the node",
    },
    {
      name: "max-rate",
      kind: "number",
      help: "MiB a second at most, so that blocks are not slowed down; 0 sets no limit",
      default: DEFAULT_MEBIBYTES_PER_SECOND,
    },
  ],
  examples: [
    "ostrom backup --data-dir validator-1 --out /mnt/backups/2026-11-23",
    "ostrom backup --rpc https://node1.example:8545 --token-file operator.token --out before-upgrade",
  ],
  run: async ({ values, given }) => {
    const out = values["out"];
    if (typeof out !== "string") throw new UsageError("say where the backup goes: --out DIR");
    if (!given.has("dataDir")) {
      const { rpc } = values;
      if (typeof rpc !== "string") throw new UsageError("name the node: --data-dir DIR, or --rpc URL");
      return finish(await backUpRunning(await remoteAccess(rpc, values), out, values), values);
    }
    const folder = folderOf(values);
    const directory = await openIfIdle(folder);
    if (directory !== undefined)
      return finish(await backUpIdle(folder, directory, resolve(out), values), values);
    const access = await ownNodeAccess(folder, values["rpc"] as string | undefined);
    return finish(await backUpRunning(access, resolve(out), values), values);
  },
};

/** @returns undefined if the node runs. */
async function openIfIdle(folder: string): Promise<DataDirectory | undefined> {
  try {
    return await openDataDirectory(join(folder, DATA_FOLDER), { create: false });
  } catch (error) {
    if (error instanceof StorageError && error.code === "storage/locked") return undefined;
    throw error instanceof StorageError ? new UsageError(error.message) : error;
  }
}

function rateOf(values: Values): number {
  return (values["maxRate"] as number) * MEBIBYTE;
}

async function backUpIdle(
  folder: string,
  directory: DataDirectory,
  out: string,
  values: Values,
): Promise<BackupState> {
  installNativeCrypto();
  const configuration = readConfiguration(folder);
  if (!configuration.ok) throw new UsageError(configuration.error.message);
  const withKeys = values["withKeys"] === true;
  const store = await openLevelStore(directory.chainPath, { create: false });
  const log = await OperatorLog.open(folder, Date.now);
  const actor = "command-line";
  try {
    await log.append({ act: "backup.started", actor, details: { path: out, hasKeys: withKeys } });
    const request = { folder, out, withKeys, maxBytesPerSecond: rateOf(values), minFreeBytes: undefined };
    const isSilent = values["json"] === true;
    const progress = startProgress({ label: "backup", total: undefined, unit: "MiB", isSilent });
    const made = await makeBackup(store, request, CLIENT_VERSION, Date.now, (bytes) =>
      progress.update(bytes / MEBIBYTE),
    ).finally(progress.end);
    if (!made.ok) throw new UsageError(made.error.message);
    const { manifest, manifestSha256, bytes, milliseconds } = made.value;
    const { height, hash: blockHash } = manifest.head;
    const details = { path: out, height, blockHash, bytes, milliseconds, manifestSha256, hasKeys: withKeys };
    await log.append({ act: "backup.finished", actor, details });
    return { state: "done", ...details };
  } finally {
    await log.close();
    await store.close();
    await directory.release();
  }
}

async function backUpRunning({ url, token }: NodeAccess, out: string, values: Values): Promise<BackupState> {
  const parameters = [out, values["withKeys"] === true, rateOf(values)];
  await ask(url, "admin_startBackup", parameters, token());
  const isSilent = values["json"] === true;
  const progress = startProgress({ label: "backup", total: undefined, unit: "MiB", isSilent });
  try {
    for (;;) {
      const state = await ask<BackupState | null>(url, "admin_getBackup", [], token());
      if (state === null)
        throw new UsageError(`${url}: the node was started again before the backup was finished`);
      if (state.state !== "under way") return state;
      progress.update(state.bytes / MEBIBYTE);
      await sleep(ASK_AGAIN_MS);
    }
  } finally {
    progress.end();
  }
}

function finish(state: BackupState, values: Values): number {
  if (state.state === "failed") throw new UsageError(state.message);
  if (state.state !== "done") return 1;
  const { height, bytes, milliseconds, path, manifestSha256 } = state;
  if (values["json"] === true) {
    console.log(JSON.stringify(state));
    return 0;
  }
  const rate = bytes / MEBIBYTE / Math.max(0.001, milliseconds / 1_000);
  console.log(
    `Blocks 0 to ${height}, ${(bytes / MEBIBYTE).toFixed(1)} MiB in ${(milliseconds / 1_000).toFixed(1)} s ` +
      `(${rate.toFixed(1)} MiB/s): ${path}\nSHA-256 of its manifest, to be kept elsewhere: ${manifestSha256}`,
  );
  return 0;
}
