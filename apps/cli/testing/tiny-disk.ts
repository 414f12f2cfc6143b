import { spawnSync } from "node:child_process";
import { closeSync, cpSync, mkdirSync, openSync, renameSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";

const FILLER = "filler";
const CHUNK_BYTES = 65_536;

/** A disk of its own for one folder. */
export type TinyDisk = {
  readonly folder: string;
  /** Writes until about so much is left. */
  readonly fillTo: (freeBytes: number) => void;
  /** Takes what was filled in off again. */
  readonly free: () => void;
  readonly freeBytes: () => number;
  readonly unmount: () => void;
};

/** Moves a folder to a disk of its own, of so many mebibytes. @returns why that is not possible. */
export function moveToTinyDisk(folder: string, mebibytes: number): TinyDisk | string {
  const aside = `${folder}-aside`;
  renameSync(folder, aside);
  mkdirSync(folder, { mode: 0o700 });
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "ostrom-test", folder], {
    encoding: "utf8",
  });
  cpSync(aside, folder, { recursive: true });
  rmSync(aside, { recursive: true });
  if (mount.status !== 0) return mount.error?.message ?? mount.stderr.trim();
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  };
  let isMounted = true;
  const unmount = (): void => {
    if (isMounted) spawnSync("umount", ["--lazy", folder]);
    isMounted = false;
  };
  process.once("exit", unmount);
  return {
    folder,
    freeBytes,
    unmount,
    free: () => rmSync(join(folder, FILLER), { force: true }),
    fillTo: (left) => {
      const file = openSync(join(folder, FILLER), "a", 0o600);
      try {
        while (freeBytes() > left + CHUNK_BYTES) writeSync(file, Buffer.alloc(CHUNK_BYTES));
      } finally {
        closeSync(file);
      }
    },
  };
}
