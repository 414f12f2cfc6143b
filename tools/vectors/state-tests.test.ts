import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type EngineCounts, FORKS } from "@ostrom/vm";
import { SLOW_STATE_TESTS } from "./slow-list.ts";
import { readStateTests } from "./state-test-format.ts";
import { runStateTests, type StateTestRun } from "./state-test-pool.ts";
import { runStateTestCase } from "./state-tests.ts";

const SAMPLE = join(import.meta.dirname, "sample");
const VECTORS = join(import.meta.dirname, "../../../shared/vectors/ethereum");
const FOLDERS = ["GeneralStateTests", "prague", "osaka"].map((folder) => join(VECTORS, folder));
const skip = existsSync(VECTORS) ? false : "the shared vectors are not here (../shared/vectors/ethereum)";
/** The reference runs a tenth of all frames in the mixed run, and the whole set takes it as long as all else here. */
const PARTS = 4;
const ONE_FILE = join(SAMPLE, "GeneralStateTests/stSelfBalance/selfBalanceCallTypes.json");

function assertAllPassed({ reports }: StateTestRun, least: number): number {
  const failures = reports.flatMap(({ path, failures: all }) => all.map((failure) => ({ path, ...failure })));
  assert.deepEqual(failures, []);
  const passed = reports.reduce((sum, report) => sum + report.passed, 0);
  assert.ok(passed >= least, `${passed} cases ran, at least ${least} must be there`);
  return passed;
}

function sumOf({ counts }: StateTestRun, count: (counts: EngineCounts) => number): number {
  return counts.reduce((sum, engine) => sum + count(engine), 0);
}

test("state tests: the sample passes, in each fork", async (t) => {
  for (const fork of FORKS) {
    const passed = assertAllPassed(await runStateTests([SAMPLE], { forks: [fork] }), 10);
    t.diagnostic(`${fork}: ${passed} passed, 0 failed`);
  }
});

test("state tests: all of ../shared/vectors/ethereum pass with each frame in a tier, or in the reference, at random", {
  skip,
}, async (t) => {
  const run = await runStateTests(FOLDERS, { forks: FORKS, engine: "mixed" });
  const passed = assertAllPassed(run, 19_000);
  assert.equal(
    sumOf(run, ({ nodeFaults }) => nodeFaults),
    0,
  );
  t.diagnostic(`${passed} passed, 0 failed, ${run.leftOut.length} slow files left out`);
  const frames = (["tier0", "tier1", "reference"] as const).map(
    (tier) => `${sumOf(run, (counts) => counts.frames[tier])} in ${tier}`,
  );
  t.diagnostic(`frames: ${frames.join(", ")}`);
});

for (const engine of ["tier0", "tier1"] as const) {
  test(`state tests: all of ../shared/vectors/ethereum pass in ${engine} alone`, { skip }, async (t) => {
    const run = await runStateTests(FOLDERS, { forks: FORKS, engine });
    assert.equal(
      sumOf(run, ({ nodeFaults }) => nodeFaults),
      0,
    );
    t.diagnostic(`${assertAllPassed(run, 19_000)} passed, 0 failed`);
  });
}

test(`state tests: one file in ${PARTS} of ../shared/vectors/ethereum passes in the reference alone`, {
  skip,
}, async (t) => {
  const run = await runStateTests(FOLDERS, { forks: FORKS, part: { of: PARTS, index: 0 } });
  t.diagnostic(`${assertAllPassed(run, 1_000)} passed, 0 failed`);
});

test("state tests: the slow list names files that are there", { skip }, () => {
  for (const { path } of SLOW_STATE_TESTS)
    assert.ok(existsSync(join(VECTORS, "GeneralStateTests", path)), path);
});

test("state tests: a wrong root, a wrong logs hash and a transaction that ran against expectation are told", () => {
  const stateTest = readStateTests(ONE_FILE, ["cancun"])![0]!;
  const testCase = stateTest.cases[0]!;
  const wrong = `0x${"00".repeat(32)}`;
  const reasons = (changes: Partial<typeof testCase>): readonly string[] =>
    runStateTestCase(stateTest, { ...testCase, ...changes })?.reasons.map(
      (reason) => reason.split(":")[0]!,
    ) ?? [];
  assert.deepEqual(reasons({}), []);
  assert.deepEqual(reasons({ stateRoot: wrong }), ["state root"]);
  assert.deepEqual(reasons({ logsHash: wrong }), ["logs hash"]);
  assert.equal(reasons({ exception: "TransactionException.X" }).length, 1);
  assert.equal(reasons({ transaction: new Uint8Array(1) })[0], "refused");
});

test("the vectors command ends with a line of what passed and failed", () => {
  const main = join(import.meta.dirname, "main.ts");
  const run = spawnSync(process.execPath, [main, "state-tests", ONE_FILE, "--workers", "1"], {
    encoding: "utf8",
  });
  assert.match(run.stdout, /^\d+ passed, 0 failed\n$/);
  assert.equal(run.status, 0);
  const unknown = spawnSync(process.execPath, [main, "no-such-command"], { encoding: "utf8" });
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /unknown command/);
});
