import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Failure, fail, ok, type Result } from "@ostrom/base";
import { isPeerId } from "@ostrom/network";
import { ACCOUNT_ROLES, type AccountRole, type AuthenticationKind, DEFAULT_TOKEN_SECONDS } from "@ostrom/rpc";
import { MIN_KEPT_BLOCKS } from "@ostrom/storage";
import {
  DEFAULT_DISCOVERY,
  DISCOVERY_SHAPE,
  type DiscoveryConfiguration,
  isBootstrapAddress,
} from "./discovery-configuration.ts";
import { DEFAULT_ENGINE, type EngineSettings } from "./installed-engine.ts";
import type { LogFormat } from "./log.ts";
import { DEFAULT_MEMORY, type MemorySettings } from "./memory-settings.ts";
import type { LogLevel } from "./ports.ts";

/** What is one node's own: `node.json` in its folder. What all nodes must agree on stands in `genesis.json`. */
export type NodeConfiguration = {
  readonly name: string;
  /** Where this node listens for other validators. */
  readonly link: { readonly host: string; readonly port: number };
  readonly rpc: {
    readonly host: string;
    readonly port: number;
    readonly allowedHosts: readonly string[];
    readonly allowedOrigins: readonly string[];
    readonly maxBodyBytes: number;
    readonly maxBatch: number;
    readonly maxLogRange: number;
    readonly callGasCap: number;
    /** How clients show who they are: `none`, or `jwt`. The operator secret in `keys` always counts. */
    readonly authentication: AuthenticationKind;
    /** With `jwt`: whether reads are open to clients that do not say who they are. */
    readonly anonymousReads: boolean;
    /** The longest life of a token that is accepted. */
    readonly maxTokenSeconds: number;
    /** `on`: the operator's methods must be served, or the node does not start; `off`: never; `auto`: where that is safe. */
    readonly operatorMethods: OperatorMethods;
    /** Roles at this node besides those of the chain: address -> names of roles. */
    readonly accounts: Readonly<Record<string, readonly AccountRole[]>>;
    /** Files, from the node's folder, in PEM: a certificate with its chain, and its key; "": plain HTTP. They are looked at again every minute. */
    readonly tls: { readonly certificate: string; readonly key: string };
  };
  /** Where metrics, health and readiness are told, to whoever asks; port 0: nowhere. */
  readonly metrics: { readonly host: string; readonly port: number };
  /** Where backups asked for by JSON-RPC go; "": `backups` in the node's folder. */
  readonly backupFolder: string;
  /** Room on the disk of the data folder: below `warnFreeBytes` the node warns, below `stopFreeBytes` it signs nothing more and stops. 0: a
   * share of the disk (disk-watch.ts). */
  readonly disk: { readonly warnFreeBytes: number; readonly stopFreeBytes: number };
  /** How many blocks back state can be read and proved; older blocks keep their bodies and receipts. */
  readonly historyBlocks: number;
  /** `archive`: state of all blocks can be read, whatever `historyBlocks` says; `pruned`: of blocks older than `keptBlocks`, only headers and
   * certificates are kept; `full`: neither. */
  readonly mode: NodeMode;
  readonly keptBlocks: number;
  readonly memory: MemorySettings;
  /** How a node without a chain comes by one: by executing all blocks, or by fetching a state that validators have certified. */
  readonly sync: SyncMode;
  /** How this node runs contracts; no result depends on it. */
  readonly engine: EngineSettings;
  /** Of a chain that is mined. */
  readonly mining: MiningSettings;
  readonly logLevel: LogLevel;
  /** `json`: an object a line; `text`: for people. */
  readonly logFormat: LogFormat;
  /** Where the other validators are, if not where genesis says: name -> "host:port". */
  readonly peerAddresses: Readonly<Record<string, string>>;
  /** Further nodes that this one is linked with, though they are in no validator set: peer id -> "host:port", or "" for one that
   * comes by itself. A follower is named here by the nodes that let it follow, and names them. */
  readonly peers: Readonly<Record<string, string>>;
  /** Where to begin to look for others, on a chain that admits strangers: "host:port" or "peerId@host:port". */
  readonly bootstrap: readonly string[];
  readonly discovery: DiscoveryConfiguration;
};

export type NodeMode = "full" | "archive" | "pruned";
export type SyncMode = "replay" | "snapshot";

export type OperatorMethods = "auto" | "on" | "off";

export type MiningSettings = {
  readonly enabled: boolean;
  readonly threads: number;
  /** Of all threads together; 0 sets no limit. */
  readonly maxHashesPerSecond: number;
  /** Who gets rewards and fees; "" for the address that genesis has for this node. */
  readonly coinbase: string;
};

export const DEFAULT_RPC_PORT = 8545;
export const DEFAULT_LINK_PORT = 30_310;
export const DEFAULT_HISTORY_BLOCKS = 8_192;
export const DEFAULT_KEPT_BLOCKS = 100_000;

