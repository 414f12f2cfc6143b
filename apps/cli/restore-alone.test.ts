import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runCli } from "./testing/cli-process.ts";
import { Sender } from "./testing/sender.ts";
import { blockNumber, createTestNetwork, type TestNetwork } from "./testing/test-network.ts";

let network: TestNetwork;

before(async () => {
  network = await createTestNetwork({ validators: 1 });
});
after(() => network.dispose());

test("a chain's only validator goes on after a backup only if told that nobody follows it", async () => {
  const folder = network.folder(0);
  const out = join(network.directory, "backup");
  const restored = join(network.directory, "restored");
  await network.start(0);
  const height = await new Sender().finalize([network.urls[0]!], 3);
  await network.kill(0, "SIGTERM");
  const made = await runCli(["backup", "--data-dir", folder, "--out", out, "--with-keys", "--json"]);
  assert.equal(made.code, 0, made.stderr);
  assert.ok((JSON.parse(made.stdout) as { height: number }).height >= height);

  const restore = ["restore", "--from", out, "--data-dir", restored];
  assert.equal((await runCli(restore)).code, 0);
  rmSync(folder, { recursive: true });
  cpSync(restored, folder, { recursive: true });
  await assert.rejects(
    network.start(0),
    /this validator is the only one: nobody can tell how far it had voted/,
  );

  rmSync(restored, { recursive: true });
  rmSync(folder, { recursive: true });
  assert.equal((await runCli([...restore, "--only-validator"])).code, 0);
  cpSync(restored, folder, { recursive: true });
  await network.start(0);
  // The account has sent three before.
  const sender = new Sender(1);
  assert.ok((await sender.finalize([network.urls[0]!], 3)) > height);
  assert.ok((await blockNumber(network.urls[0]!, "finalized")) > height);
});
