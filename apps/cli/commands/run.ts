import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import type { Failure } from "@ostrom/base";
import { diskRoom, hasRoomAgain, readConfiguration, startNode } from "@ostrom/runtime";
import { type Command, UsageError, type Values } from "../command.ts";
import { CONSOLE_DATABASE_FLAG, CONSOLE_PORT_FLAG, startNodeExplorer } from "../console-choice.ts";
import { inOneLine } from "../failure-line.ts";
import type { NodeReport } from "../supervisor.ts";

const SYNC_MODES = ["replay", "snapshot"] as const;
const LOG_LEVELS: readonly string[] = ["debug", "info", "warn", "error"];
const LOG_FORMATS: readonly string[] = ["json", "text"];
const HIGHEST_PORT = 65_535;
const WANT_OF_ROOM: ReadonlySet<string> = new Set(["storage/disk-full", "storage/disk-low"]);
const LOOK_FOR_ROOM_MS = 2_000;
const LOOK_FOR_NEIGHBOUR_MS = 1_000;
/** A validator has some six threads with work. */
const FEW_CORES = 4;
/** Of each thread. */
const YOUNG_SPACE_MB = 32;

export const run: Command = {
  name: "run",
  summary: "run one node",
  usage: "--data-dir DIR [flags]",
  flags: [
    {
      name: "data-dir",
      kind: "text",
      placeholder: "DIR",
      help: "the node's folder, made by ostrom init, join, keys create or up",
      default: ".",
    },
    {
      name: "rpc-host",
      kind: "text",
      placeholder: "HOST",
      help: "where JSON-RPC listens (default: node.json, else 127.0.0.1)",
    },
    { name: "rpc-port", kind: "number", help: "JSON-RPC port (default: node.json)" },
    {
      name: "rpc-certificate",
      kind: "text",
      placeholder: "FILE",
      help: "PEM of a certificate with its chain: JSON-RPC speaks TLS (default: node.json)",
    },
    { name: "rpc-key", kind: "text", placeholder: "FILE", help: "PEM of the certificate's private key" },
    {
      name: "link-host",
      kind: "text",
      placeholder: "HOST",
      help: "where links from other validators are accepted (default: node.json)",
    },
    { name: "link-port", kind: "number", help: "port for links (default: node.json)" },
    {
      name: "metrics-host",
      kind: "text",
      placeholder: "HOST",
      help: "where metrics and health are served (default: node.json, else 127.0.0.1)",
    },
    {
      name: "metrics-port",
      kind: "number",
      help: "port for metrics and health (default: node.json; 0: none)",
    },
    {
      name: "sync",
      kind: "text",
      placeholder: "HOW",
      help: "a node without a chain: replay all blocks, or fetch a certified state (snapshot)",
      choices: SYNC_MODES,
    },
    {
      name: "log-level",
      kind: "text",
      placeholder: "LEVEL",
      help: "debug, info, warn or error (default: node.json, else info)",
      choices: LOG_LEVELS,
    },
    {
      name: "log-format",
      kind: "text",
      placeholder: "FORMAT",
      help: "json or text (default: node.json, else json)",
      choices: LOG_FORMATS,
    },
    { name: "console", kind: "switch", help: "serve the explorer beside the node" },
    CONSOLE_PORT_FLAG,
    CONSOLE_DATABASE_FLAG,
    { name: "stop-with", kind: "number", placeholder: "PID", help: "stop when that process has ended" },
  ],
  examples: [
    "ostrom run --data-dir network/validator-1",
    "ostrom run --data-dir validator-1 --rpc-host 0.0.0.0 --rpc-certificate node.crt --rpc-key node.key",
    "ostrom run --data-dir validator-1 --console",
    "ostrom run --data-dir validator-2 --link-host 0.0.0.0 --log-level debug",
  ],
  run: async ({ values }, { modules, forks }) => {
    const folder = resolve(String(values["dataDir"]));
    const overrides = {
      rpcHost: values["rpcHost"] as string | undefined,
      rpcPort: readPort(values["rpcPort"], "--rpc-port"),
      rpcTls: readTlsFiles(values),
      linkHost: values["linkHost"] as string | undefined,
      linkPort: readPort(values["linkPort"], "--link-port"),
      metricsHost: values["metricsHost"] as string | undefined,
      metricsPort: readPort(values["metricsPort"], "--metrics-port"),
      sync: readChoice(values["sync"], "--sync", SYNC_MODES),
      logLevel: readChoice(values["logLevel"], "--log-level", LOG_LEVELS),
      logFormat: readChoice(values["logFormat"], "--log-format", LOG_FORMATS),
    };
    tuneGarbageCollection();
    // From now on, not when the node has started: whoever started this one may be gone before that.
    const stopAsked = signalled(values["stopWith"] as number | undefined);
    let name = folder;
    const started = await startNode(folder, {
      ...overrides,
      modules,
      forks,
      onBlock: (block) => report({ kind: "block", name, ...block }),
    });
    if (!started.ok) return cannotGoOn(folder, name, started.error, stopAsked);
    const node = started.value;
    name = node.name;
    const { head, certified } = node.heads();
    const urls = { rpc: node.rpcUrl, metrics: node.metricsUrl };
    report({ kind: "ready", name, ...urls, head, certified });
    if (process.send === undefined) {
      const shown = { event: "ready", name, ...urls, head, certified, folder };
      const metrics = urls.metrics === undefined ? "" : `, metrics at ${urls.metrics}/metrics`;
      const line = `${name} is at block ${head}, JSON-RPC at ${node.rpcUrl}${metrics}. Ctrl-C stops it.`;
      console.log(values["json"] === true ? JSON.stringify(shown) : line);
    }
    const explorer = await startNodeExplorer(values, { name, folder, url: node.rpcUrl });
    const reason = await Promise.race([stopAsked, node.failed]);
    void explorer?.stop();
    if (reason !== undefined && mayComeBack(reason)) {
      await node.stop();
      return cannotGoOn(folder, name, reason, stopAsked);
    }
    // Said before the node is stopped: a machine in trouble may not let it get that far.
    const exitCode = reason === undefined ? 0 : fail(name, reason.message);
    await node.stop();
    disconnect();
    return exitCode;
  },
};

