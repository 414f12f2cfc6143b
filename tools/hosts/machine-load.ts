import { readFileSync } from "node:fs";

const SAMPLE_INTERVAL_MS = 50;
const CPU_INTERVAL_MS = 1_000;
/** Linux reports processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** What the machine did meanwhile: a stall on a machine that had no time for the validators says nothing about them.
 * @property worstDelayMs the longest that a timer of the driver came too late.
 * @property waitingPercent of the time in which some runnable thread of the machine waited for a processor (Linux's pressure figures).
 * @property busyCores processors in use, by everything; `ownCores` by this run. */
export type MachineFigures = {
  readonly worstDelayMs: number;
  readonly waitingPercent: number;
  readonly busyCores: number;
  readonly ownCores: number;
};

type Processor = { readonly busy: number; readonly waitingUs: number };

/** Samples how late the driver's own timers come, and who uses the processors. */
export class MachineLoad {
  readonly #pids: () => readonly number[];
  readonly #timers: NodeJS.Timeout[];
  readonly #startMs = performance.now();
  readonly #start: Processor = readProcessor();
  readonly #delays: { readonly atMs: number; readonly delayMs: number }[] = [];
  readonly #ticks = new Map<number, number>();
  #ownTicks = 0;
  #lastMs = performance.now();

  /** @param pids of the processes that belong to this run, now. */
  constructor(pids: () => readonly number[]) {
    this.#pids = pids;
    this.#timers = [
      setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS),
      setInterval(() => this.#countOwn(), CPU_INTERVAL_MS),
    ];
    this.#countOwn();
  }

  /** The longest delay of a timer in this time. */
  worstDelayMs(fromMs: number, toMs: number): number {
    const within = this.#delays.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
    return Math.round(Math.max(0, ...within.map(({ delayMs }) => delayMs)));
  }

  stop(): MachineFigures {
    for (const timer of this.#timers) clearInterval(timer);
    this.#countOwn();
    const seconds = (performance.now() - this.#startMs) / 1_000;
    const { busy, waitingUs } = readProcessor();
    return {
      worstDelayMs: this.worstDelayMs(0, Number.POSITIVE_INFINITY),
      waitingPercent: Math.round((waitingUs - this.#start.waitingUs) / seconds / 10_000),
      busyCores: round((busy - this.#start.busy) / TICKS_PER_SECOND / seconds),
      ownCores: round(this.#ownTicks / TICKS_PER_SECOND / seconds),
    };
  }

  #sample(): void {
    const nowMs = performance.now();
    const delayMs = nowMs - this.#lastMs - SAMPLE_INTERVAL_MS;
    if (delayMs > 1) this.#delays.push({ atMs: nowMs, delayMs });
    this.#lastMs = nowMs;
  }

  #countOwn(): void {
    for (const pid of [process.pid, ...this.#pids()]) {
      const ticks = ticksOf(pid);
      // What it used before this run saw it is the run's as well: it was started by it.
      this.#ownTicks += Math.max(0, ticks - (this.#ticks.get(pid) ?? 0));
      this.#ticks.set(pid, Math.max(ticks, this.#ticks.get(pid) ?? 0));
    }
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function readProcessor(): Processor {
  // user nice system idle iowait irq softirq steal: all but idle and iowait is use.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = read("/proc/stat")
    .split("\n", 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const waitingUs = Number(/^some .*total=(\d+)/m.exec(read("/proc/pressure/cpu"))?.[1] ?? 0);
  return { busy: user + nice + system + irq + softirq + steal, waitingUs };
}

/** Processor time of all threads of a process; 0 if it is gone. */
function ticksOf(pid: number): number {
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /, "")
    .split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
