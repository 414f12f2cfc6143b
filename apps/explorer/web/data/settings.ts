import type { Language } from "../i18n/text.ts";
import { createStore, type Store } from "./store.ts";

export type Theme = "system" | "light" | "dark";

/** What a person chose; kept in the browser, sent nowhere. */
export type Settings = {
  readonly theme: Theme;
  readonly language: Language | "system";
  /** Index of the node that the pages ask, in console.json's list. */
  readonly node: number;
};

const STORAGE_KEY = "ostrom.settings";
const DEFAULTS: Settings = { theme: "system", language: "system", node: 0 };

export const settingsStore: Store<Settings> = createStore(readSettings());

/** Changes some of the settings, and keeps them. */
export function changeSettings(change: Partial<Settings>): void {
  const next = { ...settingsStore.get(), ...change };
  settingsStore.set(next);
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(next));
  } catch {
    // A private window may have no storage: the choice then lasts as long as the page.
  }
}

function readSettings(): Settings {
  try {
    return settingsOf(JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}"));
  } catch {
    return DEFAULTS;
  }
}

/** Reads what an older page may have stored: whatever is not known is the default. */
export function settingsOf(stored: unknown): Settings {
  if (typeof stored !== "object" || stored === null) return DEFAULTS;
  const { theme, language, node } = stored as Record<string, unknown>;
  return {
    theme: theme === "light" || theme === "dark" ? theme : DEFAULTS.theme,
    language: language === "en" || language === "zh" ? language : DEFAULTS.language,
    node: typeof node === "number" && Number.isSafeInteger(node) && node >= 0 ? node : DEFAULTS.node,
  };
}
