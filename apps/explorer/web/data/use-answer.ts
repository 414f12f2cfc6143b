import { useEffect, useMemo, useRef } from "react";
import { type Answer, type AnswerCache, createAnswerCache } from "./cache.ts";
import { useStore } from "./use-store.ts";

const MAX_ENTRIES = 400;
const DEFAULT_STALE_MS = 2_000;

const cache: AnswerCache = createAnswerCache(MAX_ENTRIES);

export type AnswerOptions = {
  /** So long an answer is taken as it is when the question is asked again. */
  readonly staleMs?: number;
  /** Asks again so often while the component is shown and the page is in front. */
  readonly everyMs?: number;
  /** Asks again when this changes, e.g. the head's number. */
  readonly on?: unknown;
};

/** The answer to a question, kept by key and shown at once when a page is come back to, while it is asked anew.
 * @param key what the answer depends on; `undefined`: nothing is asked yet. */
export function useAnswer<Value>(
  key: string | undefined,
  ask: () => Promise<Value>,
  { staleMs = DEFAULT_STALE_MS, everyMs, on }: AnswerOptions = {},
): Answer<Value> & { readonly retry: () => void } {
  const entry = useMemo(() => cache.entry<Value>(key ?? ""), [key]);
  const answer = useStore(entry);
  const asker = useRef(ask);
  asker.current = ask;
  const first = useRef(on);
  useEffect(() => {
    if (key === undefined) return;
    const hasMoved = first.current !== on;
    first.current = on;
    void cache.refresh(key, () => asker.current(), hasMoved ? 0 : staleMs);
  }, [key, on, staleMs]);
  useEffect(() => {
    if (key === undefined || everyMs === undefined) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void cache.refresh(key, () => asker.current(), 0);
    }, everyMs);
    return () => clearInterval(timer);
  }, [key, everyMs]);
  return useMemo(
    () => ({
      ...answer,
      retry: () => {
        if (key !== undefined) void cache.refresh(key, () => asker.current(), 0);
      },
    }),
    [answer, key],
  );
}
