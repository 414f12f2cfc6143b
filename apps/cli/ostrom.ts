import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { type Command, describeCommand, readFlags, UsageError } from "./command.ts";
import { EXIT, failureLine, failureReport } from "./failure-line.ts";
import { describeProgram, programCatalogue } from "./help-text.ts";
import { findModuleCommand } from "./module-commands.ts";
import type { Program } from "./program.ts";
import { didYouMean } from "./spelling.ts";
import { styled, turnColoursOff } from "./text-style.ts";

/** What one can type after `ostrom`; modules' commands come besides. */
export type CommandEntry = { readonly summary: string; readonly load: () => Promise<Command> };

const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  up: {
    summary: "start a development network of several validators on this machine",
    load: async () => (await import("./commands/up.ts")).up,
  },
  demo: {
    summary: "walk through a transfer, a contract, a killed validator and a proof",
    load: async () => (await import("./commands/demo.ts")).demo,
  },
  doctor: {
    summary: "check a node: ports, clock, disk, keys, peers, and what to do about it",
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
  dev: {
    summary: "start a development chain: a block at each transaction, in place of anvil or Hardhat's node",
    load: async () => (await import("./commands/dev.ts")).dev,
  },
  init: {
    summary: "create the genesis and the keys of a network, ready to copy to its machines",
    load: async () => (await import("./commands/init.ts")).init,
  },
  join: {
    summary: "make the folder of a node that joins a running chain",
    load: async () => (await import("./commands/join.ts")).join,
  },
  run: { summary: "run one node", load: async () => (await import("./commands/run.ts")).run },
  index: {
    summary: "follow a chain into a database, and serve what is in it by REST",
    load: async () => (await import("./commands/index-service.ts")).indexService,
  },
  status: {
    summary: "show what each validator knows of the chain, and whether they agree",
    load: async () => (await import("./commands/status.ts")).status,
  },
  validators: {
    summary: "list who validates now, and who will in the next epoch",
    load: async () => (await import("./commands/validators.ts")).validators,
  },
  keys: {
    summary: "make the keys of a new machine, or change those of a validator",
    load: async () => (await import("./commands/keys.ts")).keys,
  },
  signer: {
    summary: "keep a validator's consensus keys on a machine of their own",
    load: async () => (await import("./commands/signer.ts")).signer,
  },
  modules: {
    summary: "list the modules that are installed, and those that the chain uses",
    load: async () => (await import("./commands/modules.ts")).modules,
  },
  chain: {
    summary: "decide what a running chain becomes: schedule upgrades, graduate",
    load: async () => (await import("./commands/chain.ts")).chain,
  },
  token: {
    summary: "make a token with which a node's JSON-RPC knows who you are",
    load: async () => (await import("./commands/token.ts")).token,
  },
  backup: {
    summary: "copy a node's chain, whether it runs or not, with checksums",
    load: async () => (await import("./commands/backup.ts")).backup,
  },
  restore: {
    summary: "make a node's folder from a backup, after all of it is verified",
    load: async () => (await import("./commands/restore.ts")).restore,
  },
  observe: {
    summary: "follow what concerns your addresses, every part of it verified",
    load: async () => (await import("./commands/observe.ts")).observe,
  },
  checkpoint: {
    summary: "verify a chain as a light client and print where it stands",
    load: async () => (await import("./commands/checkpoint.ts")).checkpoint,
  },
  checkpoints: {
    summary: "list, verify or register for what certifies epochs by post-quantum keys",
    load: async () => (await import("./commands/checkpoints.ts")).checkpoints,
  },
  "operator-log": {
    summary: "show or verify what was done to a node, by whom and when",
    load: async () => (await import("./commands/operator-log.ts")).operatorLog,
  },
  work: {
    summary: "find tickets of work, where they elect the validators",
    load: async () => (await import("./commands/work.ts")).work,
  },
  send: {
    summary: "sign and send a transaction",
    load: async () => (await import("./commands/send.ts")).send,
  },
  call: {
    summary: "call a contract without a transaction",
    load: async () => (await import("./commands/call.ts")).call,
  },
  deploy: {
    summary: "deploy a contract: WebAssembly, RISC-V, or the EVM's",
    load: async () => (await import("./commands/deploy.ts")).deploy,
  },
  account: {
    summary: "create, import and export keys of all kinds, show balances",
    load: async () => (await import("./commands/account.ts")).account,
  },
  encrypt: {
    summary: "encrypt a file to recipients: SM2, or X25519 with ML-KEM-768",
    load: async () => (await import("./commands/encrypt.ts")).encrypt,
  },
  decrypt: {
    summary: "decrypt a file with a key of yours, or show who can",
    load: async () => (await import("./commands/decrypt.ts")).decrypt,
  },
  export: {
    summary: "write blocks, transactions and logs as Parquet files, for DuckDB and the like",
    load: async () => (await import("./commands/export.ts")).exportChain,
  },
  completion: {
    summary: "print a script that lets your shell complete this command",
    load: async () => (await import("./commands/completion.ts")).completionOf(COMMANDS),
  },
  reencrypt: {
    summary: "encrypt stored files anew, to other keys, in place",
    load: async () => (await import("./commands/reencrypt.ts")).reencrypt,
  },
};

