import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NetworkFile, openLocalNetwork } from "../local-network.ts";
import { askMany } from "../rpc-client.ts";
import { type NodeReport, type StartedNode, startNodeProcess, stopNodes } from "../supervisor.ts";

/** A network of real processes in a folder of its own, for tests and benchmarks. */
export type TestNetwork = {
  readonly directory: string;
  readonly file: NetworkFile;
  readonly urls: readonly string[];
  /** @throws with the node's own message if it does not start. */
  readonly start: (index: number) => Promise<StartedNode>;
  readonly startAll: () => Promise<void>;
  readonly kill: (index: number, signal: NodeJS.Signals) => Promise<void>;
  readonly node: (index: number) => StartedNode | undefined;
  readonly reports: (listener: (report: NodeReport) => void) => void;
  /** Stops all and deletes the folder. */
  readonly dispose: () => Promise<void>;
};

export async function createTestNetwork(options: {
  readonly validators: number;
  readonly extraBalances?: ReadonlyMap<string, bigint>;
}): Promise<TestNetwork> {
  const directory = mkdtempSync(join(tmpdir(), "ostrom-"));
  const [port, linkPort] = await findFreeRanges(options.validators);
  const { file } = await openLocalNetwork({ directory, port, linkPort, ...options });
  const running = new Map<number, StartedNode>();
  const listeners: ((report: NodeReport) => void)[] = [];
  const start = async (index: number): Promise<StartedNode> => {
    const { name, folder } = file.nodes[index]!;
    const node = startNodeProcess(name, join(directory, folder), (report) => {
      for (const listener of listeners) listener(report);
    });
    running.set(index, node);
    const report = await node.started;
    if (report.kind === "failed") throw new Error(`${name}: ${report.message}`);
    return node;
  };
  return {
    directory,
    file,
    urls: file.nodes.map((node) => `http://127.0.0.1:${node.rpcPort}`),
    start,
    startAll: async () => {
      await Promise.all(file.nodes.map((_, index) => start(index)));
    },
    kill: async (index, signal) => {
      const node = running.get(index);
      if (node === undefined) return;
      node.process.kill(signal);
      await node.ended;
      running.delete(index);
    },
    node: (index) => running.get(index),
    reports: (listener) => {
      listeners.push(listener);
    },
    dispose: async () => {
      await stopNodes([...running.values()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Two free ranges of `count` ports: each first port is one that the system gave, and the following ones are tried. */
async function findFreeRanges(count: number): Promise<readonly [number, number]> {
  const first = await findFreeRange(count);
  for (;;) {
    const second = await findFreeRange(count);
    if (Math.abs(second - first) >= count) return [first, second];
  }
}

async function findFreeRange(count: number): Promise<number> {
  for (;;) {
    const first = await listenOnce(0);
    if (first === undefined) continue;
    let free = true;
    for (let port = first + 1; port < first + count && free; port++) free = (await listenOnce(port)) !== undefined;
    if (free) return first;
  }
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : undefined));
    });
  });
}

/** Asks until `done` says so, as often as the network's answers come. @throws after `timeoutMs`, naming `what`. */
export async function waitUntil(what: string, timeoutMs: number, done: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
}

/** Hashes of a range of blocks by one node's account. */
export async function blockHashes(url: string, from: number, to: number): Promise<readonly (string | undefined)[]> {
  const questions = Array.from({ length: to - from + 1 }, (_, index) => ({
    method: "eth_getBlockByNumber",
    params: [`0x${(from + index).toString(16)}`, false],
  }));
  const answers = await askMany(url, questions);
  return answers.map((answer) => (answer.result as { hash: string } | null)?.hash);
}

/** Number of the newest block with a tag. */
export async function blockNumber(url: string, tag: "latest" | "finalized"): Promise<number> {
  const [answer] = await askMany(url, [{ method: "eth_getBlockByNumber", params: [tag, false] }]);
  return Number((answer?.result as { number: string }).number);
}
