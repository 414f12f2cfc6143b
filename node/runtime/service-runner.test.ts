import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { must, ZERO_HASH } from "@ostrom/base";
import type { Log } from "./ports.ts";
import { ServiceRunner, serviceFolder } from "./service-runner.ts";
import { NEW_PROBE } from "./testing/probe-module.ts";

type World = {
  readonly folder: string;
  readonly logged: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
  /** Delays of what is waited for, in ms; each is over at once. */
  readonly waits: number[];
  readonly runner: (address?: string) => ServiceRunner;
  /** Resolves when something of this kind is logged. */
  readonly heard: (message: RegExp) => Promise<void>;
};

async function setUp(context: TestContext): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-service-"));
  const server = createServer((_, response) => response.end('{"jsonrpc":"2.0","id":1,"result":"0x2a"}'));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const logged: World["logged"] = [];
  const waits: number[] = [];
  const waiting: { readonly message: RegExp; readonly resolve: () => void }[] = [];
  const log: Log = (_level, message, fields = {}) => {
    logged.push({ message, fields });
    for (const one of waiting) if (one.message.test(message)) one.resolve();
  };
  const clock = {
    nowMs: () => 0,
    after: (delayMs: number, callback: () => void) => {
      waits.push(delayMs);
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    },
  };
  const runner = (address = must(NEW_PROBE.service, "the probe has a service")): ServiceRunner =>
    new ServiceRunner(
      {
        name: "probe",
        address,
        nodeFolder: folder,
        folder: serviceFolder(folder, "probe"),
        rpcUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        genesisHash: ZERO_HASH,
        chainId: 42n,
        peerId: "00".repeat(32),
        consensusKeys: [],
      },
      clock,
      log,
    );
  const heard = (message: RegExp): Promise<void> =>
    new Promise((resolve) => waiting.push({ message, resolve }));
  return { folder, logged, waits, runner, heard };
}

test("a service that dies is started again after a while, with its folder, its keys and the node's JSON-RPC", async (context) => {
  const { folder, logged, waits, runner, heard } = await setUp(context);
  mkdirSync(join(folder, "keys"));
  writeFileSync(join(folder, "keys", "probe.key"), "0xabcd\n", { mode: 0o600 });
  const running = heard(/the probe runs/);
  const probe = runner();
  probe.start();
  await running;
  assert.deepEqual(waits, [1_000]);
  const [death] = logged;
  assert.deepEqual(death?.fields, { service: "probe", reason: "its first life is over", inMs: 1_000 });
  const seen: unknown = JSON.parse(readFileSync(join(serviceFolder(folder, "probe"), "seen.json"), "utf8"));
  assert.deepEqual(seen, { chainId: "0x2a", secret: "abcd" });
  await probe.stop();
});

test("waits between lives grow; nothing is thrown at the node", async (context) => {
  const { folder, waits, runner } = await setUp(context);
  const enough = Promise.withResolvers<void>();
  const push = waits.push.bind(waits);
  waits.push = (...delays) => {
    if (waits.length >= 2) enough.resolve();
    return push(...delays);
  };
  const probe = runner(new URL("./testing/no-such-service.ts", import.meta.url).href);
  probe.start();
  await enough.promise;
  await probe.stop();
  assert.deepEqual(waits.slice(0, 3), [1_000, 2_000, 4_000]);
  assert.ok(existsSync(serviceFolder(folder, "probe")));
});

test("a key that others may read is not given to a service", {
  skip: process.platform === "win32",
}, async (context) => {
  const { folder, logged, runner, heard } = await setUp(context);
  mkdirSync(join(folder, "keys"));
  writeFileSync(join(folder, "keys", "probe.key"), "0xabcd\n", { mode: 0o644 });
  mkdirSync(serviceFolder(folder, "probe"), { recursive: true });
  writeFileSync(join(serviceFolder(folder, "probe"), "died"), "");
  const ended = heard(/ended/);
  const probe = runner();
  probe.start();
  await ended;
  await probe.stop();
  assert.match(String(logged[0]?.fields["reason"]), /can be read by others than its owner: run chmod 600/);
});
