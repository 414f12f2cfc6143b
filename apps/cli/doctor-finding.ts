/** What one check of `ostrom doctor` found. */
export type Finding = {
  /** Stable, for programs: "disk-room". */
  readonly check: string;
  readonly state: "ok" | "warn" | "fail" | "skip";
  /** One line. */
  readonly found: string;
  /** What to do; there where the state is warn or fail. */
  readonly advice?: string;
};

export function good(check: string, found: string): Finding {
  return { check, state: "ok", found };
}

export function warn(check: string, found: string, advice: string): Finding {
  return { check, state: "warn", found, advice };
}

export function bad(check: string, found: string, advice: string): Finding {
  return { check, state: "fail", found, advice };
}

/** What cannot be looked at, and why. */
export function skip(check: string, why: string): Finding {
  return { check, state: "skip", found: why };
}