/** After a command has ended, a thread or a socket that does not may hold the process no longer than this. */
const LINGER_MS = 3_000;

/** Runs this process as a program: its command line, to the end. */
export async function startProgram(program: Program): Promise<void> {
  // Compiled modules are kept between runs: a start takes half the time. Worker threads and the processes that this one
  // starts learn of the cache by the variable.
  process.env["NODE_COMPILE_CACHE"] ??= enableCompileCache().directory ?? "";
  // Whoever reads the output may stop to (`| head`), and the disk that a log goes to may be full: neither is a reason to
  // die in the middle of something.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const exitCode = await runOstrom(process.argv.slice(2), program);
  process.exitCode = exitCode;
  setTimeout(() => process.exit(exitCode), LINGER_MS).unref();
}

/** Runs one command line of a program. @returns the exit code. */
export async function runOstrom(argv: readonly string[], program: Program): Promise<number> {
  if (isAsked(argv, "--no-color")) turnColoursOff();
  const words = argv.filter((word) => word !== "--no-color" || argv.indexOf("--") >= 0);
  const [name, ...rest] = words;
  const isJson = isAsked(words, "--json");
  if (name === undefined || name === "--help" || name === "-h") return showAll(program, isJson);
  if (name === "--version" || name === "version")
    return show(isJson ? JSON.stringify({ name: "ostrom", version: version() }) : `ostrom ${version()}`);
  if (name !== "help") return runCommand(name, rest, program);
  const asked = rest.filter((word) => word !== "--json");
  if (asked[0] === undefined) return showAll(program, isJson);
  return runCommand(asked[0], [...asked.slice(1), "--help", ...(isJson ? ["--json"] : [])], program);
}

/** A flag that every command has; what stands after a lone -- is none. */
function isAsked(words: readonly string[], flag: string): boolean {
  const end = words.indexOf("--");
  return (end < 0 ? words : words.slice(0, end)).includes(flag);
}

async function runCommand(name: string, rest: readonly string[], program: Program): Promise<number> {
  const isJson = isAsked(rest, "--json");
  try {
    return await findAndRun(name, rest, program, isJson);
  } catch (error) {
    const line = failureLine(error);
    if (line === undefined) throw error;
    const { code, message, advice, exitCode } = failureReport(error)!;
    if (isJson) console.log(JSON.stringify({ error: { code, message, advice } }));
    console.error(`${styled("bad", `ostrom ${name}:`, process.stderr)} ${line}`);
    return exitCode;
  }
}

async function findAndRun(
  name: string,
  rest: readonly string[],
  program: Program,
  isJson: boolean,
): Promise<number> {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry !== undefined) return await runOne(await entry.load(), rest, program);
  const manifest = program.modules.find((module) => module.name === name);
  if (manifest === undefined) {
    const known = [...Object.keys(COMMANDS), ...program.modules.map((module) => module.name)];
    return refuse(
      "ostrom",
      `there is no command "${name}"${didYouMean(name, known)}`,
      "ostrom --help",
      isJson,
    );
  }
  const found = await findModuleCommand(manifest, rest);
  if (found.command !== undefined) return await runOne(found.command, found.rest, program);
  const asksForHelp = isAsked(rest, "--help") || isAsked(rest, "-h") || rest.length === 0;
  return asksForHelp
    ? show(found.help)
    : refuse(`ostrom ${name}`, found.refusal, `ostrom ${name} --help`, isJson);
}

function runOne(command: Command, rest: readonly string[], program: Program): Promise<number> | number {
  if (isAsked(rest, "--help") || isAsked(rest, "-h")) return show(describeCommand(command));
  return command.run(readFlags(command, rest, readConfigurationFile), program);
}

function refuse(who: string, problem: string, help: string, isJson: boolean): number {
  const advice = `See: ${help}`;
  if (isJson) console.log(JSON.stringify({ error: { code: "usage", message: problem, advice } }));
  console.error(
    `${styled("bad", `${who}:`, process.stderr)} ${problem}${problem.endsWith("?") ? "" : "."} ${advice}`,
  );
  return EXIT.usage;
}

async function showAll(program: Program, isJson: boolean): Promise<number> {
  if (isJson) return show(JSON.stringify(await programCatalogue(COMMANDS, program)));
  return show(await describeProgram(COMMANDS, program));
}

function show(text: string): number {
  console.log(text);
  return EXIT.done;
}

function readConfigurationFile(path: string): Readonly<Record<string, unknown>> {
  const text = readFileSync(path, "utf8");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--config ${path}: ${(error as Error).message}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new UsageError(`--config ${path}: expected a JSON object of flags, such as {"port": 9545}`);
  }
  return parsed as Readonly<Record<string, unknown>>;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return manifest.version;
}
