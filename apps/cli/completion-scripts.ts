import { COMMAND_LINE_FLAGS, COMMON_FLAGS, type Flag } from "./command.ts";

/** A word that may follow `ostrom`, or a module's name. */
export type CompletionWord = {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** What may follow it at once. */
  readonly words: readonly string[];
  /** Of a module: its commands. */
  readonly inner: readonly CompletionWord[];
};

const FOLDER_PLACEHOLDERS: readonly string[] = ["DIR", "FOLDER"];
const LOCAL_URLS: readonly string[] = [8545, 8546, 8547, 8548].map((port) => `http://127.0.0.1:${port}`);
/** Names that every command line of a shell may hold unquoted. */
const PLAIN = /^[\w.,:/=-]+$/;

/** What a flag's value may be: a list, a folder, a file, or anything. */
function valuesOf(flag: Flag): readonly string[] | "folder" | "file" | undefined {
  if (flag.choices !== undefined) return flag.choices.filter((choice) => PLAIN.test(choice));
  if (flag.placeholder === "URL") return LOCAL_URLS;
  if (FOLDER_PLACEHOLDERS.includes(flag.placeholder ?? "")) return "folder";
  if (flag.placeholder === "FILE") return "file";
  return undefined;
}

function allFlags(word: CompletionWord): readonly Flag[] {
  return [...word.flags, ...COMMON_FLAGS, ...COMMAND_LINE_FLAGS];
}

/** As it is typed: what is on unless told otherwise is turned off. */
function flagText({ name, kind, default: fallback }: Flag): string {
  return kind === "switch" && fallback === true ? `--no-${name}` : `--${name}`;
}

/** Commands by all the words that name them: "up", "staking bond". */
function paths(
  words: readonly CompletionWord[],
): readonly { readonly path: string; readonly word: CompletionWord }[] {
  return words.flatMap((word) => [
    { path: word.name, word },
    ...word.inner.map((inner) => ({ path: `${word.name} ${inner.name}`, word: inner })),
  ]);
}

export function bashCompletion(words: readonly CompletionWord[]): string {
  const all = paths(words);
  const flagCases = all.map(
    ({ path, word }) => `    "${path}") flags="${allFlags(word).map(flagText).join(" ")}" ;;`,
  );
  const wordCases = all
    .map(({ path, word }) => ({ path, next: [...word.words, ...word.inner.map(({ name }) => name)] }))
    .filter(({ next }) => next.length > 0)
    .map(({ path, next }) => `    "${path}") next="${next.join(" ")}" ;;`);
  const valueCases = all.flatMap(({ path, word }) =>
    allFlags(word).flatMap((flag) => {
      const values = valuesOf(flag);
      if (values === undefined)
        return flag.kind === "switch" ? [] : [`    "${path} --${flag.name}") values=none ;;`];
      const text = typeof values === "string" ? values : values.join(" ");
      return [`    "${path} --${flag.name}") values="${text}" ;;`];
    }),
  );
  return `# bash completion for ostrom
_ostrom() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path="\${COMP_WORDS[1]}" flags="" next="" values="" place=2
  # An address holds colons, at which bash begins a new word.
  if [[ $current == : || $previous == : ]]; then return; fi
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "help version ${words.map(({ name }) => name).join(" ")}" -- "$current"))
    return
  fi
  if [[ $path == help ]]; then
    COMPREPLY=($(compgen -W "${words.map(({ name }) => name).join(" ")}" -- "$current"))
    return
  fi
  case "$path" in
    ${
      words
        .filter(({ inner }) => inner.length > 0)
        .map(({ name }) => name)
        .join("|") || "-"
    })
      if [[ $COMP_CWORD -gt 2 ]]; then path="$path \${COMP_WORDS[2]}"; place=3; fi ;;
  esac
  case "$path $previous" in
${valueCases.join("\n")}
  esac
  case "$values" in
    folder) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current")); return ;;
    file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    none) return ;;
    ?*) COMPREPLY=($(compgen -W "$values" -- "$current")); return ;;
  esac
  case "$path" in
${flagCases.join("\n")}
  esac
  if [[ $COMP_CWORD -eq $place ]]; then
    case "$path" in
${wordCases.join("\n")}
    esac
  fi
  if [[ $current == -* || -z $next ]]; then next="$next $flags"; fi
  COMPREPLY=($(compgen -W "$next" -- "$current"))
  if [[ \${#COMPREPLY[@]} -eq 0 && $current != -* ]]; then compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -F _ostrom ostrom`;
}

