import { existsSync, readFileSync, writeFileSync } from "node:fs";
import {
  DEFAULT_DEVELOPMENT,
  type DevelopmentNode,
  type DevelopmentObserver,
  type DevelopmentOptions,
  startDevelopmentNode,
} from "@ostrom/dev";
import { type Command, type CommandInput, readList, UsageError } from "../command.ts";
import { devBanner, devReadyEvent } from "../dev-banner.ts";
import type { DevelopmentLog } from "../development-log.ts";
import { styled } from "../text-style.ts";

const MS_PER_SECOND = 1_000;
const WEI_PER_COIN = 10n ** 18n;
const MAX_ACCOUNTS = 1_000;
/** What "no limit" means for code: more than a block's gas can pay for. */
const UNLIMITED_CODE_BYTES = 2 ** 24;
const FORKS = ["cancun", "prague", "osaka"] as const;

export const dev: Command = {
  name: "dev",
  summary: "start a development chain: a block at each transaction, in place of anvil or Hardhat's node",
  usage: "[flags]",
  flags: [
    {
      name: "port",
      kind: "number",
      help: "port of JSON-RPC, HTTP and WebSocket",
      default: DEFAULT_DEVELOPMENT.port,
    },
    {
      name: "host",
      kind: "text",
      placeholder: "HOST",
      help: "where to listen",
      default: DEFAULT_DEVELOPMENT.host,
    },
    {
      name: "allow-network",
      kind: "switch",
      help: "let other machines reach it (anyone can then do anything to it)",
    },
    { name: "chain-id", kind: "number", help: "chain id", default: Number(DEFAULT_DEVELOPMENT.chainId) },
    { name: "hardfork", kind: "text", placeholder: "NAME", help: FORKS.join(", "), default: "osaka" },
    {
      name: "accounts",
      kind: "number",
      help: "how many funded accounts",
      default: DEFAULT_DEVELOPMENT.accounts,
    },
    { name: "balance", kind: "number", help: "coins of each account", default: 10_000 },
    { name: "mnemonic", kind: "text", placeholder: "WORDS", help: "what the accounts are derived from" },
    {
      name: "block-time",
      kind: "text",
      placeholder: "SECONDS",
      help: "make a block each so many seconds, and none at a transaction",
    },
    { name: "mixed-mining", kind: "switch", help: "with --block-time: make a block at each transaction too" },
    { name: "no-mining", kind: "switch", help: "make blocks on demand only" },
    {
      name: "gas-limit",
      kind: "number",
      help: "gas limit of a block",
      default: Number(DEFAULT_DEVELOPMENT.blockGasLimit),
    },
    { name: "base-fee", kind: "number", help: "base fee of block 0 and 1, in wei (default 1000000000)" },
    { name: "gas-price", kind: "number", help: "least price that a transaction must pay, in wei" },
    { name: "code-size-limit", kind: "number", help: "most bytes of a contract (default 24576)" },
    { name: "disable-code-size-limit", kind: "switch", help: "take contracts of any size" },
    { name: "timestamp", kind: "number", help: "time of block 0, in seconds since 1970 (default now)" },
    {
      name: "order",
      kind: "text",
      placeholder: "NAME",
      help: "what a block takes first: fees, fifo",
      default: "fees",
    },
    {
      name: "data",
      kind: "text",
      placeholder: "DIR",
      help: "keep the chain in this folder (default: in memory)",
    },
    {
      name: "state",
      kind: "text",
      placeholder: "FILE",
      help: "load the state from a file if it is there, and dump it there at the end",
    },
    { name: "load-state", kind: "text", placeholder: "FILE", help: "begin with a state that was dumped" },
    { name: "dump-state", kind: "text", placeholder: "FILE", help: "dump the state to a file at the end" },
    {
      name: "artifacts",
      kind: "list",
      placeholder: "DIR",
      help: "folders of build infos, for stack traces (default artifacts/build-info, out/build-info)",
    },
    { name: "silent", kind: "switch", help: "print nothing but errors" },
  ],
  examples: [
    "ostrom dev",
    "ostrom dev --port 9545 --chain-id 1337 --accounts 5",
    "ostrom dev --block-time 2",
    "ostrom dev --state chain.state",
    "ostrom dev --disable-code-size-limit --gas-limit 100000000",
  ],
  run: async (input) => {
    const isJson = input.values["json"] === true;
    const isSilent = input.values["silent"] === true || isJson;
    const watching = watchLater();
    const options = { ...readOptions(input), observer: watching.observer };
    const node = await startDevelopmentNode(options);
    if (isJson) console.log(JSON.stringify(devReadyEvent(node, options)));
    else if (!isSilent) console.log(devBanner(node, options));
    const signal = signalled();
    watching.load(isSilent, readList(input.values["artifacts"]));
    await signal;
    return stop(node, dumpPath(input));
  },
};

