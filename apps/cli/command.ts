import { parseArgs } from "node:util";
import type { CommandInput, Flag, Values } from "@ostrom/runtime";
import { EXIT } from "./failure-line.ts";
import type { Program } from "./program.ts";
import { didYouMean } from "./spelling.ts";
import { styled } from "./text-style.ts";

export type { CommandInput, Flag, Values };

export type Command = {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  /** How many words that are no flags it takes; none unless said. */
  readonly maxPositionals?: number;
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  readonly run: (input: CommandInput, program: Program) => Promise<number>;
};

/** What a person did wrong, said in one line with what to do; the command ends with exit code 1. Modules throw that of
 * @ostrom/runtime, which is not loaded just to show help: the name tells both. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** Stable, for programs (`--json`). */
  readonly code: string;
  /** What to do, where the message does not say it. */
  readonly advice: string | undefined;
  readonly exitCode: number;
  constructor(
    message: string,
    more: { readonly code?: string; readonly advice?: string; readonly exitCode?: number } = {},
  ) {
    super(message);
    this.code = more.code ?? "refused";
    this.advice = more.advice;
    this.exitCode = more.exitCode ?? EXIT.failed;
  }
}

/** A command line that cannot be read at all. @param what after a name of it, where to look. */
export function wrongUsage(message: string, advice: string): UsageError {
  return new UsageError(message, { code: "usage", advice, exitCode: EXIT.usage });
}

/** Of every command. */
export const COMMAND_LINE_FLAGS: readonly Flag[] = [
  { name: "config", kind: "text", placeholder: "FILE", help: "read flags from a JSON file (camelCase keys)" },
  { name: "color", kind: "switch", help: "write without colours (as NO_COLOR does)", default: true },
  { name: "help", kind: "switch", help: "show this help" },
];

/** Of every command; also in its configuration file. */
export const COMMON_FLAGS: readonly Flag[] = [
  { name: "json", kind: "switch", help: "print machine-readable JSON, one object a line" },
];

/** Reads the command line, then the configuration file below it, then the defaults.
 * @throws UsageError on an unknown flag, a missing value or something that is no number. */
export function readFlags(
  command: Command,
  argv: readonly string[],
  readConfiguration: (path: string) => Readonly<Record<string, unknown>>,
): CommandInput {
  const parsed = parseCommandLine(command, argv);
  const fromLine = parsed.values as Readonly<Record<string, unknown>>;
  const path = fromLine["config"];
  // Without a prototype: a flag may be called "constructor".
  const fromFile: Readonly<Record<string, unknown>> = Object.assign(
    Object.create(null),
    typeof path === "string" ? readConfiguration(path) : {},
  );
  const settings = [...command.flags, ...COMMON_FLAGS];
  for (const key of Object.keys(fromFile)) {
    if (settings.some((flag) => camelCase(flag.name) === key)) continue;
    const known = settings.map((flag) => camelCase(flag.name)).join(", ");
    throw new UsageError(`${path}: "${key}" is no setting of "ostrom ${command.name}" (known: ${known})`);
  }
  const values: Record<string, Values[string]> = {};
  const given = new Set<string>();
  for (const flag of settings) {
    const key = camelCase(flag.name);
    if (fromLine[flag.name] !== undefined)
      values[key] = readValue(flag, asNumber(flag, fromLine[flag.name]), `--${flag.name}`);
    else if (fromFile[key] !== undefined) values[key] = readValue(flag, fromFile[key], `${path}: "${key}"`);
    else values[key] = flag.default;
    if (fromLine[flag.name] !== undefined || fromFile[key] !== undefined) given.add(key);
  }
  return { values, positionals: parsed.positionals, given };
}

function parseCommandLine(
  command: Command,
  argv: readonly string[],
): { readonly values: object; readonly positionals: readonly string[] } {
  const flags = [...command.flags, ...COMMON_FLAGS, ...COMMAND_LINE_FLAGS];
  const options = Object.fromEntries(
    flags.map(({ name, kind }) => [
      name,
      { type: kind === "switch" ? ("boolean" as const) : ("string" as const), multiple: kind === "list" },
    ]),
  );
  let parsed: { readonly values: object; readonly positionals: readonly string[] };
  try {
    parsed = parseArgs({ args: [...argv], allowPositionals: true, allowNegative: true, options });
  } catch (error) {
    const known = [...command.flags, ...COMMON_FLAGS, ...COMMAND_LINE_FLAGS].map(({ name }) => name);
    throw wrongUsage(describeParseError(error as Error, known), `See: ostrom ${command.name} --help`);
  }
  const surplus = parsed.positionals[command.maxPositionals ?? 0];
  if (surplus !== undefined) {
    throw wrongUsage(`"${surplus}" is too much`, `See: ostrom ${command.name} --help`);
  }
  return parsed;
}

