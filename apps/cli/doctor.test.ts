import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Finding } from "./doctor-finding.ts";
import { runCli } from "./testing/cli-process.ts";
import { createTestNetwork, type TestNetwork } from "./testing/test-network.ts";

let network: TestNetwork;

before(async () => {
  network = await createTestNetwork({ validators: 4 });
  await network.startAll();
});
after(() => network.dispose());

async function examine(
  index: number,
  ...more: readonly string[]
): Promise<{ readonly code: number | null; readonly findings: ReadonlyMap<string, Finding> }> {
  const { code, stdout, stderr } = await runCli(["doctor", network.folder(index), "--json", ...more]);
  assert.equal(stderr, "");
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
  for (const { check, state, advice } of findings)
    assert.equal(advice !== undefined, state === "warn" || state === "fail", `${check}: what to do`);
  return { code, findings: new Map(findings.map((finding) => [finding.check, finding])) };
}

test("a running validator of a whole network: nothing fails", async () => {
  const { code, findings } = await examine(0, "--rpc", network.urls[1]!);
  const failed = [...findings.values()].filter(({ state }) => state === "fail");
  assert.deepEqual(failed, []);
  assert.equal(code, 0);
  for (const check of [
    "program",
    "configuration",
    "genesis",
    "keys",
    "database",
    "ports",
    "json-rpc",
    "same-chain",
    "head",
    "clock",
  ])
    assert.equal(findings.get(check)?.state, "ok", `${check}: ${findings.get(check)?.found}`);
  assert.match(findings.get("peers")!.found, /linked with \d; 3 of 3 accept connections/);
  assert.match(findings.get("disk-speed")!.found, /a synced write takes [\d.]+ ms/);
});

test("keys that others may read fail, with the command that mends it", async () => {
  const path = join(network.folder(1), "keys/consensus.key");
  chmodSync(path, 0o644);
  const { code, findings } = await examine(1);
  chmodSync(path, 0o600);
  assert.equal(code, 1);
  assert.equal(findings.get("keys")!.state, "fail");
  assert.match(findings.get("keys")!.advice!, /chmod go= .*consensus\.key/);
});

test("a dead node whose port another program has, with peers that still answer", async (t) => {
  await network.kill(3, "SIGKILL");
  const server = createServer();
  const { rpcPort } = network.file.nodes[3]!;
  await new Promise<void>((resolve) => server.listen(rpcPort, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { code, findings } = await examine(3);
  assert.equal(code, 1);
  assert.match(findings.get("database")!.found, /opens, at block \d+; the node does not run/);
  assert.match(findings.get("ports")!.found, new RegExp(`port ${rpcPort} is in use by another program`));
  assert.equal(findings.get("json-rpc")!.state, "skip");
});

test("a genesis of another chain, and a node.json that is none, are said", async () => {
  const path = join(network.folder(2), "genesis.json");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(text) as object), timestampMs: 1 }));
  const other = await examine(2);
  writeFileSync(path, text);
  assert.equal(other.findings.get("same-chain")!.state, "fail");
  const configuration = join(network.folder(2), "node.json");
  const kept = readFileSync(configuration, "utf8");
  writeFileSync(configuration, "{");
  const damaged = await examine(2);
  writeFileSync(configuration, kept);
  assert.deepEqual([damaged.code, damaged.findings.get("configuration")!.state], [1, "fail"]);
});
