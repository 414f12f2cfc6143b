import { must } from "@ostrom/base";
import type { Block, PlacedInstruction, RecoveredFunction } from "./recover-functions.ts";
import { ALL_REGISTERS, isCall, NO_REGISTERS, type RegisterSet, readsOf, writesOf } from "./register-use.ts";

/** How a function exchanges registers with those that call it.
 *
 * A closed function takes registers as parameters and gives them back as results. An open one calls what a register says, or
 * calls an open one: whenever a call of it begins or ends, all registers are in the work memory. */
export type FunctionInterface = {
  readonly isOpen: boolean;
  /** What it needs of registers when it begins. */
  readonly parameters: RegisterSet;
  /** What has to be given on when it ends: what it writes, or what the closed functions write that it calls. */
  readonly results: RegisterSet;
  /** All that it has locals for. */
  readonly tracked: RegisterSet;
  /** Whether it calls anything. */
  readonly calls: boolean;
};

export type Interfaces = ReadonlyMap<number, FunctionInterface>;

type Draft = { isOpen: boolean; parameters: RegisterSet; results: RegisterSet; own: RegisterSet };

/** Rounds after which functions that call each other are taken to use all registers. */
const MAX_ROUNDS = 30;

/** Finds what functions need and give, so that calls of each other carry no more. By entry. */
export function findInterfaces(functions: readonly RecoveredFunction[]): Interfaces {
  const drafts = new Map<number, Draft>(
    functions.map(({ entry, blocks }) => [
      entry,
      {
        isOpen: blocks.some(isOpenBlock),
        parameters: NO_REGISTERS,
        results: NO_REGISTERS,
        own: ownOf(blocks),
      },
    ]),
  );
  const callees = new Map(functions.map((one) => [one.entry, calleesOf(one, drafts)]));
  openCallers(drafts, callees);
  for (const one of functions) drafts.get(one.entry)!.results = writtenBy(one);
  settle(functions, drafts, (one, draft) => {
    for (const callee of callees.get(one.entry)!) {
      const other = drafts.get(callee)!;
      if (!other.isOpen) draft.results |= other.results;
    }
  });
  settle(functions, drafts, (one, draft) => {
    draft.parameters = neededBy(one, draft.results, drafts);
  });
  return new Map(
    functions.map(({ entry, blocks }) => {
      const { isOpen, parameters, results, own } = drafts.get(entry)!;
      let tracked = parameters | results | own;
      for (const callee of callees.get(entry)!) {
        const other = drafts.get(callee)!;
        if (!other.isOpen) tracked |= other.parameters;
      }
      const calls = callees.get(entry)!.length > 0 || blocks.some(isOpenBlock);
      return [entry, { isOpen, parameters, results, tracked, calls }];
    }),
  );
}

/** What calls an open function is open. */
function openCallers(
  drafts: ReadonlyMap<number, Draft>,
  callees: ReadonlyMap<number, readonly number[]>,
): void {
  const callers = new Map<number, number[]>([...drafts.keys()].map((entry) => [entry, []]));
  for (const [entry, called] of callees) for (const callee of called) callers.get(callee)!.push(entry);
  const work = [...drafts].filter(([, { isOpen }]) => isOpen).map(([entry]) => entry);
  for (let open = work.pop(); open !== undefined; open = work.pop()) {
    for (const caller of callers.get(open)!) {
      const draft = must(drafts.get(caller), "every function has a draft");
      if (draft.isOpen) continue;
      draft.isOpen = true;
      work.push(caller);
    }
  }
}

/** Repeats a step until no draft changes. */
function settle(
  functions: readonly RecoveredFunction[],
  drafts: ReadonlyMap<number, Draft>,
  step: (one: RecoveredFunction, draft: Draft) => void,
): void {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let hasChanged = false;
    // Callees mostly stand before their callers.
    for (const one of functions) {
      const draft = drafts.get(one.entry)!;
      const { parameters, results } = draft;
      step(one, draft);
      hasChanged ||= parameters !== draft.parameters || results !== draft.results;
    }
    if (!hasChanged) return;
  }
  for (const draft of drafts.values()) {
    draft.parameters = ALL_REGISTERS;
    draft.results = ALL_REGISTERS;
  }
}

