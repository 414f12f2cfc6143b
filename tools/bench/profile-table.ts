import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CallFrame,
  STAGES,
  type Stage,
  stageOfFrame,
  stageOfRest,
  stageOfThread,
} from "./profile-stages.ts";
import type { Window } from "./put-load.ts";

/** V8's format of a CPU profile; times in microseconds of the monotonic clock. */
type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

/** Microseconds a transaction, over all processes. */
export type ProfileTable = {
  readonly threads: readonly string[];
  readonly cells: ReadonlyMap<Stage, ReadonlyMap<string, number>>;
  /** What is in stage "other", the most first; and the most of everything, by its own time. */
  readonly otherFunctions: readonly FunctionShare[];
  readonly topFunctions: readonly FunctionShare[];
};

export type FunctionShare = { readonly name: string; readonly thread: string; readonly us: number };

/** Threads by what only they load. */
const THREAD_OF_FILE: readonly (readonly [file: RegExp, thread: string])[] = [
  [/execution-worker\.ts$/, "execution"],
  [/signature-worker\.ts$/, "signatures"],
  [/rpc-worker\.ts$/, "json-rpc"],
  [/query-worker\.ts$/, "queries"],
  [/compile-worker\.ts$/, "compiler"],
  [/apps\/cli\/main\.ts$/, "main"],
];
const IDLE = "(idle)";
/** Its time is not the transaction's. */
const PROFILER: Stage = "the profiler";
const TOP_FUNCTIONS = 40;
const OTHER_FUNCTIONS = 12;

type Sampled = { readonly stage: Stage; readonly name: string };

/** Time by stage and thread: each thread's processor time, as the system counts it, divided as the samples within the window are. */
export function tabulateProfiles(folder: string, window: Window): ProfileTable {
  const sampled = new Map<string, Map<string, { readonly of: Sampled; us: number }>>();
  for (const file of readdirSync(folder)) {
    const profile = JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile;
    const thread = threadOf(profile);
    if (thread !== undefined) addSamples(profile, thread, window, sampled);
  }
  const cpu = processorTime(window);
  const cells = new Map<Stage, Map<string, number>>(STAGES.map((stage) => [stage, new Map()]));
  const add = (stage: Stage, thread: string, us: number): void => {
    const row = cells.get(stage)!;
    row.set(thread, (row.get(thread) ?? 0) + us);
  };
  const functions: (FunctionShare & { readonly stage: Stage })[] = [];
  for (const [thread, us] of cpu) {
    const own = sampled.get(thread);
    if (own === undefined) {
      add(stageOfThread(thread), thread, us);
      continue;
    }
    const total = [...own.values()].reduce((sum, entry) => sum + entry.us, 0);
    for (const { of, us: part } of own.values()) {
      const share = (us * part) / total;
      add(of.stage, thread, share);
      functions.push({ name: of.name, thread, us: share, stage: of.stage });
    }
  }
  const sorted = functions.toSorted((a, b) => b.us - a.us);
  return {
    threads: [...cpu.entries()].toSorted((a, b) => b[1] - a[1]).map(([thread]) => thread),
    cells,
    otherFunctions: sorted.filter(({ stage }) => stage === "other").slice(0, OTHER_FUNCTIONS),
    topFunctions: sorted.slice(0, TOP_FUNCTIONS),
  };
}

/** Microseconds a transaction of each kind of thread, over all processes. */
function processorTime({ threads, transactions }: Window): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const { kind, microseconds } of threads)
    times.set(kind, (times.get(kind) ?? 0) + microseconds / Math.max(1, transactions));
  return new Map([...times].filter(([, us]) => us > 0));
}

function threadOf({ nodes }: CpuProfile): string | undefined {
  for (const [file, thread] of THREAD_OF_FILE)
    if (nodes.some(({ callFrame }) => file.test(callFrame.url))) return thread;
  return undefined;
}

function addSamples(
  profile: CpuProfile,
  thread: string,
  { fromUs, toUs }: Window,
  sampled: Map<string, Map<string, { readonly of: Sampled; us: number }>>,
): void {
  const stages = stagesOf(profile, thread);
  const own = sampled.get(thread) ?? new Map<string, { readonly of: Sampled; us: number }>();
  sampled.set(thread, own);
  let at = profile.startTime;
  for (let index = 0; index < profile.samples.length; index++) {
    at += profile.timeDeltas[index]!;
    if (at < fromUs || at > toUs) continue;
    const of = stages.get(profile.samples[index]!);
    if (of === undefined) continue;
    const key = `${of.stage} ${of.name}`;
    const entry = own.get(key) ?? { of, us: 0 };
    // A sample stands for the time until the next one.
    entry.us += profile.timeDeltas[index + 1] ?? 0;
    own.set(key, entry);
  }
}

/** The stage of each node of the call tree; idle ones are left out. */
function stagesOf({ nodes }: CpuProfile, thread: string): ReadonlyMap<number, Sampled> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const stages = new Map<number, Sampled>();
  const open: { readonly id: number; readonly inherited: Stage | undefined }[] = [
    { id: nodes[0]!.id, inherited: undefined },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { callFrame, children = [] } = byId.get(next.id)!;
    const known = stageOfFrame(callFrame) ?? next.inherited;
    if (callFrame.functionName !== IDLE)
      stages.set(next.id, { stage: known ?? stageOfRest(thread, callFrame), name: nameOf(callFrame) });
    for (const id of children) open.push({ id, inherited: known });
  }
  return stages;
}

function nameOf({ functionName, url }: CallFrame): string {
  const place = url.split("/").slice(-2).join("/");
  return `${functionName === "" ? "(anonymous)" : functionName} ${place}`.trim();
}

/** As lines of text; what is below half a microsecond is a dash. */
export function formatTable({ threads: all, cells, otherFunctions, topFunctions }: ProfileTable): string {
  const threads = all.filter((thread) => stageOfThread(thread) !== PROFILER);
  const shown = (us: number): string => (us < 0.5 ? "-" : us.toFixed(0));
  const sum = (values: Iterable<number>): number => [...values].reduce((total, us) => total + us, 0);
  const stages = STAGES.filter((stage) => stage !== PROFILER);
  const rows = stages
    .map((stage) => {
      const row = cells.get(stage)!;
      return [stage, ...threads.map((thread) => shown(row.get(thread) ?? 0)), shown(sum(row.values()))];
    })
    .filter((row) => row.at(-1) !== "-");
  const totals = threads.map((thread) => sum(stages.map((stage) => cells.get(stage)!.get(thread) ?? 0)));
  const lines = [
    ["us a transaction, all validators", ...threads, "all"],
    ["---", ...threads.map(() => "--:"), "--:"],
    ...rows,
    ["all", ...totals.map(shown), shown(sum(totals))],
  ];
  const listed = (functions: readonly FunctionShare[]): readonly string[] =>
    functions.map(({ name, thread, us }) => `  ${us.toFixed(1).padStart(6)}  ${thread}: ${name}`);
  return [
    ...lines.map((cellsOfLine) => `| ${cellsOfLine.join(" | ")} |`),
    `Besides, the profiler itself: ${shown(sum(cells.get(PROFILER)!.values()))}`,
    "",
    'In "other":',
    ...listed(otherFunctions),
    "Functions by their own time:",
    ...listed(topFunctions),
  ].join("\n");
}
