import { must } from "@ostrom/base";
import type { BasicBlock, ControlFlowGraph, PlacedInstruction } from "./control-flow-graph.ts";
import {
  type AbstractStack,
  DestinationSets,
  joinStacks,
  runAbstractly,
  type ValueId,
} from "./jump-destinations.ts";

/** A block where it stands on the ways that code may run. Small functions have a node for each place that calls them, so
 * that where they return to is known. */
export type PathNode = {
  readonly index: number;
  readonly block: BasicBlock;
  /** The node that follows if the block does not jump, or when its call is done. */
  next: number | undefined;
  /** The node of each destination (a program counter) that its jump may have. */
  readonly targets: Map<number, number>;
  /** Its jump may have a destination that is none. */
  mayFail: boolean;
  /** Its jump may go to any JUMPDEST. */
  goesAnywhere: boolean;
};

export type CodePaths = {
  /** The first is the beginning of the code. All can be reached, as far as is known. */
  readonly nodes: readonly PathNode[];
  /** Nodes of all destinations, by program counter, if a jump may go anywhere. */
  readonly anywhere: ReadonlyMap<number, number> | undefined;
};

/** Functions of at most so many instructions are copied to where they are called. */
const MAX_COPIED_FUNCTION = 48;
/** Ends (a revert, say) of at most so many are copied to where they are reached. */
const MAX_COPIED_END = 16;
const MAX_COPY_DEPTH = 24;
/** Instructions that may be copied in all: as many as the code has, and some, but V8 takes its time over large functions. */
const FREE_COPIES = 500;
const MAX_COPIES = 2500;
/** How often instructions are looked at, each, before it is given up: graphs for which this is not enough are made to be
 * difficult. */
const MAX_VISITS_EACH = 40;
const FREE_VISITS = 100_000;

/** Finds out where jumps go, by running the code on what is known of the stack: which words are constants.
 * @returns undefined if it would take too long. */
export function findCodePaths(graph: ControlFlowGraph): CodePaths | undefined {
  return new PathFinder(graph).find();
}

class PathFinder {
  readonly #graph: ControlFlowGraph;
  readonly #sets: DestinationSets;
  readonly #nodes: PathNode[] = [];
  readonly #depths: number[] = [];
  readonly #before: (AbstractStack | undefined)[] = [];
  /** Node by block, where it has one for all ways. */
  readonly #shared = new Map<number, number>();
  /** By node: its own copies, by block. */
  readonly #copies: Map<number, number>[] = [];
  readonly #sizes: (number | undefined)[] = [];
  readonly #queue: number[] = [];
  readonly #isQueued: boolean[] = [];
  #copiesLeft: number;
  #visitsLeft: number;
  #anywhere: Map<number, number> | undefined;

  constructor(graph: ControlFlowGraph) {
    this.#graph = graph;
    this.#sets = new DestinationSets(graph.jumpTargets);
    const count = graph.blocks.reduce((sum, { instructions }) => sum + instructions.length, 0);
    this.#copiesLeft = Math.min(FREE_COPIES + count, MAX_COPIES);
    this.#visitsLeft = FREE_VISITS + MAX_VISITS_EACH * count;
  }

