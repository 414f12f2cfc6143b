/** Lengths of the functions of a formatted source, in lines from the declaration to its closing brace.
 *
 * The formatter puts the closing brace of a function at the indentation of its first line, so lines tell enough and no
 * parser is needed. Seen: declarations, methods, and constants that hold an arrow function with a block. */
export function functionLengths(text: string): { readonly name: string; readonly length: number }[] {
  const lines = text.split("\n");
  const found: { name: string; length: number }[] = [];
  for (let start = 0; start < lines.length; start++) {
    const opening = openingOf(lines, start);
    if (opening === undefined) continue;
    const { name, indentation, bodyAt } = opening;
    for (let end = bodyAt + 1; end < lines.length; end++) {
      if (new RegExp(`^ {${indentation}}\\}`).test(lines[end]!)) {
        found.push({ name, length: end - start + 1 });
        break;
      }
    }
  }
  return found;
}

const DECLARATION =
  /^( *)(?:export )?(?:default )?(?:(?:async )?function\*? (\w+)|(?:const|let) (\w+)(?:: [^=]+)? = (?:async )?(?:\(|<|\w+ =>)|(?:(?:private|public|static|async|readonly|override|get|set) )*#?(\w+)\()/;
const NOT_A_FUNCTION = new Set(["if", "for", "while", "switch", "catch", "return", "super", "constructor"]);
/** How far a signature may stretch over lines before its brace. */
const MAX_SIGNATURE_LINES = 30;

function openingOf(
  lines: readonly string[],
  start: number,
): { name: string; indentation: number; bodyAt: number } | undefined {
  const match = DECLARATION.exec(lines[start]!);
  if (match === null) return undefined;
  const indentation = match[1]!.length;
  const name = match[2] ?? match[3] ?? match[4] ?? "";
  if (NOT_A_FUNCTION.has(name)) return undefined;
  for (let line = start; line < Math.min(lines.length, start + MAX_SIGNATURE_LINES); line++) {
    const text = lines[line]!;
    if (line > start && text.length > 0 && text.search(/\S/) < indentation) return undefined;
    if (
      /(\)|=>|>|\w|\]|\}) ?(?:=> )?\{$/.test(text) &&
      (line === start || text.search(/\S/) === indentation)
    ) {
      return { name, indentation, bodyAt: line };
    }
    if (/;$/.test(text) && text.search(/\S/) === indentation) return undefined;
  }
  return undefined;
}
