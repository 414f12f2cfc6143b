import { isPeerId, shortPeerId } from "@ostrom/network";
import type { Log, LogLevel } from "./ports.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** A Log that writes one JSON object a line, from `lowest` on. */
export function createLog(
  write: (line: string) => void,
  name: string,
  lowest: LogLevel,
  nowMs: () => number,
): Log {
  const from = LEVELS.indexOf(lowest);
  return (level, message, fields) => {
    if (LEVELS.indexOf(level) < from) return;
    const entry = { time: new Date(nowMs()).toISOString(), level, node: name, message, ...fields };
    write(`${JSON.stringify(entry, writable)}\n`);
  };
}

function writable(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return value.message;
  return typeof value === "string" && isPeerId(value) ? shortPeerId(value) : value;
}
