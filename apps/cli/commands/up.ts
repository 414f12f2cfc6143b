import { join, resolve } from "node:path";
import { type Address, addressFromHex } from "@ostrom/base";
import { SUITES } from "@ostrom/execution";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { readChoice } from "../choice.ts";
import { type Command, type CommandInput, camelCase, UsageError } from "../command.ts";
import { CONSENSUS_FLAGS, readConsensusChoice } from "../consensus-choice.ts";
import {
  CONSOLE_DATABASE_FLAG,
  CONSOLE_PORT_FLAG,
  chooseConsolePort,
  startExplorer,
} from "../console-choice.ts";
import { inOneLine } from "../failure-line.ts";
import {
  createLocalNetwork,
  DEFAULT_DATA_DIRECTORY,
  DEVELOPMENT_CHAIN_ID,
  LINK_PORT_OFFSET,
  LOCAL_PROFILES,
  type LocalNetworkPlan,
  type LocalNode,
  METRICS_PORT_OFFSET,
  type NetworkFile,
  planNodes,
  readLocalNetwork,
  refuseForeignValidators,
  refuseRunningNetwork,
  removeLocalNetwork,
} from "../local-network.ts";
import { networkBanner, readyEvent } from "../network-banner.ts";
import { MODULE_FLAGS, planModules } from "../network-profile.ts";
import { findFreePorts, findPortProblem } from "../ports.ts";
import type { Program } from "../program.ts";
import { readSignatureCheck, SIGNATURE_CHECK_FLAG } from "../signature-check-choice.ts";
import { readSuite, refuseModulesOf, SUITE_FLAGS, type SuiteChoice } from "../suite-choice.ts";
import { type NodeReport, type StartedNode, startNodeProcess, stopNodes } from "../supervisor.ts";
import { readEpochLength } from "../validator-set-choice.ts";

const DEFAULT_VALIDATORS = 4;
const DEFAULT_PORT = 8545;
/** Blocks whose first report is remembered, so that the other validators' reports of them are not printed again. */
const REMEMBERED_BLOCKS = 1_000;

/** Of networks with modules: what changes their validators shows within minutes. */
const LOCAL_EPOCH_LENGTH = 60;
const EPOCH_LENGTH_HELP = `blocks for which a set validates (default 100000; with modules ${LOCAL_EPOCH_LENGTH})`;

type ReadyReport = Extract<NodeReport, { kind: "ready" }>;

