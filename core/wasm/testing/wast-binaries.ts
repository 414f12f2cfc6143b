import type { Bytes } from "@ostrom/base";

/** A module that a script of the specification's test suite holds in binary. */
export type ScriptModule = {
  /** The form it stands in: `module` alone, or the assertion that says it is wrong. */
  readonly form: "module" | "assert_invalid" | "assert_malformed" | "other";
  readonly line: number;
  readonly bytes: Bytes;
};

type Token = { readonly text: string; readonly line: number };

/** Finds all `(module binary "...")` of a script. Modules in text are passed over.
 * Source: WebAssembly core specification, "Text Format", and the reference interpreter's README, "Scripts". */
export function binaryModulesOf(script: string): ScriptModule[] {
  const found: ScriptModule[] = [];
  const openForms: string[] = [];
  const tokens = tokensOf(script);
  for (let at = 0; at < tokens.length; at++) {
    const { text, line } = tokens[at]!;
    if (text === ")") openForms.pop();
    if (text !== "(") continue;
    const form = tokens[at + 1]?.text ?? "";
    openForms.push(form);
    if (form !== "module") continue;
    let next = at + 2;
    while (tokens[next]?.text === "definition" || tokens[next]?.text.startsWith("$") === true) next++;
    if (tokens[next]?.text !== "binary") continue;
    const bytes: number[] = [];
    for (next++; tokens[next]?.text.startsWith('"') === true; next++)
      bytes.push(...bytesOf(tokens[next]!.text));
    found.push({ form: formOf(openForms.at(-2)), line, bytes: Uint8Array.from(bytes) });
  }
  return found;
}

function formOf(outer: string | undefined): ScriptModule["form"] {
  if (outer === undefined) return "module";
  return outer === "assert_invalid" || outer === "assert_malformed" ? outer : "other";
}

/** Parentheses, strings with their quotes, and words; comments are left out. */
function tokensOf(script: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /;;[^\n]*|\(;|[()]|"(?:[^"\\]|\\.)*"|[^\s()";]+/g;
  let line = 1;
  let counted = 0;
  for (let match = pattern.exec(script); match !== null; match = pattern.exec(script)) {
    const [text] = match;
    if (text === "(;") pattern.lastIndex = endOfBlockComment(script, match.index);
    else if (!text.startsWith(";;")) {
      line += script.slice(counted, match.index).split("\n").length - 1;
      counted = match.index;
      tokens.push({ text, line });
    }
  }
  return tokens;
}

/** Block comments nest. */
function endOfBlockComment(script: string, start: number): number {
  let depth = 0;
  for (let at = start; at < script.length; at++) {
    if (script.startsWith("(;", at)) depth++;
    else if (script.startsWith(";)", at) && --depth === 0) return at + 2;
  }
  return script.length;
}

const ESCAPES: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, '"': 34, "'": 39, "\\": 92 };

/** The bytes of a quoted string with its escapes. */
function bytesOf(quoted: string): number[] {
  const bytes: number[] = [];
  const pattern = /\\([0-9a-fA-F]{2})|\\u\{([0-9a-fA-F_]+)\}|\\(.)|([^\\]+)/gsu;
  for (const [, hex, unicode, escaped, plain] of quoted.slice(1, -1).matchAll(pattern)) {
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (unicode !== undefined)
      bytes.push(...Buffer.from(String.fromCodePoint(Number.parseInt(unicode.replaceAll("_", ""), 16))));
    else if (escaped !== undefined) bytes.push(ESCAPES[escaped] ?? 0);
    else bytes.push(...Buffer.from(plain ?? ""));
  }
  return bytes;
}
