import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePorts } from "../../cli/testing/free-ports.ts";
import { type ConsoleBlock, isAsShown, type PageCommand } from "../page-commands.ts";
import { guardPage, type PageGuard } from "./page-guard.ts";

const REPOSITORY = join(import.meta.dirname, "../../..");
const MAIN = join(REPOSITORY, "apps/cli/main.ts");
/** Ports that people have, as pages say them, and how many in a row are used from there. */
const PAGE_PORTS: readonly (readonly [first: number, count: number])[] = [
  [8545, 8],
  [9545, 8],
  [9645, 8],
  [30_310, 8],
  [8500, 1],
  [8600, 1],
];
const ALL_PORTS = PAGE_PORTS.reduce((sum, [, count]) => sum + count, 0);
const MOST_PAGES_AT_ONCE = 4;
const COMMAND_TIMEOUT_MS = 90_000;
const POLL_MS = 50;
const STOP_TIMEOUT_MS = 15_000;

/** A fresh folder in which the commands of one page are run, one after another, with real processes. */
export type PageRunner = {
  readonly run: (block: ConsoleBlock) => Promise<void>;
  /** Ends what goes on in the background and deletes the folder. */
  readonly end: () => Promise<void>;
};

type Running = { readonly child: ChildProcess; readonly output: () => string };

/** @param startedAlready a command that several pages begin with: it is started once and goes on for all pages that this runner is given. */
export async function startPage(startedAlready?: string): Promise<PageRunner> {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-page-"));
  const first = await takeRange();
  const ports = mapPorts(first);
  installCommand(folder, ports);
  const guard = guardPage(folder);
  const place: Place = { folder, ports, guard };
  const background: Running[] = [];
  let shared: Running | undefined;
  const runBehind = async (command: PageCommand): Promise<void> => {
    const isShared = command.text === startedAlready;
    if (isShared && shared !== undefined) return expectShown(shared, command);
    const running = await runInBackground(place, command);
    background.push(running);
    if (isShared) shared = running;
  };
  return {
    run: async (block) => {
      for (const [index, command] of block.commands.entries()) {
        const isLast = index === block.commands.length - 1;
        if (block.kind === "background" && isLast) await runBehind(command);
        else await runToEnd(place, command, block.kind === "fails" && isLast);
      }
    },
    end: async () => {
      await Promise.all(background.map(({ child }) => endGroup(child)));
      await guard.end();
      (await ranges)?.push(first);
    },
  };
}

/** Ports that nobody has, in as many ranges as there are pages at once: two that look for themselves may find the same. */
let ranges: Promise<number[]> | undefined;

async function takeRange(): Promise<number> {
  ranges ??= findFreePorts(ALL_PORTS, MOST_PAGES_AT_ONCE).then((found) => [...found]);
  const range = (await ranges).pop();
  if (range === undefined) throw new Error(`more than ${MOST_PAGES_AT_ONCE} pages at once`);
  return range;
}

type Place = {
  readonly folder: string;
  readonly ports: ReadonlyMap<string, string>;
  readonly guard: PageGuard;
};

function mapPorts(first: number): ReadonlyMap<string, string> {
  const ports = new Map<string, string>();
  let next = first;
  for (const [from, count] of PAGE_PORTS)
    for (let port = from; port < from + count; port++) ports.set(String(port), String(next++));
  return ports;
}

