import { LIMB_BYTES, WORD_BYTES } from "../runtime/memory-layout.ts";
import { LIMBS, type Limb, slotLimb, type Word } from "./word-value.ts";

/** The EVM's stack while code is compiled: what the code has put there, and of what was there before, as much as it has
 * looked at. DUP, SWAP and POP happen here and emit nothing.
 *
 * Slots are counted from the base of a region (stack-plan.ts). */
export type SymbolicStack = {
  /** The top is last. */
  readonly words: Word[];
  /** The slot of the first word; what lies below is in memory. */
  lowest: number;
};

/** All words are in memory. */
export function createSymbolicStack(height: number): SymbolicStack {
  return { words: [], lowest: height };
}

export function heightOf({ words, lowest }: SymbolicStack): number {
  return lowest + words.length;
}

/** Brings in words from memory. Whether they are there was checked when the block began. */
export function borrow(stack: SymbolicStack, count: number): void {
  while (stack.words.length < count) {
    stack.lowest--;
    stack.words.unshift(wordInMemory(stack.lowest));
  }
}

export function wordInMemory(slot: number): Word {
  const at = slot * WORD_BYTES;
  return [
    slotLimb(at),
    slotLimb(at + LIMB_BYTES),
    slotLimb(at + 2 * LIMB_BYTES),
    slotLimb(at + 3 * LIMB_BYTES),
  ];
}

export function pop(stack: SymbolicStack): Word {
  borrow(stack, 1);
  return stack.words.pop()!;
}

export function push(stack: SymbolicStack, word: Word): void {
  stack.words.push(word);
}

/** Copies the word at `position` (1 is the top). */
export function duplicate(stack: SymbolicStack, position: number): void {
  borrow(stack, position);
  stack.words.push(stack.words[stack.words.length - position]!);
}

/** Exchanges the top with the word `distance` below it. */
export function swap(stack: SymbolicStack, distance: number): void {
  borrow(stack, distance + 1);
  const { words } = stack;
  const top = words.length - 1;
  const word = words[top]!;
  words[top] = words[top - distance]!;
  words[top - distance] = word;
}

/** The word in a slot; brings it in. */
export function wordAt(stack: SymbolicStack, slot: number): Word {
  borrow(stack, heightOf(stack) - slot);
  return stack.words[slot - stack.lowest]!;
}

/** Where a limb of a word belongs in memory, as Limb.slot counts.
 * @param position 0 for the lowest word of `words`. */
export function homeSlot(stack: SymbolicStack, position: number, limb: number): number {
  return (stack.lowest + position) * WORD_BYTES + limb * LIMB_BYTES;
}

/** After everything was written back: all words are in memory, each at its home, and in no local. */
export function forgetLocals(stack: SymbolicStack): void {
  for (const [position, word] of stack.words.entries()) {
    const inMemory = wordInMemory(stack.lowest + position);
    stack.words[position] = word.map((limb, place) => {
      const { slot } = inMemory[place]!;
      return limb.constant === undefined ? { ...inMemory[place]!, bits: limb.bits } : { ...limb, slot };
    }) as unknown as Word;
  }
}

/** For code of which either this or the copy runs: what one of them loads, the other has not. */
export function copyStack({ words, lowest }: SymbolicStack): SymbolicStack {
  const copies = new Map<Limb, Limb>();
  const copyLimb = (limb: Limb): Limb => {
    let copy = copies.get(limb);
    if (copy === undefined) {
      copy = { ...limb };
      copies.set(limb, copy);
    }
    return copy;
  };
  return { words: words.map((word) => word.map(copyLimb) as unknown as Word), lowest };
}

export const LIMBS_OF_WORD: readonly number[] = Array.from({ length: LIMBS }, (_, limb) => limb);
