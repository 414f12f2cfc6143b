/** Languages that every page has. */
export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

/** `{name}` stands for a value. Of two forms, the value `count` chooses by the language's plural rules. */
export type Message = string | { readonly one: string; readonly other: string };

/** The messages of one page or of one part of the pages, in all languages, under the same keys. */
export type TextSection<Key extends string> = Readonly<Record<Language, Readonly<Record<Key, Message>>>>;

export type TextValues = Readonly<Record<string, string | number | bigint>>;

/** Chooses a message and puts values in. Numbers are written the language's way. */
export function formatText<Key extends string>(
  section: TextSection<Key>,
  language: Language,
  key: Key,
  values: TextValues = {},
): string {
  const message = section[language][key];
  const template = typeof message === "string" ? message : message[formOf(language, values["count"])];
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "string" ? value : numberFormat(language).format(value);
  });
}

const pluralRules = new Map<Language, Intl.PluralRules>();
const numberFormats = new Map<Language, Intl.NumberFormat>();

function formOf(language: Language, count: string | number | bigint | undefined): "one" | "other" {
  let rules = pluralRules.get(language);
  if (rules === undefined) {
    rules = new Intl.PluralRules(language);
    pluralRules.set(language, rules);
  }
  return rules.select(Number(count ?? 0)) === "one" ? "one" : "other";
}

function numberFormat(language: Language): Intl.NumberFormat {
  let format = numberFormats.get(language);
  if (format === undefined) {
    format = new Intl.NumberFormat(language);
    numberFormats.set(language, format);
  }
  return format;
}
