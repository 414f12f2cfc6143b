import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, cpSync, mkdirSync, openSync, renameSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Sender } from "./testing/sender.ts";
import {
  blockHashes,
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";

const VICTIM = 3;
const OTHERS = [0, 1, 2];
const TINY_DISK = "size=64m";
const BATCH = 20;
const FILLER = "filler";
/** Either a write has failed, or the node has looked at the disk before that. */
const NO_ROOM =
  /^the disk (?:is full \([^\n]*\): free some space and start again|of [^\n]* has 0\.0 MiB left: [^\n]*; free some space)$/;

const sender = new Sender();
let network: TestNetwork;
let mounted: string | undefined;

before(async () => {
  network = await createTestNetwork({ validators: 4 });
});

after(async () => {
  await network.kill(VICTIM, "SIGKILL");
  unmount();
  await network.dispose();
});

process.once("exit", unmount);

function unmount(): void {
  if (mounted !== undefined) spawnSync("umount", ["--lazy", mounted]);
  mounted = undefined;
}

/** Puts a folder on a disk of its own. @returns why that is not possible, or undefined. */
function moveToTinyDisk(folder: string): string | undefined {
  const aside = `${folder}-aside`;
  renameSync(folder, aside);
  mkdirSync(folder, { mode: 0o700 });
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", TINY_DISK, "ostrom-test", folder], {
    encoding: "utf8",
  });
  if (mount.status === 0) mounted = folder;
  cpSync(aside, folder, { recursive: true });
  rmSync(aside, { recursive: true });
  return mount.status === 0 ? undefined : (mount.error?.message ?? mount.stderr.trim());
}

/** Writes until the disk takes nothing more. */
function fillDisk(folder: string): void {
  const file = openSync(join(folder, FILLER), "w", 0o600);
  const { bsize } = statfsSync(folder);
  try {
    for (let size = 1_024 * bsize; size >= 1; ) {
      try {
        writeSync(file, Buffer.alloc(size));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(file);
  }
}

async function sendBatch(indices: readonly number[]): Promise<void> {
  await sender.finalize(
    indices.map((index) => network.urls[index]!),
    BATCH,
  );
}

test("a full disk stops its validator with one line; the others go on; with space it catches up", async (context) => {
  const folder = network.folder(VICTIM);
  const problem = moveToTinyDisk(folder);
  if (problem !== undefined) {
    context.skip(`no disk of its own for one validator: mounting a tmpfs is not possible here (${problem})`);
    return;
  }
  const failures: string[] = [];
  network.reports((report) => {
    if (report.kind === "failed") failures.push(report.message);
  });
  await network.startAll();
  await sendBatch([...OTHERS, VICTIM]);

  fillDisk(folder);
  const victim = network.node(VICTIM)!;
  await waitUntil("the validator without space ends", LONG_WAIT_MS, async () => {
    await sendBatch(OTHERS);
    return victim.process.exitCode !== null || victim.process.signalCode !== null;
  });
  assert.deepEqual(await victim.ended, { code: 1, signal: null });
  assert.equal(failures.length, 1, failures.join("\n"));
  assert.match(failures[0]!, NO_ROOM);
  assert.ok(failures[0]!.includes(folder), failures[0]!);

  await sendBatch(OTHERS);
  await assert.rejects(
    network.start(VICTIM),
    /has 0\.0 MiB left: the node warns below [^\n]*; free some space$/,
  );
  rmSync(join(folder, FILLER));
  await network.start(VICTIM);
  await sendBatch([...OTHERS, VICTIM]);
  await network.kill(0, "SIGKILL");
  await sendBatch([1, 2, VICTIM]);
  const height = await blockNumber(network.urls[VICTIM]!, "finalized");
  assert.deepEqual(
    await blockHashes(network.urls[VICTIM]!, 0, height),
    await blockHashes(network.urls[1]!, 0, height),
  );
});
