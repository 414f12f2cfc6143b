// npm run hosts -- [--quick] [--validators 7] [--seconds 20] [--latency-ms 50] [--loss-percent 1] [--load 20]: validators as real processes
// in network namespaces of their own, behind latency and loss, through a partition, a one-way cut, a pause and a restart of each one.
//
// This process makes the namespaces and removes them again, whatever becomes of the run, which is a process of its own (driver.ts).
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DriverOrder } from "./driver.ts";
import { type HostsSettings, readSettings } from "./settings.ts";
import {
  buildTopology,
  createTopology,
  hubNamespace,
  namespacePath,
  removeLeftovers,
  removeTopology,
  type Topology,
  whyImpossible,
} from "./topology.ts";

const settings = settingsOrEnd();
let driver: ChildProcess | undefined;
let isEnded = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    isEnded = true;
    if (driver?.connected === true) driver.send("end");
  });
}

const reason = await whyImpossible();
if (reason === undefined) {
  process.exitCode = await runInNamespaces(settings);
} else {
  console.log(`skipped: ${reason}`);
  console.log(JSON.stringify({ hosts: "skipped", reason }));
}

function settingsOrEnd(): HostsSettings {
  try {
    return readSettings(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}

async function runInNamespaces(wanted: HostsSettings): Promise<number> {
  await removeLeftovers();
  const topology = createTopology(process.pid, wanted.validators);
  const directory = mkdtempSync(join(tmpdir(), topology.prefix));
  try {
    await buildTopology(topology, wanted.lossPercent);
    return isEnded ? 1 : await drive(topology, { settings: wanted, topology, directory });
  } finally {
    await removeTopology(topology);
    if (wanted.keep) console.log(`kept: ${directory}`);
    else rmSync(directory, { recursive: true, force: true });
  }
}

/** @returns the driver's exit code. */
function drive(topology: Topology, order: DriverOrder): Promise<number> {
  const net = `--net=${namespacePath(hubNamespace(topology))}`;
  const script = join(import.meta.dirname, "driver.ts");
  return new Promise((resolve, reject) => {
    driver = spawn("nsenter", [net, process.execPath, script, JSON.stringify(order)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      // Not in the terminal's group: Ctrl-C reaches it through this process, which it then tells how it ended.
      detached: true,
    });
    driver.once("error", reject);
    driver.once("exit", (code, signal) => {
      if (code === null) {
        console.log(JSON.stringify({ hosts: "failed", reason: `the driver was ended by ${signal}` }));
      }
      resolve(code ?? 1);
    });
  });
}
