import { join, resolve } from "node:path";
import { DEVELOPMENT_ACCOUNT_COUNT, DEVELOPMENT_BALANCE, DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { type Command, UsageError } from "../command.ts";
import {
  DEFAULT_DATA_DIRECTORY,
  DEVELOPMENT_CHAIN_ID,
  findTakenPort,
  LINK_PORT_OFFSET,
  type NetworkFile,
  openLocalNetwork,
  removeLocalNetwork,
} from "../local-network.ts";
import { type NodeReport, type StartedNode, startNodeProcess, stopNodes } from "../supervisor.ts";
import { showCoins } from "../units.ts";

const DEFAULT_VALIDATORS = 4;
const DEFAULT_PORT = 8545;

type ReadyReport = Extract<NodeReport, { kind: "ready" }>;

export const up: Command = {
  name: "up",
  summary: "start a development network of several validators on this machine",
  usage: "[flags]",
  flags: [
    { name: "validators", kind: "number", help: "how many validators a new network gets", default: DEFAULT_VALIDATORS },
    { name: "data-dir", kind: "text", placeholder: "DIR", help: "where the network lives", default: DEFAULT_DATA_DIRECTORY },
    { name: "fresh", kind: "switch", help: "delete the network in the data folder and begin a new chain" },
    { name: "port", kind: "number", help: "JSON-RPC port of the first validator; the others follow", default: DEFAULT_PORT },
    { name: "link-port", kind: "number", help: `first port for links between validators (default: port + ${LINK_PORT_OFFSET})` },
    { name: "chain-id", kind: "number", help: "chain id of a new network", default: DEVELOPMENT_CHAIN_ID },
    { name: "quiet", kind: "switch", help: "print no line for each block with transactions" },
  ],
  examples: [
    "ostrom up",
    "ostrom up --validators 7 --port 9545 --data-dir /tmp/seven",
    "ostrom up --fresh --json",
  ],
  run: async ({ values }) => {
    const directory = resolve(String(values["dataDir"]));
    const json = values["json"] === true;
    if (values["fresh"] === true) removeLocalNetwork(directory);
    const { file, isNew } = await openLocalNetwork({
      directory,
      validators: values["validators"] as number,
      port: values["port"] as number,
      chainId: values["chainId"] as number,
      ...(values["linkPort"] === undefined ? {} : { linkPort: values["linkPort"] as number }),
    });
    await refuseTakenPorts(file);
    return runNetwork({ directory, file, isNew, json, quiet: values["quiet"] === true });
  },
};

async function refuseTakenPorts(file: NetworkFile): Promise<void> {
  const taken = await findTakenPort(file.nodes.flatMap((node) => [node.rpcPort, node.linkPort]));
  if (taken === undefined) return;
  throw new UsageError(
    `port ${taken} is in use. If another "ostrom up" runs, stop it; else choose other ports for a new network: ` +
      `--port ${taken + 100} --data-dir .ostrom-${taken + 100}`,
  );
}

async function runNetwork(options: {
  readonly directory: string;
  readonly file: NetworkFile;
  readonly isNew: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}): Promise<number> {
  const { directory, file, json } = options;
  let stopping = false;
  const stopAsked = new Promise<void>((resolveStop) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        stopping = true;
        resolveStop();
      });
    }
  });
  const printed = new Set<number>();
  const nodes = file.nodes.map((node) =>
    startNodeProcess(node.name, join(directory, node.folder), (report) => {
      if (report.kind === "block" && !options.quiet) printBlock(report, printed, json);
    }),
  );
  const started = await Promise.race([Promise.all(nodes.map((node) => node.started)), stopAsked]);
  if (started === undefined) {
    await stopNodes(nodes);
    return 0;
  }
  const failures = started.filter((report) => report.kind === "failed");
  if (failures.length > 0) {
    for (const { name, message } of failures) console.error(`${name}: ${message}`);
    await stopNodes(nodes);
    return 1;
  }
  printBanner(options, started as readonly ReadyReport[]);
  for (const node of nodes) watch(node, nodes, directory, () => stopping, json);
  await Promise.race([stopAsked, Promise.all(nodes.map((node) => node.ended))]);
  if (!json) console.log("\nStopping...");
  await stopNodes(nodes);
  if (!json) console.log(`Stopped. The chain is in ${directory}; start it again with the same command.`);
  return stopping ? 0 : 1;
}

/** Says once that a validator went away while the network was meant to run. */
function watch(
  node: StartedNode,
  nodes: readonly StartedNode[],
  directory: string,
  isStopping: () => boolean,
  json: boolean,
): void {
  void node.ended.then(({ code, signal }) => {
    if (isStopping()) return;
    const alive = nodes.filter((other) => other.process.exitCode === null && other.process.signalCode === null).length;
    const why = signal ?? `exit code ${code}`;
    if (json) {
      console.log(JSON.stringify({ event: "ended", name: node.name, why, alive }));
      return;
    }
    const folder = join(directory, node.name);
    console.error(`${node.name} ended (${why}); ${alive} of ${nodes.length} go on. Why: ${join(folder, "node.log")}`);
    console.error(`  Start it again: npx ostrom run --data-dir ${folder}`);
  });
}

function printBlock(report: Extract<NodeReport, { kind: "block" }>, printed: Set<number>, json: boolean): void {
  // All validators report each block; the first report is printed.
  if (report.transactions === 0 || printed.has(report.number)) return;
  printed.add(report.number);
  if (printed.size > 1_000) printed.delete(printed.values().next().value ?? 0);
  if (json) {
    console.log(JSON.stringify({ event: "block", ...report }));
    return;
  }
  const noun = report.transactions === 1 ? "transaction" : "transactions";
  console.log(`block ${report.number}  ${report.hash.slice(0, 18)}...  ${report.transactions} ${noun}, ${report.gasUsed} gas`);
}

function printBanner(
  options: { readonly directory: string; readonly file: NetworkFile; readonly isNew: boolean; readonly json: boolean },
  ready: readonly ReadyReport[],
): void {
  const accounts = deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT);
  const { directory, file, isNew } = options;
  if (options.json) {
    const endpoints = ready.map(({ name, rpc, head }) => ({ name, rpc, head }));
    console.log(JSON.stringify({ event: "ready", chainId: file.chainId, directory, isNew, nodes: endpoints, accounts }));
    return;
  }
  const head = Math.max(...ready.map((report) => report.head));
  const lines = [
    "",
    `Ostrom  ${ready.length} validators, chain id ${file.chainId}, ${isNew ? "a new chain" : `resumed at block ${head}`}`,
    "",
    "JSON-RPC, HTTP and WebSocket:",
    ...ready.map((report) => `  ${report.name}   ${report.rpc}`),
    "",
    `Development accounts, ${showCoins(DEVELOPMENT_BALANCE)} coins each at genesis (everybody knows these keys: never use them for value):`,
    ...accounts.map(({ address, secretKey }, index) => `  (${index}) ${address}  ${secretKey}`),
    `  mnemonic: ${DEVELOPMENT_MNEMONIC}`,
    "",
    `Data: ${directory}`,
    "",
    "Try next, in another terminal:",
    "  npx ostrom status",
    `  npx ostrom send --to ${accounts[1]!.address} --value 1.5`,
    "  npm run demo                    deploy a token and use it, with viem and with ethers",
    "",
    "Ctrl-C stops all; the same command resumes.",
    "",
  ];
  console.log(lines.join("\n"));
}
