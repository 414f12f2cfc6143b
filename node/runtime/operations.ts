import { isAbsolute, join, resolve } from "node:path";
import { type Bytes, type Failure, fail, type Hash, ok, type Result, toHex } from "@ostrom/base";
import type { AnyGenesis } from "@ostrom/execution";
import type { AccessSettings, AccountRole, Json, OperatorCall } from "@ostrom/rpc";
import { type RunningBackup, startBackup } from "./backup-client.ts";
import type { NodeConfiguration } from "./configuration.ts";
import { describeRoom, watchDisk } from "./disk-watch.ts";
import type { NodeKeys } from "./epoch-sets.ts";
import { machineClock } from "./machine.ts";
import { CLIENT_VERSION, type NodeParts } from "./node-assembly.ts";
import { changesBetween } from "./operator-changes.ts";
import { OperatorLog } from "./operator-log.ts";
import {
  type LogValue,
  type OperatorAct,
  type OperatorRecord,
  readOperatorLog,
} from "./operator-log-format.ts";
import { ensureOperatorSecret } from "./operator-secret.ts";

/** Records in one answer of ostrom_getOperatorLog. */
const MAX_ANSWERED_RECORDS = 5_000;
const BACKUP_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const BACKUPS_FOLDER = "backups";

export type OperationsOptions = Pick<
  NodeParts<AnyGenesis>,
  "folder" | "settings" | "secrets" | "log" | "warnings" | "cleanup"
> & {
  readonly databasePath: string;
  readonly genesisHash: Hash;
  readonly head: { readonly height: number; readonly blockHash: Hash };
  /** undefined on a chain without votes. */
  readonly keys?: NodeKeys | undefined;
  /** Stops the node. */
  readonly failWith: (failure: Failure) => void;
  /** Resolves when the node cannot go on. */
  readonly failed: Promise<Failure>;
};

/** What is done to a running node from outside of the chain: its operator log, backups, the watch on its disk. Only who holds the node's data
 * folder may have it. */
export class NodeOperations {
  readonly access: AccessSettings;
  readonly #options: OperationsOptions;
  readonly #operatorLog: OperatorLog;
  readonly #peerId: string;
  #knownKeys: readonly string[];
  #failure: Failure | undefined;
  #backup: { readonly name: string; readonly running: RunningBackup } | undefined;
  #lastBackup: Json = null;

  private constructor(options: OperationsOptions, operatorLog: OperatorLog, access: AccessSettings) {
    this.#options = options;
    this.#operatorLog = operatorLog;
    this.access = access;
    this.#peerId = options.secrets.identity.peerId;
    this.#knownKeys = publicKeysOf(options.keys);
  }

