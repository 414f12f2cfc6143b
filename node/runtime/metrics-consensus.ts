import type { LogRecord, SimplexState, StateCertificate } from "@ostrom/consensus";
import { CERTIFICATION, CHAIN, CONSENSUS } from "./metrics-catalog.ts";
import { count, countOf, gauge, observe } from "./metrics-counters.ts";

/** Counts what became of the views that a step has left. */
export function countStep(before: SimplexState, after: SimplexState): void {
  if (after.view === before.view) return;
  gauge(CONSENSUS.view, after.view);
  // A step may pass over views of which it never heard: they are nobody's.
  for (const [view, { leader, certificates }] of before.views) {
    if (view < before.view || view >= after.view) continue;
    const known = after.views.get(view)?.certificates ?? certificates;
    const isNullified = known.nullification !== undefined && known.notarization === undefined;
    countOf(CONSENSUS.views, isNullified ? "nullified" : "notarized");
    if (leader !== before.config.own) continue;
    count(CONSENSUS.led);
    if (isNullified) count(CONSENSUS.missed);
  }
}

/** Counts a finalized block. */
export function countFinalized({ height }: { readonly height: number }): void {
  countOf(CONSENSUS.views, "finalized");
  gauge(CHAIN.finalized, height);
}

/** Counts what goes into the log. */
export function countRecord(record: LogRecord): void {
  if (record.kind === "certificate") countOf(CONSENSUS.certificates, record.certificate.kind);
}

/** Blocks that wait for their certificate are remembered up to this many. */
const MAX_WAITING = 4_096;

/** Times how long blocks wait for their state certificates. */
export class CertificationClock {
  readonly #executedMs = new Map<number, number>();

  executed(height: number): void {
    if (this.#executedMs.size >= MAX_WAITING) this.#executedMs.clear();
    this.#executedMs.set(height, performance.now());
  }

  /** A certificate of a block certifies those before it too. */
  certified(height: StateCertificate["executed"]["height"] | number): void {
    count(CERTIFICATION.certificates);
    gauge(CHAIN.certified, height);
    const nowMs = performance.now();
    for (const [executed, sinceMs] of this.#executedMs) {
      if (executed > height) continue;
      observe(CERTIFICATION.delay, (nowMs - sinceMs) / 1_000);
      this.#executedMs.delete(executed);
    }
  }
}
