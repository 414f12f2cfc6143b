/** Sets of nodes that can all reach each other inside a region, each with more than one node or with an edge to itself.
 *
 * @param regionOf by node: edges between nodes of different regions do not count; -1: nowhere.
 * Source: Tarjan, "Depth-First Search and Linear Graph Algorithms" (1972), without recursion. */
export function findLoops(
  successors: readonly (readonly number[])[],
  nodes: readonly number[],
  regionOf: Int32Array,
): number[][] {
  const state: State = {
    successors,
    regionOf,
    index: new Int32Array(successors.length).fill(-1),
    low: new Int32Array(successors.length),
    looked: new Int32Array(successors.length),
    isOpen: new Uint8Array(successors.length),
    open: [],
    count: 0,
    loops: [],
  };
  for (const node of nodes) {
    if (state.index[node] === -1) visit(state, node);
  }
  return state.loops;
}

type State = {
  readonly successors: readonly (readonly number[])[];
  readonly regionOf: Int32Array;
  readonly index: Int32Array;
  readonly low: Int32Array;
  readonly looked: Int32Array;
  readonly isOpen: Uint8Array;
  readonly open: number[];
  count: number;
  readonly loops: number[][];
};

function visit(state: State, root: number): void {
  const { successors, regionOf, index, low, looked, isOpen } = state;
  const path = [root];
  enter(state, root);
  while (path.length > 0) {
    const node = path[path.length - 1]!;
    const targets = successors[node]!;
    if (looked[node]! < targets.length) {
      const target = targets[looked[node]!]!;
      looked[node]!++;
      if (regionOf[target] !== regionOf[node]) continue;
      if (index[target] === -1) {
        enter(state, target);
        path.push(target);
      } else if (isOpen[target] === 1) low[node] = Math.min(low[node]!, index[target]!);
      continue;
    }
    path.pop();
    const above = path[path.length - 1];
    if (above !== undefined) low[above] = Math.min(low[above]!, low[node]!);
    if (low[node] === index[node]) close(state, node);
  }
}

function enter(state: State, node: number): void {
  state.index[node] = state.count;
  state.low[node] = state.count;
  state.count++;
  state.isOpen[node] = 1;
  state.open.push(node);
}

function close(state: State, root: number): void {
  const component: number[] = [];
  for (;;) {
    const node = state.open.pop()!;
    state.isOpen[node] = 0;
    component.push(node);
    if (node === root) break;
  }
  if (component.length > 1 || state.successors[root]!.includes(root)) state.loops.push(component);
}
