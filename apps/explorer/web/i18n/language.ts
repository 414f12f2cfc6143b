import { useEffect, useMemo } from "react";
import { settingsStore } from "../data/settings.ts";
import { useStore } from "../data/use-store.ts";
import { createFormats, type Formats } from "./formats.ts";
import { formatText, type Language, type TextSection, type TextValues } from "./text.ts";

/** The language that is shown: the chosen one, or else the browser's first one that the pages have. */
export function useLanguage(): Language {
  const { language } = useStore(settingsStore);
  return language === "system" ? browserLanguage(navigator.languages) : language;
}

/** Keeps the document's language, which fonts and screen readers go by. */
export function useDocumentLanguage(): void {
  const language = useLanguage();
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  }, [language]);
}

/** The first of a person's languages that the pages have; English if there is none. */
export function browserLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const [primary] = tag.toLowerCase().split("-");
    if (primary === "zh" || primary === "en") return primary;
  }
  return "en";
}

/** Writes the messages of a section. */
export type Text<Key extends string> = (key: Key, values?: TextValues) => string;

/** The messages of a section in the language that is shown. */
export function useText<Key extends string>(section: TextSection<Key>): Text<Key> {
  const language = useLanguage();
  return useMemo(
    () => (key: Key, values?: TextValues) => formatText(section, language, key, values),
    [section, language],
  );
}

const formats = new Map<Language, Formats>();

/** Numbers, amounts and dates in the language that is shown. */
export function useFormats(): Formats {
  const language = useLanguage();
  let found = formats.get(language);
  if (found === undefined) {
    found = createFormats(language);
    formats.set(language, found);
  }
  return found;
}
