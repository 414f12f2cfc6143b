import { useSyncExternalStore } from "react";
import { useFormats } from "../i18n/language.ts";

const TICK_MS = 1_000;

/** One clock for all relative times: a second's tick draws them anew, and stands still while the page is hidden. */
let nowMs = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    if (document.visibilityState === "hidden") return;
    nowMs = Date.now();
    for (const each of [...listeners]) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time, to the second, in milliseconds since 1970. */
export function useNow(): number {
  return useSyncExternalStore(
    subscribe,
    () => nowMs,
    () => nowMs,
  );
}

type TimeProps = {
  /** In seconds since 1970, as headers have it. */
  readonly seconds: number;
  /** Both the moment and how long ago. */
  readonly full?: boolean;
};

/** How long ago something was; the moment itself on hover. */
export function Time({ seconds, full = false }: TimeProps) {
  const formats = useFormats();
  const now = useNow();
  const atMs = seconds * 1_000;
  const moment = formats.moment(atMs);
  const relative = formats.relative(atMs, now);
  return (
    <time dateTime={new Date(atMs).toISOString()} title={full ? undefined : moment}>
      {full ? `${moment} (${relative})` : relative}
    </time>
  );
}
