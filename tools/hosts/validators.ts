import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeReport } from "../../apps/cli/supervisor.ts";
import { runCli } from "../../apps/cli/testing/cli-process.ts";
import { hostAddress, linkAddress, namespacePath, type Topology, validatorNamespace } from "./topology.ts";

const MAIN = join(import.meta.dirname, "../../apps/cli/main.ts");
const RPC_PORT = 8_545;
const STOP_TIMEOUT_MS = 15_000;
export const CHAIN_ID = 2_026;

export const rpcUrl = (index: number): string => `http://${hostAddress(index)}:${RPC_PORT}`;

/** Makes the validators' folders as an operator would: `ostrom init`, then each machine's own address in node.json.
 * @param epochLength replaces what genesis says, for all. */
export async function initValidators(
  directory: string,
  validators: number,
  funded: readonly string[],
  epochLength: number | undefined,
): Promise<void> {
  const indices = Array.from({ length: validators }, (_, index) => index);
  const init = await runCli([
    ...["init", "--out", directory, "--chain-id", String(CHAIN_ID), "--validators", String(validators)],
    ...indices.flatMap((index) => ["--host", linkAddress(index)]),
    ...funded.flatMap((address) => ["--fund", `${address}=1000000`]),
  ]);
  if (init.code !== 0) throw new Error(`ostrom init failed: ${init.stderr}`);
  for (const index of indices) {
    const host = hostAddress(index);
    const folder = folderOf(directory, index);
    change(join(folder, "node.json"), ({ rpc }) => ({
      rpc: { ...(rpc as object), host, port: RPC_PORT, allowedHosts: [host] },
    }));
    if (epochLength === undefined) continue;
    change(join(folder, "genesis.json"), () => ({ epochLength, epochLead: Math.floor(epochLength / 2) }));
  }
}

/** Replaces fields of a JSON file. */
function change(path: string, replace: (old: Readonly<Record<string, unknown>>) => object): void {
  const old = JSON.parse(readFileSync(path, "utf8")) as Readonly<Record<string, unknown>>;
  writeFileSync(path, JSON.stringify({ ...old, ...replace(old) }, undefined, 2));
}

export function folderOf(directory: string, index: number): string {
  return join(directory, `validator-${index + 1}`);
}

/** The processes of all validators, each in its namespace. */
export class Validators {
  readonly #topology: Topology;
  readonly #directory: string;
  readonly #onReport: (index: number, report: NodeReport) => void;
  readonly #running = new Map<number, { readonly process: ChildProcess; readonly ended: Promise<void> }>();
  readonly #unexpected: string[] = [];
  readonly #stopping = new Set<number>();
  readonly #ready = new Set<number>();

  constructor(topology: Topology, directory: string, onReport: (index: number, report: NodeReport) => void) {
    this.#topology = topology;
    this.#directory = directory;
    this.#onReport = onReport;
  }

  /** Ends that nobody asked for. */
  get unexpectedEnds(): readonly string[] {
    return this.#unexpected;
  }

  get pids(): readonly number[] {
    return [...this.#running.values()].map(({ process }) => process.pid!);
  }

  /** Whether it serves clients. */
  isReady(index: number): boolean {
    return this.#ready.has(index);
  }

  /** Resolves when the node is ready. @throws Error if it ends before. */
  async start(index: number): Promise<void> {
    const folder = folderOf(this.#directory, index);
    const logFile = openSync(join(folder, "node.log"), "a", 0o600);
    const net = `--net=${namespacePath(validatorNamespace(this.#topology, index))}`;
    // nsenter becomes the node: same process id, same channel to this process. Should this one go, the node sees the channel close.
    const child = spawn("nsenter", [net, process.execPath, MAIN, "run", "--data-dir", folder], {
      stdio: ["ignore", logFile, logFile, "ipc"],
      detached: true,
    });
    closeSync(logFile);
    this.#stopping.delete(index);
    const ended = new Promise<void>((resolve) => {
      child.once("exit", (code, signal) => {
        this.#running.delete(index);
        this.#ready.delete(index);
        if (!this.#stopping.has(index)) {
          this.#unexpected.push(`validator ${index + 1} ended (${signal ?? `exit code ${code}`})`);
        }
        resolve();
      });
    });
    this.#running.set(index, { process: child, ended });
    const ready = new Promise<true>((resolve) => {
      child.on("message", (report: NodeReport) => {
        if (report.kind === "ready") resolve(true);
        this.#onReport(index, report);
      });
    });
    const isReady = await Promise.race([ready, ended]);
    if (isReady !== true) throw new Error(`validator ${index + 1} did not start: ${this.logEnd(index)}`);
    this.#ready.add(index);
  }

  signal(index: number, signal: NodeJS.Signals): void {
    this.#running.get(index)?.process.kill(signal);
  }

  /** Resolves when it has ended; one that does not end in time is killed, and that counts as unexpected. */
  async stop(index: number, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const running = this.#running.get(index);
    if (running === undefined) return;
    this.#stopping.add(index);
    this.#ready.delete(index);
    running.process.kill(signal);
    const timer = setTimeout(() => {
      this.#unexpected.push(`validator ${index + 1} did not stop within ${STOP_TIMEOUT_MS} ms`);
      running.process.kill("SIGKILL");
    }, STOP_TIMEOUT_MS);
    await running.ended;
    clearTimeout(timer);
  }

  async stopAll(): Promise<void> {
    const indices = [...this.#running.keys()];
    // One that was paused would not hear it.
    for (const index of indices) this.signal(index, "SIGCONT");
    await Promise.all(indices.map((index) => this.stop(index, "SIGTERM")));
  }

  logEnd(index: number): string {
    return readFileSync(join(folderOf(this.#directory, index), "node.log"), "utf8").slice(-2_000);
  }
}
