import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UsageError } from "./command.ts";
import { createLocalNetwork, DEVELOPMENT_CHAIN_ID, readLocalNetwork } from "./local-network.ts";
import { findFreePorts } from "./ports.ts";
import { ask } from "./rpc-client.ts";
import { type StartedNode, startNodeProcess, stopNodes } from "./supervisor.ts";

const VALIDATORS = 4;
/** Where free ports are looked for: beside those of ostrom up. */
const FIRST_PORT = 8_600;
const POLL_MS = 100;
const LONGEST_WAIT_MS = 60_000;

/** The network that a demonstration is given on. */
export type DemoNetwork = {
  readonly directory: string;
  readonly isTemporary: boolean;
  readonly urls: readonly string[];
  readonly folders: readonly string[];
  readonly chainId: number;
  /** Kills a validator's process at once, as a power cut would. */
  readonly kill: (index: number) => Promise<void>;
  /** Starts it again; it ends when the others do. */
  readonly restart: (index: number) => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** The network of a folder, if it runs; else a new one for the time being. @param main script of this program. */
export async function openDemoNetwork(dataDirectory: string, main: string): Promise<DemoNetwork> {
  const running = await findRunning(resolve(dataDirectory));
  if (running !== undefined) return existingNetwork(running, main);
  const directory = mkdtempSync(join(tmpdir(), "ostrom-demo-"));
  const port = await findFreePorts(FIRST_PORT, (first) =>
    Array.from({ length: 2 * VALIDATORS }, (_, index) => first + index),
  );
  if (port === undefined) throw new UsageError("there are no free ports for a temporary network");
  const file = createLocalNetwork({
    directory,
    validators: VALIDATORS,
    port,
    linkPort: port + VALIDATORS,
    chainId: DEVELOPMENT_CHAIN_ID,
    consensus: { engine: "simplex" },
  });
  const folders = file.nodes.map(({ folder }) => join(directory, folder));
  const start = (index: number): StartedNode =>
    startNodeProcess({
      name: file.nodes[index]!.name,
      folder: folders[index]!,
      onReport: () => undefined,
      main,
    });
  const nodes = folders.map((_, index) => start(index));
  const stop = async (): Promise<void> => {
    await stopNodes(nodes);
    rmSync(directory, { recursive: true, force: true });
  };
  const failed = (await Promise.all(nodes.map((node) => node.started))).find(({ kind }) => kind === "failed");
  if (failed?.kind === "failed") {
    await stop();
    throw new UsageError(failed.message);
  }
  return {
    directory,
    isTemporary: true,
    urls: file.nodes.map(({ rpcPort }) => `http://127.0.0.1:${rpcPort}`),
    folders,
    chainId: file.chainId,
    kill: async (index) => {
      nodes[index]!.process.kill("SIGKILL");
      await nodes[index]!.ended;
    },
    restart: async (index) => {
      nodes[index] = start(index);
      await nodes[index].started;
    },
    stop,
  };
}

type Running = {
  readonly directory: string;
  readonly file: NonNullable<ReturnType<typeof readLocalNetwork>>;
};

async function findRunning(directory: string): Promise<Running | undefined> {
  const file = readLocalNetwork(directory);
  if (file === undefined) return undefined;
  const [first] = file.nodes;
  const isAnswering = await ask(`http://127.0.0.1:${first!.rpcPort}`, "eth_chainId").then(
    () => true,
    () => false,
  );
  return isAnswering ? { directory, file } : undefined;
}

function existingNetwork({ directory, file }: Running, main: string): DemoNetwork {
  const folders = file.nodes.map(({ folder }) => join(directory, folder));
  const urls = file.nodes.map(({ rpcPort }) => `http://127.0.0.1:${rpcPort}`);
  return {
    directory,
    isTemporary: false,
    urls,
    folders,
    chainId: file.chainId,
    kill: async (index) => {
      const pid = processOf(folders[index]!);
      if (pid === undefined)
        throw new UsageError(`${folders[index]} does not say which process it is: no validator to kill`);
      process.kill(pid, "SIGKILL");
      await until(() => !isAlive(pid));
    },
    restart: async (index) => {
      const log = openSync(join(folders[index]!, "node.log"), "a", 0o600);
      // It ends with its neighbours: whoever stops ostrom up stops all of them.
      const neighbour = processOf(folders[index === 0 ? 1 : 0]!);
      const tie = neighbour === undefined ? [] : ["--stop-with", String(neighbour)];
      const child = spawn(process.execPath, [main, "run", "--data-dir", folders[index]!, ...tie], {
        detached: true,
        stdio: ["ignore", log, log],
      });
      child.unref();
      closeSync(log);
      await until(() => {
        if (child.exitCode !== null)
          throw new UsageError(
            `it does not start again: see the end of ${join(folders[index]!, "node.log")}`,
          );
        return ask(urls[index]!, "eth_chainId").then(
          () => true,
          () => false,
        );
      });
    },
    stop: async () => undefined,
  };
}

/** What a running node writes beside the lock of its data. */
function processOf(folder: string): number | undefined {
  const path = join(folder, "data/LOCK.pid");
  const pid = existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until something holds. @throws UsageError if it does not within a minute. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + LONGEST_WAIT_MS;
  while (!(await holds())) {
    if (performance.now() > endMs)
      throw new UsageError("that took too long: see ostrom status, and node.log in the nodes' folders");
    await sleep(POLL_MS);
  }
}
