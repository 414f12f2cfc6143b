import { basename } from "node:path";
import { type Command, UsageError } from "../command.ts";
import { bashCompletion, type CompletionWord, fishCompletion, zshCompletion } from "../completion-scripts.ts";
import { listModuleCommands } from "../module-commands.ts";
import type { Program } from "../program.ts";

const SCRIPTS: Readonly<Record<string, (words: readonly CompletionWord[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

type Entries = Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>>;

/** @param entries all commands of the program: the script knows them and their flags, so that a shell starts nothing to complete a word. */
export function completionOf(entries: Entries): Command {
  return {
    name: "completion",
    summary: "print a script that lets your shell complete commands, flags and values",
    usage: "bash|zsh|fish",
    maxPositionals: 1,
    flags: [],
    examples: [
      "ostrom completion bash > ~/.local/share/bash-completion/completions/ostrom",
      "ostrom completion zsh > ~/.zfunc/_ostrom     # a folder of $fpath",
      "ostrom completion fish > ~/.config/fish/completions/ostrom.fish",
      'eval "$(ostrom completion bash)"     # for this shell alone',
    ],
    run: async ({ values, positionals }, program) => {
      const shell = positionals[0] ?? basename(process.env["SHELL"] ?? "");
      const script = SCRIPTS[shell];
      if (script === undefined) {
        throw new UsageError(
          `expected one of ${Object.keys(SCRIPTS).join(", ")}, found "${shell || "nothing"}"`,
          {
            code: "usage",
            advice: "See: ostrom completion --help",
            exitCode: 2,
          },
        );
      }
      const text = script(await listWords(entries, program));
      console.log(values["json"] === true ? JSON.stringify({ shell, script: text }) : text);
      return 0;
    },
  };
}

async function listWords(entries: Entries, program: Program): Promise<readonly CompletionWord[]> {
  const own = await Promise.all(
    Object.entries(entries).map(async ([name, { summary, load }]) => {
      // What cannot be asked of this entry: it would ask itself.
      const command = name === "completion" ? undefined : await load();
      const flags = command?.flags ?? [];
      return {
        name,
        summary,
        flags,
        words: name === "completion" ? Object.keys(SCRIPTS) : wordsOf(command!),
        inner: [],
      };
    }),
  );
  const ofModules = (await listModuleCommands(program.modules)).map(({ module, commands }) => ({
    name: module.name,
    summary: module.summary,
    flags: [],
    words: [],
    inner: commands.map(({ name, summary, flags }) => ({
      name: name.slice(module.name.length + 1),
      summary,
      flags,
      words: [],
      inner: [],
    })),
  }));
  return [...own, ...ofModules];
}

/** The words that a usage names in small letters, before what is to be replaced: "create --out DIR | rotate FOLDER" has create and rotate. */
function wordsOf({ usage }: Command): readonly string[] {
  return usage
    .split("|")
    .map((part) => /^\s*([a-z][a-z-]+)\b/.exec(part)?.[1])
    .filter((word) => word !== undefined);
}