export const up: Command = {
  name: "up",
  summary: "start a development network of several validators on this machine",
  usage: "[flags]",
  flags: [
    {
      name: "validators",
      kind: "number",
      help: "how many validators a new network gets",
      default: DEFAULT_VALIDATORS,
    },
    {
      name: "data-dir",
      kind: "text",
      placeholder: "DIR",
      help: "where the network lives",
      default: DEFAULT_DATA_DIRECTORY,
    },
    { name: "fresh", kind: "switch", help: "delete the network in the data folder and begin a new chain" },
    {
      name: "port",
      kind: "number",
      help: "JSON-RPC port of the first validator; the others follow",
      default: DEFAULT_PORT,
    },
    {
      name: "link-port",
      kind: "number",
      help: `first port for links between validators (default: port + ${LINK_PORT_OFFSET})`,
    },
    {
      name: "metrics-port",
      kind: "number",
      help: `first port for metrics and health (default: link port + ${METRICS_PORT_OFFSET}; 0: none)`,
    },
    { name: "chain-id", kind: "number", help: "chain id of a new network", default: DEVELOPMENT_CHAIN_ID },
    {
      name: "profile",
      kind: "text",
      placeholder: "NAME",
      help: "a new network's: dev; alliance (organisations, by vote); public (by stake)",
      default: "dev",
      choices: LOCAL_PROFILES,
    },
    { name: "epoch-length", kind: "number", help: EPOCH_LENGTH_HELP },
    ...CONSENSUS_FLAGS,
    ...SUITE_FLAGS,
    SIGNATURE_CHECK_FLAG,
    ...MODULE_FLAGS,
    { name: "console", kind: "switch", help: "leave the explorer out", default: true },
    CONSOLE_PORT_FLAG,
    CONSOLE_DATABASE_FLAG,
    { name: "quiet", kind: "switch", help: "print no line for each block with transactions" },
  ],
  examples: [
    "ostrom up",
    "ostrom up --validators 7 --port 9545 --data-dir /tmp/seven",
    "ostrom up --consensus pow --data-dir .ostrom-pow",
    "ostrom up --profile alliance --epoch-length 30 --data-dir .ostrom-alliance",
    "ostrom up --suite sm --data-dir .ostrom-sm",
    "ostrom up --fresh --json",
    "ostrom up --console-port 8600",
    "ostrom up --no-console",
  ],
  run: async (input, program) => {
    const { values } = input;
    const directory = resolve(String(values["dataDir"]));
    const port = values["port"] as number;
    const suite = readSuite(input);
    const linkPort = (values["linkPort"] as number | undefined) ?? port + LINK_PORT_OFFSET;
    const plan: LocalNetworkPlan = {
      directory,
      validators: values["validators"] as number,
      port,
      linkPort,
      metricsPort: (values["metricsPort"] as number | undefined) ?? linkPort + METRICS_PORT_OFFSET,
      chainId: values["chainId"] as number,
      consensus: readConsensusChoice(input),
      suite,
      signatureCheck: readSignatureCheck(input),
      ...(await readProfile(input, program, suite)),
    };
    const isFresh = values["fresh"] === true;
    // What is wrong with the folder is said before what is wrong with the ports: another folder may have others.
    refuseForeignValidators(directory);
    await refuseRunningNetwork(directory);
    const existing = isFresh ? undefined : readLocalNetwork(directory);
    if (existing !== undefined) refuseContradictions(input, existing);
    await refuseUnusablePorts(existing?.nodes ?? planNodes(plan), existing !== undefined);
    const consolePort = values["console"] === true ? await chooseConsolePort(values) : undefined;
    // Also the beginnings of a network whose creation was cut short.
    if (existing === undefined) await removeLocalNetwork(directory);
    const file = existing ?? createLocalNetwork(plan);
    return runNetwork({
      main: program.main,
      dataDir: String(values["dataDir"]),
      directory,
      file,
      isNew: existing === undefined,
      json: values["json"] === true,
      quiet: values["quiet"] === true,
      consolePort,
      consoleDatabase: values["consoleDatabase"] as string | undefined,
    });
  },
};

async function readProfile(
  input: CommandInput,
  program: Program,
  suite: SuiteChoice,
): Promise<Pick<LocalNetworkPlan, "profile" | "modules" | "epochLength" | "set">> {
  const { values, given } = input;
  const profile = readChoice("--profile", values["profile"], LOCAL_PROFILES);
  const asked = readEpochLength(values["epochLength"]);
  if (profile === "dev") {
    if (given.has("set")) throw new UsageError("--set: a network of profile dev has no modules");
    return { profile, epochLength: asked };
  }
  if (values["consensus"] === "pow")
    throw new UsageError(`--profile ${profile}: where blocks are mined (--consensus pow) nobody votes`);
  refuseModulesOf(suite, profile);
  const owner = profile === "public" ? developmentOwner() : undefined;
  return {
    profile,
    modules: await planModules(profile, program, input, owner),
    epochLength: asked ?? LOCAL_EPOCH_LENGTH,
    set: values["set"] as readonly string[] | undefined,
  };
}

/** Where no module decides on upgrades, development account 0 does. */
function developmentOwner(): Address {
  return addressFromHex(deriveAccounts(DEVELOPMENT_MNEMONIC, 1)[0]!.address);
}