/** Whether a block calls, or goes for good, where a register says. */
function isOpenBlock({ instructions, end }: Block): boolean {
  if (end.kind === "dispatch" && end.targets.length === 0) return true;
  return instructions.some(({ instruction, target }) => isCall(instruction) && target === undefined);
}

function ownOf(blocks: readonly Block[]): RegisterSet {
  let own = NO_REGISTERS;
  for (const { instructions } of blocks) {
    for (const { instruction } of instructions) own |= readsOf(instruction) | writesOf(instruction);
  }
  return own;
}

function writtenBy({ blocks }: RecoveredFunction): RegisterSet {
  let written = NO_REGISTERS;
  for (const { instructions } of blocks) {
    for (const { instruction } of instructions) written |= writesOf(instruction);
  }
  return written;
}

/** Compiled functions that a function calls or leaves to. */
function calleesOf({ blocks }: RecoveredFunction, known: ReadonlyMap<number, unknown>): number[] {
  const callees = new Set<number>();
  for (const { instructions, end } of blocks) {
    if (end.kind === "leave" && known.has(end.target)) callees.add(end.target);
    for (const { instruction, target } of instructions) {
      if (target !== undefined && isCall(instruction) && known.has(target)) callees.add(target);
    }
  }
  return [...callees];
}

/** Registers that are read before they are written, from the function's beginning on. Whatever leaves the function needs all
 * that it gives on. */
function neededBy(
  { blocks }: RecoveredFunction,
  results: RegisterSet,
  drafts: ReadonlyMap<number, Draft>,
): RegisterSet {
  const atStart = new Int32Array(blocks.length);
  const predecessors: number[][] = blocks.map(() => []);
  for (const [index, { successors }] of blocks.entries()) {
    for (const successor of successors) predecessors[successor]!.push(index);
  }
  const isWaiting = new Uint8Array(blocks.length).fill(1);
  const work = blocks.map((_, index) => index);
  for (let index = work.pop(); index !== undefined; index = work.pop()) {
    isWaiting[index] = 0;
    const block = blocks[index]!;
    let needed = neededAtEnd(block, results, drafts);
    for (const successor of block.successors) needed |= atStart[successor]!;
    for (let at = block.instructions.length - 1; at >= 0; at--) {
      needed = neededBefore(block.instructions[at]!, needed, results, drafts);
    }
    if (needed === atStart[index]) continue;
    atStart[index] = needed;
    for (const predecessor of predecessors[index]!) {
      if (isWaiting[predecessor] === 1) continue;
      isWaiting[predecessor] = 1;
      work.push(predecessor);
    }
  }
  return atStart[0] ?? NO_REGISTERS;
}

function neededAtEnd({ end }: Block, results: RegisterSet, drafts: ReadonlyMap<number, Draft>): RegisterSet {
  switch (end.kind) {
    case "return":
    case "escape":
      return results;
    case "leave": {
      const callee = drafts.get(end.target);
      return callee === undefined || callee.isOpen ? results : results | callee.parameters;
    }
    default:
      return NO_REGISTERS;
  }
}

function neededBefore(
  { instruction, target }: PlacedInstruction,
  after: RegisterSet,
  results: RegisterSet,
  drafts: ReadonlyMap<number, Draft>,
): RegisterSet {
  const reads = readsOf(instruction);
  const writes = writesOf(instruction);
  if (!isCall(instruction)) return (after & ~writes) | reads;
  const callee = target === undefined ? undefined : drafts.get(target);
  // An open call finds all in the work memory and leaves it there; one to nowhere leaves the function.
  if (callee === undefined || callee.isOpen) return (results & ~writes) | reads;
  return ((((after | results) & ~callee.results) | callee.parameters | results) & ~writes) | reads;
}