  /** Opens the operator log, writes down this start and what has changed since the one before, and begins to watch the disk.
   * Rejects with the file system's error, or StorageError. */
  static async open(options: OperationsOptions): Promise<NodeOperations> {
    const { folder, log, cleanup, failed } = options;
    const operatorLog = await OperatorLog.open(folder, machineClock.nowMs);
    const access = accessSettings(
      options.settings,
      await ensureOperatorSecret(folder),
      options.secrets.identity.peerId,
    );
    const operations = new NodeOperations(options, operatorLog, access);
    await operations.#noteStart();
    options.warnings.attach((act) => void operations.note(act));
    const { sequence, hash } = operatorLog.head;
    log("info", "operator log", { records: sequence, head: hash, path: operatorLog.path });
    cleanup.add(() => operations.#stop());
    cleanup.add(operations.#watchDisk());
    void failed.then((failure) => {
      operations.#failure = failure;
    });
    return operations;
  }

  /** Writes an act down, or says in the node's log that it could not be. */
  async note(act: OperatorAct): Promise<void> {
    try {
      await this.#operatorLog.append(act);
    } catch (error) {
      this.#options.log("error", "the operator log cannot be written", { act: act.act, error });
    }
  }

  /** Wraps the node's keys: a key that comes or goes while it runs is written down. */
  watchKeys(keys: NodeKeys): NodeKeys {
    return {
      ...keys,
      consensusKeys: () => {
        const found = keys.consensusKeys();
        this.#noteKeys(found.map(({ publicKey }) => toHex(publicKey)));
        return found;
      },
    };
  }

  /** Does what an operator asks for by JSON-RPC, after it is written down who asked for what: an act that cannot be written down is not
   * done. Errors: `operations/...`, `backup/...`. */
  async operate({ method, parameters, actor, isOwner }: OperatorCall): Promise<Result<Json, Failure>> {
    // Whoever waits for a backup asks again and again.
    if (method === "admin_getBackup") return ok(this.#describeBackup());
    try {
      await this.#operatorLog.append({
        act: "rpc.called",
        actor,
        details: { method, parameters: parameters as LogValue },
      });
    } catch (error) {
      return fail(
        "operations/log-failed",
        `the operator log cannot be written, so nothing is done: ${(error as Error).message}`,
      );
    }
    switch (method) {
      case "admin_startBackup":
        return this.#startBackup(parameters, actor, isOwner);
      case "admin_nodeInfo":
        return ok(this.#describeNode());
      case "ostrom_getOperatorLog":
        return ok(await this.#readLog(String(parameters[0] ?? ""), String(parameters[1] ?? "")));
      default:
        return fail("operations/unknown", `there is no operation ${method}`);
    }
  }

  async #noteStart(): Promise<void> {
    const { settings, genesisHash, head } = this.#options;
    const consensusKeys = this.#knownKeys;
    const { lastStart } = this.#operatorLog;
    const configuration = JSON.parse(JSON.stringify(settings)) as { [name: string]: LogValue };
    const before = lastStart?.details["configuration"];
    if (typeof before === "object" && before !== null && !Array.isArray(before)) {
      const changes = changesBetween(before as { [name: string]: LogValue }, configuration);
      if (changes.length > 0)
        await this.note({ act: "configuration.changed", actor: "node", details: { changes } });
    }
    const keysBefore = lastStart?.details["consensusKeys"];
    if (Array.isArray(keysBefore)) {
      this.#knownKeys = keysBefore as readonly string[];
      this.#noteKeys(consensusKeys);
    }
    await this.#operatorLog.append({
      act: "node.started",
      actor: "node",
      details: {
        program: CLIENT_VERSION,
        pid: process.pid,
        peerId: this.#peerId,
        genesisHash: toHex(genesisHash),
        height: head.height,
        blockHash: toHex(head.blockHash),
        consensusKeys,
        configuration,
      },
    });
  }

