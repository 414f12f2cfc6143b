import type { CodePaths, PathNode } from "./code-paths.ts";
import type { PlacedInstruction } from "./control-flow-graph.ts";

/** Makes one node of those that always run one after the other, so that gas and stack are checked once for all of them. A JUMP
 * between them stays, as an instruction that only takes its destination off the stack. */
export function mergeChains({ nodes, anywhere }: CodePaths): CodePaths {
  const leading = countLeading(nodes, anywhere?.values() ?? []);
  const followers = nodes.map((node) => onlyFollower(node, leading));
  const isFollower = new Uint8Array(nodes.length);
  for (const follower of followers) if (follower !== undefined) isFollower[follower] = 1;
  const heads = nodes.filter(({ index }) => isFollower[index] === 0);
  const places = new Map(heads.map(({ index }, place) => [index, place]));
  const placeOf = (node: number): number => places.get(node)!;
  return {
    nodes: heads.map((head, index) => {
      const chain = chainFrom(head, nodes, followers);
      const last = chain[chain.length - 1]!;
      const instructions = chain.length === 1 ? head.block.instructions : joinInstructions(chain);
      return {
        index,
        block: { index: head.block.index, instructions, end: last.block.end },
        next: last.next === undefined ? undefined : placeOf(last.next),
        targets: new Map([...last.targets].map(([at, node]) => [at, placeOf(node)])),
        mayFail: last.mayFail,
        goesAnywhere: last.goesAnywhere,
      };
    }),
    anywhere: anywhere && new Map([...anywhere].map(([at, node]) => [at, placeOf(node)])),
  };
}

/** By node: how many ways lead to it. The beginning, what follows a call, and what is reached from anywhere count as many. */
function countLeading(nodes: readonly PathNode[], entries: Iterable<number>): Int32Array {
  const leading = new Int32Array(nodes.length);
  leading[0] = 2;
  for (const entry of entries) leading[entry]! += 2;
  for (const { block, next, targets } of nodes) {
    if (next !== undefined) leading[next]! += block.end === "call" ? 2 : 1;
    for (const target of targets.values()) leading[target]!++;
  }
  return leading;
}

function onlyFollower(
  { block, next, targets, mayFail, goesAnywhere }: PathNode,
  leading: Int32Array,
): number | undefined {
  const only = block.end === "fall" ? next : block.end === "jump" ? [...targets.values()][0] : undefined;
  if (only === undefined || leading[only] !== 1) return undefined;
  return targets.size > 1 || mayFail || goesAnywhere ? undefined : only;
}

function chainFrom(
  head: PathNode,
  nodes: readonly PathNode[],
  followers: readonly (number | undefined)[],
): readonly PathNode[] {
  const chain = [head];
  for (let next = followers[head.index]; next !== undefined; next = followers[next]) chain.push(nodes[next]!);
  return chain;
}

function joinInstructions(chain: readonly PathNode[]): readonly PlacedInstruction[] {
  return chain.flatMap(({ block }) => block.instructions);
}
