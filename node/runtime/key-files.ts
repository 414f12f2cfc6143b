import { readFileSync, statSync, writeFileSync } from "node:fs";
import { type Failure, fail, ok, type Result } from "@ostrom/base";

/** A node's secrets, in its folder, readable by its owner alone. */
export const KEYS_FOLDER = "keys";
export const CONSENSUS_KEY_FILE = "consensus.key";
/** A node that changes its consensus key holds two for a while: in each epoch signs the one that the epoch's set knows. */
export const FURTHER_KEY_FILE: RegExp = /^consensus-[A-Za-z0-9_-]{1,64}\.key$/;

const OTHERS_MASK = 0o077;
const SECRET_MODE = 0o600;

/** Reads a file that holds a secret. Errors: `keys/exposed`: others than its owner may read it. @throws what the file system says. */
export function readSecret(path: string): Result<string, Failure<"keys/exposed">> {
  // Windows has no such permissions and reports a mode of its own making.
  if (process.platform !== "win32" && (statSync(path).mode & OTHERS_MASK) !== 0)
    return fail("keys/exposed", `${path} can be read by others than its owner: run chmod 600 ${path}`);
  return ok(readFileSync(path, "utf8"));
}

/** Writes a new file that only its owner can read. */
export function writeSecret(path: string, text: string): void {
  writeFileSync(path, text, { mode: SECRET_MODE, flag: "wx" });
}
