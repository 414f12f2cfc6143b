import { findLoops } from "./strong-components.ts";

/** A graph in which every loop is entered at one node only. */
export type SingleEntryGraph = {
  /** As given, but that edges into a loop with several entries lead to helpers; the helpers' own follow. */
  readonly successors: readonly (readonly number[])[];
  /** The nodes behind those given. */
  readonly helpers: readonly Helper[];
};

/** A `choose` remembers which of a loop's entries is meant, and goes on to the loop's `dispatch`, which goes there. */
export type Helper = { readonly kind: "choose"; readonly choice: number } | { readonly kind: "dispatch" };

type Loop = { readonly nodes: readonly number[]; readonly entries: number[] };

const NOWHERE = -1;

/** Gives every loop that has several entries a new node as its only one.
 * @param nodes that can be reached; the graph begins at the first.
 * @param maxDepth of loops inside each other: the time grows with it.
 * @returns undefined if loops lie deeper. */
export function withSingleEntryLoops(
  given: readonly (readonly number[])[],
  nodes: readonly number[],
  maxDepth: number,
): SingleEntryGraph | undefined {
  const successors: number[][] = given.map(() => []);
  for (const node of nodes) successors[node] = [...given[node]!];
  const helpers: Helper[] = [];
  let regions: (readonly number[])[] = [nodes];
  for (let depth = 0; regions.length > 0; depth++) {
    if (depth > maxDepth) return undefined;
    const region = numberSets(successors.length, regions);
    const loops: Loop[] = findLoops(successors, regions.flat(), region).map((loop) => ({
      nodes: loop,
      entries: [],
    }));
    const loopOf = numberSets(
      successors.length,
      loops.map((loop) => loop.nodes),
    );
    findEntries(successors, nodes[0]!, loops, loopOf);
    redirectEntries(successors, loops, loopOf, helpers);
    // A loop with one entry is opened by leaving that out; of one with several, all edges to the entries are gone.
    regions = loops.map(({ nodes: inside, entries }) =>
      entries.length > 1 ? inside : inside.filter((node) => node !== entries[0]),
    );
    regions = regions.filter((inside) => inside.length > 0);
  }
  return { successors, helpers };
}

/** By node: in which set it is. */
function numberSets(count: number, sets: readonly (readonly number[])[]): Int32Array {
  const numbers = new Int32Array(count).fill(NOWHERE);
  for (const [index, set] of sets.entries()) for (const node of set) numbers[node] = index;
  return numbers;
}

/** An entry is what an edge from outside leads to. No such edge leads into a loop in which the graph begins: whatever
 * reaches it is reached from it. */
function findEntries(
  successors: readonly (readonly number[])[],
  start: number,
  loops: readonly Loop[],
  loopOf: Int32Array,
): void {
  const isEntry = new Uint8Array(successors.length);
  for (const [node, targets] of successors.entries()) {
    for (const target of targets) {
      const loop = loopOf[target]!;
      if (loop === NOWHERE || loop === loopOf[node] || isEntry[target] === 1) continue;
      isEntry[target] = 1;
      loops[loop]!.entries.push(target);
    }
  }
  for (const { entries } of loops) if (entries.length === 0) entries.push(start);
}

function redirectEntries(
  successors: number[][],
  loops: readonly Loop[],
  loopOf: Int32Array,
  helpers: Helper[],
): void {
  const add = (helper: Helper, targets: number[]): number => {
    helpers.push(helper);
    return successors.push(targets) - 1;
  };
  // A chooser serves all edges to an entry from inside the loop, another all from outside: one for both would lie inside
  // the loop and be another entry of it.
  const choosers = new Map<number, { readonly inside: number; readonly outside: number }>();
  const count = successors.length;
  for (const { entries } of loops) {
    if (entries.length < 2) continue;
    const dispatch = add({ kind: "dispatch" }, entries);
    for (const [choice, entry] of entries.entries()) {
      const choose: Helper = { kind: "choose", choice };
      choosers.set(entry, { inside: add(choose, [dispatch]), outside: add(choose, [dispatch]) });
    }
  }
  if (choosers.size === 0) return;
  for (let node = 0; node < count; node++) {
    const targets = successors[node]!;
    for (const [index, target] of targets.entries()) {
      const chooser = choosers.get(target);
      if (chooser === undefined) continue;
      targets[index] = loopOf[node] === loopOf[target] ? chooser.inside : chooser.outside;
    }
  }
}
