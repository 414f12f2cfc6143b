import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ask } from "./rpc-client.ts";
import { type CliProcess, runCli, startUp } from "./testing/cli-process.ts";
import { findFreePorts } from "./testing/free-ports.ts";
import { signTransfers, submit } from "./testing/load.ts";
import { LONG_WAIT_MS, waitUntil } from "./testing/test-network.ts";

const VALIDATORS = 4;
const EPOCH_LENGTH = 20;
const PUMP_INTERVAL_MS = 100;
const root = mkdtempSync(join(tmpdir(), "ostrom-profiles-"));
const running: CliProcess[] = [];

after(async () => {
  for (const { process } of running) process.kill("SIGTERM");
  await Promise.all(running.map(({ ended }) => ended));
  rmSync(root, { recursive: true, force: true });
});

type Told = {
  readonly currentEpoch: string;
  readonly validators: readonly { readonly address: string; readonly weight: string }[];
};

async function up(profile: string): Promise<{ readonly rpc: string; readonly args: readonly string[] }> {
  const [port, linkPort] = (await findFreePorts(VALIDATORS, 2)) as [number, number];
  const args = [
    "--profile",
    profile,
    "--epoch-length",
    String(EPOCH_LENGTH),
    "--data-dir",
    join(root, profile),
  ];
  const { up: started, ready } = await startUp([
    ...args,
    "--port",
    String(port),
    "--link-port",
    String(linkPort),
  ]);
  running.push(started);
  return { rpc: ready.nodes[0]!.rpc, args };
}

/** Sends transfers, because blocks come at once where there is something to order, until `done`. */
async function pumpUntil(rpc: string, what: string, done: () => Promise<boolean>): Promise<void> {
  let nonce = 0;
  const pump = async (): Promise<boolean> => {
    if ((await submit(rpc, signTransfers(0, nonce, 1))).length === 0) nonce++;
    return done();
  };
  await waitUntil(what, 2 * LONG_WAIT_MS, pump, PUMP_INTERVAL_MS);
}

test("public: four validators are bonded at genesis, their services reveal, and stake draws the next sets", async () => {
  const { rpc, args } = await up("public");
  const { code, stderr } = await runCli(["up", ...args.slice(2), "--profile", "alliance"]);
  assert.equal(code, 1);
  assert.match(stderr, /is running already/);
  await pumpUntil(rpc, "the third epoch begins", async () => {
    return Number((await ask<Told>(rpc, "ostrom_getValidators")).currentEpoch) >= 2;
  });
  const { validators } = await ask<Told>(rpc, "ostrom_getValidators");
  assert.equal(validators.length, VALIDATORS);
  const weights = validators.map(({ weight }) => Number(weight));
  assert.ok(
    weights.every((weight) => weight > 1),
    `seats are drawn, not counted by heads: ${weights.join()}`,
  );
  const { stdout } = await runCli(["modules", "--rpc", rpc]);
  assert.match(
    stdout,
    /staking {2}version 1, active since block 1.*\n\nValidators are decided by staking\.\n/,
  );
});

test("alliance: each validator is an organisation, administered by a development account; the members are the authority", async () => {
  const { rpc } = await up("alliance");
  const { validators } = await ask<Told>(rpc, "ostrom_getValidators");
  assert.equal(validators.length, VALIDATORS);
  const { stdout } = await runCli(["membership", "status", "--rpc", rpc]);
  for (const index of [1, 2, 3, 4]) assert.match(stdout, new RegExp(`validator-${index}\\b`));
  const foreign = await runCli([
    "up",
    "--profile",
    "public",
    "--set",
    "membership.open=true",
    "--data-dir",
    join(root, "x"),
  ]);
  assert.match(
    foreign.stderr,
    /^ostrom up: --set: a chain of profile public begins with the module staking, not membership\n$/,
  );
});
