import { type ChildProcess, fork } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";

/** What a node process tells the process that started it. */
export type NodeReport =
  | {
      readonly kind: "ready";
      readonly name: string;
      readonly rpc: string;
      /** Where its metrics and health are; left out where it does not tell. */
      readonly metrics?: string | undefined;
      readonly head: number;
      readonly certified: number;
    }
  | {
      readonly kind: "block";
      readonly name: string;
      readonly number: number;
      readonly hash: string;
      readonly transactions: number;
      readonly gasUsed: string;
    }
  | { readonly kind: "failed"; readonly name: string; readonly message: string };

export type StartedNode = {
  readonly name: string;
  readonly process: ChildProcess;
  /** Resolves with the node's first report that says how its start went. */
  readonly started: Promise<Extract<NodeReport, { kind: "ready" | "failed" }>>;
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
};

/** This program, unless another one is to run. */
const MAIN = join(import.meta.dirname, "main.ts");
/** After this a node that was asked to stop is killed: its data survive that too. */
const STOP_TIMEOUT_MS = 10_000;

/** Starts `ostrom run` on a node's folder as a process of its own; what it logs goes to node.log there. */
export function startNodeProcess({
  name,
  folder,
  onReport,
  extraFlags = [],
  main = MAIN,
}: {
  readonly name: string;
  readonly folder: string;
  readonly onReport: (report: NodeReport) => void;
  readonly extraFlags?: readonly string[];
  /** Script of the program that it is to run. */
  readonly main?: string | undefined;
}): StartedNode {
  const logFile = openSync(join(folder, "node.log"), "a", 0o600);
  const child = fork(main, ["run", "--data-dir", folder, ...extraFlags], {
    stdio: ["ignore", logFile, logFile, "ipc"],
    // A group of its own, so that Ctrl-C reaches only the supervisor, which then stops the nodes in order.
    detached: true,
  });
  closeSync(logFile);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const started = new Promise<Extract<NodeReport, { kind: "ready" | "failed" }>>((resolve) => {
    child.on("message", (report: NodeReport) => {
      if (report.kind !== "block") resolve(report);
      onReport(report);
    });
    void ended.then(({ code, signal }) =>
      resolve({
        kind: "failed",
        name,
        message: `ended at once (${signal ?? `exit code ${code}`}); see ${join(folder, "node.log")}`,
      }),
    );
  });
  return { name, process: child, started, ended };
}

/** Asks the nodes to stop and waits until they have. One that does not come to an end is killed. */
export async function stopNodes(nodes: readonly StartedNode[]): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      if (node.process.exitCode !== null || node.process.signalCode !== null) return;
      node.process.kill("SIGTERM");
      const timer = setTimeout(() => node.process.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await node.ended;
      clearTimeout(timer);
    }),
  );
}
