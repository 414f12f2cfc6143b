/** What a piece of source text is, for its colour. */
export type TokenKind = "plain" | "comment" | "text" | "number" | "keyword" | "type" | "function";
export type Token = { readonly kind: TokenKind; readonly text: string };

const KEYWORDS = new Set(
  (
    "abstract anonymous as assembly break calldata case catch constant constructor continue contract default delete do else emit enum " +
    "error event external fallback false final for from function if immutable import indexed interface internal is layout let leave " +
    "library mapping memory modifier new override payable pragma private public pure receive return returns revert storage struct " +
    "super switch this throw transient true try type unchecked using view virtual while"
  ).split(" "),
);
const TYPE = /^(?:u?int\d*|bytes\d*|bool|string|address|u?fixed(?:\d+x\d+)?)$/;

/** One token after the other. Each alternative matches at least one character and none looks back, so the time is linear. */
const PATTERN =
  /(?<comment>\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<text>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)|(?<number>0x[0-9a-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:e-?\d+)?)|(?<word>[A-Za-z_$][\w$]*)|(?<plain>[^"'A-Za-z_$\d/]+|\/)/g;

/** Tells the parts of Solidity (or Yul) source apart, as far as colours need it: joined together they are the source again. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const match of source.matchAll(PATTERN)) {
    const { groups = {}, index } = match;
    const [text] = match;
    if (groups["word"] === undefined) tokens.push({ kind: kindOf(groups), text });
    else tokens.push({ kind: kindOfWord(text, source[index + text.length]), text });
  }
  return tokens;
}

function kindOf(groups: Readonly<Record<string, string | undefined>>): TokenKind {
  if (groups["comment"] !== undefined) return "comment";
  if (groups["text"] !== undefined) return "text";
  return groups["number"] === undefined ? "plain" : "number";
}

function kindOfWord(word: string, next: string | undefined): TokenKind {
  if (KEYWORDS.has(word)) return "keyword";
  if (TYPE.test(word)) return "type";
  return next === "(" ? "function" : "plain";
}

/** The tokens of each line. What spans several lines is cut. */
export function tokenizeLines(source: string): readonly (readonly Token[])[] {
  const lines: Token[][] = [[]];
  for (const { kind, text } of tokenize(source)) {
    text.split("\n").forEach((part, index) => {
      if (index > 0) lines.push([]);
      if (part !== "") lines.at(-1)?.push({ kind, text: part });
    });
  }
  return lines;
}
