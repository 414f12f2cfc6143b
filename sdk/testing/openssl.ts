import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const version = spawnSync("openssl", ["version"], { encoding: "utf8" });

/** Why tests against the `openssl` command cannot run here; false if they can. */
export const WITHOUT_OPENSSL: string | false =
  version.status === 0 && /^OpenSSL [3-9]/.test(version.stdout)
    ? false
    : `the openssl command, version 3 or later, is not here (${version.error?.message ?? version.stdout.trim()})`;

/** Runs the command. @throws with what it said if it fails. */
export function openssl(args: readonly string[], folder: string): Uint8Array {
  const run = spawnSync("openssl", args, { cwd: folder });
  if (run.status !== 0) throw new Error(`openssl ${args.join(" ")}: ${run.stderr.toString("utf8")}`);
  return new Uint8Array(run.stdout);
}

/** Runs with an empty folder that is removed afterwards. */
export function withFolder(run: (path: (name: string) => string, folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-openssl-"));
  try {
    run((name) => join(folder, name), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
