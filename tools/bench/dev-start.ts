import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { median } from "./quantile.ts";

const MAIN = join(import.meta.dirname, "../../apps/cli/main.ts");
/** Node alone, at the same point: it has run its program, and is asked to print a line. */
const NODE_ALONE = ["-e", 'console.log("ready"); setInterval(() => undefined, 1000)'];
const DEVELOPMENT_CHAIN = [MAIN, "dev", "--port", "0", "--json"];
/** The system counts processor time in ticks of this length. */
const MS_PER_TICK = 10;
/** Fields of /proc/PID/stat after the name's bracket. Source: proc_pid_stat(5). */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

type Start = { readonly wallMs: number; readonly cpuMs: number };

/** From the process' start to its first line. */
async function measureStart(args: readonly string[]): Promise<Start> {
  const startMs = performance.now();
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  await once(createInterface({ input: child.stdout }), "line");
  const start = { wallMs: performance.now() - startMs, cpuMs: processorMs(child) };
  child.kill("SIGTERM");
  await ended;
  return start;
}

/** User and system time of all threads. */
function processorMs({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * MS_PER_TICK;
}

/** How long `ostrom dev` takes from its process' start until it says that it is ready, beside Node alone: `--rounds` of each in turn, after one
 * that fills the compile cache. One JSON line of medians, in milliseconds; `over` is one less the other, of each pair. */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { rounds: { type: "string", default: "11" } } });
  await measureStart(DEVELOPMENT_CHAIN);
  const chain: Start[] = [];
  const alone: Start[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    alone.push(await measureStart(NODE_ALONE));
    chain.push(await measureStart(DEVELOPMENT_CHAIN));
  }
  const middle = (starts: readonly Start[], field: keyof Start): number =>
    Math.round(median(starts.map((start) => start[field])));
  const over = (field: keyof Start): number =>
    Math.round(median(chain.map((start, round) => start[field] - (alone[round]?.[field] ?? 0))));
  const result = {
    benchmark: "dev-start",
    rounds: chain.length,
    wallMs: middle(chain, "wallMs"),
    cpuMs: middle(chain, "cpuMs"),
    nodeWallMs: middle(alone, "wallMs"),
    nodeCpuMs: middle(alone, "cpuMs"),
    overWallMs: over("wallMs"),
    overCpuMs: over("cpuMs"),
  };
  console.log(JSON.stringify(result));
}
