import { type Bytes, EMPTY_BYTES } from "@ostrom/base";
import { readWord } from "./word.ts";

const JUMPDEST = 0x5b;
const PUSH1 = 0x60;
const PUSH32 = 0x7f;

/** What can be said of code before it runs. */
export type CodeAnalysis = {
  /** Byte i is 1 where a jump may land: at a JUMPDEST that is not inside the data of a PUSH. */
  readonly jumpDestinations: Bytes;
  /** Values of PUSH instructions that have run, by the offset of their data: reading one is slow. */
  readonly pushedWords: Map<number, bigint>;
};

// Keyed by identity, because the same code object runs many times: whoever keeps code gives out one object for it.
const analyses = new WeakMap<Bytes, CodeAnalysis>();

export function analyseCode(code: Bytes): CodeAnalysis {
  if (code.length === 0) return NO_ANALYSIS;
  const known = analyses.get(code);
  if (known !== undefined) return known;
  const analysis = { jumpDestinations: findJumpDestinations(code), pushedWords: new Map<number, bigint>() };
  analyses.set(code, analysis);
  return analysis;
}

/** Of code that is empty, or not the EVM's. */
const NO_ANALYSIS: CodeAnalysis = { jumpDestinations: EMPTY_BYTES, pushedWords: new Map() };

function findJumpDestinations(code: Bytes): Bytes {
  const found = new Uint8Array(code.length);
  for (let i = 0; i < code.length; i++) {
    const opcode = code[i]!;
    if (opcode === JUMPDEST) found[i] = 1;
    else if (opcode >= PUSH1 && opcode <= PUSH32) i += opcode - PUSH1 + 1;
  }
  return found;
}

/** The value that a PUSH has in its code. Data beyond the end of the code is zeros. */
export function pushedWord(code: Bytes, analysis: CodeAnalysis, offset: number, length: number): bigint {
  const known = analysis.pushedWords.get(offset);
  if (known !== undefined) return known;
  const word = readWord(code, offset, length);
  analysis.pushedWords.set(offset, word);
  return word;
}
