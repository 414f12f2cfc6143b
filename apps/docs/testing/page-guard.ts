import { spawn } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Sees to it that what a page has started ends with the test, however the test ends: killed, too. */
export type PageGuard = {
  /** @param group process group of a command. */
  readonly watch: (group: number) => void;
  readonly end: () => Promise<void>;
};

const GROUPS_FILE = ".groups";
/** Reads until the test has gone, then ends what it has left behind, and its folder. */
const SCRIPT = `cat >/dev/null
while read -r group; do kill -KILL "-$group" 2>/dev/null; done < "$1/${GROUPS_FILE}"
for attempt in 1 2 3 4 5; do rm -rf "$1" && break; sleep 0.2; done`;

export function guardPage(folder: string): PageGuard {
  const groups = join(folder, GROUPS_FILE);
  writeFileSync(groups, "");
  // A group of its own: whoever interrupts the test at a terminal does not interrupt this.
  const guard = spawn("sh", ["-c", SCRIPT, "sh", folder], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = new Promise<void>((resolve) => guard.once("close", () => resolve()));
  return {
    watch: (group) => appendFileSync(groups, `${group}\n`),
    end: async () => {
      guard.stdin.end();
      await ended;
    },
  };
}
