import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runCli, startUp } from "./testing/cli-process.ts";
import { findFreePorts } from "./testing/free-ports.ts";
import { LONG_WAIT_MS, waitUntil } from "./testing/wait-until.ts";

const root = mkdtempSync(join(tmpdir(), "ostrom-console-cli-"));
after(() => rmSync(root, { recursive: true, force: true }));

test("ostrom up starts the explorer, says where it is, and ends it with the network", async () => {
  const [port, linkPort, consolePort] = (await findFreePorts(1, 3)) as [number, number, number];
  const { up, ready } = await startUp([
    ...["--validators", "1", "--metrics-port", "0", "--data-dir", join(root, "network")],
    ...["--port", String(port), "--link-port", String(linkPort), "--console-port", String(consolePort)],
  ]);
  const { explorer } = ready as typeof ready & { readonly explorer: string };
  assert.equal(explorer, `http://127.0.0.1:${consolePort}`);
  const ask = (): Promise<Response | undefined> => fetch(`${explorer}/console.json`).catch(() => undefined);
  await waitUntil("the explorer answers", LONG_WAIT_MS, async () => (await ask())?.ok === true);
  up.process.kill("SIGINT");
  const { code } = await up.ended;
  assert.equal(code, 0);
  assert.equal(await ask(), undefined);
});

test("a port for the explorer that is taken is refused by name", async () => {
  const [port, linkPort, consolePort] = (await findFreePorts(1, 3)) as [number, number, number];
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(consolePort, "127.0.0.1", resolve));
  const { code, stderr } = await runCli([
    ...["up", "--validators", "1", "--metrics-port", "0", "--data-dir", join(root, "taken")],
    ...["--port", String(port), "--link-port", String(linkPort), "--console-port", String(consolePort)],
  ]);
  other.close();
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`port ${consolePort} is in use: choose another one with --console-port`));
});
