import { parseArgs } from "node:util";

/** One flag of a command: also a key of the configuration file, under the same name in camel case. */
export type Flag = {
  readonly name: string;
  readonly kind: "text" | "number" | "switch" | "list";
  readonly help: string;
  readonly placeholder?: string;
  readonly default?: string | number | boolean;
};

export type Values = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export type Command = {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly positionals?: string;
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  readonly run: (input: { readonly values: Values; readonly positionals: readonly string[] }) => Promise<number>;
};

/** What a person did wrong, said in one line with what to do; the command ends with exit code 1. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const COMMON_FLAGS: readonly Flag[] = [
  { name: "config", kind: "text", placeholder: "FILE", help: "read flags from a JSON file (camelCase keys)" },
  { name: "json", kind: "switch", help: "print machine-readable JSON, one object a line" },
  { name: "help", kind: "switch", help: "show this help" },
];

/** Reads the command line, then the configuration file below it, then the defaults.
 * @throws UsageError on an unknown flag, a missing value or something that is no number. */
export function readFlags(
  command: Command,
  argv: readonly string[],
  readConfiguration: (path: string) => Readonly<Record<string, unknown>>,
): { readonly values: Values; readonly positionals: readonly string[] } {
  const flags = [...command.flags, ...COMMON_FLAGS];
  const parsed = parseCommandLine(command, flags, argv);
  const given = parsed.values as Record<string, string | boolean | string[] | undefined>;
  const configuration = typeof given["config"] === "string" ? readConfiguration(given["config"]) : {};
  for (const key of Object.keys(configuration)) {
    if (!flags.some((flag) => camelCase(flag.name) === key)) {
      throw new UsageError(`${String(given["config"])}: "${key}" is no setting of "ostrom ${command.name}". See: ostrom ${command.name} --help`);
    }
  }
  const values: Record<string, string | number | boolean | readonly string[] | undefined> = {};
  for (const flag of flags) {
    const raw = given[flag.name] ?? configuration[camelCase(flag.name)] ?? flag.default;
    values[camelCase(flag.name)] = raw === undefined ? undefined : readValue(flag, raw);
  }
  return { values, positionals: parsed.positionals };
}

function parseCommandLine(
  command: Command,
  flags: readonly Flag[],
  argv: readonly string[],
): { readonly values: object; readonly positionals: readonly string[] } {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      allowNegative: true,
      options: Object.fromEntries(
        flags.map((flag) => [
          flag.name,
          { type: flag.kind === "switch" ? ("boolean" as const) : ("string" as const), multiple: flag.kind === "list" },
        ]),
      ),
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message} See: ostrom ${command.name} --help`);
  }
}

function readValue(flag: Flag, raw: unknown): string | number | boolean | readonly string[] {
  const wrong = (expected: string): never => {
    throw new UsageError(`--${flag.name}: expected ${expected}, found ${JSON.stringify(raw)}`);
  };
  switch (flag.kind) {
    case "switch":
      return typeof raw === "boolean" ? raw : wrong("true or false");
    case "number": {
      const value = typeof raw === "number" ? raw : Number(raw);
      return Number.isSafeInteger(value) && value >= 0 ? value : wrong("a whole number, 0 or more");
    }
    case "text":
      return typeof raw === "string" ? raw : wrong("text");
    case "list":
      return Array.isArray(raw) && raw.every((entry) => typeof entry === "string") ? raw : wrong("a list of texts");
    default:
      return flag.kind satisfies never;
  }
}

export function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The help text of one command. */
export function describeCommand(command: Command): string {
  const rows = [...command.flags, ...COMMON_FLAGS].map((flag) => {
    const value = flag.kind === "switch" ? "" : ` ${flag.placeholder ?? (flag.kind === "number" ? "N" : "TEXT")}`;
    const fallback = flag.default === undefined || flag.default === false ? "" : ` (default ${flag.default})`;
    return [`  --${flag.name}${value}`, `${flag.help}${fallback}`] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    `ostrom ${command.name}: ${command.summary}`,
    "",
    `Usage: ostrom ${command.name} ${command.usage}`.trimEnd(),
    "",
    "Flags (each may also stand in the configuration file, in camelCase):",
    ...rows.map(([left, right]) => left.padEnd(width) + right),
    "",
    "Examples:",
    ...command.examples.map((example) => `  ${example}`),
  ].join("\n");
}
