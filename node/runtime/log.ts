import { isPeerId, shortPeerId } from "@ostrom/network";
import { PROCESS } from "./metrics-catalog.ts";
import { countOf } from "./metrics-counters.ts";
import type { Log, LogLevel } from "./ports.ts";

/** `json`: an object a line, for programs; `text`: for people. */
export type LogFormat = "json" | "text";

/** One line, whatever its format: what the node, at which time and in which thread, says, and what about. */
export type LogEntry = {
  /** ISO 8601, UTC, with milliseconds. */
  readonly time: string;
  readonly level: LogLevel;
  readonly node: string;
  readonly thread: string;
  /** The same words whenever the same happens: what differs stands in `fields`. */
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const LEVEL_WIDTH = 5;
const MAIN = "main";
/** Whatever a peer or a file has brought into a field. */
const MAX_TEXT = 4_096;
/** A field of such a name holds what nobody but the node may know: it is logged by mistake, and not written. */
const SECRET_NAMES = /secret|passphrase|password|mnemonic|private_?key|^authorization$|^token$/i;
const HIDDEN = "(hidden)";

/** A Log that writes a line for each entry, from `logLevel` on. */
export function createLog(
  write: (line: string) => void,
  name: string,
  { logLevel, logFormat }: { readonly logLevel: LogLevel; readonly logFormat: LogFormat },
  nowMs: () => number,
): Log {
  const from = LEVELS.indexOf(logLevel);
  return (level, message, given = {}) => {
    countOf(PROCESS.log, level);
    if (LEVELS.indexOf(level) < from) return;
    const { thread = MAIN, ...fields } = given;
    const time = new Date(nowMs()).toISOString();
    const entry: LogEntry = { time, level, node: name, thread: String(thread), message, fields };
    write(logFormat === "text" ? textLine(entry) : `${JSON.stringify(entry, writable)}\n`);
  };
}

/** A log for what another thread says: it names that thread, unless the entry does so itself. */
export function logOfThread(log: Log, thread: string): Log {
  return (level, message, fields) => log(level, message, { thread, ...fields });
}

function textLine({ time, level, node, thread, message, fields }: LogEntry): string {
  const written = Object.entries(JSON.parse(JSON.stringify(fields, writable)) as Record<string, unknown>);
  const shown = written.map(([key, value]) => ` ${key}=${textOf(value)}`);
  const where = thread === MAIN ? node : `${node}/${thread}`;
  return `${time} ${level.toUpperCase().padEnd(LEVEL_WIDTH)} ${where} ${message}${shown.join("")}\n`;
}

/** What has a space, a quotation mark or a line's end in it stands in quotation marks: a line is one line. */
function textOf(value: unknown): string {
  return typeof value === "string" && /^[\x21-\x7e]+$/.test(value) && !/["=]/.test(value)
    ? value
    : JSON.stringify(value);
}

function writable(key: string, value: unknown): unknown {
  if (SECRET_NAMES.test(key) && typeof value !== "boolean" && typeof value !== "number") return HIDDEN;
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return value.message;
  if (typeof value !== "string") return value;
  if (isPeerId(value)) return shortPeerId(value);
  return value.length <= MAX_TEXT ? value : `${value.slice(0, MAX_TEXT)}...`;
}
