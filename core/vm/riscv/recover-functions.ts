import { must } from "@ostrom/base";
import { findCodePointers } from "./code-pointers.ts";
import { type Instruction, isBranch, SP } from "./instruction.ts";
import { endsPath, isComputedJump, isReturn, type Text, targetOf } from "./text.ts";

/** A part of a program that becomes a function of WebAssembly. */
export type RecoveredFunction = {
  readonly entry: number;
  /** The first is where the function begins. */
  readonly blocks: readonly Block[];
};

export type PlacedInstruction = {
  readonly pc: number;
  readonly instruction: Instruction;
  /** Where it leads, if it is a branch, a jump or a call to what the text itself says. */
  readonly target: number | undefined;
};

/** Instructions that run one after the other; calls are among them. */
export type Block = {
  readonly instructions: readonly PlacedInstruction[];
  readonly end: BlockEnd;
  /** Numbers of blocks: of a branch the one it leads to, then the one behind it; of a dispatch all that it may lead to, in
   * the order of `targets`, then one that leaves. */
  readonly successors: readonly number[];
};

export type BlockEnd =
  | { readonly kind: "branch"; readonly instruction: Instruction }
  | { readonly kind: "jump" }
  /** To another function, or to what is no code. */
  | { readonly kind: "leave"; readonly target: number }
  | { readonly kind: "return"; readonly instruction: Instruction }
  | { readonly kind: "dispatch"; readonly instruction: Instruction; readonly targets: readonly number[] }
  /** Behind a dispatch: to where the register said. */
  | { readonly kind: "escape" }
  | { readonly kind: "trap" };

export type RecoveredProgram = {
  readonly functions: readonly RecoveredFunction[];
  /** Entries whose addresses the program knows as numbers. */
  readonly pointers: readonly number[];
};

/** Code that belongs to several functions is emitted for each: all together have at most so many instructions for each of the
 * text. What is looked at for functions that then turn out to be too large counts as well. */
const MAX_COPIES = 3;
/** Entries of all tables of jumps, for each instruction of the text; and those besides. */
const MAX_TABLE_COPIES = 4;
const FREE_TABLE_ENTRIES = 16_384;
const MAX_FUNCTION_INSTRUCTIONS = 8000;
/** Of a table of jumps: what lies between its first and its last target, in bytes. */
const MAX_DISPATCH_RANGE = 8192;
/** Of one program. */
const MAX_FUNCTIONS = 4000;
const ROUNDS = 4;
/** Stands for addresses of blocks that are at none. No branch leads as far down. */
const NOWHERE = -(2 ** 40);

/** Finds functions: what is called, and what addresses of code lead to. Whatever is not found, or is too much, is left to the
 * interpreter. */
export function recoverFunctions(text: Text): RecoveredProgram {
  const pointers = findCodePointers(text);
  const entries = new Set([text.image.entry]);
  const dispatchTargets = new Set<number>();
  let reached = explore(text, entries, dispatchTargets);
  for (const pointer of pointers.inCode) if (!reached.seen.has(pointer)) entries.add(pointer);
  for (let round = 0; round < ROUNDS; round++) {
    reached = explore(text, entries, dispatchTargets);
    const before = entries.size + dispatchTargets.size;
    const sorted = [...entries].sort((a, b) => a - b);
    const dispatching = new Set(reached.computedJumps.map((pc) => ownerOf(sorted, pc)));
    for (const pointer of pointers.inTables) {
      if (entries.has(pointer)) continue;
      if (dispatching.has(ownerOf(sorted, pointer)) && !beginsFrame(text, pointer))
        dispatchTargets.add(pointer);
      else if (!reached.seen.has(pointer) && text.at(pointer).operation !== "illegal") entries.add(pointer);
    }
    if (entries.size + dispatchTargets.size === before) break;
  }
  const functions = buildFunctions(
    text,
    entries,
    [...dispatchTargets].sort((a, b) => a - b),
  );
  const known = new Set([...pointers.inTables, ...pointers.inCode]);
  return { functions, pointers: functions.map(({ entry }) => entry).filter((entry) => known.has(entry)) };
}

type Reached = { readonly seen: ReadonlySet<number>; readonly computedJumps: readonly number[] };

