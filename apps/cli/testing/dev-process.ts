import { createConnection } from "node:net";
import { type CliProcess, startCli } from "./cli-process.ts";
import { findFreePorts } from "./free-ports.ts";
import { LONG_WAIT_MS, waitUntil } from "./wait-until.ts";

/** A development chain of a test's own. */
export type DevProcess = {
  readonly url: string;
  readonly cli: CliProcess;
  readonly stop: () => Promise<void>;
};

/** Starts `ostrom dev` on a free port, and waits until it answers there. @throws with its words if it ends before. */
export async function startDev(args: readonly string[] = [], cwd?: string): Promise<DevProcess> {
  const [port] = await findFreePorts(1, 1);
  const cli = startCli(["dev", "--port", String(port), ...args], cwd === undefined ? {} : { cwd });
  await waitUntil("ostrom dev listens", LONG_WAIT_MS, async () => {
    if (cli.process.exitCode !== null) throw new Error(`ostrom dev ended: ${cli.stderr()}`);
    return isOpen(Number(port));
  });
  const stop = async (): Promise<void> => {
    cli.process.kill("SIGTERM");
    await cli.ended;
  };
  return { url: `http://127.0.0.1:${port}`, cli, stop };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
