import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { installNativeCrypto, restoreBackup } from "@ostrom/runtime";
import { type Command, UsageError } from "../command.ts";
import { folderOf } from "../node-access.ts";
import { startProgress } from "../progress-bar.ts";
import { ask } from "../rpc-client.ts";

export const restore: Command = {
  name: "restore",
  summary: "make a node's folder from a backup, after all of it is verified",
  usage: "--from DIR --data-dir NEW [--rpc URL]...",
  flags: [
    { name: "from", kind: "text", placeholder: "DIR", help: "the backup" },
    { name: "data-dir", kind: "text", placeholder: "DIR", help: "the node's new folder" },
    {
      name: "rpc",
      kind: "list",
      placeholder: "URL",
      help: "other nodes of the network: the epoch they are in bounds how long a validator must be careful; name several",
    },
    {
      name: "only-validator",
      kind: "switch",
      help: "it is the chain's only validator, nobody follows it, and blocks after the backup are given up",
    },
  ],
  examples: [
    "ostrom restore --from /mnt/backups/2026-11-23 --data-dir validator-1 --rpc http://node2.example:8545",
  ],
  run: async ({ values, given }) => {
    const { from } = values;
    if (typeof from !== "string" || !given.has("dataDir"))
      throw new UsageError("say what and where: --from DIR --data-dir NEW");
    installNativeCrypto();
    const folder = folderOf(values);
    const known = await newestEpoch((values["rpc"] ?? []) as readonly string[]);
    const isAlone = values["onlyValidator"] === true;
    const bar = startRestoreProgress(resolve(from), values["json"] === true);
    const restored = await restoreBackup({
      from: resolve(from),
      folder,
      knownEpoch: known?.epoch,
      knownAtMs: known?.atMs,
      isAlone,
      nowMs: Date.now,
      onProgress: bar.add,
    }).finally(bar.end);
    if (!restored.ok) throw new UsageError(restored.error.message);
    const { manifest, checked, mayHaveVotedThrough, milliseconds } = restored.value;
    const { height, hash } = manifest.head;
    if (values["json"] === true) {
      console.log(JSON.stringify({ folder, height, hash, ...checked, mayHaveVotedThrough, milliseconds }));
      return 0;
    }
    console.log(
      [
        `Block ${height} (${hash}), verified: ${checked.blocks} blocks, ${checked.accounts} accounts, ${checked.slots} slots.`,
        manifest.hasKeys
          ? `The keys are in ${folder}/keys. Never let two nodes run with them.`
          : `Put this node's own keys into ${folder}/keys, beside has-voted, which must stay as it is.`,
        isAlone
          ? "It goes on after this block without asking anybody."
          : `A validator asks the others before it votes in each epoch through ${mayHaveVotedThrough}: it may have voted there before.`,
        `Start it: ostrom run --data-dir ${folder}`,
      ].join("\n"),
    );
    return 0;
  },
};

/** @returns what is told of each file that was written. After the last one the state is verified, which the bar says, too. */
function startRestoreProgress(
  from: string,
  isSilent: boolean,
): { readonly add: (bytes: number) => void; readonly end: () => void } {
  const total = segmentBytes(from);
  const progress = startProgress({ label: "restore", total: total / MEBIBYTE, unit: "MiB", isSilent });
  let done = 0;
  return {
    add: (bytes) => {
      done += bytes;
      progress.update(done / MEBIBYTE, done >= total ? "verifying the state" : "");
    },
    end: progress.end,
  };
}

/** Of the chain in a backup, as far as it is there: the bar is drawn before anything is verified. */
function segmentBytes(from: string): number {
  const names = existsSync(from) ? readdirSync(from).filter((name) => name.endsWith(".segment")) : [];
  return names.reduce((sum, name) => sum + statSync(join(from, name)).size, 0);
}

type KnownEpoch = { readonly epoch: number; readonly atMs: number };

/** The newest epoch that a node is in, and the time of that node's newest block: one that is cut off is not aware of it. */
async function newestEpoch(urls: readonly string[]): Promise<KnownEpoch | undefined> {
  const epochs = await Promise.all(
    urls.map(async (url): Promise<readonly KnownEpoch[]> => {
      if ((await ask<unknown>(url, "eth_syncing")) !== false)
        throw new UsageError(
          `${url} is catching up, and cannot tell which epoch the network is in: name another node`,
        );
      const block = await ask<{ readonly timestamp: string }>(url, "eth_getBlockByNumber", ["latest", false]);
      const set = await ask<{ readonly currentEpoch: string } | null>(url, "ostrom_getValidators");
      const atMs = Number(block.timestamp) * MS_PER_SECOND;
      return set === null ? [] : [{ epoch: Number(set.currentEpoch), atMs }];
    }),
  );
  return epochs.flat().toSorted((a, b) => b.epoch - a.epoch || b.atMs - a.atMs)[0];
}

const MS_PER_SECOND = 1_000;
const MEBIBYTE = 1024 * 1024;
