import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SUITE_NAMES, SUITES } from "@ostrom/execution";
import {
  createLocalNetwork,
  DEVELOPMENT_CHAIN_ID,
  type LocalNetworkPlan,
  type LocalNode,
  type NetworkFile,
} from "../local-network.ts";
import { askMany } from "../rpc-client.ts";
import { type NodeReport, type StartedNode, startNodeProcess, stopNodes } from "../supervisor.ts";
import { AgreementChecker } from "./agreement.ts";
import { findFreePorts } from "./free-ports.ts";
import { addStoredChain } from "./stored-chain.ts";

export { LONG_WAIT_MS, waitUntil } from "./wait-until.ts";

/** A network of real processes in a folder of its own, for tests and benchmarks. */
export type TestNetwork = {
  readonly directory: string;
  readonly file: NetworkFile;
  readonly urls: readonly string[];
  readonly folder: (index: number) => string;
  /** @param main script of the program that runs, if it is another than this one. @throws with the node's own message if it does not start. */
  readonly start: (index: number, extraFlags?: readonly string[], main?: string) => Promise<StartedNode>;
  readonly startAll: () => Promise<void>;
  readonly kill: (index: number, signal: NodeJS.Signals) => Promise<void>;
  readonly node: (index: number) => StartedNode | undefined;
  readonly reports: (listener: (report: NodeReport) => void) => void;
  /** What a node wrote to its node.log so far. */
  readonly log: (index: number) => string;
  /** @throws AssertionError if two nodes ever reported different hashes for one height, in any of their lives. */
  readonly assertAgreement: () => void;
  /** Stops all and deletes the folder. @throws AssertionError if two nodes ever had different hashes for one height: in what they
   * reported, in the blocks on their disks, or in state certificates. */
  readonly dispose: () => Promise<void>;
};

export async function createTestNetwork(options: {
  readonly validators: number;
  readonly extraBalances?: ReadonlyMap<string, bigint>;
  readonly profile?: LocalNetworkPlan["profile"];
  readonly suite?: LocalNetworkPlan["suite"];
  readonly keys?: LocalNetworkPlan["keys"];
  readonly modules?: LocalNetworkPlan["modules"];
  readonly epochLength?: number;
  readonly fork?: LocalNetworkPlan["fork"];
  readonly signatureCheck?: LocalNetworkPlan["signatureCheck"];
  /** That of development unless told: tools that take it for their own network want another one. */
  readonly chainId?: number;
  /** Its nodes tell of their metrics and health: `file.nodes` has the ports. */
  readonly hasMetrics?: boolean;
}): Promise<TestNetwork> {
  const directory = mkdtempSync(join(tmpdir(), "ostrom-"));
  const { hasMetrics = false } = options;
  const [port, linkPort, metricsPort] = (await findFreePorts(options.validators, 3)) as [
    number,
    number,
    number,
  ];
  const file = createLocalNetwork({
    directory,
    port,
    linkPort,
    metricsPort: hasMetrics ? metricsPort : 0,
    chainId: DEVELOPMENT_CHAIN_ID,
    consensus: { engine: "simplex" },
    suite: suiteOfEnvironment(),
    ...options,
  });
  const folderOf = (node: LocalNode): string => join(directory, node.folder);
  const running = new Map<number, StartedNode>();
  const listeners: ((report: NodeReport) => void)[] = [];
  const agreement = new AgreementChecker();
  const start = async (
    index: number,
    extraFlags: readonly string[] = [],
    main?: string,
  ): Promise<StartedNode> => {
    const { name } = file.nodes[index]!;
    const report = (entry: NodeReport): void => {
      agreement.add(entry);
      for (const listener of listeners) listener(entry);
    };
    const node = startNodeProcess({
      name,
      folder: folderOf(file.nodes[index]!),
      onReport: report,
      extraFlags,
      main,
    });
    running.set(index, node);
    const started = await node.started;
    if (started.kind === "failed") throw new Error(`${name}: ${started.message}`);
    return node;
  };
  return {
    directory,
    file,
    urls: file.nodes.map((node) => `http://127.0.0.1:${node.rpcPort}`),
    folder: (index) => folderOf(file.nodes[index]!),
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
    log: (index) => readFileSync(join(folderOf(file.nodes[index]!), "node.log"), "utf8"),
    assertAgreement: () => agreement.assertAgreement(),
    dispose: async () => {
      await stopNodes([...running.values()]);
      try {
        for (const node of file.nodes) await addStoredChain(folderOf(node), node.name, agreement);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
      agreement.assertAgreement();
    },
  };
}

/** Any test of a network runs on another suite with this variable: OSTROM_TEST_SUITE=sm node --test apps/cli/crash.test.ts. */
const SUITE_VARIABLE = "OSTROM_TEST_SUITE";

function suiteOfEnvironment(): LocalNetworkPlan["suite"] {
  const asked = process.env[SUITE_VARIABLE];
  if (asked === undefined) return undefined;
  const name = SUITE_NAMES.find((known) => known === asked);
  if (name === undefined) throw new Error(`${SUITE_VARIABLE}: expected one of ${SUITE_NAMES.join(", ")}`);
  return { name, suite: SUITES[name] };
}

/** Questions in one batch of JSON-RPC. */
const HASHES_AT_ONCE = 90;

/** Hashes of a range of blocks by one node's account. */
export async function blockHashes(
  url: string,
  from: number,
  to: number,
): Promise<readonly (string | undefined)[]> {
  const questions = Array.from({ length: to - from + 1 }, (_, index) => ({
    method: "eth_getBlockByNumber",
    params: [`0x${(from + index).toString(16)}`, false],
  }));
  const answers = await askMany(url, questions);
  return answers.map((answer) => (answer.result as { hash: string } | null)?.hash);
}

/** Asserts that all of these nodes have the same blocks, from genesis through `last`. */
export async function assertSameBlocks(urls: readonly string[], last: number): Promise<void> {
  for (let from = 0; from <= last; from += HASHES_AT_ONCE) {
    const to = Math.min(last, from + HASHES_AT_ONCE - 1);
    const all = await Promise.all(urls.map((node) => blockHashes(node, from, to)));
    for (const hashes of all) assert.deepEqual(hashes, all[0]);
    assert.ok(all[0]!.every((hash) => hash !== undefined));
  }
}

/** Number of the newest block with a tag. */
export async function blockNumber(url: string, tag: "latest" | "finalized"): Promise<number> {
  const [answer] = await askMany(url, [{ method: "eth_getBlockByNumber", params: [tag, false] }]);
  const block = answer?.result as { readonly number: string } | null | undefined;
  if (block == null) throw new Error(`${url}: no ${tag} block: ${JSON.stringify(answer?.error)}`);
  return Number(block.number);
}
