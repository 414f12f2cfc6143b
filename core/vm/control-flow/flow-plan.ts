import { findDominators } from "./dominators.ts";
import { type Helper, withSingleEntryLoops } from "./single-entry-loops.ts";

/** Nodes are numbered from 0; each lists where control may go from it. A node may be listed twice; what cannot be reached
 * from the entry is not emitted. */
export type FlowGraph = {
  readonly entry: number;
  readonly successors: readonly (readonly number[])[];
};

/** How a graph becomes blocks and loops inside each other. */
export type FlowPlan = {
  readonly entry: number;
  /** With the helpers' own, behind those of the graph. */
  readonly successors: readonly (readonly number[])[];
  /** The nodes behind those of the graph. */
  readonly helpers: readonly Helper[];
  /** By node: its place in an order in which only edges that begin a loop again go back. -1: it is not emitted. */
  readonly place: Int32Array;
  /** By node: whether it begins a loop. */
  readonly isLoop: Uint8Array;
  /** By node: what stands behind it, each behind the end of a block, in their order. */
  readonly following: readonly (readonly number[])[];
  /** By node: whether its only predecessor goes nowhere else, so that it needs no block. */
  readonly isInline: Uint8Array;
};

/** Loops inside each other. */
export const MAX_LOOP_DEPTH = 64;
/** Blocks and loops that are open at once. Compilers of WebAssembly keep a record of all locals for each. */
export const MAX_OPEN_BLOCKS = 2000;

/** Finds blocks and loops for a graph. Any graph has them; the time is nearly linear.
 * @returns undefined if they lie deeper inside each other than the limits allow.
 * Source: Ramsey, "Beyond Relooper" (ICFP 2022). Loops with several entries, for which that paper splits nodes, get a node
 * that dispatches by a local. */
export function planControlFlow(graph: FlowGraph): FlowPlan | undefined {
  const reached = findDominators(graph.successors, graph.entry).order;
  const reducible = withSingleEntryLoops(graph.successors, reached, MAX_LOOP_DEPTH);
  if (reducible === undefined) return undefined;
  const { successors, helpers } = reducible;
  const { order, place, dominator } = findDominators(successors, graph.entry);
  const isLoop = new Uint8Array(successors.length);
  const edgesInto = new Int32Array(successors.length);
  for (const node of order) {
    for (const target of successors[node]!) {
      edgesInto[target]!++;
      if (place[target]! <= place[node]!) isLoop[target] = 1;
    }
  }
  const isInline = new Uint8Array(successors.length);
  const following: number[][] = Array.from({ length: successors.length }, () => []);
  for (const node of order) {
    const above = dominator[node]!;
    if (above === -1) continue;
    if (edgesInto[node] === 1 && successors[above]!.length === 1) isInline[node] = 1;
    else following[above]!.push(node);
  }
  const plan: FlowPlan = { entry: graph.entry, successors, helpers, place, isLoop, following, isInline };
  return openBlocks(plan, order, dominator) > MAX_OPEN_BLOCKS ? undefined : plan;
}

/** The most blocks and loops that are open at once. */
function openBlocks(plan: FlowPlan, order: readonly number[], dominator: Int32Array): number {
  const around = new Int32Array(plan.successors.length);
  let most = 0;
  for (const node of order) {
    const above = dominator[node]!;
    if (above !== -1 && plan.isInline[node] === 1) {
      around[node] = around[above]! + plan.isLoop[above]! + plan.following[above]!.length;
    }
    const inside = around[node]! + plan.isLoop[node]!;
    const behind = plan.following[node]!;
    for (const [index, follower] of behind.entries()) around[follower] = inside + behind.length - 1 - index;
    most = Math.max(most, inside + behind.length);
  }
  return most;
}
