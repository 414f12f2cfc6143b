import { MAX_STACK_SIZE } from "../gas-schedule.ts";
import { OP } from "../opcodes.ts";
import type { CodePaths, PathNode } from "./code-paths.ts";
import type { BasicBlock } from "./control-flow-graph.ts";
import type { PathFlow } from "./flow-of-paths.ts";

/** Where the words of the EVM's stack are when a node begins.
 *
 * Slots are counted from a base, which is the same for all nodes of a region: those between which the stack's height changes
 * by what their blocks do, on all ways. An edge between regions moves the base. */
export type NodePlan = {
  readonly region: number;
  /** Slots from the base, when the node begins; may be negative. */
  readonly height: number;
  /** The base is at least and at most so many words above the stack's bottom. */
  readonly lowestBase: number;
  readonly highestBase: number;
  /** The only node that leads here, in whose state it begins; undefined if there are several, or it is an entry. */
  readonly inherits: number | undefined;
  /** Slots whose words are in their locals, where the node does not inherit; ascending. */
  readonly inLocals: readonly number[];
  /** Those of them whose words in memory may be old. */
  readonly dirty: ReadonlySet<number>;
};

/** Words below the top that may be kept in locals from node to node. */
const WINDOW = 20;

export function planStacks(paths: CodePaths, flow: PathFlow): readonly NodePlan[] {
  const { nodes } = paths;
  const effects = nodes.map(({ block }) => effectOf(block));
  const regions = findRegions(paths, effects);
  const leading = findLeading(nodes, flow);
  const graph = { nodes, effects, leading, ...regions };
  const bases = findBases(graph, paths.anywhere !== undefined);
  const locals = findLocals(graph);
  return nodes.map(({ index }) => {
    const region = graph.regions[index]!;
    const { lowest, highest } = bases.get(region)!;
    return {
      region,
      height: graph.heights[index]!,
      lowestBase: lowest,
      highestBase: highest,
      inherits: leading[index]!.length === 1 ? leading[index]![0]! : undefined,
      inLocals: [...locals[index]!.kept].filter((slot) => lowest + slot >= 0).sort((a, b) => a - b),
      dirty: locals[index]!.dirty,
    };
  });
}

/** What a block does to the stack. Slots are counted from its top when the block begins. */
type StackEffect = {
  readonly change: number;
  /** Slots that it read or wrote, and that are there when it ends. */
  readonly touched: readonly number[];
  /** Those of them that hold another word than before. */
  readonly written: readonly number[];
};

function effectOf(block: BasicBlock): StackEffect {
  // Words by where they were when the block began; others are numbered from 0.
  const words: number[] = [];
  let borrowed = 0;
  let made = 0;
  const read = new Set<number>();
  const need = (count: number): void => {
    while (words.length < count) words.unshift(-++borrowed);
  };
  for (const { instruction } of block.instructions) {
    const { opcode, pops, pushes } = instruction;
    if (opcode >= OP.DUP1 && opcode <= OP.DUP16) {
      const distance = opcode - OP.DUP1 + 1;
      need(distance);
      const word = words[words.length - distance]!;
      read.add(word);
      words.push(word);
    } else if (opcode >= OP.SWAP1 && opcode <= OP.SWAP16) {
      const distance = opcode - OP.SWAP1 + 1;
      need(distance + 1);
      const top = words.length - 1;
      [words[top], words[top - distance]] = [words[top - distance]!, words[top]!];
    } else {
      need(pops);
      words.length -= pops;
      for (let i = 0; i < pushes; i++) words.push(made++);
    }
  }
  const touched: number[] = [];
  const written: number[] = [];
  for (const [position, word] of words.entries()) {
    const slot = position - borrowed;
    if (word !== slot || slot >= 0) written.push(slot);
    if (word !== slot || slot >= 0 || read.has(word)) touched.push(slot);
  }
  return { change: words.length - borrowed, touched, written };
}

type Regions = { readonly regions: Int32Array; readonly heights: Int32Array };

/** After so many attempts every node to which several lead begins a region. */
const MAX_ATTEMPTS = 50;

/** Follows all ways from the beginning. Where two ways come with different heights, a region begins, and all is done
 * again. */
function findRegions({ nodes, anywhere }: CodePaths, effects: readonly StackEffect[]): Regions {
  const roots = new Set<number>([0, ...(anywhere?.values() ?? [])]);
  for (let attempt = 0; ; attempt++) {
    const found = { regions: new Int32Array(nodes.length).fill(-1), heights: new Int32Array(nodes.length) };
    const conflicts = new Set<number>();
    for (const root of roots) {
      found.regions[root] = root;
      fillRegion(root, { nodes, effects, roots, conflicts, ...found });
    }
    if (conflicts.size === 0) return found;
    for (const node of conflicts) roots.add(node);
    if (attempt === MAX_ATTEMPTS) for (const node of meetingPoints(nodes)) roots.add(node);
  }
}

function fillRegion(
  root: number,
  {
    nodes,
    effects,
    roots,
    conflicts,
    regions,
    heights,
  }: Regions & {
    readonly nodes: readonly PathNode[];
    readonly effects: readonly StackEffect[];
    readonly roots: ReadonlySet<number>;
    readonly conflicts: Set<number>;
  },
): void {
  const open = [root];
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    const height = heights[from]! + effects[from]!.change;
    for (const to of nodesBehind(nodes[from]!)) {
      if (roots.has(to)) continue;
      if (regions[to] === -1) {
        regions[to] = root;
        heights[to] = height;
        open.push(to);
      } else if (regions[to] !== root || heights[to] !== height) conflicts.add(to);
    }
  }
}