  #noteKeys(found: readonly string[]): void {
    const known = this.#knownKeys;
    const added = found.filter((key) => !known.includes(key));
    const removed = known.filter((key) => !found.includes(key));
    if (added.length + removed.length === 0) return;
    this.#knownKeys = found;
    void this.note({ act: "keys.changed", actor: "node", details: { added, removed } });
  }

  #watchDisk(): () => void {
    const { settings, log, failWith, databasePath } = this.#options;
    const describe = (room: Parameters<typeof describeRoom>[1]): OperatorAct["details"] => ({
      freeBytes: room.freeBytes,
      stopsBelow: room.marks.stopFreeBytes,
    });
    return watchDisk({
      path: databasePath,
      settings: settings.disk,
      clock: machineClock,
      log,
      onLow: (room) => void this.note({ act: "disk.low", actor: "node", details: describe(room) }),
      onCritical: (room) => {
        void this.note({ act: "disk.critical", actor: "node", details: describe(room) });
        failWith({ code: "storage/disk-low", message: describeRoom(databasePath, room) });
      },
    });
  }

  #startBackup(parameters: readonly Json[], actor: string, isOwner: boolean): Result<Json, Failure> {
    const [out, withKeys, maxBytesPerSecond] = parameters as readonly [string, boolean, number];
    if (this.#backup !== undefined)
      return fail("backup/under-way", `the backup "${this.#backup.name}" is under way: wait for it`);
    if (!isOwner && (!BACKUP_NAME.test(out) || withKeys)) {
      return fail(
        "backup/not-allowed",
        "only who has this machine's operator secret may name a path or take keys; others give a name: letters, digits, . _ -",
      );
    }
    const { folder, databasePath, settings } = this.#options;
    const backups = settings.backupFolder === "" ? join(folder, BACKUPS_FOLDER) : settings.backupFolder;
    const path = isAbsolute(out) ? out : resolve(backups, out);
    const running = startBackup(
      databasePath,
      { folder, out: path, withKeys, maxBytesPerSecond, minFreeBytes: undefined },
      CLIENT_VERSION,
    );
    this.#backup = { name: path, running };
    this.#lastBackup = null;
    void this.#followBackup(path, running, actor);
    return ok({ path });
  }

  async #followBackup(path: string, running: RunningBackup, actor: string): Promise<void> {
    const finished = await running.finished;
    this.#backup = undefined;
    if (!finished.ok) {
      const { code, message } = finished.error;
      this.#lastBackup = { path, state: "failed", code, message };
      return this.note({ act: "backup.failed", actor, details: { path, code, message } });
    }
    const { manifest, manifestSha256, bytes, milliseconds } = finished.value;
    const { height, hash } = manifest.head;
    const details = {
      path,
      height,
      blockHash: hash,
      bytes,
      milliseconds,
      manifestSha256,
      hasKeys: manifest.hasKeys,
    };
    this.#lastBackup = { state: "done", ...details };
    return this.note({ act: "backup.finished", actor, details });
  }

  #describeBackup(): Json {
    if (this.#backup === undefined) return this.#lastBackup;
    return { path: this.#backup.name, state: "under way", bytes: this.#backup.running.bytes() };
  }

  #describeNode(): Json {
    const { settings, genesisHash, folder } = this.#options;
    const { sequence, hash } = this.#operatorLog.head;
    return {
      name: settings.name,
      program: CLIENT_VERSION,
      peerId: this.#peerId,
      genesisHash: toHex(genesisHash),
      folder,
      operatorLog: { records: sequence, head: hash },
    };
  }

  async #readLog(from: string, to: string): Promise<Json> {
    const records: OperatorRecord[] = [];
    let problem: string | null = null;
    for await (const step of readOperatorLog(this.#operatorLog.path)) {
      if (step.kind === "broken") problem = `line ${step.broken.line}: ${step.broken.problem}`;
      if (step.kind !== "record" || step.record.time < from || (to !== "" && step.record.time >= to))
        continue;
      records.push(step.record);
      if (records.length >= MAX_ANSWERED_RECORDS) break;
    }
    return {
      head: { ...this.#operatorLog.head },
      isCut: records.length >= MAX_ANSWERED_RECORDS,
      problem,
      records,
    };
  }

  async #stop(): Promise<void> {
    await this.#backup?.running.stop();
    const failure = this.#failure;
    const details = failure === undefined ? {} : { code: failure.code, message: failure.message };
    await this.note({ act: failure === undefined ? "node.stopped" : "node.failed", actor: "node", details });
    await this.#operatorLog.close();
  }
}

function publicKeysOf(keys: NodeKeys | undefined): readonly string[] {
  return (keys?.consensusKeys() ?? []).map(({ publicKey }) => toHex(publicKey));
}

function accessSettings(settings: NodeConfiguration, operatorSecret: Bytes, peerId: string): AccessSettings {
  const { authentication, anonymousReads, maxTokenSeconds, accounts, operatorMethods } = settings.rpc;
  const entries = Object.entries(accounts).map(
    ([account, roles]): readonly [string, readonly AccountRole[]] => [account.toLowerCase(), roles],
  );
  return {
    kind: authentication,
    anonymousReads,
    maxTokenSeconds,
    operatorSecret,
    peerId,
    accounts: new Map(entries),
    operatorMethods,
  };
}
