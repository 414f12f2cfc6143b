#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { readFileSync } from "node:fs";
import { type Command, describeCommand, readFlags, UsageError } from "./command.ts";

// Compiled modules are kept between runs: a start takes half the time. Worker threads and the processes that this one starts learn of the
// cache by the variable.
process.env["NODE_COMPILE_CACHE"] ??= enableCompileCache().directory ?? "";

const COMMANDS: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  up: {
    summary: "start a development network of several validators on this machine",
    load: async () => (await import("./commands/up.ts")).up,
  },
  init: {
    summary: "create the genesis and the keys of a network, ready to copy to its machines",
    load: async () => (await import("./commands/init.ts")).init,
  },
  run: { summary: "run one node", load: async () => (await import("./commands/run.ts")).run },
  status: { summary: "show what a node knows of its chain", load: async () => (await import("./commands/status.ts")).status },
  send: { summary: "sign and send a transaction", load: async () => (await import("./commands/send.ts")).send },
  call: { summary: "call a contract without a transaction", load: async () => (await import("./commands/call.ts")).call },
  account: {
    summary: "create keys, show balances, list the development accounts",
    load: async () => (await import("./commands/account.ts")).account,
  },
};

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    const asked = name === "help" ? COMMANDS[rest[0] ?? ""] : undefined;
    console.log(asked === undefined ? describeAll() : describeCommand(await asked.load()));
    return 0;
  }
  if (name === "--version" || name === "version") {
    console.log(`ostrom ${version()}`);
    return 0;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    console.error(`ostrom: there is no command "${name}". See: ostrom --help`);
    return 1;
  }
  try {
    const command = await entry.load();
    if (rest.includes("--help") || rest.includes("-h")) {
      console.log(describeCommand(command));
      return 0;
    }
    return await command.run(readFlags(command, rest, readConfigurationFile));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`ostrom ${name}: ${error.message}`);
    return 1;
  }
}

function readConfigurationFile(path: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`--config ${path}: ${(error as Error).message}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new UsageError(`--config ${path}: expected a JSON object of flags`);
  }
  return parsed as Readonly<Record<string, unknown>>;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}

function describeAll(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length)) + 2;
  return [
    "ostrom: one program for consortium chains, public chains and legal digital currencies",
    "",
    "Usage: ostrom COMMAND [flags]",
    "",
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}${summary}`),
    "",
    "Examples:",
    "  ostrom up                                start four validators here, with funded accounts",
    "  ostrom status                            what they agree on",
    "  ostrom send --to 0x7099...79C8 --value 1 send a coin from the first development account",
    "  ostrom help up                           all about one command",
  ].join("\n");
}