export const DEFAULT_CONFIGURATION: NodeConfiguration = {
  name: "validator",
  link: { host: "127.0.0.1", port: DEFAULT_LINK_PORT },
  rpc: {
    host: "127.0.0.1",
    port: DEFAULT_RPC_PORT,
    allowedHosts: ["localhost", "127.0.0.1", "[::1]"],
    allowedOrigins: [],
    maxBodyBytes: 16 * 1024 * 1024,
    maxBatch: 1_000,
    maxLogRange: 100_000,
    callGasCap: 50_000_000,
    authentication: "none",
    anonymousReads: true,
    maxTokenSeconds: DEFAULT_TOKEN_SECONDS,
    operatorMethods: "auto",
    accounts: {},
    tls: { certificate: "", key: "" },
  },
  metrics: { host: "127.0.0.1", port: 0 },
  backupFolder: "",
  disk: { warnFreeBytes: 0, stopFreeBytes: 0 },
  historyBlocks: DEFAULT_HISTORY_BLOCKS,
  mode: "full",
  keptBlocks: DEFAULT_KEPT_BLOCKS,
  memory: DEFAULT_MEMORY,
  sync: "replay",
  engine: DEFAULT_ENGINE,
  mining: { enabled: true, threads: 1, maxHashesPerSecond: 0, coinbase: "" },
  logLevel: "info",
  logFormat: "json",
  peerAddresses: {},
  peers: {},
  bootstrap: [],
  discovery: DEFAULT_DISCOVERY,
};

const MAX_PORT = 65_535;

/** More blocks than there will be. */
const ALL_BLOCKS: number = 2 ** 48;

export const CONFIGURATION_FILE = "node.json";
export const GENESIS_FILE = "genesis.json";

/** Settings that are one word of a few. */
const CHOICES = {
  level: ["debug", "info", "warn", "error"],
  logFormat: ["json", "text"],
  tiers: ["mixed", "tier0", "tier1", "reference"],
  authentication: ["none", "jwt"],
  operatorMethods: ["auto", "on", "off"],
  mode: ["full", "archive", "pruned"],
  sync: ["replay", "snapshot"],
  choice: ["auto", "on", "off"],
} as const;

type Choice = keyof typeof CHOICES;

type Shape =
  | Choice
  | "text"
  | "port"
  | "count"
  | "flag"
  | "account"
  | "texts"
  | "addresses"
  | "peers"
  | "keptBlocks"
  | "hosts"
  | "roles"
  | { readonly [key: string]: Shape };

const SHAPE: { readonly [key: string]: Shape } = {
  name: "text",
  link: { host: "text", port: "port" },
  rpc: {
    host: "text",
    port: "port",
    allowedHosts: "texts",
    allowedOrigins: "texts",
    maxBodyBytes: "count",
    maxBatch: "count",
    maxLogRange: "count",
    callGasCap: "count",
    authentication: "authentication",
    anonymousReads: "flag",
    maxTokenSeconds: "count",
    operatorMethods: "operatorMethods",
    accounts: "roles",
    tls: { certificate: "text", key: "text" },
  },
  metrics: { host: "text", port: "port" },
  backupFolder: "text",
  disk: { warnFreeBytes: "count", stopFreeBytes: "count" },
  historyBlocks: "count",
  mode: "mode",
  keptBlocks: "keptBlocks",
  memory: { stateCacheBytes: "count", databaseCacheBytes: "count" },
  sync: "sync",
  engine: { tiers: "tiers", verifyEvery: "count" },
  mining: { enabled: "flag", threads: "count", maxHashesPerSecond: "count", coinbase: "account" },
  logLevel: "level",
  logFormat: "logFormat",
  peerAddresses: "addresses",
  peers: "peers",
  bootstrap: "hosts",
  discovery: DISCOVERY_SHAPE,
};

/** Reads a node's configuration; what it leaves out has the defaults.
 * Errors: `configuration/unreadable`, `configuration/invalid` (with the path of the setting). */
export function readConfiguration(
  folder: string,
): Result<NodeConfiguration, Failure<"configuration/unreadable" | "configuration/invalid">> {
  const path = join(folder, CONFIGURATION_FILE);
  const parsed = readJsonFile(path);
  if (!parsed.ok) return fail("configuration/unreadable", parsed.error.message);
  const wrong = findWrong(parsed.value, SHAPE, "");
  if (wrong !== undefined) return fail("configuration/invalid", `${path}: ${wrong}; correct it there`);
  const given = parsed.value as Partial<NodeConfiguration>;
  const history = given.mode === "archive" ? { historyBlocks: ALL_BLOCKS } : {};
  return ok({
    ...DEFAULT_CONFIGURATION,
    ...given,
    ...history,
    link: { ...DEFAULT_CONFIGURATION.link, ...given.link },
    rpc: {
      ...DEFAULT_CONFIGURATION.rpc,
      ...given.rpc,
      tls: { ...DEFAULT_CONFIGURATION.rpc.tls, ...given.rpc?.tls },
    },
    memory: { ...DEFAULT_MEMORY, ...given.memory },
    engine: { ...DEFAULT_CONFIGURATION.engine, ...given.engine },
    mining: { ...DEFAULT_CONFIGURATION.mining, ...given.mining },
    discovery: { ...DEFAULT_DISCOVERY, ...given.discovery },
    disk: { ...DEFAULT_CONFIGURATION.disk, ...given.disk },
    metrics: { ...DEFAULT_CONFIGURATION.metrics, ...given.metrics },
  });
}

