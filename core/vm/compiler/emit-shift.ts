import { type Emission, pushWord, takeWord } from "./emission.ts";
import { funnelShift, pushClamped, signOf } from "./limb-operations.ts";
import { pop, push } from "./symbolic-stack.ts";
import { constantOf, constantWord, type Limb, type Word, ZERO } from "./word-value.ts";

const WORD_BITS = 256n;

/** SHL, SHR and SAR. */
export function emitShift(emission: Emission, kind: "left" | "right" | "signed"): void {
  const count = pop(emission.stack);
  const word = pop(emission.stack);
  const constant = constantOf(count);
  if (constant === undefined) {
    pushClamped(emission, count);
    pushWord(emission, word);
    const name = kind === "left" ? "shiftLeft" : kind === "right" ? "shiftRight" : "shiftSigned";
    emission.code.call(emission.runtime.find(name));
    push(emission.stack, takeWord(emission));
    return;
  }
  const isAll = constant >= WORD_BITS;
  if (kind === "signed") push(emission.stack, shiftSignedBy(emission, word, isAll ? 255 : Number(constant)));
  else if (isAll) push(emission.stack, constantWord(0n));
  else if (kind === "left") push(emission.stack, shiftLeftBy(emission, word, Number(constant)));
  else push(emission.stack, shiftRightBy(emission, word, Number(constant)));
}

/** @param count in [0, 255]. */
export function shiftLeftBy(emission: Emission, word: Word, count: number): Word {
  const limbs = count >> 6;
  const bits = count & 63;
  return [0, 1, 2, 3].map((place) => {
    const high = limbAt(word, place - limbs, ZERO);
    if (bits === 0) return high;
    return funnelShift(emission, high, limbAt(word, place - limbs - 1, ZERO), 64 - bits);
  }) as unknown as Word;
}

/** @param count in [0, 255]. */
export function shiftRightBy(emission: Emission, word: Word, count: number): Word {
  return shiftRightWith(emission, word, count, ZERO);
}

function shiftSignedBy(emission: Emission, word: Word, count: number): Word {
  if (count === 0) return word;
  return shiftRightWith(emission, word, count, signOf(emission, word[3]));
}

/** @param fill what comes in from above. */
function shiftRightWith(emission: Emission, word: Word, count: number, fill: Limb): Word {
  const limbs = count >> 6;
  const bits = count & 63;
  return [0, 1, 2, 3].map((place) => {
    const low = limbAt(word, place + limbs, fill);
    if (bits === 0 || place + limbs > 3) return low;
    return funnelShift(emission, limbAt(word, place + limbs + 1, fill), low, bits);
  }) as unknown as Word;
}

function limbAt(word: Word, place: number, otherwise: Limb): Limb {
  return word[place] ?? otherwise;
}
