import { COMMON_FLAGS, type Command, camelCase, wrapped } from "./command.ts";
import { describeModuleCommands, listModuleCommands } from "./module-commands.ts";
import type { Program } from "./program.ts";
import { styled } from "./text-style.ts";

type Entries = Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>>;

/** Under which heading the overview shows a command; others come last. */
const GROUPS: readonly { readonly title: string; readonly names: readonly string[] }[] = [
  { title: "Begin", names: ["up", "dev", "demo", "status", "doctor"] },
  { title: "Use a chain", names: ["send", "call", "deploy", "account", "checkpoint", "observe", "export"] },
  {
    title: "Run a node",
    names: ["init", "join", "run", "keys", "signer", "backup", "restore", "token", "operator-log", "index"],
  },
  { title: "Decide and validate", names: ["validators", "modules", "chain", "checkpoints", "work"] },
  { title: "Files and shells", names: ["encrypt", "decrypt", "reencrypt", "completion"] },
];

/** `ostrom --help`. */
export async function describeProgram(entries: Entries, program: Program): Promise<string> {
  const width = Math.max(...Object.keys(entries).map((name) => name.length)) + 2;
  const grouped = new Set(GROUPS.flatMap(({ names }) => names));
  const others = Object.keys(entries).filter((name) => !grouped.has(name));
  const groups = [...GROUPS, { title: "More", names: others }].map(({ title, names }) => ({
    title,
    names: names.filter((name) => entries[name] !== undefined),
  }));
  const ofModules = await describeModuleCommands(program.modules, width);
  return [
    `${styled("strong", "ostrom")}: one program for consortium chains, public chains and legal digital currencies`,
    "",
    "Usage: ostrom COMMAND [flags]",
    "",
    ...groups
      .filter(({ names }) => names.length > 0)
      .flatMap(({ title, names }) => [
        styled("strong", `${title}:`),
        ...names.map((name) => `  ${name.padEnd(width)}${entries[name]!.summary}`),
        "",
      ]),
    ...ofModules,
    styled("strong", "Examples:"),
    "  ostrom up                    start four validators here, with funded accounts",
    "  ostrom demo                  what a chain does, step by step",
    "  ostrom status                what they know, and whether they agree",
    "  ostrom send --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --value 1",
    "  ostrom help up               all about one command",
    "",
    "Each command takes --json, for programs; ostrom help --json lists all of them.",
    "Exit codes: 0 done, 1 refused or failed, 2 a command line that cannot be read.",
  ]
    .map((line) => wrapped(line, width + 2))
    .join("\n");
}

/** `ostrom help --json`: every command with its flags, as plain data. */
export async function programCatalogue(entries: Entries, program: Program): Promise<object> {
  const own = await Promise.all(Object.values(entries).map(({ load }) => load()));
  const ofModules = await listModuleCommands(program.modules);
  return {
    commands: [...own, ...ofModules.flatMap(({ commands }) => commands)].map(describe),
    modules: program.modules.map(({ name, summary }) => ({ name, summary })),
  };
}

function describe({ name, summary, usage, flags, examples }: Command): object {
  return {
    name,
    summary,
    usage: `ostrom ${name} ${usage}`.trim(),
    flags: [...flags, ...COMMON_FLAGS].map((flag) => ({ ...flag, setting: camelCase(flag.name) })),
    examples,
  };
}
