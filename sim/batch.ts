import { MIN_HEIGHTS, type SeedReport } from "./campaign.ts";

const MS_PER_SECOND = 1_000;
const NAME_WIDTH = 28;

/** What a run of many seeds came to. */
export class Batch {
  readonly failedSeeds: number[] = [];
  #seeds = 0;
  #short = 0;
  #heights = 0;
  #leastHeights: number = Number.POSITIVE_INFINITY;
  #events = 0;
  #simulatedMs = 0;
  #cpuMs = 0;
  #longestCpuMs = 0;
  readonly #memory = new Map<string, number>();
  readonly #strikes = new Map<string, { times: number; seeds: number }>();

  add(report: SeedReport, cpuMs: number): void {
    this.#seeds++;
    if (report.violations.length > 0) this.failedSeeds.push(report.seed);
    if (report.heights < MIN_HEIGHTS) this.#short++;
    this.#heights += report.heights;
    this.#leastHeights = Math.min(this.#leastHeights, report.heights);
    this.#events += report.events;
    this.#simulatedMs += report.simulatedMs;
    this.#cpuMs += cpuMs;
    this.#longestCpuMs = Math.max(this.#longestCpuMs, cpuMs);
    for (const [what, size] of Object.entries(report.memory))
      this.#memory.set(what, Math.max(size, this.#memory.get(what) ?? 0));
    for (const [fault, times] of Object.entries(report.counts)) {
      const known = this.#strikes.get(fault) ?? { times: 0, seeds: 0 };
      this.#strikes.set(fault, { times: known.times + times, seeds: known.seeds + 1 });
    }
  }

  summary(): string {
    const seconds = (ms: number): string => (ms / MS_PER_SECOND).toFixed(2);
    const strikes = [...this.#strikes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([name, { times, seeds }]) =>
          `  ${name.padEnd(NAME_WIDTH)} ${String(times).padStart(9)} in ${seeds} seeds`,
      );
    const counted = this.#seeds - this.#short;
    return [
      ...strikes,
      `${this.#seeds} seeds, ${counted} with ${MIN_HEIGHTS} heights or more (least ${this.#leastHeights}), ${this.#heights} heights, ` +
        `${this.#events} events, ${seconds(this.#simulatedMs)} s simulated`,
      `most in memory: ${[...this.#memory].map(([what, size]) => `${what} ${size}`).join(", ")}`,
      `${seconds(this.#cpuMs)} s of processor time, ${seconds(this.#cpuMs / Math.max(1, this.#seeds))} s a seed, ` +
        `longest ${seconds(this.#longestCpuMs)} s`,
      this.failedSeeds.length === 0
        ? "no invariant broken"
        : `BROKEN in ${this.failedSeeds.length} seeds: ${this.failedSeeds.slice(0, 50).join(" ")}`,
    ].join("\n");
  }
}
