import { PerformanceObserver, performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { THREAD } from "./metrics-catalog.ts";
import { count, gauge, leaveSeat, type MetricsPage, takeSeat } from "./metrics-counters.ts";

/** How often a thread says that it lives, and what it has used. */
const BEAT_MS = 1_000;

/** Under which name the node's threads find the page: each thread gives it on to those that it starts. */
const PAGE_KEY = "ostrom.metrics";

/** Has the threads that this one starts from now on count on the page, and this one too.
 * @param onBeat called at each beat. @returns what ends the beats. */
export function shareMetrics(page: MetricsPage, onBeat: () => void): () => void {
  setEnvironmentData(PAGE_KEY, page);
  return join(page, onBeat);
}

/** To be called when a worker begins: what it counts is the node's that started it.
 * @param onBeat called at each beat. @returns the page; undefined if the node has none. */
export function joinMetrics(onBeat: () => void = () => undefined): MetricsPage | undefined {
  const page = getEnvironmentData(PAGE_KEY);
  if (!(page instanceof SharedArrayBuffer)) return undefined;
  join(page, onBeat);
  return page;
}

/** Seconds since the process started, the same in all its threads. */
export function uptimeSeconds(): number {
  return process.uptime();
}

function join(page: MetricsPage, onBeat: () => void): () => void {
  if (!takeSeat(page, uptimeSeconds())) return () => undefined;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      count(THREAD.gcRuns);
      count(THREAD.gcSeconds, duration / 1_000);
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  let dueMs = performance.now() + BEAT_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    gauge(THREAD.lag, Math.max(0, nowMs - dueMs) / 1_000);
    dueMs = nowMs + BEAT_MS;
    beat();
    onBeat();
  }, BEAT_MS);
  // Nobody lives for the sake of being counted.
  timer.unref();
  beat();
  return () => {
    clearInterval(timer);
    observer.disconnect();
    leaveSeat();
  };
}

function beat(): void {
  const { user, system } = process.threadCpuUsage();
  gauge(THREAD.beat, uptimeSeconds());
  gauge(THREAD.cpu, (user + system) / 1_000_000);
  gauge(THREAD.active, performance.eventLoopUtilization().active / 1_000);
  gauge(THREAD.heap, getHeapStatistics().used_heap_size);
  gauge(THREAD.handles, process.getActiveResourcesInfo().length);
}