/** Reads a JSON file of a node's folder. Errors: `file/unreadable`, in one line that says what to do. */
export function readJsonFile(path: string): Result<unknown, Failure<"file/unreadable">> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const advice = "name a folder that ostrom init or ostrom up made with --data-dir, or restore the file";
    return fail(
      "file/unreadable",
      code === "ENOENT" ? `${path} is not there: ${advice}` : `${path}: ${message}`,
    );
  }
  try {
    return ok(JSON.parse(text));
  } catch (error) {
    const detail = (error as Error).message.replace(/\s+/g, " ");
    return fail("file/unreadable", `${path} is no JSON (${detail}): correct it, or restore the file`);
  }
}

function findWrong(value: unknown, shape: Shape, path: string): string | undefined {
  const at = path === "" ? "the file" : `"${path}"`;
  const isTexts = (list: unknown): boolean =>
    Array.isArray(list) && list.every((entry) => typeof entry === "string");
  if (isChoice(shape)) {
    const words: readonly string[] = CHOICES[shape];
    return words.includes(String(value)) ? undefined : `${at} must be one of ${words.join(", ")}`;
  }
  switch (shape) {
    case "text":
      return typeof value === "string" ? undefined : `${at} must be text`;
    case "account":
      return typeof value === "string" && /^(0x[0-9a-fA-F]{40})?$/.test(value)
        ? undefined
        : `${at} must be an address (0x and 40 hex digits), or ""`;
    case "flag":
      return typeof value === "boolean" ? undefined : `${at} must be true or false`;
    case "count":
      return Number.isSafeInteger(value) && (value as number) >= 0
        ? undefined
        : `${at} must be a whole number, 0 or more`;
    case "port":
      return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_PORT
        ? undefined
        : `${at} must be a port, 0 to ${MAX_PORT}`;
    case "texts":
      return isTexts(value) ? undefined : `${at} must be a list of texts`;
    case "roles":
      return typeof value === "object" && value !== null && Object.entries(value).every(isAccountWithRoles)
        ? undefined
        : `${at} must map addresses to lists of ${ACCOUNT_ROLES.join(", ")}`;
    case "keptBlocks":
      return Number.isSafeInteger(value) && (value as number) >= MIN_KEPT_BLOCKS
        ? undefined
        : `${at} must be a whole number, ${MIN_KEPT_BLOCKS} or more`;
    case "hosts":
      return isTexts(value) && (value as readonly string[]).every(isBootstrapAddress)
        ? undefined
        : `${at} must be a list of "host:port" or "peerId@host:port"`;
    case "addresses":
      return typeof value === "object" && value !== null && Object.values(value).every(isAddress)
        ? undefined
        : `${at} must map names to "host:port"`;
    case "peers":
      return typeof value === "object" && value !== null && Object.entries(value).every(isPeer)
        ? undefined
        : `${at} must map peer ids (64 hex digits) to "host:port" or ""`;
    default: {
      if (typeof value !== "object" || value === null || Array.isArray(value))
        return `${at} must be an object`;
      for (const [key, entry] of Object.entries(value)) {
        const inner = Object.hasOwn(shape, key) ? shape[key] : undefined;
        const innerPath = path === "" ? key : `${path}.${key}`;
        if (inner === undefined)
          return `"${innerPath}" is no setting (known: ${Object.keys(shape).join(", ")})`;
        const wrong = findWrong(entry, inner, innerPath);
        if (wrong !== undefined) return wrong;
      }
      return undefined;
    }
  }
}

function isChoice(shape: Shape): shape is Choice {
  return typeof shape === "string" && Object.hasOwn(CHOICES, shape);
}

function isAccountWithRoles([account, roles]: [string, unknown]): boolean {
  if (!/^0x[0-9a-fA-F]{40}$/.test(account) || !Array.isArray(roles)) return false;
  return roles.every((role) => ACCOUNT_ROLES.includes(role as AccountRole));
}

function isPeer([peerId, address]: [string, unknown]): boolean {
  return isPeerId(peerId) && (address === "" || isAddress(address));
}

/** "host:port"; an IPv6 host stands in brackets or not: the last colon counts. */
function isAddress(value: unknown): boolean {
  const port = typeof value === "string" ? /^.+:(\d{1,5})$/.exec(value)?.[1] : undefined;
  return port !== undefined && Number(port) <= MAX_PORT;
}