/** `ostrom` as people have it: pages name no ports where the defaults are meant, so these are given here. */
function installCommand(folder: string, ports: ReadonlyMap<string, string>): void {
  for (const path of ["languages", "examples"]) symlinkSync(join(REPOSITORY, path), join(folder, path));
  const port = (page: string): string => ports.get(page)!;
  const rpc = `http://127.0.0.1:${port("8545")}`;
  const script = `#!/usr/bin/env node
import { spawn } from "node:child_process";
const args = process.argv.slice(2);
const has = (flag) => args.includes(flag);
const helps = has("--help") || args[0] === "help";
if (!helps && args[0] === "up" && !has("--port"))
  args.push("--port", "${port("8545")}", "--link-port", "${port("9545")}", "--metrics-port", "${port("9645")}");
if (!helps && args[0] === "up" && !has("--no-console")) args.push("--console-port", "${port("8500")}");
if (!helps && args[0] === "dev" && !has("--port")) args.push("--port", "${port("8545")}");
const asks = ["send", "call", "deploy", "checkpoint", "checkpoints", "modules", "export", "validators", "chain", "membership", "staking", "index"];
if (!helps && args[0] === "index" && !has("--port")) args.push("--port", "${port("8600")}");
const isBalance = args[0] === "account" && !["new", "import", "export"].includes(args[1]);
if (!helps && (asks.includes(args[0]) || isBalance) && !has("--rpc")) args.push("--rpc", "${rpc}");
const child = spawn(process.execPath, [${JSON.stringify(MAIN)}, ...args], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));
`;
  writeFileSync(join(folder, ".ostrom.mjs"), script);
  const shell = `#!/bin/sh\nexec "${process.execPath}" "${join(folder, ".ostrom.mjs")}" "$@"\n`;
  writeFileSync(join(folder, "ostrom"), shell);
  chmodSync(join(folder, "ostrom"), 0o755);
}

function start({ folder, ports, guard }: Place, text: string): Running {
  const child = spawn("bash", ["-euo", "pipefail", "-c", withPorts(text, ports)], {
    cwd: folder,
    // A group of its own: whatever a command has started ends with it.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      NO_COLOR: "1",
      PATH: [
        folder,
        dirname(process.execPath),
        join(REPOSITORY, "node_modules/.bin"),
        process.env["PATH"],
      ].join(delimiter),
    },
  });
  if (child.pid !== undefined) guard.watch(child.pid);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
  return { child, output: () => withoutPorts(output, ports) };
}

async function runToEnd(place: Place, command: PageCommand, mustFail: boolean): Promise<void> {
  const running = start(place, command.text);
  const timer = setTimeout(() => killGroup(running.child, "SIGKILL"), COMMAND_TIMEOUT_MS);
  const code = await new Promise<number | null>((resolve) => running.child.once("close", resolve));
  clearTimeout(timer);
  const isRight = mustFail ? code !== null && code !== 0 : code === 0;
  if (!isRight) throw new Error(`$ ${command.text}\nended with ${code}:\n${running.output()}`);
  if (!isAsShown(running.output(), command.output)) throw notAsShown(running, command);
}

function expectShown(running: Running, command: PageCommand): void {
  if (!isAsShown(running.output(), command.output, true)) throw notAsShown(running, command);
}

function notAsShown(running: Running, { text, output }: PageCommand): Error {
  return new Error(`$ ${text}\nprinted\n${running.output()}\nand the page shows\n${output.join("\n")}`);
}

async function runInBackground(place: Place, command: PageCommand): Promise<Running> {
  const running = start(place, command.text);
  const endMs = performance.now() + COMMAND_TIMEOUT_MS;
  while (!isAsShown(running.output(), command.output, true)) {
    if (running.child.exitCode !== null || performance.now() > endMs) {
      await endGroup(running.child);
      throw notAsShown(running, command);
    }
    await sleep(POLL_MS);
  }
  return running;
}

function withPorts(text: string, ports: ReadonlyMap<string, string>): string {
  return text.replace(/\b\d{4,5}\b/g, (port) => ports.get(port) ?? port);
}

function withoutPorts(text: string, ports: ReadonlyMap<string, string>): string {
  const pages = new Map([...ports].map(([page, real]) => [real, page]));
  return text.replace(/\b\d{4,5}\b/g, (port) => pages.get(port) ?? port);
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  killGroup(child, "SIGTERM");
  const timer = setTimeout(() => killGroup(child, "SIGKILL"), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