/** With what follows a call. */
function nodesBehind({ next, targets }: PathNode): readonly number[] {
  return next === undefined ? [...targets.values()] : [next, ...targets.values()];
}

function meetingPoints(nodes: readonly PathNode[]): readonly number[] {
  const leading = new Int32Array(nodes.length);
  for (const node of nodes) for (const to of nodesBehind(node)) leading[to]!++;
  return nodes.filter(({ index }) => leading[index]! > 1).map(({ index }) => index);
}

type PathGraph = Regions & {
  readonly nodes: readonly PathNode[];
  readonly effects: readonly StackEffect[];
  readonly leading: readonly (readonly number[])[];
};

type BaseRange = { lowest: number; highest: number };
const EXACT_PASSES = 8;

/** By region: how high its base may be, from the edges by which regions are entered. */
function findBases(
  { nodes, effects, regions, heights }: PathGraph,
  beginsAnywhere: boolean,
): ReadonlyMap<number, BaseRange> {
  const bases = new Map<number, BaseRange>();
  for (const region of regions) {
    bases.set(
      region,
      beginsAnywhere
        ? { lowest: 0, highest: MAX_STACK_SIZE }
        : { lowest: region === 0 ? 0 : MAX_STACK_SIZE, highest: 0 },
    );
  }
  for (let pass = 0, changed = true; changed; pass++) {
    changed = false;
    for (const node of nodes) {
      const from = bases.get(regions[node.index]!)!;
      const height = heights[node.index]! + effects[node.index]!.change;
      for (const to of nodesBehind(node)) {
        if (regions[to] !== to) continue;
        const base = bases.get(to)!;
        const lowest = Math.max(0, from.lowest + height);
        const highest = Math.min(MAX_STACK_SIZE, from.highest + height);
        if (lowest >= base.lowest && highest <= base.highest) continue;
        // A recursion goes on for ever: it may end up anywhere.
        if (lowest < base.lowest) base.lowest = pass < EXACT_PASSES ? lowest : 0;
        if (highest > base.highest) base.highest = pass < EXACT_PASSES ? highest : MAX_STACK_SIZE;
        changed = true;
      }
    }
  }
  return bases;
}

/** By node: the nodes from which control comes; -1 for each entry. */
function findLeading(nodes: readonly PathNode[], { entries }: PathFlow): readonly (readonly number[])[] {
  const leading: number[][] = nodes.map(() => []);
  for (const { index, block, next, targets } of nodes) {
    if (next !== undefined && block.end !== "call") leading[next]!.push(index);
    for (const target of targets.values()) leading[target]!.push(index);
  }
  for (const node of entries) leading[node]!.push(ENTRY, ENTRY);
  return leading;
}

const ENTRY = -1;

/** Whether an edge stays in its region, so that locals keep what they hold. */
export function staysInRegion(
  from: { readonly region: number; readonly height: number },
  to: { readonly region: number; readonly height: number },
): boolean {
  return from.region === to.region && from.height === to.height;
}

type LocalSets = { readonly kept: Set<number>; readonly dirty: Set<number> };

/** What is in locals where a node begins: whatever is there on one of the ways to it. A way on which it is not there loads
 * it: such as before a loop, what the loop uses. */
function findLocals({ nodes, effects, regions, heights, leading }: PathGraph): readonly LocalSets[] {
  const before: LocalSets[] = nodes.map(() => ({ kept: new Set(), dirty: new Set() }));
  const open = nodes.map(({ index }) => index).reverse();
  const isOpen = new Uint8Array(nodes.length).fill(1);
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    isOpen[from] = 0;
    const node = nodes[from]!;
    if (node.block.end === "call") continue;
    const effect = effects[from]!;
    const after = runOnLocals(before[from]!, heights[from]!, effect);
    const height = heights[from]! + effect.change;
    for (const to of nodesBehind(node)) {
      if (!staysInRegion({ region: regions[from]!, height }, { region: regions[to]!, height: heights[to]! }))
        continue;
      const lowest = leading[to]!.length === 1 ? Number.NEGATIVE_INFINITY : height - WINDOW;
      if (!addAll(before[to]!, after, lowest) || isOpen[to] === 1) continue;
      isOpen[to] = 1;
      open.push(to);
    }
  }
  return before;
}

function runOnLocals(before: LocalSets, height: number, effect: StackEffect): LocalSets {
  const end = height + effect.change;
  const kept = new Set([...before.kept].filter((slot) => slot < end));
  const dirty = new Set([...before.dirty].filter((slot) => slot < end));
  for (const slot of effect.touched) kept.add(height + slot);
  for (const slot of effect.written) dirty.add(height + slot);
  return { kept, dirty };
}

/** @returns whether that changed anything. */
function addAll(to: LocalSets, from: LocalSets, lowest: number): boolean {
  const size = to.kept.size + to.dirty.size;
  for (const slot of from.kept) if (slot >= lowest) to.kept.add(slot);
  for (const slot of from.dirty) if (slot >= lowest) to.dirty.add(slot);
  return to.kept.size + to.dirty.size > size;
}
