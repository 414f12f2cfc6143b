import { residentMegabytes } from "./processor-time.ts";

/** After its start a process grows until its caches and compilers are warm. */
const WARM_UP_MS = 45_000;
/** A slope of less says nothing. */
const MIN_SAMPLES = 20;
const MS_PER_HOUR = 3_600_000;

export type MemorySlope = {
  readonly name: string;
  /** 1, and one more each time that it was started again. */
  readonly life: number;
  readonly minutes: number;
  readonly fromMb: number;
  readonly toMb: number;
  /** By least squares, after the warm-up; undefined: it did not live long enough. */
  readonly mbPerHour: number | undefined;
};

type Life = { readonly name: string; readonly life: number; readonly samples: Sample[] };
type Sample = { readonly at: number; readonly megabytes: number };

/** Resident memory over time; each process, from its start to its end, by itself. */
export class MemorySeries {
  readonly #pids: () => ReadonlyMap<string, number>;
  readonly #lives = new Map<number, Life>();
  readonly #counts = new Map<string, number>();

  /** @param pids of the processes that run, by name. */
  constructor(pids: () => ReadonlyMap<string, number>) {
    this.#pids = pids;
  }

  look(): void {
    const at = performance.now();
    for (const [name, pid] of this.#pids()) {
      let megabytes: number;
      try {
        megabytes = residentMegabytes([pid]);
      } catch (error) {
        // It was killed, and is not yet collected.
        if (!["ENOENT", "ESRCH"].includes(String((error as NodeJS.ErrnoException).code))) throw error;
        continue;
      }
      if (Number.isNaN(megabytes)) continue;
      this.#lifeOf(name, pid).samples.push({ at, megabytes });
    }
  }

  slopes(): readonly MemorySlope[] {
    return [...this.#lives.values()].map(({ name, life, samples }) => {
      const first = samples[0]!;
      const last = samples.at(-1)!;
      const warm = samples.filter(({ at }) => at - first.at >= WARM_UP_MS);
      return {
        name,
        life,
        minutes: Number(((last.at - first.at) / 60_000).toFixed(1)),
        fromMb: Math.round(warm[0]?.megabytes ?? first.megabytes),
        toMb: Math.round(last.megabytes),
        mbPerHour: warm.length < MIN_SAMPLES ? undefined : Math.round(slopeOf(warm) * MS_PER_HOUR),
      };
    });
  }

  #lifeOf(name: string, pid: number): Life {
    const known = this.#lives.get(pid);
    if (known !== undefined) return known;
    const life = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, life);
    const made = { name, life, samples: [] };
    this.#lives.set(pid, made);
    return made;
  }
}

/** Megabytes a millisecond. */
function slopeOf(samples: readonly Sample[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = mean(samples.map(({ at }) => at));
  const level = mean(samples.map(({ megabytes }) => megabytes));
  const above = samples.reduce((sum, { at, megabytes }) => sum + (at - middle) * (megabytes - level), 0);
  const spread = samples.reduce((sum, { at }) => sum + (at - middle) ** 2, 0);
  return spread === 0 ? 0 : above / spread;
}
