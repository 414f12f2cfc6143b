// npm run vectors -- COMMAND ...: runs test vectors that others wrote. `--help` says what there is.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type EngineTiers, FORKS, type Fork } from "@ostrom/vm";
import { installNativeCrypto } from "../../node/runtime/native-crypto.ts";
import { runComparison } from "./compare.ts";
import { runRlpTests } from "./rlp-tests.ts";
import { runStateTests } from "./state-test-pool.ts";
import type { StateTestReport } from "./state-tests.ts";
import { traceFailure } from "./trace.ts";
import { runTransactionTests } from "./transaction-tests.ts";
import { runTrieTests } from "./trie-tests.ts";
import type { VectorRun } from "./vector-run.ts";

const ENGINES: readonly EngineTiers[] = ["reference", "tier0", "tier1", "mixed"];

const HELP = `Runs test vectors that others wrote. The last line says how many passed and failed.

  node tools/vectors/main.ts state-tests PATH...   all state tests below folders, or in files
      --fork NAME     only ${FORKS.join(", ")} (may be given more than once; all by default)
      --slow          also what tools/vectors/slow-list.ts leaves out
      --engine NAME   ${ENGINES.join(", ")}: who runs the contracts (reference by default);
                      mixed gives each frame to a tier at random, by a seed
      --workers N     worker threads (as many as processors by default)
      --trace         lists each instruction of the cases that fail
      --times         lists the files that took longest
      --json          one line of JSON at the end in place of text
  node tools/vectors/main.ts tx-tests PATH...      TransactionTests
  node tools/vectors/main.ts rlp-tests PATH...     RLPTests
  node tools/vectors/main.ts trie-tests PATH...    TrieTests
  node tools/vectors/main.ts compare               generated programs, here and in @ethereumjs/vm
      --seed S        first seed (1 by default)
      --count N       programs a fork (1000 by default)
      --fork NAME     as above

Without a command, state-tests is meant, and without a path ../shared/vectors/ethereum of the repository.
`;

const VECTORS = join(import.meta.dirname, "../../../shared/vectors/ethereum");
const DEFAULT_PATHS = ["GeneralStateTests", "prague", "osaka"].map((folder) => join(VECTORS, folder));
const LISTED_TIMES = 20;

type Options = ReturnType<typeof readArguments>["values"];

function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      fork: { type: "string", multiple: true },
      slow: { type: "boolean", default: false },
      workers: { type: "string" },
      engine: { type: "string", default: "reference" },
      trace: { type: "boolean", default: false },
      times: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      count: { type: "string", default: "1000" },
      help: { type: "boolean", default: false },
    },
  });
}

async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  const [command = "state-tests", ...paths] = positionals;
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  installNativeCrypto();
  switch (command) {
    case "state-tests":
      return stateTests(paths.length === 0 ? DEFAULT_PATHS : paths, values);
    case "tx-tests":
      return tell(runTransactionTests(paths));
    case "rlp-tests":
      return tell(runRlpTests(paths));
    case "trie-tests":
      return tell(runTrieTests(paths));
    case "compare":
      return tell(
        await runComparison(forksOf(values), positiveInteger(values.seed), positiveInteger(values.count)),
      );
    default:
      process.stderr.write(`unknown command "${command}"\n\n${HELP}`);
      return 2;
  }
}

async function stateTests(paths: readonly string[], options: Options): Promise<number> {
  const forks = forksOf(options);
  const write = (line: string): void => {
    if (!options.json) process.stdout.write(`${line}\n`);
  };
  const { reports, leftOut, counts } = await runStateTests(paths, {
    forks,
    engine: engineOf(options),
    slow: options.slow,
    ...(options.workers === undefined ? {} : { workers: positiveInteger(options.workers) }),
    onReport: (report) => describeFailures(report, write, options.trace),
  });
  if (options.times) listTimes(reports, write);
  if (leftOut.length > 0) write(`${leftOut.length} slow files left out (--slow runs them)`);
  const others = reports.filter(({ isStateTest }) => !isStateTest);
  if (others.length > 0) write(`${others.length} files hold no state tests`);
  const passed = reports.reduce((sum, report) => sum + report.passed, 0);
  const failed = reports.reduce((sum, report) => sum + report.failures.length, 0);
  if (options.engine !== "reference") {
    for (const count of counts) write(`engine of a worker: ${JSON.stringify(count)}`);
  }
  write(`${passed} passed, ${failed} failed`);
  if (options.json) {
    const failures = reports.flatMap(({ path, failures: all }) =>
      all.map((failure) => ({ path, ...failure })),
    );
    process.stdout.write(`${JSON.stringify({ passed, failed, forks, leftOut, failures })}\n`);
  }
  return failed === 0 && passed > 0 ? 0 : 1;
}

function describeFailures(report: StateTestReport, write: (line: string) => void, trace: boolean): void {
  for (const failure of report.failures) {
    write(`FAILED ${report.path}`);
    write(`  ${failure.test}, ${failure.fork} ${failure.index} (${failure.variant})`);
    for (const reason of failure.reasons) write(`  ${reason}`);
    if (trace) traceFailure(report.path, failure, write);
  }
}

function listTimes(reports: readonly StateTestReport[], write: (line: string) => void): void {
  const slowest = [...reports].sort((a, b) => b.durationMs - a.durationMs).slice(0, LISTED_TIMES);
  for (const { durationMs, path } of slowest) write(`${(durationMs / 1000).toFixed(2)} s ${path}`);
}

function tell({ passed, failures }: VectorRun): number {
  for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`);
  process.stdout.write(`${passed} passed, ${failures.length} failed\n`);
  return failures.length === 0 && passed > 0 ? 0 : 1;
}

function forksOf(options: Options): readonly Fork[] {
  if (options.fork === undefined) return FORKS;
  return options.fork.map((name) => {
    const fork = FORKS.find((candidate) => candidate === name.toLowerCase());
    if (fork === undefined) throw new Error(`--fork ${name}: there are ${FORKS.join(", ")}`);
    return fork;
  });
}

function engineOf(options: Options): EngineTiers {
  const engine = ENGINES.find((candidate) => candidate === options.engine);
  if (engine === undefined) throw new Error(`--engine ${options.engine}: there are ${ENGINES.join(", ")}`);
  return engine;
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`"${text}" must be a positive whole number`);
  return value;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
