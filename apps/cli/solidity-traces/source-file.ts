/** A Solidity source as its compiler saw it: source maps count in bytes of its UTF-8 text. */
export type SourceFile = {
  /** As in the compiler's input, "contracts/Token.sol". */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Byte offset of each line's first character. */
  readonly lineStarts: readonly number[];
  /** Functions, modifiers, getters and free functions, filled while the syntax tree is read. */
  readonly functions: SolidityFunction[];
};

/** A range of bytes, `end` exclusive. */
export type SourceLocation = {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
};

export type FunctionKind =
  | "constructor"
  | "function"
  | "fallback"
  | "receive"
  | "getter"
  | "modifier"
  | "free-function";

export type SolidityFunction = {
  readonly name: string;
  readonly kind: FunctionKind;
  readonly location: SourceLocation;
  readonly isPayable: boolean;
  readonly isCallable: boolean;
  /** Four bytes in hex without 0x; absent where the compiler did not say. */
  readonly selector?: string;
};

const NEW_LINE = 0x0a;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function createSourceFile(name: string, content: string): SourceFile {
  const bytes = encoder.encode(content);
  const lineStarts = [0];
  for (let at = bytes.indexOf(NEW_LINE); at >= 0; at = bytes.indexOf(NEW_LINE, at + 1))
    lineStarts.push(at + 1);
  return { name, bytes, lineStarts, functions: [] };
}

/** @returns line and column, both from 1; the column counts characters. */
export function positionOf({ file, start }: SourceLocation): { line: number; column: number } {
  let low = 0;
  let high = file.lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((file.lineStarts[middle] ?? 0) <= start) low = middle;
    else high = middle - 1;
  }
  const lineStart = file.lineStarts[low] ?? 0;
  return { line: low + 1, column: decoder.decode(file.bytes.subarray(lineStart, start)).length + 1 };
}

export function isSameLocation(a: SourceLocation, b: SourceLocation): boolean {
  return a.file === b.file && a.start === b.start && a.end === b.end;
}

export function contains(outer: SourceLocation, inner: SourceLocation): boolean {
  return outer.file === inner.file && outer.start <= inner.start && inner.end <= outer.end;
}

/** The function or modifier that a place lies in. */
export function functionAt(location: SourceLocation): SolidityFunction | undefined {
  return location.file.functions.find((candidate) => contains(candidate.location, location));
}
