import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgreementChecker } from "./agreement.ts";
import { type CliProcess, runCli, startCli } from "./cli-process.ts";
import { findFreePorts } from "./free-ports.ts";
import { addStoredChain } from "./stored-chain.ts";
import { LONG_WAIT_MS, waitUntil } from "./wait-until.ts";

/** Somebody's machine, and the account of who owns it. */
export type Machine = {
  readonly name: string;
  readonly folder: string;
  readonly rpcPort: number;
  readonly url: string;
  readonly linkPort: number;
  /** HOST:PORT */
  readonly link: string;
};

/** Machines of many owners, all on this one, and everything that their owners type. */
export type Machines = {
  readonly directory: string;
  readonly machine: (name: string) => Machine;
  /** Makes an account with `ostrom account new`. @returns its address. */
  readonly createAccount: (name: string) => Promise<string>;
  readonly keyFile: (name: string) => string;
  /** `ostrom run`, until it is ready. */
  readonly start: (name: string) => Promise<void>;
  /** Ctrl-C, or worse. */
  readonly stop: (name: string, signal?: NodeJS.Signals) => Promise<void>;
  readonly running: () => readonly Machine[];
  /** Ends all that runs. @throws AssertionError if two machines have different blocks of one height on their disks. */
  readonly dispose: () => Promise<void>;
};

export async function createMachines(names: readonly string[]): Promise<Machines> {
  const directory = mkdtempSync(join(tmpdir(), "ostrom-participation-"));
  const [rpcPort, linkPort] = (await findFreePorts(names.length, 2)) as [number, number];
  const machines = new Map<string, Machine>(
    names.map((name, index) => [
      name,
      {
        name,
        folder: join(directory, name),
        rpcPort: rpcPort + index,
        url: `http://127.0.0.1:${rpcPort + index}`,
        linkPort: linkPort + index,
        link: `127.0.0.1:${linkPort + index}`,
      },
    ]),
  );
  const machine = (name: string): Machine => machines.get(name)!;
  const processes = new Map<string, CliProcess>();
  const stop = async (name: string, signal: NodeJS.Signals = "SIGINT"): Promise<void> => {
    const started = processes.get(name);
    if (started === undefined) return;
    processes.delete(name);
    started.process.kill(signal);
    await started.ended;
  };
  return {
    directory,
    machine,
    createAccount: async (name) =>
      (await ostrom("account", "new", "--out", join(directory, `${name}.key`))).split(" ")[0]!,
    keyFile: (name) => join(directory, `${name}.key`),
    start: async (name) => {
      const started = startCli(["run", "--data-dir", machine(name).folder]);
      processes.set(name, started);
      await waitUntil(`${name} is ready`, 2 * LONG_WAIT_MS, () => {
        if (started.process.exitCode !== null) throw new Error(`${name} ended: ${started.stderr()}`);
        return started.stdout().includes("JSON-RPC at");
      });
    },
    stop,
    running: () => [...processes.keys()].map(machine),
    dispose: async () => {
      await Promise.all([...processes.keys()].map((name) => stop(name)));
      const agreement = new AgreementChecker();
      try {
        for (const { folder, name } of machines.values()) await addStoredChain(folder, name, agreement);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
      agreement.assertAgreement();
    },
  };
}

/** Types `ostrom ...`, which must succeed. @returns what it says. */
export async function ostrom(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(args);
  assert.deepEqual([code, stderr], [0, ""], `ostrom ${args.join(" ")}`);
  return stdout;
}

/** Types `ostrom ...`, which must be refused in one line. */
export async function refused(says: RegExp, ...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runCli(args);
  assert.equal(code, 1, `ostrom ${args.join(" ")}: ${stdout}`);
  assert.match(stderr, /^ostrom [^\n]+\n$/);
  assert.match(stderr, says);
}
