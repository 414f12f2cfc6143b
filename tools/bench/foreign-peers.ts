import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEVELOPMENT_CHAIN_ID } from "../../apps/cli/local-network.ts";
import { askMany } from "../../apps/cli/rpc-client.ts";
import { findFreePorts } from "../../apps/cli/testing/free-ports.ts";
import { LONG_WAIT_MS, waitUntil } from "../../apps/cli/testing/wait-until.ts";
import { fetchPackage } from "./fetched-package.ts";
import type { Peer } from "./peer.ts";
import { residentMegabytes } from "./processor-time.ts";

const ANVIL_VERSION = "1.7.1";
const HARDHAT_VERSION = "3.18.0";
/** Room for more than either takes in a second: blocks are never what limits them. */
const BLOCK_GAS_LIMIT = 3_000_000_000;
const BLOCK_SECONDS = 1;
/** Beyond this a peer is killed: with a block for each transaction, anvil takes gigabytes within seconds, and then the machine stands. */
const MAX_RESIDENT_MB = 3_000;
const MEMORY_POLL_MS = 100;

/** How anvil makes blocks: one each second, one for each transaction at once, or both. */
export const ANVIL_MODES = ["interval", "automine", "mixed"] as const;
export type AnvilMode = (typeof ANVIL_MODES)[number];

/** Where each transaction has a block of its own, the states of all those blocks would fill the memory. */
const KEEP_NO_STATES = ["--prune-history"];

const ANVIL_MODE_FLAGS: Readonly<Record<AnvilMode, readonly string[]>> = {
  interval: ["--block-time", String(BLOCK_SECONDS)],
  automine: [...KEEP_NO_STATES],
  mixed: ["--block-time", String(BLOCK_SECONDS), "--mixed-mining", ...KEEP_NO_STATES],
};

type Balances = ReadonlyMap<string, bigint>;

/** The Rust program itself, not the wrapper of its npm package. */
export async function startAnvil(mode: AnvilMode, balances: Balances): Promise<Peer> {
  const scope = join(fetchPackage("@foundry-rs/anvil", ANVIL_VERSION), "node_modules", "@foundry-rs");
  const native = readdirSync(scope).find((name) => name.startsWith("anvil-"));
  if (native === undefined) throw new Error("@foundry-rs/anvil has no program for this machine");
  const flags = ["--gas-limit", String(BLOCK_GAS_LIMIT), "--quiet", ...ANVIL_MODE_FLAGS[mode]];
  return startForeign({
    name: "anvil",
    settings: { version: ANVIL_VERSION, mode, flags: flags.join(" ") },
    command: (port) => [
      join(scope, native, "bin", "anvil"),
      ["--host", "127.0.0.1", "--port", String(port), "--chain-id", String(DEVELOPMENT_CHAIN_ID), ...flags],
    ],
    setBalance: "anvil_setBalance",
    balances,
  });
}

/** Hardhat's own node; its blocks come once a second, since one for each transaction is slower. */
export async function startHardhat(balances: Balances): Promise<Peer> {
  const folder = fetchPackage("hardhat", HARDHAT_VERSION);
  const network = {
    type: "edr-simulated",
    chainId: DEVELOPMENT_CHAIN_ID,
    blockGasLimit: BLOCK_GAS_LIMIT,
    mining: { auto: false, interval: BLOCK_SECONDS * 1_000 },
  };
  writeFileSync(
    join(folder, "hardhat.config.js"),
    `export default ${JSON.stringify({ networks: { node: network } })};\n`,
  );
  return startForeign({
    name: "hardhat",
    settings: { version: HARDHAT_VERSION, blockSeconds: BLOCK_SECONDS, blockGasLimit: BLOCK_GAS_LIMIT },
    command: (port) => [
      process.execPath,
      [join(folder, "node_modules/hardhat/dist/src/cli.js"), "node", "--port", String(port)],
    ],
    folder,
    setBalance: "hardhat_setBalance",
    balances,
  });
}

type ForeignProgram = {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly command: (port: number) => readonly [file: string, argv: readonly string[]];
  readonly folder?: string;
  readonly setBalance: string;
  readonly balances: Balances;
};

async function startForeign(program: ForeignProgram): Promise<Peer> {
  const [port] = (await findFreePorts(1, 1)) as [number];
  const url = `http://127.0.0.1:${port}`;
  const [file, argv] = program.command(port);
  const child = spawn(file, [...argv], {
    stdio: ["ignore", "ignore", "inherit"],
    cwd: program.folder,
    env: { ...process.env, HARDHAT_DISABLE_TELEMETRY_PROMPT: "true" },
  });
  const ended = once(child, "exit");
  const watch = setInterval(() => killIfLarge(child, program.name), MEMORY_POLL_MS);
  void ended.then(() => clearInterval(watch));
  try {
    await waitUntil(`${program.name} answers`, LONG_WAIT_MS, () => answers(url, child, program.name));
    const questions = [...program.balances].map(([address, balance]) => ({
      method: program.setBalance,
      params: [address, `0x${balance.toString(16)}`],
    }));
    const refused = (await askMany(url, questions)).find(({ error }) => error !== undefined);
    if (refused !== undefined) throw new Error(`${program.name}: ${JSON.stringify(refused.error)}`);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return {
    name: program.name,
    settings: program.settings,
    urls: [url],
    processes: [child.pid!],
    stop: async () => {
      // It keeps nothing, and anvil under load does not come to an end by itself.
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function killIfLarge(child: ChildProcess, name: string): void {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const megabytes = residentMegabytes([child.pid]);
  // What has ended and is not yet collected has no resident memory.
  if (Number.isNaN(megabytes) || megabytes <= MAX_RESIDENT_MB) return;
  console.error(`${name} took ${Math.round(megabytes)} MB and is ended`);
  child.kill("SIGKILL");
}

async function answers(url: string, child: ChildProcess, name: string): Promise<boolean> {
  const end = child.signalCode ?? child.exitCode;
  if (end !== null) throw new Error(`${name} ended at once: ${end}`);
  try {
    await askMany(url, [{ method: "eth_chainId", params: [] }]);
    return true;
  } catch {
    // Nobody listens yet.
    return false;
  }
}
