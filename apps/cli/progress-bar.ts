import { styled } from "./text-style.ts";

/** Long work, as somebody at a terminal sees it. */
export type Progress = {
  /** @param done of the total. @param note what is shown behind. */
  readonly update: (done: number, note?: string) => void;
  /** Takes the line away. */
  readonly end: () => void;
};

const WIDTH = 28;
/** No faster than an eye follows, so that drawing costs nothing. */
const MIN_INTERVAL_MS = 80;
const CLEAR_LINE = "\r\u001b[2K";
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const MS_PER_SECOND = 1_000;
const SECONDS_PER_MINUTE = 60;
const NONE: Progress = { update: () => undefined, end: () => undefined };

export type ProgressOptions = {
  readonly label: string;
  /** undefined where nobody knows: then what is done is counted. */
  readonly total: number | undefined;
  readonly unit: string;
  /** With --json nobody looks. */
  readonly isSilent?: boolean;
  readonly stream?: NodeJS.WriteStream;
  /** By a clock that only goes forward. */
  readonly nowMs?: () => number;
};

/** A bar on standard error, where that is a terminal; otherwise nothing is written at all. */
export function startProgress(options: ProgressOptions): Progress {
  const { stream = process.stderr, nowMs = () => performance.now() } = options;
  if (options.isSilent === true || stream.isTTY !== true) return NONE;
  const startedMs = nowMs();
  let drawnMs = Number.NEGATIVE_INFINITY;
  let isCursorHidden = false;
  // Whoever interrupts keeps a cursor.
  const showCursor = (): void => {
    if (isCursorHidden) stream.write(SHOW_CURSOR);
    isCursorHidden = false;
  };
  process.once("exit", showCursor);
  return {
    update: (done, note = "") => {
      const now = nowMs();
      const isLast = options.total !== undefined && done >= options.total;
      if (now - drawnMs < MIN_INTERVAL_MS && !isLast) return;
      drawnMs = now;
      const line = progressLine(options, done, now - startedMs, note, stream);
      stream.write(`${isCursorHidden ? "" : HIDE_CURSOR}${CLEAR_LINE}${line}`);
      isCursorHidden = true;
    },
    end: () => {
      stream.write(CLEAR_LINE);
      showCursor();
      process.removeListener("exit", showCursor);
    },
  };
}

function progressLine(
  { label, total, unit }: ProgressOptions,
  done: number,
  elapsedMs: number,
  note: string,
  stream: NodeJS.WriteStream,
): string {
  const seconds = Math.max(elapsedMs, 1) / MS_PER_SECOND;
  const rate = `${grouped(done / seconds)} ${unit}/s`;
  const tail = note === "" ? "" : `  ${note}`;
  if (total === undefined) return cut(`${label}  ${grouped(done)} ${unit}  ${rate}${tail}`, stream);
  const part = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(part * WIDTH);
  const left = done === 0 ? "" : `  ${showSeconds((total - done) * (seconds / done))} left`;
  const bar =
    styled("accent", "█".repeat(filled), stream) + styled("faint", "░".repeat(WIDTH - filled), stream);
  const figures = `${String(Math.floor(part * 100)).padStart(3)}%  ${grouped(done)} of ${grouped(total)} ${unit}`;
  return `${label}  ${bar}  ${cut(`${figures}  ${rate}${part < 1 ? left : ""}${tail}`, stream, label.length + WIDTH + 4)}`;
}

/** A line that wraps cannot be drawn over. */
function cut(text: string, stream: NodeJS.WriteStream, used = 0): string {
  const room = Math.max(0, (stream.columns || 80) - used - 1);
  return text.length <= room ? text : text.slice(0, room);
}

function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

function showSeconds(seconds: number): string {
  const whole = Math.ceil(Math.max(0, seconds));
  const minutes = Math.floor(whole / SECONDS_PER_MINUTE);
  return minutes === 0 ? `${whole} s` : `${minutes} min ${whole % SECONDS_PER_MINUTE} s`;
}