export function zshCompletion(words: readonly CompletionWord[]): string {
  const commandLines = words.map(({ name, summary }) => `    ${zshQuoted(`${name}:${summary}`)}`);
  const cases = words.map((word) => {
    if (word.inner.length === 0) return `    ${word.name})\n${zshArguments(word, "      ")} ;;`;
    const inner = word.inner.map(({ name, summary }) => zshQuoted(`${name}:${summary}`)).join(" ");
    const innerCases = word.inner
      .map((each) => `        ${each.name})\n${zshArguments(each, "          ")} ;;`)
      .join("\n");
    return `    ${word.name})
      if (( CURRENT == 2 )); then local -a inner=(${inner}); _describe 'command' inner; return; fi
      shift words; (( CURRENT-- ))
      case $words[1] in
${innerCases}
      esac ;;`;
  });
  return `#compdef ostrom
# zsh completion for ostrom
_ostrom() {
  local -a commands=(
${commandLines.join("\n")}
  )
  if (( CURRENT == 2 )); then _describe 'command' commands; return; fi
  shift words; (( CURRENT-- ))
  case $words[1] in
    help) (( CURRENT == 2 )) && _describe 'command' commands ;;
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = "_ostrom" ]; then _ostrom "$@"; else compdef _ostrom ostrom; fi`;
}

function zshArguments(word: CompletionWord, indent: string): string {
  const specs = allFlags(word).map((flag) => {
    const help = flag.help.replace(/[[\]:]/g, " ");
    const head = `${flag.kind === "list" ? "*" : ""}${flagText(flag)}[${help}]`;
    if (flag.kind === "switch") return zshQuoted(head);
    const values = valuesOf(flag);
    const action =
      values === "folder"
        ? "_files -/"
        : values === "file"
          ? "_files"
          : values === undefined
            ? " "
            : `(${values.map((value) => value.replaceAll(":", "\\:")).join(" ")})`;
    return zshQuoted(`${head}:${flag.placeholder ?? flag.kind}:${action}`);
  });
  const rest =
    word.words.length > 0 ? zshQuoted(`1:what:(${word.words.join(" ")})`) : zshQuoted("*:file:_files");
  return `${indent}_arguments ${[...specs, rest].join(` \\\n${indent}  `)}`;
}

function zshQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export function fishCompletion(words: readonly CompletionWord[]): string {
  const lines = ["# fish completion for ostrom", "complete -c ostrom -f"];
  const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  lines.push("complete -c ostrom -n __fish_use_subcommand -a help -d 'show help'");
  for (const word of words) {
    lines.push(`complete -c ostrom -n __fish_use_subcommand -a ${word.name} -d ${quoted(word.summary)}`);
    lines.push(`complete -c ostrom -n '__fish_seen_subcommand_from help' -a ${word.name}`);
    const seen = `__fish_seen_subcommand_from ${word.name}`;
    const isFirst = `${seen}; and test (count (commandline -opc)) -eq 2`;
    for (const next of word.words) lines.push(`complete -c ostrom -n ${quoted(isFirst)} -a ${next}`);
    for (const inner of word.inner) {
      lines.push(`complete -c ostrom -n ${quoted(isFirst)} -a ${inner.name} -d ${quoted(inner.summary)}`);
      const innerSeen = `${seen}; and __fish_seen_subcommand_from ${inner.name}`;
      lines.push(...allFlags(inner).map((flag) => fishFlag(flag, innerSeen, quoted)));
    }
    if (word.inner.length === 0) lines.push(...allFlags(word).map((flag) => fishFlag(flag, seen, quoted)));
  }
  return lines.join("\n");
}

function fishFlag(flag: Flag, condition: string, quoted: (text: string) => string): string {
  const head = `complete -c ostrom -n ${quoted(condition)} -l ${flagText(flag).slice(2)} -d ${quoted(flag.help)}`;
  if (flag.kind === "switch") return head;
  const values = valuesOf(flag);
  if (values === "folder") return `${head} -x -a '(__fish_complete_directories)'`;
  if (values === "file") return `${head} -r -F`;
  return values === undefined ? `${head} -x` : `${head} -x -a ${quoted(values.join(" "))}`;
}