/** Follows all paths; adds to the entries what is called. */
function explore(text: Text, entries: Set<number>, dispatchTargets: ReadonlySet<number>): Reached {
  const seen = new Set<number>();
  const computedJumps: number[] = [];
  const work = [...entries, ...dispatchTargets];
  for (let start = work.pop(); start !== undefined; start = work.pop()) {
    let previous: number | undefined;
    for (let pc = start; text.has(pc) && !seen.has(pc); ) {
      seen.add(pc);
      const instruction = text.at(pc);
      const target = targetOf(text, pc, previous);
      if (target !== undefined && text.has(target)) {
        work.push(target);
        if (instruction.rd !== 0) entries.add(target);
      }
      if (isComputedJump(instruction) && target === undefined) computedJumps.push(pc);
      if (endsPath(instruction)) break;
      previous = pc;
      pc += instruction.size;
    }
  }
  return { seen, computedJumps };
}

/** The greatest of the ascending entries that is not above. */
function ownerOf(sorted: readonly number[], pc: number): number | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= pc) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}

function beginsFrame(text: Text, pc: number): boolean {
  const { operation, rd, rs1, immediate } = text.at(pc);
  return operation === "addi" && rd === SP && rs1 === SP && immediate < 0;
}

function buildFunctions(
  text: Text,
  entries: ReadonlySet<number>,
  dispatchTargets: readonly number[],
): RecoveredFunction[] {
  const sorted = [...entries].sort((a, b) => a - b);
  const most = Math.ceil(text.image.text.bytes.length / 2);
  const budget: Budget = {
    instructions: MAX_COPIES * most,
    tableEntries: MAX_TABLE_COPIES * most + FREE_TABLE_ENTRIES,
  };
  const functions: RecoveredFunction[] = [];
  let first = 0;
  for (const [index, entry] of sorted.entries()) {
    if (!text.has(entry)) continue;
    if (functions.length === MAX_FUNCTIONS || budget.instructions <= 0) break;
    const end = sorted[index + 1] ?? Number.POSITIVE_INFINITY;
    while (first < dispatchTargets.length && dispatchTargets[first]! < entry) first++;
    let last = first;
    while (last < dispatchTargets.length && dispatchTargets[last]! < end) last++;
    const inside = dispatchTargets.slice(first, last);
    const builder = new FunctionBuilder(text, entries, entry, inside);
    if (builder.findLeaders(budget)) functions.push(builder.build(budget));
  }
  return functions;
}

/** What is left of the work that one program may make; each function takes its share. */
type Budget = { instructions: number; tableEntries: number };

class FunctionBuilder {
  readonly #text: Text;
  readonly #entries: ReadonlySet<number>;
  readonly #entry: number;
  readonly #targets: readonly number[];
  /** Of a table for the targets. */
  readonly #tableEntries: number;
  /** Whether the targets belong to the function. */
  #hasDispatch = false;
  readonly #leaders = new Set<number>();
  readonly #numbers = new Map<number, number>();
  readonly #pending: number[] = [];
  readonly #blocks: Block[] = [];

  constructor(text: Text, entries: ReadonlySet<number>, entry: number, targets: readonly number[]) {
    this.#text = text;
    this.#entries = entries;
    this.#entry = entry;
    const range = (targets[targets.length - 1] ?? 0) - (targets[0] ?? 0);
    this.#targets = range <= MAX_DISPATCH_RANGE ? targets : [];
    this.#tableEntries = range / 2 + 1;
  }

