import type { Language } from "./text.ts";

/** How numbers, amounts and dates are written in one language. */
export type Formats = {
  /** 12,345 */
  readonly number: (value: number | bigint, digits?: number) => string;
  /** 12.3K, 1.2万 */
  readonly compact: (value: number | bigint) => string;
  /** Of a share in [0, 1]. */
  readonly percent: (share: number, digits?: number) => string;
  /** 950 ms, 1.2 s, 3 min. */
  readonly duration: (milliseconds: number) => string;
  readonly bytes: (count: number) => string;
  /** "3 seconds ago"; both in milliseconds since 1970. */
  readonly relative: (atMs: number, nowMs: number) => string;
  /** Date and time with seconds and zone. */
  readonly moment: (atMs: number) => string;
  /** Time of the day with seconds. */
  readonly clock: (atMs: number) => string;
};

const RELATIVE_UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;
const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
const BYTES_STEP = 1_000;

/** Makes Intl's formats once: making one takes longer than using it a hundred times. */
export function createFormats(language: Language): Formats {
  const locale = language === "zh" ? "zh-Hans-CN" : "en";
  const byDigits = new Map<number, Intl.NumberFormat>();
  const digitsFormat = (digits: number): Intl.NumberFormat => {
    let format = byDigits.get(digits);
    if (format === undefined) {
      format = new Intl.NumberFormat(locale, { maximumFractionDigits: digits });
      byDigits.set(digits, format);
    }
    return format;
  };
  const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "always", style: "short" });
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "long" });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: "medium", hourCycle: "h23" });
  const unit = (value: number, name: string, digits: number): string =>
    new Intl.NumberFormat(locale, {
      style: "unit",
      unit: name,
      unitDisplay: "narrow",
      maximumFractionDigits: digits,
    }).format(value);
  return {
    number: (value, digits = 0) => digitsFormat(digits).format(value),
    compact: (value) => compact.format(value),
    percent: (share, digits = 1) =>
      new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: digits }).format(share),
    duration: (milliseconds) => {
      if (milliseconds < 1_000) return unit(milliseconds, "millisecond", milliseconds < 10 ? 1 : 0);
      if (milliseconds < 60_000) return unit(milliseconds / 1_000, "second", 1);
      if (milliseconds < 3_600_000) return unit(milliseconds / 60_000, "minute", 1);
      return unit(milliseconds / 3_600_000, "hour", 1);
    },
    bytes: (count) => {
      let value = count;
      let step = 0;
      while (value >= BYTES_STEP && step < BYTE_UNITS.length - 1) {
        value /= BYTES_STEP;
        step++;
      }
      return unit(value, BYTE_UNITS[step] ?? "byte", step === 0 ? 0 : 1);
    },
    relative: (atMs, nowMs) => relativeTime(relative, atMs - nowMs),
    moment: (atMs) => moment.format(atMs),
    clock: (atMs) => clock.format(atMs),
  };
}

function relativeTime(format: Intl.RelativeTimeFormat, differenceMs: number): string {
  // A clock that is a little ahead must not make a block of the future.
  const past = Math.min(0, differenceMs);
  for (const [name, size] of RELATIVE_UNITS) {
    if (-past >= size) return format.format(Math.ceil(past / size), name);
  }
  return format.format(-0, "second");
}
