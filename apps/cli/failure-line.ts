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

/** One line for people, whatever the message holds: texts of JSON.parse run over several. */
export function inOneLine(message: string): string {
  return message.replace(/\s+/g, " ").trim();
}

/** The line that says why a command failed; undefined for a fault of the program, whose stack is worth more. */
export function failureLine(error: unknown): string | undefined {
  if (error instanceof Error && error.name === "UsageError") return inOneLine(error.message);
  if (!(error instanceof Error) || !("syscall" in error)) return undefined;
  const { code, path, message, syscall } = error as NodeJS.ErrnoException;
  // Node says so whatever the reason is.
  const isUnmakeable = syscall === "mkdir" && code === "ENOENT";
  const advice = isUnmakeable ? "no folder can be made there: choose another place" : ADVICE[code ?? ""];
  if (advice === undefined) return inOneLine(message);
  return path === undefined ? advice : `${path}: ${advice}`;
}
