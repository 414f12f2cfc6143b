import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CONFIGURATION_FILE, DEFAULT_CONFIGURATION, readConfiguration } from "./configuration.ts";

function folderWith(context: TestContext, text: string | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-configuration-"));
  context.after(() => rmSync(folder, { recursive: true }));
  if (text !== undefined) writeFileSync(join(folder, CONFIGURATION_FILE), text);
  return folder;
}

function failureOf(
  context: TestContext,
  settings: unknown,
): { readonly code: string; readonly message: string } {
  const read = readConfiguration(folderWith(context, JSON.stringify(settings)));
  assert.ok(!read.ok);
  return read.error;
}

test("what node.json leaves out has the defaults, in nested settings too", (context) => {
  const text = JSON.stringify({
    name: "north",
    rpc: { port: 9_000 },
    peerAddresses: { south: "10.0.0.2:30310" },
  });
  const read = readConfiguration(folderWith(context, text));
  assert.ok(read.ok);
  assert.deepEqual(read.value, {
    ...DEFAULT_CONFIGURATION,
    name: "north",
    rpc: { ...DEFAULT_CONFIGURATION.rpc, port: 9_000 },
    peerAddresses: { south: "10.0.0.2:30310" },
  });
});

test("the defaults are a valid configuration", (context) => {
  const read = readConfiguration(folderWith(context, JSON.stringify(DEFAULT_CONFIGURATION)));
  assert.deepEqual(read, { ok: true, value: DEFAULT_CONFIGURATION });
});

test("an unknown setting is named, with those that are known", (context) => {
  const { code, message } = failureOf(context, { rpc: { prot: 1 } });
  assert.equal(code, "configuration/invalid");
  assert.match(message, /"rpc\.prot" is no setting \(known: host, port/);
  assert.match(failureOf(context, { constructor: 1 }).message, /"constructor" is no setting/);
  const read = readConfiguration(folderWith(context, '{"__proto__": {"name": 1}}'));
  assert.match(read.ok ? "" : read.error.message, /"__proto__" is no setting/);
});

test("a setting of the wrong type is named with what it must be", (context) => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [[], /the file must be an object/],
    [null, /the file must be an object/],
    [{ name: 1 }, /"name" must be text/],
    [{ link: "127.0.0.1:1" }, /"link" must be an object/],
    [{ mining: { enabled: 1 } }, /"mining.enabled" must be true or false/],
    [{ mining: { threads: -1 } }, /"mining.threads" must be a whole number/],
    [{ mining: { coinbase: "0x12" } }, /"mining.coinbase" must be an address/],
    [{ link: { port: "30310" } }, /"link.port" must be a port/],
    [{ rpc: { port: 65_536 } }, /"rpc.port" must be a port/],
    [{ rpc: { port: -1 } }, /"rpc.port" must be a port/],
    [{ rpc: { maxBatch: 1.5 } }, /"rpc.maxBatch" must be a whole number/],
    [{ rpc: { maxBatch: 2 ** 60 } }, /"rpc.maxBatch" must be a whole number/],
    [{ rpc: { allowedHosts: "localhost" } }, /"rpc.allowedHosts" must be a list of texts/],
    [{ rpc: { allowedOrigins: [1] } }, /"rpc.allowedOrigins" must be a list of texts/],
    [{ historyBlocks: -1 }, /"historyBlocks" must be a whole number/],
    [{ logLevel: "loud" }, /"logLevel" must be one of debug, info, warn, error/],
    [{ peerAddresses: { a: 1 } }, /"peerAddresses" must map names to "host:port"/],
    [{ peerAddresses: { a: "localhost" } }, /"peerAddresses" must map names to "host:port"/],
    [{ peerAddresses: { a: "localhost:99999" } }, /"peerAddresses" must map names to "host:port"/],
  ];
  for (const [settings, expected] of wrong) {
    const { code, message } = failureOf(context, settings);
    assert.equal(code, "configuration/invalid");
    assert.match(message, expected);
    assert.match(message, /node\.json/);
  }
});

test("a missing or broken node.json is named", (context) => {
  for (const text of [undefined, "{", ""]) {
    const read = readConfiguration(folderWith(context, text));
    assert.ok(!read.ok);
    assert.equal(read.error.code, "configuration/unreadable");
    assert.match(read.error.message, /node\.json/);
  }
});
