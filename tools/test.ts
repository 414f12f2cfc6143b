// `npm test`: fast tests first (one process, no isolation), then those that start real processes, two files at a time.
// Each phase stops the run if it fails; the last lines are the sum of all phases. `npm test -- "on request"` runs what takes longest.
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

type Phase = {
  readonly name: string;
  readonly patterns: readonly string[];
  /** What the patterns match and another phase has. */
  readonly except?: RegExp;
  /** `npm test -- NAME` alone runs it. */
  readonly isOnRequest?: boolean;
  readonly flags: readonly string[];
};

/** heavy-block counts what a server answers while it is busy; participation graduates a chain too, so that graduation runs on request. */
const ALONE = /(?:heavy-block|graduation)\.test\.ts$/;
/** Tests that start processes, where they do not lie in apps/. */
const END_TO_END = /\.e2e\.test\.ts$/;

const PHASES: readonly Phase[] = [
  {
    name: "structure and types",
    patterns: ["tools/*.test.ts"],
    flags: ["--test-isolation=none"],
  },
  {
    name: "unit, vectors, properties, simulation",
    patterns: [
      "core/**/*.test.ts",
      "node/**/*.test.ts",
      "modules/**/*.test.ts",
      "sdk/**/*.test.ts",
      "sim/**/*.test.ts",
      "languages/**/*.test.ts",
    ],
    except: END_TO_END,
    flags: ["--test-isolation=process", "--test-concurrency=2"],
  },
  {
    name: "all state tests",
    patterns: ["tools/vectors/**/*.test.ts"],
    flags: ["--test-isolation=none"],
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
    flags: ["--test-isolation=process", "--test-concurrency=2"],
  },
  {
    name: "whole networks that need the machine for themselves",
    patterns: ["apps/cli/heavy-block.test.ts", "tools/bench/**/*.test.ts", "tools/hosts/**/*.test.ts"],
    flags: ["--test-isolation=process", "--test-concurrency=1"],
  },
  {
    name: "on request",
    patterns: ["apps/cli/graduation.test.ts"],
    isOnRequest: true,
    flags: ["--test-isolation=process", "--test-concurrency=1"],
  },
];

const only = process.argv[2];
const totals = { passed: 0, failed: 0, skipped: 0 };
for (const phase of PHASES) {
  if (only === undefined ? phase.isOnRequest === true : !phase.name.includes(only)) continue;
  const files = phase.patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root, exclude: (path) => path.includes("node_modules") }))
    .filter((path) => phase.except?.test(path) !== true);
  if (files.length === 0) continue;
  console.log(`\n== ${phase.name}: ${files.length} files`);
  const exitCode = await runPhase(phase.flags, files.sort());
  if (exitCode !== 0) {
    totals.failed = Math.max(totals.failed, 1);
    break;
  }
}
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed === 0 ? 0 : 1);

function runPhase(flags: readonly string[], files: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--test", "--test-reporter=spec", ...flags, ...files], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let tail = "";
    child.stdout.on("data", (chunk: Buffer) => {
      process.stdout.write(chunk);
      tail = (tail + chunk.toString("utf8")).slice(-20_000);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      totals.passed += lastCount(tail, "pass");
      totals.failed += lastCount(tail, "fail");
      totals.skipped += lastCount(tail, "skipped");
      resolve(code ?? 1);
    });
  });
}

/** Node's spec reporter closes with lines such as `ℹ pass 12`. */
function lastCount(output: string, word: string): number {
  const matches = [...output.matchAll(new RegExp(`^\\S+ ${word} (\\d+)$`, "gm"))];
  const last = matches.at(-1)?.[1];
  return last === undefined ? 0 : Number(last);
}
