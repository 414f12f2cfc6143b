import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { DerivedAccount, DevelopmentKey } from "@ostrom/runtime";
import { LONG_WAIT_MS, waitUntil } from "./wait-until.ts";

const MAIN = join(import.meta.dirname, "../main.ts");

/** An `ostrom` command that a test has started. */
export type CliProcess = {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<Ended>;
};

export type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type CliOptions = {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Script of the program, if it is another than this one. */
  readonly main?: string;
};

const alive = new Set<ChildProcess>();
// Whatever becomes of the test, nothing that it started goes on without it.
process.once("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

/** Starts `ostrom` with these arguments. */
export function startCli(args: readonly string[], options: CliOptions = {}): CliProcess {
  const child = spawn(process.execPath, [options.main ?? MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.environment },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  alive.add(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => {
      alive.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
  return { process: child, stdout: () => stdout, stderr: () => stderr, ended };
}

/** Runs `ostrom` to its end; one that does not end in time is killed, and its signal tells. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<Ended> {
  const started = startCli(args, options);
  const timer = setTimeout(() => started.process.kill("SIGKILL"), LONG_WAIT_MS);
  const ended = await started.ended;
  clearTimeout(timer);
  return ended;
}

export type ReadyEvent = {
  readonly event: "ready";
  readonly chainId: number;
  readonly directory: string;
  readonly isNew: boolean;
  readonly nodes: readonly {
    readonly name: string;
    readonly rpc: string;
    readonly head: number;
    readonly pid: number;
  }[];
  readonly suite: string;
  /** Funded accounts that Ethereum's tools can sign with, and all that are funded. */
  readonly accounts: readonly DerivedAccount[];
  readonly keys: readonly DevelopmentKey[];
};

/** Starts `ostrom up --json` and waits for its ready event. @throws with its words if it ends before. */
export async function startUp(
  args: readonly string[],
): Promise<{ readonly up: CliProcess; readonly ready: ReadyEvent }> {
  // The explorer is of interest to its own tests.
  const explorer = args.includes("--console-port") ? [] : ["--no-console"];
  const up = startCli(["up", "--json", ...explorer, ...args]);
  let ready: ReadyEvent | undefined;
  await waitUntil(`ostrom up ${args.join(" ")} is ready`, LONG_WAIT_MS, () => {
    if (up.process.exitCode !== null) throw new Error(`ostrom up ended: ${up.stderr()}`);
    ready = eventsOf(up).find((event) => event.event === "ready") as ReadyEvent | undefined;
    return ready !== undefined;
  });
  return { up, ready: ready! };
}

/** The complete lines of its output, each of which must be a JSON object. */
export function eventsOf(up: CliProcess): readonly { readonly event: string }[] {
  const whole = up.stdout().slice(0, up.stdout().lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { readonly event: string });
}

/** Whether a process exists. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
