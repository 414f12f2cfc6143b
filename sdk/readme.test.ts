import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { unwrap } from "@ostrom/base";
import { formatGenesis } from "@ostrom/execution";
import { installNativeCrypto } from "@ostrom/runtime";
import { parseCheckpoint } from "./checkpoint.ts";
import { makeEpochChain } from "./testing/epoch-chain.ts";
import { PROVED_METHODS } from "./verified-provider.ts";

const README = readFileSync(join(import.meta.dirname, "README.md"), "utf8");
const BLOCKS = 30;

test("the example of the README runs as it is printed, but for the port", async (t) => {
  installNativeCrypto();
  const chain = await makeEpochChain({
    epochs: 3,
    epochLength: BLOCKS / 3,
    epochLead: 3,
    timestampMs: Date.now() - 60_000,
    intervalMs: 1_000,
  });
  const served = await chain.serve();
  const folder = mkdtempSync(join(tmpdir(), "ostrom-readme-"));
  t.after(async () => {
    await served.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  symlinkSync(join(import.meta.dirname, "../node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "genesis.json"), JSON.stringify(formatGenesis(chain.genesis)));
  const example = /```ts\n([\s\S]*?)```/.exec(README)?.[1] ?? "";
  writeFileSync(join(folder, "example.ts"), example.replace("http://127.0.0.1:8545", served.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["example.ts"], { cwd: folder });
  const [told, checkpoint] = stdout.trim().split("\n");
  assert.match(told ?? "", new RegExp(`^block ${BLOCKS} is certified; its proposer has [0-9.]+$`));
  assert.equal(unwrap(parseCheckpoint(checkpoint ?? "")).height, BLOCKS);
});

test("the README's table names the methods that are proved", () => {
  const short = (method: string): string => method.replace("eth_", "_");
  const missing = PROVED_METHODS.filter(
    (method) =>
      !README.includes(method) &&
      !README.includes(short(method)) &&
      !/Uncle|TransactionCountBy|ByBlockHashAndIndex/.test(method),
  );
  assert.deepEqual(missing, []);
});
