// `npm test`: fast tests first (many files in one process, two processes at a time), then those that start real processes, two files at a
// time. Each phase stops the run if it fails; the last lines are the sum of all phases. `npm test -- "on request"` runs what takes longest.
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

type Phase = {
  readonly name: string;
  readonly patterns: readonly string[];
  /** What the patterns match and another phase has. */
  readonly except?: RegExp;
  /** `npm test -- NAME` alone runs it. */
  readonly isOnRequest?: boolean;
  /** What takes longest, in this order: it begins first, and short files fill what time is left beside it. */
  readonly first?: readonly string[];
  readonly flags: readonly string[];
  /** So many groups of files, each in one process, two processes at a time; without it one run of Node's test runner has them all. */
  readonly groups?: number;
  /** A group of their own, which begins first: engines that have run much else are slower. */
  readonly apart?: RegExp;
};

type Counts = { passed: number; failed: number; skipped: number };

const PROCESSES = 2;
/** Twenty thousand of them, in each tier. */
const STATE_TESTS = /^tools\/vectors\//;
const SHARED_PROCESS: readonly string[] = ["--test-isolation=none"];

/** heavy-block counts what a server answers while it is busy; participation (five minutes), graduation and migration wait through many epochs, and run
 * on request. */
const ALONE = /(?:heavy-block|participation|graduation|migration)\.test\.ts$/;
/** Tests that start processes, where they do not lie in apps/. */
const END_TO_END = /\.e2e\.test\.ts$/;
/** Stories of minutes, the longest first: two of them that began last would leave one processor idle at the end. */
const LONGEST: readonly string[] = [
  "apps/docs/docs-commands.test.ts",
  "apps/cli/upgrade.test.ts",
  "apps/explorer/pages.e2e.test.ts",
  "apps/explorer/consensus.e2e.test.ts",
  "apps/cli/up.test.ts",
  "apps/explorer/prove.e2e.test.ts",
  "apps/explorer/contracts.e2e.test.ts",
  "apps/explorer/console.e2e.test.ts",
  "apps/cli/suites.test.ts",
  "apps/cli/checkpoints.test.ts",
  "apps/cli/doctor.test.ts",
  "apps/cli/demo.test.ts",
  "apps/cli/scheme-change.test.ts",
  "apps/cli/validator-change.test.ts",
];

const PHASES: readonly Phase[] = [
  {
    name: "structure and types",
    patterns: ["tools/*.test.ts"],
    flags: ["--test-isolation=none"],
  },
  {
    name: "unit, vectors, all state tests, properties, simulation",
    patterns: [
      "tools/vectors/**/*.test.ts",
      "core/**/*.test.ts",
      "node/**/*.test.ts",
      "modules/**/*.test.ts",
      "sdk/**/*.test.ts",
      "sim/**/*.test.ts",
      "languages/**/*.test.ts",
    ],
    except: END_TO_END,
    flags: SHARED_PROCESS,
    groups: 10,
    apart: STATE_TESTS,
  },
  {
    name: "end to end, real processes",
    patterns: [
      "apps/**/*.test.ts",
      "modules/**/*.e2e.test.ts",
      "sdk/**/*.e2e.test.ts",
      "examples/**/*.test.ts",
      "tools/model/**/*.test.ts",
    ],
    except: ALONE,
    first: LONGEST,
    flags: ["--test-isolation=process", "--test-concurrency=2"],
  },
  {
    name: "whole networks that need the machine for themselves",
    patterns: ["apps/cli/heavy-block.test.ts", "tools/bench/**/*.test.ts", "tools/hosts/**/*.test.ts"],
    flags: ["--test-isolation=process", "--test-concurrency=1"],
  },
  {
    name: "on request",
    patterns: ["apps/cli/participation.test.ts", "apps/cli/graduation.test.ts", "apps/cli/migration.test.ts"],
    isOnRequest: true,
    flags: ["--test-isolation=process", "--test-concurrency=1"],
  },
];

const only = process.argv[2];
const totals: Counts = { passed: 0, failed: 0, skipped: 0 };
// Hundreds of processes read the same sources: they strip and compile them once.
process.env["NODE_COMPILE_CACHE"] ??= enableCompileCache().directory ?? "";
for (const phase of PHASES) {
  if (only === undefined ? phase.isOnRequest === true : !phase.name.includes(only)) continue;
  const files = filesOf(phase);
  if (files.length === 0) continue;
  console.log(`\n== ${phase.name}: ${files.length} files`);
  if (!(await runPhase(phase, files))) {
    totals.failed = Math.max(totals.failed, 1);
    break;
  }
}
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed === 0 ? 0 : 1);

function filesOf({ patterns, except, first }: Phase): readonly string[] {
  const files = patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root, exclude: (path) => path.includes("node_modules") }))
    .filter((path) => except?.test(path) !== true)
    .sort();
  const named = (first ?? []).filter((path) => files.includes(path));
  return [...named, ...files.filter((path) => !named.includes(path))];
}

async function runPhase({ flags, groups, apart }: Phase, files: readonly string[]): Promise<boolean> {
  if (groups === undefined) return await runTests(flags, files, true);
  // Neighbours take alike long: they are dealt out like cards.
  const isApart = (file: string): boolean => apart?.test(file) === true;
  const others = files.filter((file) => !isApart(file));
  const dealt = Array.from({ length: groups }, (_, group) =>
    others.filter((_file, index) => index % groups === group),
  );
  const waiting = [files.filter(isApart), ...dealt];
  let isPassed = true;
  const work = async (isLive: boolean): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      if (group.length > 0 && !(await runTests(flags, group, isLive))) isPassed = false;
    }
  };
  await Promise.all(Array.from({ length: PROCESSES }, (_, index) => work(index === 0)));
  return isPassed;
}

/** Runs files with Node's test runner, shows what it prints (at its end, if it is not `isLive`: two at once would mix), and counts.
 * @returns whether all passed. */
function runTests(flags: readonly string[], files: readonly string[], isLive: boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--test", "--test-reporter=spec", ...flags, ...files], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (isLive) process.stdout.write(chunk);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      const output = Buffer.concat(chunks);
      if (!isLive) process.stdout.write(output);
      const tail = output.subarray(-20_000).toString("utf8");
      totals.passed += lastCount(tail, "pass");
      totals.failed += lastCount(tail, "fail");
      totals.skipped += lastCount(tail, "skipped");
      resolve(code === 0);
    });
  });
}

/** Node's spec reporter closes with lines such as `ℹ pass 12`. */
function lastCount(output: string, word: string): number {
  const matches = [...output.matchAll(new RegExp(`^\\S+ ${word} (\\d+)$`, "gm"))];
  const last = matches.at(-1)?.[1];
  return last === undefined ? 0 : Number(last);
}
