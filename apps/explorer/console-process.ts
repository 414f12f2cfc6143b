import { type ChildProcess, fork } from "node:child_process";
import { closeSync, openSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { ConsoleOptions, ConsoleReport } from "./console-options.ts";

/** The console in a process of its own, started again when it dies. Nothing that happens to it concerns the nodes. */
export type ConsoleProcess = {
  /** How the first start went. */
  readonly started: Promise<ConsoleReport>;
  /** Of the process that runs now; undefined between two. */
  readonly pid: () => number | undefined;
  readonly stop: () => Promise<void>;
};

const MAIN = join(import.meta.dirname, "console-main.ts");
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 60_000;
/** Who lived so long starts again without delay. */
const HEALTHY_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
/** A log of errors; past it the old ones go. */
const MAX_LOG_BYTES = 4 * 1024 * 1024;
/** Of JavaScript's memory; the embedded database has its own beside it. */
const HEAP_MEGABYTES = 768;

/** @param logFile where what it says goes. @param main the script that runs, for tests. */
export function startConsoleProcess(
  options: ConsoleOptions,
  logFile: string,
  main: string = MAIN,
): ConsoleProcess {
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let isStopping = false;
  let current = options;
  const { promise: started, resolve: report } = Promise.withResolvers<ConsoleReport>();
  const start = (): void => {
    const begun = Date.now();
    const running = forkConsole(main, logFile);
    child = running;
    running.on("message", (entry: ConsoleReport) => {
      // Who watches the pages finds them at the same address after a crash.
      if (entry.kind === "ready") current = { ...current, port: Number(new URL(entry.url).port) };
      report(entry);
    });
    running.on("error", () => undefined);
    running.once("exit", (code, signal) => {
      child = undefined;
      report({
        kind: "failed",
        code: "ended",
        message: `the console ended (${signal ?? `exit code ${code}`})`,
      });
      if (isStopping) return;
      pauseMs = Date.now() - begun > HEALTHY_MS ? FIRST_PAUSE_MS : Math.min(LAST_PAUSE_MS, pauseMs * 2);
      timer = setTimeout(start, pauseMs);
    });
    running.send(current, () => undefined);
  };
  start();
  return {
    started,
    pid: () => child?.pid,
    stop: async () => {
      isStopping = true;
      clearTimeout(timer);
      if (child !== undefined) await end(child);
    },
  };
}

function forkConsole(main: string, logFile: string): ChildProcess {
  const log = openLog(logFile);
  try {
    return fork(main, [], {
      stdio: ["ignore", log, log, "ipc"],
      execArgv: [`--max-old-space-size=${HEAP_MEGABYTES}`],
      // Ctrl-C reaches only the supervisor, which ends the console after the nodes.
      detached: true,
    });
  } finally {
    if (log !== "ignore") closeSync(log);
  }
}

/** A full disk is no reason to do without the console. */
function openLog(path: string): number | "ignore" {
  try {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) truncateSync(path);
    return openSync(path, "a", 0o600);
  } catch {
    return "ignore";
  }
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}
