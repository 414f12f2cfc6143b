import { createStore, type Store } from "./store.ts";

/** What is known of one question: the newest answer stays while a newer one is on its way. */
export type Answer<Value> = {
  readonly value?: Value;
  readonly error?: unknown;
  readonly isLoading: boolean;
  /** Milliseconds since 1970; 0: never. */
  readonly at: number;
};

/** Answers by key, bounded in number: those used longest ago go first, unless somebody watches them. */
export type AnswerCache = {
  readonly entry: <Value>(key: string) => Pick<Store<Answer<Value>>, "get" | "subscribe">;
  /** Asks, unless the answer is younger than `staleMs` or a question for it is under way. */
  readonly refresh: <Value>(key: string, ask: () => Promise<Value>, staleMs: number) => Promise<void>;
  readonly size: () => number;
};

type Entry = { readonly store: Store<Answer<unknown>>; watchers: number; asked: Promise<void> | undefined };

const NOTHING: Answer<never> = { isLoading: true, at: 0 };

/** @param nowMs the clock. */
export function createAnswerCache(maxEntries: number, nowMs: () => number = Date.now): AnswerCache {
  const entries = new Map<string, Entry>();
  const find = (key: string): Entry => {
    const found = entries.get(key) ?? {
      store: createStore<Answer<unknown>>(NOTHING),
      watchers: 0,
      asked: undefined,
    };
    // A Map's order is that of insertion: what was used last stands last.
    entries.delete(key);
    entries.set(key, found);
    if (entries.size > maxEntries) forgetOne(entries);
    return found;
  };
  return {
    entry: <Value>(key: string) => {
      const found = find(key);
      return {
        get: () => found.store.get() as Answer<Value>,
        subscribe: (listener) => {
          // It may have been forgotten between the drawing of a component and its first effect.
          if (!entries.has(key)) entries.set(key, found);
          found.watchers++;
          const end = found.store.subscribe(listener);
          return () => {
            found.watchers--;
            end();
          };
        },
      };
    },
    refresh: <Value>(key: string, ask: () => Promise<Value>, staleMs: number) => {
      const found = find(key);
      const { at } = found.store.get();
      if (found.asked !== undefined) return found.asked;
      if (at !== 0 && nowMs() - at < staleMs) return Promise.resolve();
      found.asked = answerInto(found.store, ask, nowMs).finally(() => {
        found.asked = undefined;
      });
      return found.asked;
    },
    size: () => entries.size,
  };
}

async function answerInto(
  store: Store<Answer<unknown>>,
  ask: () => Promise<unknown>,
  nowMs: () => number,
): Promise<void> {
  store.set({ ...store.get(), isLoading: true });
  try {
    store.set({ value: await ask(), isLoading: false, at: nowMs() });
  } catch (error) {
    const { value, at } = store.get();
    store.set({ ...(value === undefined ? {} : { value }), error, isLoading: false, at });
  }
}

function forgetOne(entries: Map<string, Entry>): void {
  for (const [key, { watchers, asked }] of entries) {
    if (watchers > 0 || asked !== undefined) continue;
    entries.delete(key);
    return;
  }
}