  /** Whether a path that comes there stays in the function. */
  #isInside(pc: number): boolean {
    return pc === this.#entry || (this.#text.has(pc) && !this.#entries.has(pc));
  }

  /** @returns whether the function is small enough. What it takes to tell is taken from the budget in any case. */
  findLeaders(budget: Budget): boolean {
    const limit = Math.min(budget.instructions, MAX_FUNCTION_INSTRUCTIONS);
    const seen = this.#explore(limit);
    budget.instructions -= seen.size;
    if (seen.size > limit) return false;
    for (const pc of seen) if (this.#isMeeting(pc, seen)) this.#leaders.add(pc);
    return true;
  }

  /** @returns the instructions of the function; one more than the limit if there are too many. */
  #explore(limit: number): ReadonlySet<number> {
    const seen = new Set<number>();
    const work: number[] = [];
    const lead = (pc: number): void => {
      if (!this.#isInside(pc) || this.#leaders.has(pc)) return;
      this.#leaders.add(pc);
      work.push(pc);
    };
    lead(this.#entry);
    for (let start = work.pop(); start !== undefined; start = work.pop()) {
      let previous: number | undefined;
      for (let pc = start; this.#isInside(pc) && !seen.has(pc); ) {
        seen.add(pc);
        if (seen.size > limit) return seen;
        const instruction = this.#text.at(pc);
        const next = pc + instruction.size;
        const target = targetOf(this.#text, pc, previous);
        if (isBranch(instruction.operation)) lead(next);
        if (target !== undefined && instruction.rd === 0) lead(target);
        else if (isComputedJump(instruction) && !this.#hasDispatch) {
          this.#hasDispatch = true;
          for (const other of this.#targets) lead(other);
        }
        if (endsPath(instruction)) break;
        previous = pc;
        pc = next;
      }
    }
    return seen;
  }

  /** Whether two ways of reading the same bytes meet in an instruction. */
  #isMeeting(pc: number, seen: ReadonlySet<number>): boolean {
    const isBehind = (size: number): boolean => seen.has(pc - size) && this.#text.at(pc - size).size === size;
    return isBehind(2) && isBehind(4);
  }

  build(budget: Budget): RecoveredFunction {
    this.#number(this.#entry);
    for (const pc of this.#pending) this.#buildBlock(pc, budget);
    return { entry: this.#entry, blocks: this.#blocks };
  }

  /** The number of the block that begins there, or of one that leaves to there. */
  #number(pc: number): number {
    const known = this.#numbers.get(pc);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(pc, number);
    this.#pending.push(pc);
    return number;
  }

  #buildBlock(start: number, budget: Budget): void {
    if (start <= NOWHERE) {
      this.#blocks.push({ instructions: [], end: { kind: "escape" }, successors: [] });
      return;
    }
    if (!this.#isInside(start)) {
      this.#blocks.push({ instructions: [], end: { kind: "leave", target: start }, successors: [] });
      return;
    }
    const instructions: PlacedInstruction[] = [];
    for (let pc = start; ; ) {
      const instruction = this.#text.at(pc);
      const next = pc + instruction.size;
      const target = targetOf(this.#text, pc, instructions[instructions.length - 1]?.pc);
      instructions.push({ pc, instruction, target });
      const end = this.#endAt(instruction, target, next, budget);
      if (end !== undefined) {
        this.#blocks.push({ instructions, ...end });
        return;
      }
      if (this.#leaders.has(next) || !this.#isInside(next)) {
        this.#blocks.push({ instructions, end: { kind: "jump" }, successors: [this.#number(next)] });
        return;
      }
      pc = next;
    }
  }

  /** How an instruction ends its block, if it does. */
  #endAt(
    instruction: Instruction,
    target: number | undefined,
    next: number,
    budget: Budget,
  ): Pick<Block, "end" | "successors"> | undefined {
    if (isBranch(instruction.operation)) {
      const taken = this.#number(must(target, "a branch has a target"));
      return { end: { kind: "branch", instruction }, successors: [taken, this.#number(next)] };
    }
    if (!endsPath(instruction)) return undefined;
    if (instruction.operation === "illegal") return { end: { kind: "trap" }, successors: [] };
    if (target !== undefined) return { end: { kind: "jump" }, successors: [this.#number(target)] };
    if (isReturn(instruction)) return { end: { kind: "return", instruction }, successors: [] };
    const targets = this.#tableFor(budget);
    const successors = targets.map((to) => this.#number(to));
    successors.push(this.#escape());
    return { end: { kind: "dispatch", instruction, targets }, successors };
  }

  /** The targets for one more table; none if there is no room for it: then the jump leaves the function. */
  #tableFor(budget: Budget): readonly number[] {
    if (!this.#hasDispatch || budget.tableEntries < this.#tableEntries) return [];
    budget.tableEntries -= this.#tableEntries;
    return this.#targets;
  }

  /** A block that is at no address: one for each dispatch. */
  #escape(): number {
    return this.#number(NOWHERE - this.#numbers.size);
  }
}

export function successorsOf({ blocks }: RecoveredFunction): (readonly number[])[] {
  return blocks.map((block) => must(block, "blocks are numbered without gaps").successors);
}
