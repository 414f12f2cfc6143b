/** What to do about the machine's own refusals. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: "permission denied: choose another place, or let this user have it",
  EPERM: "permission denied: choose another place, or let this user have it",
  EROFS: "the disk can only be read: choose another place",
  ENOSPC: "the disk is full: free some space and try again",
  EDQUOT: "the disk quota is used up: free some space and try again",
  EMFILE: "too many open files: raise the limit (ulimit -n) and try again",
  ENOENT: "it is not there",
  ENOTDIR: "a part of the path is no folder: choose another place",
  EISDIR: "it is a folder",
  EEXIST: "it is there already",
};

/** Exit codes of the command; each is documented in docs/command.md. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** What a program reads of a failure with `--json`: `{"error": {code, message, advice}}`. */
export type FailureReport = {
  /** Stable: `usage` for a wrong command line, `refused` where nothing better is known, the system's own (`ENOSPC`) for what the machine refuses. */
  readonly code: string;
  /** One line. */
  readonly message: string;
  /** What to do, where it is not a part of the message. */
  readonly advice?: string | undefined;
  readonly exitCode: number;
};

/** One line for people, whatever the message holds: texts of JSON.parse run over several. */
export function inOneLine(message: string): string {
  return message.replace(/\s+/g, " ").trim();
}

/** The line that says why a command failed; undefined for a fault of the program, whose stack is worth more. */
export function failureLine(error: unknown): string | undefined {
  const report = failureReport(error);
  if (report === undefined) return undefined;
  const { message, advice } = report;
  return advice === undefined ? message : `${message}${/[.?!]$/.test(message) ? "" : "."} ${advice}`;
}

/** @returns undefined for a fault of the program. */
export function failureReport(error: unknown): FailureReport | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === "UsageError") {
    const { code = "refused", advice, exitCode = EXIT.failed } = error as Error & Partial<FailureReport>;
    return { code, message: inOneLine(error.message), advice, exitCode };
  }
  if (!("syscall" in error)) return undefined;
  const { code = "system", path, message, syscall } = error as NodeJS.ErrnoException;
  // Node says so whatever the reason is.
  const isUnmakeable = syscall === "mkdir" && code === "ENOENT";
  const told = isUnmakeable ? "no folder can be made there: choose another place" : ADVICE[code];
  const line = told === undefined ? inOneLine(message) : path === undefined ? told : `${path}: ${told}`;
  return { code, message: line, exitCode: EXIT.failed };
}
