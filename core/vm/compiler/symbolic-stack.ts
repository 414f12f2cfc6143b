import { LIMB_BYTES, WORD_BYTES } from "../runtime/memory-layout.ts";
import { LIMBS, slotLimb, type Word } from "./word-value.ts";

/** The EVM's stack while a block is compiled: what the block has put there, and of what was there before, as much as the
 * block has looked at. DUP, SWAP and POP happen here and emit nothing. */
export type SymbolicStack = {
  /** The top is last. */
  readonly words: Word[];
  /** How many words of the stack at the block's beginning have been brought in here. */
  borrowed: number;
};

export function createSymbolicStack(): SymbolicStack {
  return { words: [], borrowed: 0 };
}

/** Whether a word is there was checked at the block's beginning. */
function borrow(stack: SymbolicStack, count: number): void {
  while (stack.words.length < count) {
    stack.borrowed++;
    const at = -stack.borrowed * WORD_BYTES;
    stack.words.unshift([
      slotLimb(at),
      slotLimb(at + LIMB_BYTES),
      slotLimb(at + 2 * LIMB_BYTES),
      slotLimb(at + 3 * LIMB_BYTES),
    ]);
  }
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

/** Bytes by which the stack has grown since the block began. */
export function stackGrowth(stack: SymbolicStack): number {
  return (stack.words.length - stack.borrowed) * WORD_BYTES;
}

/** Where a limb of a word belongs when the stack is written back, as Limb.slot counts.
 * @param position 0 for the lowest word of `words`. */
export function homeSlot(stack: SymbolicStack, position: number, limb: number): number {
  return (position - stack.borrowed) * WORD_BYTES + limb * LIMB_BYTES;
}

/** After everything was written back: the words are also in memory, each at its home, under a new top. What is known of
 * them stays known, for as many as may be used soon. */
export function settleStack(stack: SymbolicStack): void {
  const { words } = stack;
  words.splice(0, words.length - SETTLED_WORDS);
  stack.borrowed = words.length;
  for (const [position, word] of words.entries()) {
    words[position] = word.map((limb, place) => ({
      ...limb,
      slot: homeSlot(stack, position, place),
    })) as unknown as Word;
  }
}

/** DUP and SWAP reach no deeper. */
const SETTLED_WORDS = 17;

/** Forgets all words: the stack is in memory again, with a new top. */
export function resetStack(stack: SymbolicStack): void {
  stack.words.length = 0;
  stack.borrowed = 0;
}

export const LIMBS_OF_WORD: readonly number[] = Array.from({ length: LIMBS }, (_, limb) => limb);
