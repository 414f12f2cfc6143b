/** Nodes in an order in which a node comes before those that it dominates, and what dominates each. */
export type Dominators = {
  /** Nodes that can be reached, in reverse postorder. */
  readonly order: readonly number[];
  /** By node: its place in `order`, or -1 if it cannot be reached. */
  readonly place: Int32Array;
  /** By node: its immediate dominator; -1 for the entry and for what cannot be reached. */
  readonly dominator: Int32Array;
};

/** Finds dominators in nearly linear time, whatever the graph, and without recursion.
 * Source: Georgiadis, "Linear-Time Algorithms for Dominators and Related Problems" (2005), SEMI-NCA. */
export function findDominators(successors: readonly (readonly number[])[], entry: number): Dominators {
  const { preorder, number, parent, postorder } = search(successors, entry);
  const count = preorder.length;
  const predecessors: number[][] = Array.from({ length: count }, () => []);
  for (const node of preorder) {
    for (const target of successors[node]!) predecessors[number[target]!]!.push(number[node]!);
  }
  const forest = new Forest(count, parent);
  const semi = Int32Array.from({ length: count }, (_, index) => index);
  for (let node = count - 1; node > 0; node--) {
    for (const from of predecessors[node]!) {
      const candidate = semi[forest.leastAbove(from, node, semi)]!;
      if (candidate < semi[node]!) semi[node] = candidate;
    }
  }
  const above = Int32Array.from(parent);
  for (let node = 1; node < count; node++) {
    while (above[node]! > semi[node]!) above[node] = above[above[node]!]!;
  }
  const dominator = new Int32Array(successors.length).fill(-1);
  for (let node = 1; node < count; node++) dominator[preorder[node]!] = preorder[above[node]!]!;
  const order = postorder.reverse();
  const place = new Int32Array(successors.length).fill(-1);
  for (const [index, node] of order.entries()) place[node] = index;
  return { order, place, dominator };
}

type Search = {
  readonly preorder: number[];
  readonly postorder: number[];
  /** By node: its place in `preorder`, or -1. */
  readonly number: Int32Array;
  /** By place in `preorder`: the place of the node from which it was found. */
  readonly parent: Int32Array;
};

function search(successors: readonly (readonly number[])[], entry: number): Search {
  const number = new Int32Array(successors.length).fill(-1);
  const parent = new Int32Array(successors.length);
  const preorder: number[] = [entry];
  const postorder: number[] = [];
  const path = [entry];
  // How many successors have been looked at. The last comes first, so that the first ends up next to its predecessor.
  const looked = new Int32Array(successors.length);
  number[entry] = 0;
  while (path.length > 0) {
    const node = path[path.length - 1]!;
    const targets = successors[node]!;
    if (looked[node]! === targets.length) {
      postorder.push(node);
      path.pop();
      continue;
    }
    const target = targets[targets.length - 1 - looked[node]!]!;
    looked[node]!++;
    if (number[target] !== -1) continue;
    number[target] = preorder.length;
    parent[preorder.length] = number[node]!;
    preorder.push(target);
    path.push(target);
  }
  return { preorder, postorder, number, parent: parent.subarray(0, preorder.length) };
}

/** Answers which node between a node and the part of the search tree that is not yet processed has the least
 * semidominator, shortening the paths that it walks. */
class Forest {
  readonly #above: Int32Array;
  readonly #least: Int32Array;
  readonly #path: number[] = [];

  constructor(count: number, parent: Int32Array) {
    this.#above = Int32Array.from(parent);
    this.#least = Int32Array.from({ length: count }, (_, index) => index);
  }

  /** @param from a node; those numbered above `last` are processed. */
  leastAbove(from: number, last: number, semi: Int32Array): number {
    if (from <= last) return from;
    const path = this.#path;
    const above = this.#above;
    const least = this.#least;
    path.length = 0;
    for (let node = from; above[node]! > last; node = above[node]!) path.push(node);
    while (path.length > 0) {
      const node = path.pop()!;
      const next = above[node]!;
      if (semi[least[next]!]! < semi[least[node]!]!) least[node] = least[next]!;
      above[node] = above[next]!;
    }
    return least[from]!;
  }
}
