import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitUntil } from "../../apps/cli/testing/wait-until.ts";
import type { Peer, StartPeer } from "./peer.ts";
import { formatTable, tabulateProfiles } from "./profile-table.ts";
import { type LoadOptions, type Measured, putLoad } from "./put-load.ts";
import type { SignedLoad } from "./signed-load.ts";

const WRITING_TIMEOUT_MS = 120_000;

/** Runs a load on our network with a profile of each process and thread, and prints where the time went within the measured time. */
export async function profileRun(start: StartPeer, load: SignedLoad, options: LoadOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-profile-"));
  try {
    const { peer, measured } = await runProfiled(start, load, options, folder);
    const { window, ...figures } = measured;
    const table = tabulateProfiles(folder, window);
    console.log(formatTable(table));
    const stages = Object.fromEntries(
      [...table.cells].map(([stage, row]) => [
        stage,
        Object.fromEntries([...row].map(([thread, us]) => [thread, Number(us.toFixed(1))])),
      ]),
    );
    console.log(JSON.stringify({ bench: "network profile", ...figures, stages, settings: peer.settings }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Profiles are written when the processes end. */
async function runProfiled(
  start: StartPeer,
  load: SignedLoad,
  options: LoadOptions,
  folder: string,
): Promise<{ readonly peer: Peer; readonly measured: Measured }> {
  const before = process.env["NODE_OPTIONS"];
  process.env["NODE_OPTIONS"] = `${before ?? ""} --cpu-prof --cpu-prof-dir=${folder}`.trim();
  let peer: Peer;
  try {
    peer = await start();
  } finally {
    if (before === undefined) delete process.env["NODE_OPTIONS"];
    else process.env["NODE_OPTIONS"] = before;
  }
  try {
    return { peer, measured: await putLoad(peer, load, { ...options, threads: true }) };
  } finally {
    await endGently(peer);
    await peer.stop();
  }
}

/** Writing profiles takes longer than a node is otherwise given to end. */
async function endGently({ processes }: Peer): Promise<void> {
  for (const pid of processes) process.kill(pid, "SIGTERM");
  await waitUntil("profiles are written", WRITING_TIMEOUT_MS, () => processes.every((pid) => !isAlive(pid)));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