  find(): CodePaths | undefined {
    this.#reach(this.#sharedNode(0), []);
    // In the order in which they were found, so that most of what leads to a node is known when it is looked at.
    for (let at = 0; at < this.#queue.length; at++) {
      const node = this.#queue[at]!;
      this.#isQueued[node] = false;
      this.#visit(node);
      if (this.#visitsLeft < 0) return undefined;
    }
    return { nodes: this.#nodes, anywhere: this.#anywhere };
  }

  #visit(index: number): void {
    const node = this.#nodes[index]!;
    const { block } = node;
    const stack = must(this.#before[index], "a node is looked at when it was reached").slice();
    this.#visitsLeft -= block.instructions.length + 1;
    const destination = runAbstractly(stack, block, this.#sets);
    if (block.end === "fall" || block.end === "branch" || block.end === "call") {
      node.next = this.#nodeFor(index, block.index + 1);
      this.#reach(node.next, stack);
    }
    if (destination !== undefined) this.#jump(node, destination, stack);
  }

  #jump(node: PathNode, destination: ValueId, stack: AbstractStack): void {
    const destinations = this.#sets.destinationsOf(destination);
    if (destinations === undefined) {
      node.goesAnywhere = true;
      this.#reachAll();
      return;
    }
    for (const { at, block } of destinations.valid) {
      const target = this.#nodeFor(node.index, block);
      node.targets.set(at, target);
      this.#reach(target, stack);
    }
    if (destinations.mayFail) node.mayFail = true;
  }

  #reachAll(): void {
    if (this.#anywhere !== undefined) return;
    this.#anywhere = new Map();
    for (const [at, block] of this.#graph.jumpTargets) {
      const node = this.#sharedNode(block);
      this.#anywhere.set(at, node);
      this.#reach(node, []);
    }
  }

  #reach(node: number, stack: AbstractStack): void {
    const known = this.#before[node];
    const joined = known === undefined ? stack.slice() : joinStacks(known, stack, this.#sets);
    if (joined === undefined) return;
    this.#before[node] = joined;
    if (this.#isQueued[node]) return;
    this.#isQueued[node] = true;
    this.#queue.push(node);
  }

  #nodeFor(from: number, block: number): number {
    const copies = this.#copies[from]!;
    const copy = copies.get(block);
    if (copy !== undefined) return copy;
    const size = this.#graph.blocks[block]!.instructions.length;
    const depth = this.#depths[from]! + 1;
    if (!this.#isCopied(block) || depth > MAX_COPY_DEPTH || this.#copiesLeft < size)
      return this.#sharedNode(block);
    this.#copiesLeft -= size;
    const node = this.#add(block, depth);
    copies.set(block, node);
    return node;
  }

  #sharedNode(block: number): number {
    const known = this.#shared.get(block);
    if (known !== undefined) return known;
    const node = this.#add(block, 0);
    this.#shared.set(block, node);
    return node;
  }

  #add(block: number, depth: number): number {
    const index = this.#nodes.length;
    this.#nodes.push({
      index,
      block: this.#graph.blocks[block]!,
      next: undefined,
      targets: new Map(),
      mayFail: false,
      goesAnywhere: false,
    });
    this.#depths.push(depth);
    this.#copies.push(new Map());
    return index;
  }

  #isCopied(block: number): boolean {
    const { end } = this.#graph.blocks[block]!;
    const limit = end === "halt" || end === "invalid" ? MAX_COPIED_END : MAX_COPIED_FUNCTION;
    return this.#sizeOf(block) <= limit;
  }

  /** Instructions from a block to where its function returns or the frame ends, on all ways; beyond any limit if there is a
   * loop or a call in it. */
  #sizeOf(block: number, depth = 0): number {
    const known = this.#sizes[block];
    if (known !== undefined) return known;
    const { instructions, end } = this.#graph.blocks[block]!;
    let size = instructions.length;
    // A loop comes back here while this stands.
    this.#sizes[block] = Number.POSITIVE_INFINITY;
    if (end === "call" || size + depth > MAX_COPIED_FUNCTION) return Number.POSITIVE_INFINITY;
    if (end === "jump" || end === "branch") {
      const target = this.#pushedTarget(instructions);
      if (target !== undefined) size += this.#sizeOf(target, depth + 1);
    }
    if (end === "fall" || end === "branch") size += this.#sizeOf(block + 1, depth + 1);
    this.#sizes[block] = size;
    return size;
  }

  #pushedTarget(instructions: readonly PlacedInstruction[]): number | undefined {
    const pushed = instructions[instructions.length - 2]?.pushed;
    return pushed === undefined ? undefined : this.#graph.jumpTargets.get(Number(pushed));
  }
}
