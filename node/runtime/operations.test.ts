import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Failure, ZERO_HASH } from "@ostrom/base";
import { createIdentity } from "@ostrom/network";
import { Cleanup } from "./cleanup.ts";
import { DEFAULT_CONFIGURATION, type NodeConfiguration } from "./configuration.ts";
import type { NodeKeys } from "./epoch-sets.ts";
import { NotedWarnings } from "./noted-warnings.ts";
import { NodeOperations } from "./operations.ts";
import { type OperatorRecord, readOperatorLog } from "./operator-log-format.ts";

const root = mkdtempSync(join(tmpdir(), "ostrom-operations-"));
after(() => rmSync(root, { recursive: true }));

const log = (): void => {};

function makeFolder(): string {
  const folder = mkdtempSync(join(root, "node-"));
  mkdirSync(join(folder, "keys"));
  return folder;
}

const keysOf = (...first: readonly number[]): NodeKeys => ({
  peerId: "aa",
  consensusKeys: () =>
    first.map((byte) => ({ publicKey: new Uint8Array(48).fill(byte), sign: () => new Uint8Array(96) })),
});

/** One life of a node, as far as its operations go. */
async function live(
  folder: string,
  options: {
    readonly settings?: Partial<NodeConfiguration>;
    readonly keys?: NodeKeys;
    readonly failure?: Failure;
  },
  use: (operations: NodeOperations) => Promise<void> = async () => {},
): Promise<void> {
  const cleanup = new Cleanup();
  const { promise: failed, resolve: failWith } = Promise.withResolvers<Failure>();
  const operations = await NodeOperations.open({
    folder,
    settings: { ...DEFAULT_CONFIGURATION, ...options.settings },
    secrets: { consensusSecret: { schemeId: 1, secret: new Uint8Array(32) }, identity: createIdentity() },
    log,
    warnings: new NotedWarnings(() => 0),
    cleanup,
    databasePath: folder,
    genesisHash: ZERO_HASH,
    head: { height: 7, blockHash: ZERO_HASH },
    keys: options.keys ?? keysOf(1),
    failWith,
    failed,
  });
  await use(operations);
  if (options.failure !== undefined) failWith(options.failure);
  await new Promise((resolve) => setImmediate(resolve));
  await cleanup.run(log);
}

async function recordsOf(folder: string): Promise<readonly OperatorRecord[]> {
  const records: OperatorRecord[] = [];
  for await (const step of readOperatorLog(join(folder, "operator-log.jsonl"))) {
    assert.equal(step.kind, "record");
    if (step.kind === "record") records.push(step.record);
  }
  return records;
}

test("starts, ends, and what has changed in between are written down, without secrets", async () => {
  const folder = makeFolder();
  await live(folder, {});
  await live(folder, { failure: { code: "node/diverged", message: "why" } });
  await live(folder, {
    settings: { rpc: { ...DEFAULT_CONFIGURATION.rpc, authentication: "jwt" }, logLevel: "debug" },
    keys: keysOf(2, 1),
  });
  const records = await recordsOf(folder);
  assert.deepEqual(
    records.map(({ act }) => act),
    [
      "node.started",
      "node.stopped",
      "node.started",
      "node.failed",
      "configuration.changed",
      "keys.changed",
      "node.started",
      "node.stopped",
    ],
  );
  assert.deepEqual(records[4]!.details["changes"], [
    { setting: "logLevel", before: "info", after: "debug" },
    { setting: "rpc.authentication", before: "none", after: "jwt" },
  ]);
  assert.deepEqual(records[5]!.details, { added: [`0x${"02".repeat(48)}`], removed: [] });
  assert.deepEqual(records[3]!.details, { code: "node/diverged", message: "why" });
  const secret = readFileSync(join(folder, "keys", "operator.secret"), "utf8")
    .trim()
    .slice(2);
  assert.ok(!readFileSync(join(folder, "operator-log.jsonl"), "utf8").includes(secret));
});

test("a key that comes while the node runs is written down once", async () => {
  const folder = makeFolder();
  let keys = keysOf(1);
  const changing: NodeKeys = { peerId: "aa", consensusKeys: () => keys.consensusKeys() };
  await live(folder, { keys: changing }, async (operations) => {
    const watched = operations.watchKeys(changing);
    watched.consensusKeys();
    keys = keysOf(1, 3);
    watched.consensusKeys();
    watched.consensusKeys();
  });
  const changes = (await recordsOf(folder)).filter(({ act }) => act === "keys.changed");
  assert.deepEqual(
    changes.map(({ details }) => details),
    [{ added: [`0x${"03".repeat(48)}`], removed: [] }],
  );
});

test("what an operator asks for is written down first; what cannot be, is not done", async () => {
  const folder = makeFolder();
  let ended: NodeOperations | undefined;
  await live(folder, {}, async (operations) => {
    const call = { method: "admin_nodeInfo", parameters: [], actor: "0xaa", isOwner: false };
    assert.ok((await operations.operate(call)).ok);
    const refused = { ...call, method: "admin_startBackup", parameters: ["../elsewhere", false, 0] };
    const answer = await operations.operate(refused);
    assert.equal(answer.ok ? "" : answer.error.code, "backup/not-allowed");
    const keys = await operations.operate({ ...refused, parameters: ["name", true, 0] });
    assert.equal(keys.ok ? "" : keys.error.code, "backup/not-allowed");
    const told = await operations.operate({ ...call, method: "ostrom_getOperatorLog", parameters: ["", ""] });
    assert.ok(told.ok);
    const { records } = told.value as unknown as { readonly records: readonly OperatorRecord[] };
    assert.deepEqual(
      records.map(({ act, actor }) => [act, actor]),
      [
        ["node.started", "node"],
        ["rpc.called", "0xaa"],
        ["rpc.called", "0xaa"],
        ["rpc.called", "0xaa"],
        ["rpc.called", "0xaa"],
      ],
    );
    ended = operations;
  });
  // Its file is closed by now.
  const unwritten = await ended?.operate({
    method: "admin_nodeInfo",
    parameters: [],
    actor: "0xaa",
    isOwner: false,
  });
  assert.equal(unwritten?.ok === false ? unwritten.error.code : "", "operations/log-failed");
});
