/** What one file of vectors showed for one engine. */
export type VectorOutcome = {
  /** File, or the standard whose example it is. */
  readonly source: string;
  readonly engine: string;
  /** Of core/crypto's schemes; undefined for ciphers, hashes and agreements. */
  readonly schemeId: number | undefined;
  readonly passed: number;
  /** Where we answer otherwise than the vector, on purpose: how many, by reason. */
  readonly departures: ReadonlyMap<string, number>;
  /** What we do not offer: how many, by reason. */
  readonly notApplicable: ReadonlyMap<string, number>;
  /** Names of cases with a wrong answer. */
  readonly failed: readonly string[];
};

export type VectorRecord = {
  readonly check: (name: string, isRight: boolean) => void;
  readonly depart: (reason: string) => void;
  readonly skip: (reason: string) => void;
  readonly outcome: () => VectorOutcome;
};

export function createVectorRecord(source: string, engine: string, schemeId?: number): VectorRecord {
  let passed = 0;
  const failed: string[] = [];
  const departures = new Map<string, number>();
  const notApplicable = new Map<string, number>();
  const count = (counts: Map<string, number>, reason: string): void => {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  };
  return {
    check: (name, isRight) => {
      if (isRight) passed++;
      else failed.push(name);
    },
    depart: (reason) => count(departures, reason),
    skip: (reason) => count(notApplicable, reason),
    outcome: () => ({ source, engine, schemeId, passed, departures, notApplicable, failed }),
  };
}

/** One line a file and engine, and one for each reason below it. */
export function describeOutcome(outcome: VectorOutcome): string {
  const lines = [
    `${outcome.failed.length === 0 ? "ok  " : "FAIL"} ${outcome.source} (${outcome.engine}): ${outcome.passed} passed`,
    ...[...outcome.departures].map(
      ([reason, count]) => `       ${count} answered otherwise on purpose: ${reason}`,
    ),
    ...[...outcome.notApplicable].map(([reason, count]) => `       ${count} not applicable: ${reason}`),
    ...outcome.failed.map((name) => `       failed: ${name}`),
  ];
  return lines.join("\n");
}
