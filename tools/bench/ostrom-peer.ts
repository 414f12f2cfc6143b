import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SUITES, type SuiteName } from "@ostrom/execution";
import { type ConsoleProcess, startConsoleProcess } from "@ostrom/explorer";
import { createTestNetwork, type TestNetwork } from "../../apps/cli/testing/test-network.ts";
import type { Peer } from "./peer.ts";

export type OstromOptions = {
  readonly validators: number;
  readonly balances: ReadonlyMap<string, bigint>;
  readonly suite: SuiteName;
  /** Who runs contracts: node.json's `engine.tiers`. */
  readonly engine: string;
  /** Genesis' setting; undefined: as `ostrom up` makes it. */
  readonly signatureCheck?: string | undefined;
  /** With the explorer's process and its index in PGlite beside: theirs is no processor time of the network's. */
  readonly console?: boolean | undefined;
};

export type OstromPeer = Peer & { readonly network: TestNetwork };

type Genesis = Readonly<Record<string, unknown>> & { readonly consensus: Readonly<Record<string, unknown>> };

/** The network of `ostrom up`, in a temporary folder: the same genesis, the same processes, the same settings. */
export async function startOstrom(options: OstromOptions): Promise<OstromPeer> {
  const network = await createTestNetwork({
    validators: options.validators,
    suite: { name: options.suite, suite: SUITES[options.suite] },
    extraBalances: options.balances,
    hasMetrics: true,
  });
  try {
    for (let index = 0; index < options.validators; index++) configure(network.folder(index), options);
    await network.startAll();
    const console = options.console === true ? startConsoleOf(network) : undefined;
    const genesis = readJson<Genesis>(join(network.folder(0), "genesis.json"));
    return {
      name: "ostrom",
      settings: {
        validators: options.validators,
        suite: options.suite,
        engine: options.engine,
        fsync: true,
        signatureCheck: genesis.consensus["signatureCheck"] ?? "all",
        console: console !== undefined,
        gasLimit: genesis["gasLimit"],
        consensus: genesis.consensus,
      },
      urls: network.urls,
      processes: network.file.nodes.map((_, index) => network.node(index)!.process.pid!),
      stop: async () => {
        await console?.stop();
        await network.dispose();
      },
      network,
    };
  } catch (error) {
    await network.dispose();
    throw error;
  }
}

function startConsoleOf(network: TestNetwork): ConsoleProcess {
  const nodes = network.urls.map((url, index) => ({
    name: `validator-${index + 1}`,
    url,
    folder: network.folder(index),
  }));
  const options = { port: 0, chainName: "bench", nodes, database: join(network.directory, "index") };
  return startConsoleProcess(options, join(network.directory, "console.log"));
}

/** Before the first start: what differs from `ostrom up`, if anything was asked for. */
function configure(folder: string, { engine, signatureCheck }: OstromOptions): void {
  if (engine !== "mixed") change(join(folder, "node.json"), { engine: { tiers: engine } });
  if (signatureCheck === undefined) return;
  const path = join(folder, "genesis.json");
  change(path, { consensus: { ...readJson<Genesis>(path).consensus, signatureCheck } });
}

function change(path: string, settings: object): void {
  writeFileSync(path, JSON.stringify({ ...readJson<object>(path), ...settings }));
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}
