import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startCli } from "./testing/cli-process.ts";

type Shown = { readonly step: string; readonly lines: readonly string[] };

test("ostrom demo starts a network of its own, shows five steps, and leaves nothing behind", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-demo-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // A temporary folder of its own: what is left there would be seen.
  const started = startCli(["demo", "--json"], { cwd: folder, environment: { TMPDIR: folder } });
  const { code, stdout, stderr } = await started.ended;
  assert.deepEqual([code, stderr], [0, ""]);
  const steps = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Shown);
  assert.deepEqual(
    steps.map(({ step }) => step),
    ["network", "transfer", "contract", "killed-validator", "proof"],
  );
  const text = (name: string): string => steps.find(({ step }) => step === name)!.lines.join("\n");
  assert.match(text("transfer"), /success in block \d+, 21000 gas\nIt is final/);
  assert.match(text("contract"), /\n1000000\n[\s\S]*\n250$/);
  assert.match(text("killed-validator"), /is dead\.[\s\S]*is final without it[\s\S]*All 4 agree/);
  assert.match(text("proof"), /refused \(proof\/wrong-hash\)/);
});
