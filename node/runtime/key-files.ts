import { statSync } from "node:fs";

/** A node's secrets, in its folder, readable by its owner alone. */
export const KEYS_FOLDER = "keys";

const OTHERS_MASK = 0o077;

/** Whether others than its owner may read a file. Windows has no such permissions and reports a mode of its own making. */
export function isExposed(path: string): boolean {
  return process.platform !== "win32" && (statSync(path).mode & OTHERS_MASK) !== 0;
}
