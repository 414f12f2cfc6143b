import { OP } from "../opcodes.ts";
import type { BasicBlock } from "./control-flow-graph.ts";

/** What is known of a word: UNKNOWN, or the number of a set of constants that it is one of. */
export type ValueId = number;

/** The top is last. Nothing is known of what lies below. */
export type AbstractStack = ValueId[];

const UNKNOWN = -1;
/** Stands in sets for all constants that are no destinations. */
const NO_DESTINATION = -1;
/** Stands in sets for constants with which AND leaves any destination as it is. */
const MASK = -2;
const MAX_SET = 200;
/** Words from the top of which something is known. */
const MAX_DEPTH = 128;
const PROGRAM_COUNTER_MASK = 0xffffn;

type Destination = { readonly at: number; readonly block: number };
export type Destinations = { readonly valid: readonly Destination[]; readonly mayFail: boolean };

/** Sets of constants, each of which has one number. */
export class DestinationSets {
  readonly #jumpTargets: ReadonlyMap<number, number>;
  readonly #sets: (readonly number[])[] = [];
  readonly #ids = new Map<string, ValueId>();
  readonly #singles = new Map<number, ValueId>();
  readonly #unions = new Map<number, ValueId>();

  /** @param jumpTargets block by program counter. */
  constructor(jumpTargets: ReadonlyMap<number, number>) {
    this.#jumpTargets = jumpTargets;
  }

  ofConstant(value: bigint): ValueId {
    const isMask = value >= PROGRAM_COUNTER_MASK && (value & (value + 1n)) === 0n;
    if (isMask) return this.#single(MASK);
    const isTarget = value < PROGRAM_COUNTER_MASK && this.#jumpTargets.has(Number(value));
    return this.#single(isTarget ? Number(value) : NO_DESTINATION);
  }

  union(a: ValueId, b: ValueId): ValueId {
    if (a === b) return a;
    if (a === UNKNOWN || b === UNKNOWN) return UNKNOWN;
    const key = a < b ? a * 2 ** 24 + b : b * 2 ** 24 + a;
    const known = this.#unions.get(key);
    if (known !== undefined) return known;
    const elements = [...new Set([...this.#sets[a]!, ...this.#sets[b]!])].sort((x, y) => x - y);
    const id = elements.length > MAX_SET ? UNKNOWN : this.#intern(elements);
    this.#unions.set(key, id);
    return id;
  }

  and(a: ValueId, b: ValueId): ValueId {
    const mask = this.#single(MASK);
    if (a === mask) return b;
    return b === mask ? a : UNKNOWN;
  }

  /** @returns undefined if it may be any. */
  destinationsOf(id: ValueId): Destinations | undefined {
    if (id === UNKNOWN) return undefined;
    const elements = this.#sets[id]!;
    const valid = elements.filter((at) => at >= 0).map((at) => ({ at, block: this.#jumpTargets.get(at)! }));
    return { valid, mayFail: valid.length < elements.length };
  }

  #single(element: number): ValueId {
    const known = this.#singles.get(element);
    if (known !== undefined) return known;
    const id = this.#intern([element]);
    this.#singles.set(element, id);
    return id;
  }

  #intern(elements: readonly number[]): ValueId {
    const key = elements.join();
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#sets.push(elements) - 1;
    this.#ids.set(key, id);
    return id;
  }
}

/** @returns what is known on both ways, or undefined if that is what `known` says already. */
export function joinStacks(
  known: AbstractStack,
  other: AbstractStack,
  sets: DestinationSets,
): AbstractStack | undefined {
  const length = Math.min(known.length, other.length);
  const joined = known.slice(known.length - length);
  let changed = length < known.length;
  for (let depth = 1; depth <= length; depth++) {
    const before = joined[length - depth]!;
    const after = sets.union(before, other[other.length - depth]!);
    if (after === before) continue;
    joined[length - depth] = after;
    changed = true;
  }
  return changed ? joined : undefined;
}

/** Runs a block. @returns what is known of its jump's destination; undefined if it does not jump. */
export function runAbstractly(
  stack: AbstractStack,
  { instructions, end }: BasicBlock,
  sets: DestinationSets,
): ValueId | undefined {
  let destination: ValueId | undefined;
  const jump = end === "jump" || end === "branch" ? instructions.length - 1 : -1;
  for (const [place, { instruction, pushed }] of instructions.entries()) {
    const { opcode, pops, pushes } = instruction;
    if (place === jump) destination = stack[stack.length - 1] ?? UNKNOWN;
    if (pushed !== undefined) stack.push(sets.ofConstant(pushed));
    else if (opcode >= OP.DUP1 && opcode <= OP.DUP16)
      stack.push(stack[stack.length - 1 - (opcode - OP.DUP1)] ?? UNKNOWN);
    else if (opcode >= OP.SWAP1 && opcode <= OP.SWAP16) swap(stack, opcode - OP.SWAP1 + 1);
    else if (opcode === OP.AND) stack.push(sets.and(stack.pop() ?? UNKNOWN, stack.pop() ?? UNKNOWN));
    else {
      stack.length = Math.max(0, stack.length - pops);
      for (let i = 0; i < pushes; i++) stack.push(UNKNOWN);
    }
  }
  if (stack.length > MAX_DEPTH) stack.splice(0, stack.length - MAX_DEPTH);
  return destination;
}

function swap(stack: AbstractStack, distance: number): void {
  while (stack.length <= distance) stack.unshift(UNKNOWN);
  const top = stack.length - 1;
  const word = stack[top]!;
  stack[top] = stack[top - distance]!;
  stack[top - distance] = word;
}