/** Flags that describe a new network must not be passed over in silence where there is one already. */
function refuseContradictions(input: CommandInput, file: NetworkFile): void {
  const { values, given } = input;
  const {
    chainId,
    nodes,
    consensus = "simplex",
    profile = "dev",
    suite = "ethereum",
    signatureCheck = "all",
  } = file;
  const first = nodes[0]!;
  const facts = [
    ["validators", "validators", nodes.length, `has ${nodes.length} validators`],
    ["port", "port", first.rpcPort, `has its JSON-RPC ports from ${first.rpcPort} on`],
    ["linkPort", "link-port", first.linkPort, `has its link ports from ${first.linkPort} on`],
    ["metricsPort", "metrics-port", first.metricsPort ?? 0, metricsFact(first)],
    ["chainId", "chain-id", chainId, `has chain id ${chainId}`],
    ["consensus", "consensus", consensus, `agrees by ${consensus}`],
    ["profile", "profile", profile, `is of profile ${profile}`],
    ["suite", "suite", suite, `is of suite ${suite}`],
    ["signatureCheck", "signature-check", signatureCheck, `has signatures checked by ${signatureCheck}`],
  ] as const;
  const { epochLength, set = [] } = file;
  if (given.has("epochLength") && values["epochLength"] !== epochLength)
    throw contradiction(values, `has epochs of ${epochLength ?? "100000"} blocks`, "epoch-length");
  const accounts = file.accounts ?? SUITES[suite].accounts;
  const asked = String(readSuite(input).suite.accounts);
  for (const flag of ["accounts", "sm-only"]) {
    if (given.has(camelCase(flag)) && asked !== String(accounts))
      throw contradiction(values, `has accounts of ${accounts.join(",")}`, flag);
  }
  if (given.has("set") && String(values["set"]) !== String(set))
    throw contradiction(values, `was made with ${set.length === 0 ? "no --set" : set.join(" ")}`, "set");
  for (const [key, flag, fact, description] of facts) {
    if (!given.has(key) || values[key] === fact) continue;
    throw contradiction(values, description, flag);
  }
}

function metricsFact({ metricsPort }: LocalNode): string {
  return metricsPort === undefined
    ? "has no ports for metrics (node.json can have one)"
    : `has its ports for metrics from ${metricsPort} on`;
}

function contradiction(values: CommandInput["values"], description: string, flag: string): UsageError {
  const value = String(values[camelCase(flag)]);
  return new UsageError(
    `the network in ${String(values["dataDir"])} ${description}, not --${flag} ${value}: ` +
      `leave --${flag} out, name another folder with --data-dir, or begin a new chain with --fresh (this deletes the old one)`,
  );
}

async function refuseUnusablePorts(nodes: readonly LocalNode[], exists: boolean): Promise<void> {
  const problem = await findPortProblem(
    nodes.flatMap(({ rpcPort, linkPort, metricsPort = [] }) => [rpcPort, linkPort, metricsPort].flat()),
  );
  if (problem === undefined) return;
  const { port, why } = problem;
  const first = nodes[0]!;
  const free = await findFreePorts(Math.max(first.rpcPort, 1_024), (from) =>
    nodes.flatMap((_, index) => {
      const link = from + LINK_PORT_OFFSET + index;
      return [from + index, link, link + METRICS_PORT_OFFSET];
    }),
  );
  const choice = `--port ${free ?? "N"}`;
  const advice = exists
    ? `or start another network: ${choice} --data-dir ${DEFAULT_DATA_DIRECTORY}-${free ?? "N"}`
    : `or choose others: ${choice}`;
  throw new UsageError(
    why === "taken"
      ? `port ${port} is in use: stop the program that listens there (another "ostrom up"?), ${advice}`
      : `port ${port} is not for this user: allow it, ${advice}`,
  );
}

type Network = {
  /** Of the program that each node runs. */
  readonly main: string;
  readonly dataDir: string;
  readonly directory: string;
  readonly file: NetworkFile;
  readonly isNew: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  /** Of the explorer; undefined: there is none. */
  readonly consolePort: number | undefined;
  readonly consoleDatabase: string | undefined;
};

