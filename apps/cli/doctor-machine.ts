import { X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { freemem, totalmem, userInfo } from "node:os";
import { join } from "node:path";
import { DATA_FOLDER, describeRoom, diskRoom, type NodeConfiguration } from "@ostrom/runtime";
import { openDataDirectory, openLevelStore, readHead, StorageError } from "@ostrom/storage";
import { bad, type Finding, good, skip, warn } from "./doctor-finding.ts";
import { findPortProblem } from "./ports.ts";

const LEAST_NODE = 26;
const MEBIBYTE = 1024 * 1024;
const LEAST_MEMORY = 1_024 * MEBIBYTE;
const ENOUGH_MEMORY = 2_048 * MEBIBYTE;
const OTHERS_MASK = 0o077;
const KEYS_FOLDER = "keys";
/** Public by nature. */
const PUBLIC_FILES = /\.crt$|^has-voted$/;
const SYNC_WRITES = 16;
const SYNC_WRITE_BYTES = 4_096;
/** A block is some synced writes: with slower ones a validator is late. */
const SLOW_SYNC_MS = 20;
const HOPELESS_SYNC_MS = 200;
const DAY_MS = 86_400_000;
const CERTIFICATE_WARNING_DAYS = 30;

/** Whose process has the node's folder: then its ports are its own. */
export type FolderUse = { readonly isRunning: boolean; readonly holder: string };

export function checkProgram(): Finding {
  const { node } = process.versions;
  return Number(node.split(".")[0]) >= LEAST_NODE
    ? good("program", `Node ${node} on ${process.platform} ${process.arch}`)
    : bad("program", `Node ${node}`, `run it on Node ${LEAST_NODE} or newer: npx ostrom brings its own`);
}

export function checkMemory(): Finding {
  const total = process.constrainedMemory() || totalmem();
  const available = Math.min(process.availableMemory() || freemem(), total);
  const found = `${(available / MEBIBYTE).toFixed(0)} MiB of ${(Math.min(total, totalmem()) / MEBIBYTE).toFixed(0)} MiB available`;
  if (available >= ENOUGH_MEMORY) return good("memory", found);
  const advice = "give the node 2 GiB, or lower memory.stateMebibytes and the like in node.json";
  return available < LEAST_MEMORY ? bad("memory", found, advice) : warn("memory", found, advice);
}

/** Secrets must be readable by nobody else. */
export function checkKeys(folder: string): Finding {
  const keys = join(folder, KEYS_FOLDER);
  if (!existsSync(keys))
    return bad(
      "keys",
      `${keys} is not there`,
      "put the node's keys back, or make a new folder: ostrom keys create",
    );
  const own = userInfo().uid;
  const paths = [
    keys,
    ...readdirSync(keys)
      .filter((name) => !PUBLIC_FILES.test(name))
      .map((name) => join(keys, name)),
  ];
  const exposed = paths.filter(
    (path) => process.platform !== "win32" && (statSync(path).mode & OTHERS_MASK) !== 0,
  );
  if (exposed.length > 0)
    return bad(
      "keys",
      `other users may read ${exposed.join(", ")}`,
      `chmod go= ${exposed.join(" ")}; if others have logins here, rotate the keys: ostrom keys rotate ${folder}`,
    );
  const foreign = own < 0 ? [] : paths.filter((path) => statSync(path).uid !== own);
  if (foreign.length > 0)
    return warn(
      "keys",
      `${foreign.join(", ")} belong to another user`,
      "run the node as the user that owns them",
    );
  return good("keys", `${paths.length - 1} files in ${keys}, readable by this user alone`);
}

/** Opens the database, unless a node has it. */
export async function checkDatabase(
  folder: string,
): Promise<{ readonly finding: Finding; readonly use: FolderUse }> {
  const idle: FolderUse = { isRunning: false, holder: "" };
  const path = join(folder, DATA_FOLDER);
  if (!existsSync(path))
    return { finding: skip("database", "no chain yet: the node has never run"), use: idle };
  try {
    const directory = await openDataDirectory(path, { create: false });
    try {
      const store = await openLevelStore(directory.chainPath, { create: false });
      const head = readHead(store)?.height;
      await store.close();
      return {
        finding: good("database", `opens, at block ${head ?? "none"}; the node does not run`),
        use: idle,
      };
    } finally {
      await directory.release();
    }
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.code === "storage/locked") {
      const holder = /process \d+/.exec(error.message)?.[0] ?? "another process";
      return {
        finding: good("database", `in use by ${holder}: the node runs`),
        use: { isRunning: true, holder },
      };
    }
    const advice =
      "restore a backup (ostrom restore), or let the node fetch the chain anew (move the data folder away)";
    return { finding: bad("database", `${error.message} (${error.code})`, advice), use: idle };
  }
}

