/** What a fenced block `console` of a page has. */
export type ConsoleBlock = {
  /** Of its first line in the page, from 1. */
  readonly line: number;
  readonly kind: "run" | "fails" | "background";
  /** Why it cannot be run here; undefined: it is run. */
  readonly notRun: string | undefined;
  /** The test that runs its commands in another place; undefined: they are run here. */
  readonly testedBy: string | undefined;
  readonly commands: readonly PageCommand[];
};

export type PageCommand = {
  readonly text: string;
  /** What it prints, with wildcards; empty: anything. */
  readonly output: readonly string[];
};

const WILDCARD = "...";
const PROMPT = "$ ";

/** All blocks of a page that show what is typed. */
export function consoleBlocks(markdown: string): readonly ConsoleBlock[] {
  const blocks: ConsoleBlock[] = [];
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const info = /^```console\b(.*)$/.exec(lines[at]!)?.[1];
    if (info === undefined) continue;
    const line = at + 1;
    const body: string[] = [];
    for (at++; at < lines.length && !lines[at]!.startsWith("```"); at++) body.push(lines[at]!);
    const words = info.replace(/(?:not-run|tested-by)="[^"]*"/g, "").trim();
    const kind = words === "" ? "run" : words === "fails" || words === "background" ? words : undefined;
    if (kind === undefined) throw new Error(`line ${line}: "${words}" is no kind of a console block`);
    blocks.push({
      line,
      kind,
      notRun: /not-run="([^"]+)"/.exec(info)?.[1],
      testedBy: /tested-by="([^"]+)"/.exec(info)?.[1],
      commands: commandsOf(body, line),
    });
  }
  return blocks;
}

function commandsOf(body: readonly string[], line: number): readonly PageCommand[] {
  const commands: { text: string; output: string[] }[] = [];
  let isContinued = false;
  for (const text of body) {
    const last = commands.at(-1);
    if (isContinued && last !== undefined) last.text += `\n${text}`;
    else if (text.startsWith(PROMPT)) commands.push({ text: text.slice(PROMPT.length), output: [] });
    else if (last === undefined) throw new Error(`line ${line}: a console block begins with "${PROMPT}"`);
    else last.output.push(text);
    isContinued = (isContinued || text.startsWith(PROMPT)) && text.endsWith("\\");
  }
  if (commands.length === 0) throw new Error(`line ${line}: a console block without a command`);
  return commands;
}

/** Whether what was printed is what the page shows: a line of "..." stands for any lines, "..." within one for any text.
 * @param isPrefix more may follow. */
export function isAsShown(printed: string, shown: readonly string[], isPrefix = false): boolean {
  if (shown.length === 0) return true;
  const lines = printed.replace(/\n+$/, "").split("\n");
  const matches = (at: number, from: number): boolean => {
    if (at === shown.length) return isPrefix || from >= lines.length;
    const wanted = shown[at]!.trimEnd();
    if (wanted === WILDCARD) {
      for (let next = from; next <= lines.length; next++) if (matches(at + 1, next)) return true;
      return false;
    }
    return from < lines.length && linePattern(wanted).test(lines[from]!) && matches(at + 1, from + 1);
  };
  return matches(0, 0);
}

/** Columns may be wider than shown: one or more spaces for spaces. */
function linePattern(shown: string): RegExp {
  const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/ +/g, " +");
  return new RegExp(`^${shown.split(WILDCARD).map(escaped).join(".*")}\\s*$`);
}

/** What a test that runs a command has to name: the words of it that are no values, such as "account", "new" and "--key". */
export function wordsOfCommand(text: string): readonly string[] {
  const inner = text.replace(/^(?:export )?[A-Z_]+=\$\((.+)\)$/, "$1");
  const [program, ...words] = inner.replaceAll("\\\n", " ").trim().split(/\s+/);
  const end = words.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
  const leading = end < 0 ? words : words.slice(0, end);
  const flags = words.filter((word) => /^--[a-z][a-z-]*$/.test(word));
  return [...(program === "ostrom" ? [] : [program!]), ...leading, ...flags];
}

/** @returns what of a command a test's text does not name. */
export function missingWords(command: string, test: string): readonly string[] {
  return wordsOfCommand(command).filter((word) => !new RegExp(`(?<![\\w-])${word}(?![\\w-])`).test(test));
}

/** Lines of fenced blocks of no language that begin as a command does: nothing would run them. @returns their numbers, from 1. */
export function plainCommands(markdown: string): readonly number[] {
  const found: number[] = [];
  let fence: string | undefined;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (line.startsWith("```")) fence = fence === undefined ? line.slice(3).trim() : undefined;
    else if ((fence === "" || /^(?:sh|bash|shell)\b/.test(fence ?? "")) && COMMAND_LINE.test(line))
      found.push(index + 1);
  }
  return found;
}

const COMMAND_LINE = /^(?:\$ |[A-Z_]+=\S+ )?(?:npx )?(?:ostrom|npm|npx|node|curl) /;