async function runNetwork(network: Network): Promise<number> {
  const { directory, file, json } = network;
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
  const failures = new Map<string, string>();
  const nodes = file.nodes.map((node) =>
    startNodeProcess({
      main: network.main,
      name: node.name,
      folder: join(directory, node.folder),
      onReport: (report) => {
        if (report.kind === "block" && !network.quiet) printBlock(report, printed, json);
        if (report.kind === "failed") failures.set(node.name, inOneLine(report.message));
      },
    }),
  );
  const started = await Promise.race([Promise.all(nodes.map((node) => node.started)), stopAsked]);
  if (started === undefined) {
    await stopNodes(nodes);
    return 0;
  }
  const failed = started.filter((report) => report.kind === "failed");
  if (failed.length > 0) {
    console.error(`ostrom up: ${describeFailures(failed)}`);
    await stopNodes(nodes);
    return 1;
  }
  const { chainId } = file;
  const ready = (started as readonly ReadyReport[]).map((report, index) => ({
    ...report,
    pid: nodes[index]!.process.pid,
  }));
  const banner = { ...network, chainId, ready };
  console.log(json ? readyEvent(banner) : networkBanner(banner));
  // After the nodes, whose start it must not slow down.
  const explorer = await startExplorer(network, ready);
  for (const node of nodes) {
    void node.ended.then((end) => {
      if (!stopping) reportEnd(node, end, failures.get(node.name), nodes, network);
    });
  }
  await Promise.race([stopAsked, Promise.all(nodes.map((node) => node.ended))]);
  if (!json && stopping) console.log("\nStopping...");
  await Promise.all([stopNodes(nodes), explorer?.stop()]);
  if (!json && stopping) console.log(`Stopped. The chain is in ${directory}; the same command resumes it.`);
  return stopping ? 0 : 1;
}

function describeFailures(failed: readonly { readonly name: string; readonly message: string }[]): string {
  const { name, message } = failed[0]!;
  const others = failed.length - 1;
  const more = others === 0 ? "" : ` (and ${others} more: see node.log in their folders)`;
  return `${name} cannot start${more}: ${inOneLine(message)}`;
}

/** Says once that a validator went away while the network was meant to run. */
function reportEnd(
  node: StartedNode,
  { code, signal }: { readonly code: number | null; readonly signal: NodeJS.Signals | null },
  message: string | undefined,
  nodes: readonly StartedNode[],
  { directory, file, json }: Network,
): void {
  const alive = nodes.filter((other) => other.process.exitCode === null && other.process.signalCode === null);
  const why = message ?? signal ?? `exit code ${code}`;
  if (json) {
    console.log(JSON.stringify({ event: "ended", name: node.name, why, alive: alive.length }));
    return;
  }
  // Miners go on one by one.
  const needed = file.consensus === "pow" ? 1 : Math.floor((2 * nodes.length) / 3) + 1;
  const consequence =
    alive.length >= needed
      ? `${alive.length} of ${nodes.length} go on`
      : `no block is finalized until ${needed} of ${nodes.length} run, now ${alive.length} do`;
  const folder = join(directory, node.name);
  console.error(`${node.name} ended: ${why}`);
  console.error(`  ${consequence}. Its log: ${join(folder, "node.log")}`);
  console.error(`  Start it again: npx ostrom run --data-dir ${folder}`);
}

function printBlock(
  report: Extract<NodeReport, { kind: "block" }>,
  printed: Set<number>,
  json: boolean,
): void {
  // All validators report each block; the first report is printed.
  if (report.transactions === 0 || printed.has(report.number)) return;
  printed.add(report.number);
  if (printed.size > REMEMBERED_BLOCKS) printed.delete(printed.values().next().value ?? 0);
  if (json) {
    const { name: _, kind: __, ...block } = report;
    console.log(JSON.stringify({ event: "block", ...block }));
    return;
  }
  const noun = report.transactions === 1 ? "transaction" : "transactions";
  console.log(
    `block ${report.number}  ${report.hash.slice(0, 18)}...  ${report.transactions} ${noun}, ${report.gasUsed} gas`,
  );
}
