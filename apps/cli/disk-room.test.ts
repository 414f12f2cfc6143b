import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask } from "./rpc-client.ts";
import { type CliProcess, isRunning, runCli, startCli } from "./testing/cli-process.ts";
import { Sender } from "./testing/sender.ts";
import {
  blockHashes,
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";
import { moveToTinyDisk, type TinyDisk } from "./testing/tiny-disk.ts";

const VICTIM = 3;
const OTHERS = [0, 1, 2];
const DISK_MEBIBYTES = 96;
const MEBIBYTE = 1024 * 1024;

const sender = new Sender();
let network: TestNetwork;
let victim: CliProcess | undefined;
let disk: TinyDisk | undefined;

before(async () => {
  network = await createTestNetwork({ validators: 4 });
});

after(async () => {
  victim?.process.kill("SIGKILL");
  await victim?.ended;
  disk?.unmount();
  await network.dispose();
});

const urlsOf = (indices: readonly number[]): readonly string[] =>
  indices.map((index) => network.urls[index]!);

function acts(): readonly string[] {
  const text = readFileSync(join(network.folder(VICTIM), "operator-log.jsonl"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { readonly act: string }).act);
}

test("a validator warns of a disk that fills up, stops before it is full, and is itself again when there is room", async (context) => {
  const made = moveToTinyDisk(network.folder(VICTIM), DISK_MEBIBYTES);
  if (typeof made === "string") {
    context.skip(`no disk of its own for one validator: mounting a tmpfs is not possible here (${made})`);
    return;
  }
  disk = made;
  await Promise.all(OTHERS.map((index) => network.start(index)));
  victim = startCli(["run", "--data-dir", network.folder(VICTIM)]);
  const { pid } = victim.process;
  await waitUntil("the validator is ready", LONG_WAIT_MS, () => victim!.stdout().includes("Ctrl-C stops it"));
  await sender.finalize(urlsOf([...OTHERS, VICTIM]), 20);

  // A tenth of the disk is where it warns, a twentieth where it stops.
  disk.fillTo(7.5 * MEBIBYTE);
  await waitUntil("it warns", LONG_WAIT_MS, () => victim!.stdout().includes("the disk is nearly full"));
  await sender.finalize(urlsOf([...OTHERS, VICTIM]), 5);
  await waitUntil("the warning is in the operator log", LONG_WAIT_MS, () => acts().includes("disk.low"));

  disk.fillTo(3 * MEBIBYTE);
  await waitUntil("it stops", LONG_WAIT_MS, () => victim!.stderr().includes("It starts again by itself"));
  assert.match(victim.stderr(), /ostrom run: the disk of [^\n]* has \d+\.\d MiB left[^\n]*\n/);
  assert.ok(disk.freeBytes() > MEBIBYTE, "no write has met a full disk");
  await assert.rejects(ask(network.urls[VICTIM]!, "eth_blockNumber"), /no node answers/);
  await sender.finalize(urlsOf(OTHERS), 5);
  assert.equal(victim.process.exitCode, null, "it waits");

  disk.free();
  await waitUntil(
    "it is ready again",
    LONG_WAIT_MS,
    () => victim!.stdout().split("Ctrl-C stops it").length === 3,
  );
  assert.ok(isRunning(pid!), "as the same process, for whoever watches over it");
  await sender.finalize(urlsOf([...OTHERS, VICTIM]), 5);
  // Now nothing is final without it.
  await network.kill(0, "SIGKILL");
  await sender.finalize(urlsOf([1, 2, VICTIM]), 5);
  const height = await blockNumber(network.urls[VICTIM]!, "finalized");
  const [ours, theirs] = await Promise.all(
    [VICTIM, 1].map((index) => blockHashes(network.urls[index]!, 0, height)),
  );
  assert.deepEqual(ours, theirs);
  assert.deepEqual(await ask(network.urls[1]!, "ostrom_getEvidence"), []);
  assert.doesNotMatch(victim.stdout(), /torn write|is gone|lost/, "its log and its database were whole");

  const verified = await runCli(["operator-log", "verify", "--data-dir", network.folder(VICTIM)]);
  assert.equal(verified.code, 0, verified.stderr);
  assert.deepEqual(
    acts().filter((act) => !act.startsWith("peer.")),
    ["node.started", "disk.low", "disk.critical", "node.failed", "node.started"],
  );
});

test("a validator that waits for room ends when it is asked to", async (context) => {
  if (disk === undefined || victim === undefined) return context.skip("no disk of its own, see above");
  disk.fillTo(2 * MEBIBYTE);
  await waitUntil(
    "it stops once more",
    LONG_WAIT_MS,
    () => victim!.stderr().split("It starts again by itself").length === 3,
  );
  victim.process.kill("SIGTERM");
  assert.equal((await victim.ended).code, 0);
});
