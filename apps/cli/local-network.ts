import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import {
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  deriveAccounts,
  installNativeCrypto,
  provisionNetwork,
} from "@ostrom/runtime";
import { UsageError } from "./command.ts";

export const DEFAULT_DATA_DIRECTORY = ".ostrom";
export const NETWORK_FILE = "network.json";
export const DEVELOPMENT_CHAIN_ID = 31_337;
/** Links listen this far above the JSON-RPC ports. */
export const LINK_PORT_OFFSET = 1_000;
const MAX_LOCAL_VALIDATORS = 32;

/** What `ostrom up` made: kept beside the validators' folders. */
export type NetworkFile = {
  readonly format: 1;
  readonly chainId: number;
  readonly nodes: readonly { readonly name: string; readonly folder: string; readonly rpcPort: number; readonly linkPort: number }[];
};

export type LocalNetworkOptions = {
  readonly directory: string;
  readonly validators: number;
  readonly port: number;
  readonly linkPort?: number;
  readonly chainId?: number;
  /** Accounts funded besides the development ones. */
  readonly extraBalances?: ReadonlyMap<string, bigint>;
};

/** Reads the network of a folder, or makes a new one there. @throws UsageError. */
export async function openLocalNetwork(options: LocalNetworkOptions): Promise<{ readonly file: NetworkFile; readonly isNew: boolean }> {
  const path = join(options.directory, NETWORK_FILE);
  if (!existsSync(path)) return { file: await createLocalNetwork(options), isNew: true };
  try {
    const file = JSON.parse(readFileSync(path, "utf8")) as NetworkFile;
    if (file.format === 1 && Array.isArray(file.nodes)) return { file, isNew: false };
  } catch {
    // Said below, together with a file of another form.
  }
  throw new UsageError(`${path} is damaged. Restore it, or begin a new chain with --fresh (this deletes the old one)`);
}

/** Deletes a network that `openLocalNetwork` made: only the folder that its own file marks. */
export function removeLocalNetwork(directory: string): void {
  if (existsSync(join(directory, NETWORK_FILE))) rmSync(directory, { recursive: true, force: true });
}

async function createLocalNetwork(options: LocalNetworkOptions): Promise<NetworkFile> {
  const { directory, validators, port } = options;
  if (validators < 1 || validators > MAX_LOCAL_VALIDATORS) {
    throw new UsageError(`--validators: choose 1 to ${MAX_LOCAL_VALIDATORS} for one machine, found ${validators}`);
  }
  installNativeCrypto();
  const firstLinkPort = options.linkPort ?? port + LINK_PORT_OFFSET;
  const derived = deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT + validators);
  const accounts = derived.slice(0, DEVELOPMENT_ACCOUNT_COUNT);
  const nodes = Array.from({ length: validators }, (_, index) => ({
    name: `validator-${index + 1}`,
    folder: `validator-${index + 1}`,
    rpcPort: port + index,
    linkPort: firstLinkPort + index,
  }));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const chainId = options.chainId ?? DEVELOPMENT_CHAIN_ID;
  const genesis = provisionNetwork({
    chainId,
    profile: "dev",
    timestampMs: Date.now(),
    balances: new Map([
      ...accounts.map((account) => [account.address, DEVELOPMENT_BALANCE] as const),
      ...(options.extraBalances ?? []),
    ]),
    validators: nodes.map((node, index) => ({
      name: node.name,
      folder: resolve(directory, node.folder),
      // Fees go to the accounts after the funded ones, so that what those earn is only what was sent to them.
      feeRecipient: derived[DEVELOPMENT_ACCOUNT_COUNT + index]!.address,
      weight: 1,
      link: { host: "127.0.0.1", port: node.linkPort },
      rpc: { host: "127.0.0.1", port: node.rpcPort },
    })),
    entropy: (length) => new Uint8Array(randomBytes(length)),
  });
  if (!genesis.ok) throw new UsageError(genesis.error.message);
  const file: NetworkFile = { format: 1, chainId, nodes };
  writeFileSync(join(directory, NETWORK_FILE), `${JSON.stringify(file, undefined, 2)}\n`);
  return file;
}

/** @returns the first port of a list that another program listens on. */
export async function findTakenPort(ports: readonly number[]): Promise<number | undefined> {
  for (const port of ports) {
    const taken = await new Promise<boolean>((done) => {
      const server = createServer();
      server.once("error", () => done(true));
      server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => done(false)));
    });
    if (taken) return port;
  }
  return undefined;
}
