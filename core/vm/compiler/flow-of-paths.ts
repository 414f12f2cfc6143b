import type { CodePaths, PathNode } from "./code-paths.ts";

/** The graph that becomes blocks and loops of the function: a dispatcher, which goes to where the function is to begin or go
 * on; an entry for each such place; and the code's nodes. */
export type PathFlow = {
  readonly successors: readonly (readonly number[])[];
  /** Nodes of the code that the dispatcher may go to, by entry number. The first is the beginning of the code. */
  readonly entries: readonly number[];
  readonly entryOf: ReadonlyMap<number, number>;
};

export const DISPATCHER = 0;

/** In the flow graph. */
export function flowNodeOf(node: number): number {
  return 1 + node;
}

export function flowNodeOfEntry(paths: CodePaths, entry: number): number {
  return 1 + paths.nodes.length + entry;
}

/** Where a node of the code goes within the function: a call leaves it. In the flow graph, in this order. */
export function nodesAfter({ block, next, targets, goesAnywhere }: PathNode): readonly number[] {
  const after: number[] = next === undefined || block.end === "call" ? [] : [flowNodeOf(next)];
  for (const target of targets.values()) after.push(flowNodeOf(target));
  if (goesAnywhere) after.push(DISPATCHER);
  return after;
}

export function flowOf(paths: CodePaths): PathFlow {
  const { nodes, anywhere } = paths;
  const entries = new Set<number>([0]);
  for (const { block, next } of nodes) if (block.end === "call" && next !== undefined) entries.add(next);
  for (const node of anywhere?.values() ?? []) entries.add(node);
  const list = [...entries];
  return {
    entries: list,
    entryOf: new Map(list.map((node, entry) => [node, entry])),
    successors: [
      list.map((_, entry) => flowNodeOfEntry(paths, entry)),
      ...nodes.map(nodesAfter),
      ...list.map((node) => [flowNodeOf(node)]),
    ],
  };
}