/** Solidity's stack traces and the log are loaded when the chain can be used: the first request need not wait for them. */
function watchLater(): {
  readonly observer: DevelopmentObserver;
  readonly load: (isSilent: boolean, artifacts: readonly string[]) => void;
} {
  let loaded: DevelopmentObserver = {};
  return {
    observer: {
      explainFailure: (run) => loaded.explainFailure?.(run),
      addCompilationResult: (version, source, output) =>
        loaded.addCompilationResult?.(version, source, output) ?? false,
      onRun: (run, failure) => loaded.onRun?.(run, failure),
      onBlock: (block) => loaded.onBlock?.(block),
      onAnswer: (method, error) => loaded.onAnswer?.(method, error),
      setLogging: (isOn) => loaded.setLogging?.(isOn),
    },
    load: (isSilent, artifacts) => {
      void import("../solidity-observer.ts").then(async ({ observeSolidity }) => {
        const { BUILD_INFO_FOLDERS } = await import("../compiled-artifacts.ts");
        const log = isSilent ? undefined : await openDevelopmentLog();
        loaded = observeSolidity({ log, artifacts: artifacts.length === 0 ? BUILD_INFO_FOLDERS : artifacts });
      });
    },
  };
}

async function openDevelopmentLog(): Promise<DevelopmentLog> {
  const { createDevelopmentLog } = await import("../development-log.ts");
  const { isTTY } = process.stdout;
  return createDevelopmentLog({
    write: (text) => process.stdout.write(text),
    style: styled,
    isTerminal: isTTY,
  });
}

function readOptions(input: CommandInput): DevelopmentOptions {
  const { values } = input;
  const count = (name: string): number | undefined => values[name] as number | undefined;
  const interval = readInterval(values["blockTime"]);
  const base = values["baseFee"];
  const isEndless = values["disableCodeSizeLimit"] === true;
  return {
    ...DEFAULT_DEVELOPMENT,
    host: String(values["host"]),
    port: count("port") ?? DEFAULT_DEVELOPMENT.port,
    allowsNetwork: values["allowNetwork"] === true,
    chainId: BigInt(count("chainId") ?? 0),
    fork: readChoice("hardfork", values["hardfork"], FORKS),
    mnemonic: String(values["mnemonic"] ?? DEFAULT_DEVELOPMENT.mnemonic),
    accounts: readAccounts(count("accounts") ?? 0),
    balance: BigInt(count("balance") ?? 0) * WEI_PER_COIN,
    isAutomining: values["noMining"] !== true && (interval === undefined || values["mixedMining"] === true),
    interval,
    blockGasLimit: BigInt(count("gasLimit") ?? 0),
    baseFeePerGas: base === undefined ? undefined : BigInt(base as number),
    minGasPrice: BigInt(count("gasPrice") ?? 0),
    codeSizeLimit: isEndless ? UNLIMITED_CODE_BYTES : count("codeSizeLimit"),
    timestamp: count("timestamp"),
    order: readChoice("order", values["order"], ["fees", "fifo"]),
    dataFolder: values["data"] as string | undefined,
    dump: readDump(values["loadState"], values["state"]),
  };
}

function readAccounts(accounts: number): number {
  if (accounts <= MAX_ACCOUNTS) return accounts;
  throw new UsageError(`--accounts: at most ${MAX_ACCOUNTS}, found ${accounts}`);
}

function readChoice<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined)
    throw new UsageError(`--${name}: expected one of ${choices.join(", ")}, found ${value}`);
  return found;
}

/** Seconds as people write them: 2, 0.5. */
function readInterval(value: unknown): DevelopmentOptions["interval"] {
  if (value === undefined) return undefined;
  const ms = Math.round(Number(value) * MS_PER_SECOND);
  if (!Number.isSafeInteger(ms) || ms < 1) {
    throw new UsageError(`--block-time: expected seconds, such as 2 or 0.5; found ${value}`);
  }
  return { minMs: ms, maxMs: ms };
}

function readDump(load: unknown, state: unknown): DevelopmentOptions["dump"] {
  if (typeof load === "string") {
    if (!existsSync(load)) throw new UsageError(`--load-state: there is no file ${load}`);
    return new Uint8Array(readFileSync(load));
  }
  return typeof state === "string" && existsSync(state) ? new Uint8Array(readFileSync(state)) : undefined;
}

function dumpPath({ values }: CommandInput): string | undefined {
  return (values["dumpState"] ?? values["state"]) as string | undefined;
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}

async function stop(node: DevelopmentNode, path: string | undefined): Promise<number> {
  if (path !== undefined) writeFileSync(path, await node.dump());
  await node.stop();
  return 0;
}