/** Node's own messages run over several lines. */
function describeParseError(error: Error & { readonly code?: string }, known: readonly string[]): string {
  const name = /'(-[^' ]*)/.exec(error.message)?.[1] ?? "";
  switch (error.code) {
    case "ERR_PARSE_ARGS_UNKNOWN_OPTION":
      return `there is no flag ${name}${didYouMean(name.replace(/^--?/, ""), known, "--") || ' (an argument that begins with "-" goes after a lone --)'}`;
    case "ERR_PARSE_ARGS_INVALID_OPTION_VALUE":
      return /does not take/.test(error.message) ? `${name} takes no value` : `${name} needs a value`;
    default:
      return error.message.replace(/\s+/g, " ").replace(/\.$/, "");
  }
}

/** All that stands on a command line is text. */
function asNumber({ kind }: Flag, text: unknown): unknown {
  return kind === "number" && typeof text === "string" && /^\d+$/.test(text) ? Number(text) : text;
}

function readValue(flag: Flag, raw: unknown, where: string): Values[string] {
  const wrong = (expected: string): never => {
    throw new UsageError(`${where}: expected ${expected}, found ${JSON.stringify(raw)}`, {
      code: "usage",
      exitCode: EXIT.usage,
    });
  };
  switch (flag.kind) {
    case "switch":
      return typeof raw === "boolean" ? raw : wrong("true or false");
    case "number":
      return Number.isSafeInteger(raw) && (raw as number) >= 0
        ? (raw as number)
        : wrong("a whole number, 0 or more");
    case "text":
      return typeof raw === "string" && raw !== "" ? raw : wrong("text");
    case "list":
      return Array.isArray(raw) && raw.every((entry) => typeof entry === "string")
        ? raw
        : wrong("a list of texts");
    default:
      return flag.kind satisfies never;
  }
}

/** What a flag of kind `list` was given. */
export function readList(value: unknown): readonly string[] {
  return (value as readonly string[] | undefined) ?? [];
}

export function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** At a terminal that is narrower than a line, the line goes on below its own column. @param indent of what goes on. */
export function wrapped(
  line: string,
  indent: number,
  columns: number = process.stdout.columns ?? Number.POSITIVE_INFINITY,
): string {
  if (line.length <= columns || columns < indent + NARROWEST_COLUMN) return line;
  const at = line.lastIndexOf(" ", columns - 1);
  if (at <= indent) return line;
  const rest = " ".repeat(indent) + line.slice(at + 1);
  return `${line.slice(0, at)}\n${wrapped(rest, indent, columns)}`;
}

/** Text in a narrower column than this is worse than lines that the terminal breaks. */
const NARROWEST_COLUMN = 24;

/** The help text of one command. */
export function describeCommand(command: Command): string {
  const describe = (flag: Flag): readonly [string, string] => {
    const value =
      flag.kind === "switch" ? "" : ` ${flag.placeholder ?? (flag.kind === "number" ? "N" : "TEXT")}`;
    const hasDefault = flag.default !== undefined && typeof flag.default !== "boolean";
    const isOnAtFirst = flag.kind === "switch" && flag.default === true;
    return [
      `  --${isOnAtFirst ? "no-" : ""}${flag.name}${value}`,
      `${flag.help}${hasDefault ? ` (default ${flag.default})` : ""}`,
    ];
  };
  const settings = [...command.flags, ...COMMON_FLAGS].map(describe);
  const others = COMMAND_LINE_FLAGS.map(describe);
  const width = Math.max(...[...settings, ...others].map(([left]) => left.length)) + 2;
  const lines = (rows: readonly (readonly [string, string])[]): readonly string[] =>
    rows.map(([left, right]) => left.padEnd(width) + right);
  return [
    `${styled("strong", `ostrom ${command.name}`)}: ${command.summary}`,
    "",
    `Usage: ostrom ${command.name} ${command.usage}`.trimEnd(),
    "",
    styled("strong", "Flags (each may also stand in the configuration file, in camelCase):"),
    ...lines(settings),
    "",
    styled("strong", "On the command line only:"),
    ...lines(others),
    "",
    styled("strong", "Examples:"),
    ...command.examples.map((example) => `  ${example}`),
  ]
    .map((line) => wrapped(line, width))
    .join("\n");
}