export async function checkPorts(configuration: NodeConfiguration, use: FolderUse): Promise<Finding> {
  const { rpc, link, metrics } = configuration;
  const ports = [rpc.port, link.port, ...(metrics.port === 0 ? [] : [metrics.port])];
  if (use.isRunning) return good("ports", `${ports.join(", ")} are for ${use.holder}, which is this node`);
  const problem = await findPortProblem(ports);
  if (problem === undefined) return good("ports", `${ports.join(", ")} are free`);
  return problem.why === "taken"
    ? bad(
        "ports",
        `port ${problem.port} is in use by another program`,
        `stop that program (ss -ltnp), or choose another port in node.json`,
      )
    : bad(
        "ports",
        `port ${problem.port} is not for this user`,
        "choose a port above 1023 in node.json, or allow it",
      );
}

export async function checkRoom(folder: string, configuration: NodeConfiguration): Promise<Finding> {
  const room = await diskRoom(folder, configuration.disk);
  const found = `${(room.freeBytes / MEBIBYTE).toFixed(0)} MiB free`;
  if (room.state === "enough") return good("disk-room", found);
  const what = describeRoom(folder, room).split(";")[0]!;
  const advice = 'free some space, or keep fewer blocks ("mode": "pruned" in node.json)';
  return room.state === "critical" ? bad("disk-room", what, advice) : warn("disk-room", what, advice);
}

/** How long a write takes until it is on the disk: what consensus waits for before each vote. */
export async function checkDiskSpeed(folder: string): Promise<Finding> {
  const path = join(folder, `.doctor-${process.pid}`);
  const file = await open(path, "wx", 0o600);
  const times: number[] = [];
  try {
    for (let write = 0; write < SYNC_WRITES; write++) {
      const startedMs = performance.now();
      await file.write(new Uint8Array(SYNC_WRITE_BYTES));
      await file.datasync();
      times.push(performance.now() - startedMs);
    }
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
  const median = times.sort((a, b) => a - b)[SYNC_WRITES >> 1]!;
  const found = `a synced write takes ${median.toFixed(1)} ms, the slowest of ${SYNC_WRITES} ${times.at(-1)!.toFixed(1)} ms`;
  const advice = "put the data folder on a local SSD: a validator syncs before each vote";
  if (median > HOPELESS_SYNC_MS) return bad("disk-speed", found, advice);
  return median > SLOW_SYNC_MS ? warn("disk-speed", found, advice) : good("disk-speed", found);
}

export function checkCertificates(folder: string, configuration: NodeConfiguration, nowMs: number): Finding {
  const { certificate } = configuration.rpc.tls;
  const files = [
    join(folder, KEYS_FOLDER, "transport.crt"),
    ...(certificate === "" ? [] : [join(folder, certificate)]),
  ].filter((path) => existsSync(path));
  if (files.length === 0)
    return skip("certificates", "none that expire: links show self-signed keys, JSON-RPC speaks HTTP");
  const ends = files.map((path) => ({ path, days: daysLeft(path, nowMs) })).sort((a, b) => a.days - b.days);
  const { path, days } = ends[0]!;
  const advice = `have the authority issue a new one and put it to ${path}: a running node takes it within a minute`;
  if (Number.isNaN(days)) return bad("certificates", `${path} is no certificate`, "put the PEM file back");
  if (days < 0) return bad("certificates", `${path} expired ${Math.ceil(-days)} days ago`, advice);
  const found = `${files.length} of them, the first (${path}) expires in ${Math.floor(days)} days`;
  return days < CERTIFICATE_WARNING_DAYS ? warn("certificates", found, advice) : good("certificates", found);
}

function daysLeft(path: string, nowMs: number): number {
  try {
    return (new X509Certificate(readFileSync(path)).validToDate.getTime() - nowMs) / DAY_MS;
  } catch {
    return Number.NaN;
  }
}
