/** What `ostrom help --json` says of the program. */
export type Catalogue = {
  readonly commands: readonly {
    readonly name: string;
    readonly flags: readonly { readonly name: string }[];
  }[];
  readonly modules: readonly { readonly name: string }[];
};

/** Flags of every command that stand in no list. */
const COMMON_FLAGS: readonly string[] = ["help", "config", "color"];
const WORDS_ALONE: readonly string[] = ["help", "version"];
const NAMED = /`((?:npx )?(?:ostrom|npm (?:run|test|start)|node)\b[^`]*)`/g;

/** Commands that a page's text names in passing, outside of fenced blocks. */
export function namedCommands(markdown: string): readonly string[] {
  const text = markdown.replace(/^```[\s\S]*?^```/gm, "");
  return [...text.matchAll(NAMED)].map(([, command = ""]) => command.replace(/\s+/g, " ").trim());
}

/** @param scripts of the repository's package.json. @returns what is wrong with a command; undefined: nothing that can be seen. */
export function problemOf(
  command: string,
  catalogue: Catalogue,
  scripts: readonly string[],
): string | undefined {
  const words = command.replace(/^npx /, "").split(" ");
  const [program, first = "", second = ""] = words;
  if (program === "npm" && first === "run" && !scripts.includes(second)) return `no script ${second}`;
  if (program !== "ostrom" || !/^[a-z]/.test(first) || WORDS_ALONE.includes(first)) return undefined;
  const isModule = catalogue.modules.some(({ name }) => name === first);
  // "ostrom staking ..." speaks of all of a module's.
  if (isModule && !/^[a-z]/.test(second)) return undefined;
  const name = isModule ? `${first} ${second}` : first;
  const found = catalogue.commands.find((one) => one.name === name);
  if (found === undefined) return `there is no command ${name}`;
  const known = [...found.flags.map((flag) => flag.name), ...COMMON_FLAGS];
  const flags = words.flatMap((word) => /^--(?:no-)?([a-z][a-z-]*)/.exec(word)?.[1] ?? []);
  const unknown = flags.find((flag) => !known.includes(flag));
  return unknown === undefined ? undefined : `there is no flag --${unknown}`;
}
