import type { ConsoleNode, ConsoleProcess, ConsoleReport } from "@ostrom/explorer";
import { type Flag, UsageError, type Values } from "./command.ts";
import { inOneLine } from "./failure-line.ts";
import { findPortProblem } from "./ports.ts";

/** The web console beside nodes: its flags, its port, its process. */

export const DEFAULT_CONSOLE_PORT = 8_500;
const HIGHEST_PORT = 65_535;
/** Where the default port is taken, one of those that follow is. */
const PORTS_TRIED = 100;
const HOST = "127.0.0.1";
const LOG_FILE = "console.log";
const INDEX_FOLDER = "index";

export const CONSOLE_PORT_FLAG: Flag = {
  name: "console-port",
  kind: "number",
  help: `port of the explorer (default: ${DEFAULT_CONSOLE_PORT}, or the next free one)`,
};

export const CONSOLE_DATABASE_FLAG: Flag = {
  name: "console-database",
  kind: "text",
  placeholder: "URL",
  help: "PostgreSQL's connection string for the explorer's index (default: a folder beside the chain)",
};

/** @returns the port for the explorer, which nobody has now. @throws UsageError if the one that was asked for cannot be had. */
export async function chooseConsolePort(values: Values): Promise<number> {
  const asked = values["consolePort"] as number | undefined;
  if (asked === undefined) {
    for (let port = DEFAULT_CONSOLE_PORT; port < DEFAULT_CONSOLE_PORT + PORTS_TRIED; port++) {
      if ((await findPortProblem([port])) === undefined) return port;
    }
    throw new UsageError(
      `no port from ${DEFAULT_CONSOLE_PORT} on is free for the explorer: name one with --console-port, or leave it out with --no-console`,
    );
  }
  if (asked < 1 || asked > HIGHEST_PORT)
    throw new UsageError(`--console-port: expected a port from 1 to ${HIGHEST_PORT}, found ${asked}`);
  const problem = await findPortProblem([asked]);
  if (problem === undefined) return asked;
  throw new UsageError(
    `port ${asked} is ${problem.why === "taken" ? "in use" : "not for this user"}: choose another one with --console-port`,
  );
}

export function consoleUrl(port: number): string {
  return `http://${HOST}:${port}`;
}

/** Starts the console's process; what it says goes to console.log in the folder. @param onFailure told once, if it cannot start. */
export async function startConsoleBeside(
  plan: {
    readonly directory: string;
    readonly port: number;
    readonly chainName: string;
    readonly nodes: readonly ConsoleNode[];
    readonly database?: string | undefined;
  },
  onFailure: (report: Extract<ConsoleReport, { kind: "failed" }>) => void,
): Promise<ConsoleProcess> {
  const { directory, database = indexFolder(directory), ...rest } = plan;
  const { startConsoleProcess } = await import("@ostrom/explorer");
  const started = startConsoleProcess({ ...rest, host: HOST, database }, consoleLog(directory));
  void started.started.then((report) => {
    if (report.kind === "failed") onFailure(report);
  });
  return started;
}

/** Starts the explorer of a local network. That it cannot start is said, and nothing more.
 * @returns undefined where there is to be none. */
export async function startExplorer(
  network: {
    readonly consolePort: number | undefined;
    readonly consoleDatabase: string | undefined;
    readonly directory: string;
    readonly json: boolean;
    readonly file: { readonly nodes: readonly { readonly folder: string }[] };
  },
  ready: readonly { readonly name: string; readonly rpc: string }[],
): Promise<ConsoleProcess | undefined> {
  const { consolePort: port, consoleDatabase: database, directory, file } = network;
  if (port === undefined) return undefined;
  const nodes = ready.map(({ name, rpc }, index) => ({
    name,
    url: rpc,
    folder: `${directory}/${file.nodes[index]!.folder}`,
  }));
  return startConsoleBeside({ directory, port, chainName: "Ostrom", nodes, database }, ({ message }) => {
    const why = inOneLine(message);
    if (network.json) console.log(JSON.stringify({ event: "console-failed", why }));
    else console.error(`The explorer is not there: ${why}. The network runs.`);
  });
}

/** Starts the explorer of one node, where it was asked for. */
export async function startNodeExplorer(
  values: Values,
  { name, folder, url }: { readonly name: string; readonly folder: string; readonly url: string },
): Promise<ConsoleProcess | undefined> {
  if (values["console"] !== true) return undefined;
  const port = await chooseConsolePort(values);
  const database = values["consoleDatabase"] as string | undefined;
  const node = { name, url, folder };
  const started = await startConsoleBeside(
    { directory: folder, port, chainName: "Ostrom", nodes: [node], database },
    ({ message }) => console.error(`The explorer is not there: ${inOneLine(message)}. The node runs.`),
  );
  const shown = { event: "explorer", url: consoleUrl(port) };
  console.log(values["json"] === true ? JSON.stringify(shown) : `Explorer ${consoleUrl(port)}`);
  return started;
}

/** Where the index of the chain in a folder lies, unless it is in a database elsewhere. */
export function indexFolder(directory: string): string {
  return `${directory}/${INDEX_FOLDER}`;
}

/** What the console of a folder's chain says. */
export function consoleLog(directory: string): string {
  return `${directory}/${LOG_FILE}`;
}
