import { readdirSync, readFileSync } from "node:fs";

/** Of `/proc/<pid>/stat` on Linux (proc(5)); fixed there whatever the kernel's own rate is. */
const CLOCK_TICKS_PER_SECOND = 100;
const MICROSECONDS_PER_TICK = 1_000_000 / CLOCK_TICKS_PER_SECOND;

/** User and system time of processes and all their threads, in microseconds. */
export function processMicroseconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + timeOf(`/proc/${pid}/stat`), 0);
}

export type ThreadTime = { readonly pid: number; readonly kind: string; readonly microseconds: number };

/** User and system time of each thread, its kind being its name; the thread that a process began with is `main`. */
export function threadMicroseconds(pids: readonly number[]): ReadonlyMap<string, ThreadTime> {
  const times = new Map<string, ThreadTime>();
  for (const pid of pids) {
    for (const id of readdirSync(`/proc/${pid}/task`)) {
      const folder = `/proc/${pid}/task/${id}`;
      try {
        const kind = id === String(pid) ? "main" : readFileSync(`${folder}/comm`, "utf8").trim();
        times.set(`${pid}/${id}`, { pid, kind, microseconds: timeOf(`${folder}/stat`) });
      } catch (error) {
        // A thread may end between the list and the reading.
        if (!["ENOENT", "ESRCH"].includes(String((error as NodeJS.ErrnoException).code))) throw error;
      }
    }
  }
  return times;
}

/** Resident memory of processes together, in MB. */
export function residentMegabytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return sum + Number(kilobytes) / 1024;
  }, 0);
}

function timeOf(statPath: string): number {
  const fields = readFileSync(statPath, "utf8").split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK;
}