/** Most of what a transaction leaves behind is garbage before the next block: twice V8's room for the young, and where a node's threads outnumber the
 * cores no helper threads, which would only take turns with them. Together a fifth of a validator's processor time on two cores
 * (docs/performance.md). Must be said before any other thread begins. */
function tuneGarbageCollection(): void {
  setFlagsFromString(`--max-semi-space-size=${YOUNG_SPACE_MB}`);
  if (availableParallelism() <= FEW_CORES) setFlagsFromString("--single-threaded-gc");
}

/** What ends by itself once somebody has freed some space. Whoever supervises this process, and is told, starts it again. */
function mayComeBack({ code }: Failure): boolean {
  return WANT_OF_ROOM.has(code) && process.send === undefined && process.execve !== undefined;
}

/** Ends the process, or, for want of room alone, waits until there is room and becomes the node again: as a new program, because a
 * database whose write has failed stays closed in this one. */
async function cannotGoOn(
  folder: string,
  name: string,
  reason: Failure,
  stopAsked: Promise<undefined>,
): Promise<number> {
  if (!mayComeBack(reason)) return fail(name, reason.message);
  console.error(`ostrom run: ${inOneLine(reason.message)}. It starts again by itself when there is room.`);
  let isStopAsked = false;
  void stopAsked.then(() => {
    isStopAsked = true;
  });
  const settings = readConfiguration(folder);
  const marks = settings.ok ? settings.value.disk : { warnFreeBytes: 0, stopFreeBytes: 0 };
  while (!isStopAsked) {
    if (hasRoomAgain(await diskRoom(folder, marks))) {
      console.error("ostrom run: there is room again: the node starts");
      process.execve?.(
        process.execPath,
        [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
        process.env,
      );
    }
    await Promise.race([sleep(LOOK_FOR_ROOM_MS), stopAsked]);
  }
  return 0;
}

/** Tells the supervisor, if there is one; it may be gone, and then this node is on its way out as well. */
function report(entry: NodeReport): void {
  if (process.connected) process.send?.(entry, undefined, undefined, () => undefined);
}

function fail(name: string, message: string): number {
  report({ kind: "failed", name, message });
  console.error(`ostrom run: ${inOneLine(message)}`);
  disconnect();
  return 1;
}

/** The channel to the supervisor would keep this process alive. What was reported before still goes out. */
function disconnect(): void {
  if (process.connected) process.disconnect?.();
}

function readPort(value: unknown, flag: string): number | undefined {
  if (value === undefined) return undefined;
  if ((value as number) <= HIGHEST_PORT) return value as number;
  throw new UsageError(`${flag}: expected a port from 0 to ${HIGHEST_PORT}, found ${String(value)}`);
}

function readTlsFiles(values: Values): { readonly certificate: string; readonly key: string } | undefined {
  const { rpcCertificate: certificate, rpcKey: key } = values as Readonly<Record<string, string | undefined>>;
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined)
    throw new UsageError("--rpc-certificate and --rpc-key go together");
  return { certificate: resolve(certificate), key: resolve(key) };
}

function readChoice(value: unknown, flag: string, choices: readonly string[]): string | undefined {
  if (value === undefined || choices.includes(value as string)) return value as string | undefined;
  throw new UsageError(`${flag}: expected one of ${choices.join(", ")}, found "${String(value)}"`);
}

/** Resolves when somebody asks the process to stop, or the process that started it is gone.
 * @param neighbour a process with which this one ends. */
function signalled(neighbour?: number): Promise<undefined> {
  return new Promise((stop) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => stop(undefined));
    process.once("disconnect", () => stop(undefined));
    if (neighbour === undefined) return;
    const timer = setInterval(() => {
      if (isAlive(neighbour)) return;
      clearInterval(timer);
      stop(undefined);
    }, LOOK_FOR_NEIGHBOUR_MS).unref();
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
