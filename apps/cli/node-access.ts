import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fromHex, type Hash, hashFromHex } from "@ostrom/base";
import { genesisHash, parseGenesis } from "@ostrom/execution";
import {
  createAccountToken,
  createSecretToken,
  DEFAULT_TOKEN_SECONDS,
  readConfiguration,
  readOperatorSecret,
} from "@ostrom/runtime";
import { readSecretFile } from "@ostrom/storage";
import { type Flag, UsageError, type Values } from "./command.ts";
import { TOKEN_VARIABLE } from "./rpc-client.ts";

/** How a command shows a node who asks. */
export const ACCESS_FLAGS: readonly Flag[] = [
  {
    name: "token-file",
    kind: "text",
    placeholder: "FILE",
    help: "file with a token of ostrom token create (else the variable OSTROM_TOKEN)",
  },
];

export const ACCOUNT_KEY_FLAGS: readonly Flag[] = [
  {
    name: "account-key",
    kind: "text",
    placeholder: "FILE",
    help: "file with the account's secret key in hex, readable by you alone",
  },
  { name: "ed25519", kind: "switch", help: "the key is an Ed25519 seed, not one of secp256k1" },
  { name: "genesis", kind: "text", placeholder: "FILE", help: "the chain's genesis.json" },
  { name: "genesis-hash", kind: "text", placeholder: "HASH", help: "its genesis hash, instead of the file" },
  {
    name: "node",
    kind: "text",
    placeholder: "PEER",
    help: "peer id of the one node that the token is for: no other node can use it in your name",
  },
];

/** A way to a node. */
export type NodeAccess = {
  readonly url: string;
  /** Made anew for each question, because some tokens live for a minute. */
  readonly token: () => string | undefined;
  /** The operator secret stands behind it: the node may be told paths. */
  readonly isOwner: boolean;
};

/** To the node of a folder on this machine, as its owner. @param url where it answers, if not where node.json says. */
export async function ownNodeAccess(folder: string, url?: string): Promise<NodeAccess> {
  const configuration = readConfiguration(folder);
  if (!configuration.ok) throw new UsageError(configuration.error.message);
  const { host, port } = configuration.value.rpc;
  const reached =
    host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
  const secret = await readOperatorSecret(folder).catch((error: Error) => {
    throw new UsageError(error.message);
  });
  return {
    url: url ?? `http://${reached}:${port}`,
    token: () => createSecretToken(secret, Math.floor(Date.now() / 1_000)),
    isOwner: true,
  };
}

/** To any node, with a token from a file, an account's key, or the environment. */
export async function remoteAccess(url: string, values: Values): Promise<NodeAccess> {
  const file = values["tokenFile"];
  if (typeof file === "string") {
    const token = (await readSecret(file)).trim();
    return { url, token: () => token, isOwner: false };
  }
  if (typeof values["accountKey"] === "string") {
    const create = await tokenMaker(values);
    return { url, token: () => create(Math.min(DEFAULT_TOKEN_SECONDS, 300)).token, isOwner: false };
  }
  return { url, token: () => process.env[TOKEN_VARIABLE], isOwner: false };
}

/** @returns what makes tokens that are good for so many seconds from now. */
export async function tokenMaker(
  values: Values,
): Promise<(seconds: number) => ReturnType<typeof createAccountToken>> {
  const file = values["accountKey"];
  if (typeof file !== "string")
    throw new UsageError("name the file of your account's key: --account-key FILE");
  const secret = fromHex(hexText((await readSecret(file)).trim()));
  if (!secret.ok || secret.value.length !== 32)
    throw new UsageError(`${file}: expected a secret key of 64 hex digits`);
  const key = { kind: values["ed25519"] === true ? "ed25519" : "secp256k1", secret: secret.value } as const;
  const genesis = readGenesisHash(values);
  const node = values["node"] as string | undefined;
  return (seconds) =>
    createAccountToken(key, {
      genesisHash: genesis,
      issuedAt: Math.floor(Date.now() / 1_000),
      seconds,
      node,
    });
}

/** Never asked of a node: one that lies would get a token for another chain, where the account may be more. */
export function readGenesisHash(values: Values): Hash {
  const text = values["genesisHash"];
  if (typeof text === "string") {
    if (!/^0x[0-9a-fA-F]{64}$/.test(text))
      throw new UsageError("--genesis-hash: expected 0x and 64 hex digits");
    return hashFromHex(text.slice(2).toLowerCase());
  }
  const file = values["genesis"];
  if (typeof file !== "string")
    throw new UsageError("say which chain the token is for: --genesis FILE, or --genesis-hash HASH");
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(resolve(file), "utf8"));
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
  const genesis = parseGenesis(parsed);
  if (!genesis.ok) throw new UsageError(`${file}: ${genesis.error.message}`);
  return genesisHash(genesis.value);
}

async function readSecret(file: string): Promise<string> {
  try {
    return await readSecretFile(resolve(file));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function hexText(text: string): string {
  return text.startsWith("0x") ? text : `0x${text}`;
}

/** The folder that a flag names. */
export function folderOf(values: Values, name = "dataDir"): string {
  return resolve(join(String(values[name] ?? ".")));
}
