import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check } from "./checks.ts";

const MODELS = join(import.meta.dirname, "../../core/consensus/simplex/model");

/** Memory that one run may take, in MB. */
const MEMORY_LIMIT_MB = 4_000;

/** Steps of the longest path that is followed: none of the models has so many. */
const DEPTH_LIMIT = 100_000;

/** The table of states begins with 2^20 places and grows. */
const FIRST_HASH_TABLE_BITS = 20;

/** - `holds`: all states were visited, no assertion failed.
 * - `violated`: an assertion failed.
 * - `incomplete`: memory or depth was not enough, or the checker itself failed. */
export type Verdict = "holds" | "violated" | "incomplete";

export type Outcome = {
  readonly verdict: Verdict;
  readonly states: number;
  readonly depth: number;
  readonly seconds: number;
  /** The counterexample in words, if there is one; what went wrong if it is incomplete. */
  readonly lines: readonly string[];
};

/** What is missing on this machine, with how to install it; empty if nothing is. */
export function missingTools(): readonly string[] {
  const missing: string[] = [];
  if (spawnSync("spin", ["-V"]).error !== undefined)
    missing.push("spin (the model checker; Debian: apt-get install spin; others: spinroot.com)");
  if (spawnSync("cc", ["--version"]).error !== undefined)
    missing.push("cc (a C compiler; Debian: apt-get install gcc)");
  return missing;
}

/** Generates the verifier of a check, compiles it, and runs it over all states.
 * @param isShortest search breadth first: the counterexample is a shortest one, and it takes more memory. */
export function runCheck(check: Check, isShortest: boolean): Outcome {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-model-"));
  const startMs = performance.now();
  const secondsSince = (): number => (performance.now() - startMs) / 1_000;
  try {
    const file = join(MODELS, `${check.model}.pml`);
    const generated = run(folder, "spin", [...check.defines.map((name) => `-D${name}`), "-a", file]);
    if (generated.status !== 0) return incomplete(generated.text, secondsSince());
    // Where there are few states, compiling with -O2 takes longer than it saves.
    const flags = [
      check.onlyFull ? "-O2" : "-O0",
      "-w",
      "-DSAFETY",
      "-DNOREDUCE",
      "-DCOLLAPSE",
      `-DMEMLIM=${MEMORY_LIMIT_MB}`,
    ];
    const compiled = run(folder, "cc", [...flags, ...(isShortest ? ["-DBFS"] : []), "-o", "pan", "pan.c"]);
    if (compiled.status !== 0) return incomplete(compiled.text, secondsSince());
    const { text } = run(folder, "./pan", [`-m${DEPTH_LIMIT}`, `-w${FIRST_HASH_TABLE_BITS}`]);
    const outcome = readOutcome(text, secondsSince());
    if (outcome.verdict !== "violated") return outcome;
    return { ...outcome, lines: tell(folder) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readOutcome(text: string, seconds: number): Outcome {
  const errors = /depth reached (\d+), errors: (\d+)/.exec(text);
  const states = /(\d+(?:\.\d+)?(?:e\+\d+)?) states, stored/.exec(text);
  const isCutShort = /max search depth too small|memory limit|MEMLIM bound|out of memory/.test(text);
  const isFull = /Full statespace search/.test(text);
  if (errors === null || states === null || isCutShort || !isFull) return incomplete(text, seconds);
  const verdict: Verdict = errors[2] === "0" ? "holds" : "violated";
  if (verdict === "violated" && !/assertion violated/.test(text)) return incomplete(text, seconds);
  return { verdict, states: Number(states[1]), depth: Number(errors[1]), seconds, lines: [] };
}

function incomplete(text: string, seconds: number): Outcome {
  return { verdict: "incomplete", states: 0, depth: 0, seconds, lines: text.trim().split("\n").slice(-12) };
}

/** Replays the counterexample: every action of the models says what it does. */
function tell(folder: string): readonly string[] {
  const [trail] = globSync("*.trail", { cwd: folder });
  if (trail === undefined) return ["no trail was written"];
  const { text } = run(folder, "./pan", ["-r", trail]);
  const lines = text.split("\n");
  const said = lines.filter((line) =>
    /^(validator|epoch|votes|enters|stores|restarts|loses|its) /.test(line),
  );
  const failed = lines.find((line) => line.includes("assertion violated"));
  return failed === undefined ? said : [...said, failed.replace(/^pan:\d+: /, "")];
}

function run(
  folder: string,
  command: string,
  options: readonly string[],
): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr, error } = spawnSync(command, options, {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status, text: error === undefined ? `${stdout}${stderr}` : error.message };
}
