import { must } from "@ostrom/base";
import { I64 } from "@ostrom/wasm";
import type { FlowExits } from "../control-flow/index.ts";
import { WORD_BYTES } from "../runtime/memory-layout.ts";
import type { CodePaths, PathNode } from "./code-paths.ts";
import { type Emission, pushLimb, writeBackStack } from "./emission.ts";
import { DISPATCHER, flowNodeOf, type PathFlow } from "./flow-of-paths.ts";
import { pushClamped, pushOr } from "./limb-operations.ts";
import { type NodePlan, staysInRegion } from "./stack-plan.ts";
import {
  copyStack,
  createSymbolicStack,
  heightOf,
  pop,
  type SymbolicStack,
  wordAt,
  wordInMemory,
} from "./symbolic-stack.ts";
import { constantOf, type Limb, localLimb, NO_SLOT, type Word } from "./word-value.ts";

/** What is known where a node begins. */
export type Arrival = { readonly stack: SymbolicStack; readonly knownMemorySize: number };

/** Where jumps go. */
export type Dispatch = {
  readonly paths: CodePaths;
  readonly flow: PathFlow;
  readonly plans: readonly NodePlan[];
  /** By node: what its only predecessor left, or what all that were emitted have in common. */
  readonly arrivals: Map<number, Arrival>;
  /** First of four locals, by slot modulo HOMES. */
  readonly homes: Map<number, number>;
  /** Block by program counter. */
  readonly jumpTargets: ReadonlyMap<number, number>;
  /** Finds the function (program counter) -> entry, or -1 if no jump may land there. */
  readonly findEntry: () => number;
};

/** The node that is being emitted, and how to leave it. */
export type Departure = {
  readonly node: PathNode;
  readonly plan: NodePlan;
  readonly exits: FlowExits;
  /** In the order of `exits`. */
  readonly successors: readonly number[];
};

/** More than any two slots are apart that are in locals at a time. */
const HOMES = 64;

/** The local of a slot's limb, in which nodes that several lead to look for it. */
function homeLocal({ code, dispatch }: Emission, slot: number, limb: number): number {
  const place = ((slot % HOMES) + HOMES) % HOMES;
  let first = dispatch.homes.get(place);
  if (first === undefined) {
    first = code.locals(I64, 4);
    dispatch.homes.set(place, first);
  }
  return first + limb;
}

/** The stack as a node finds it that several lead to. */
export function stackOnArrival(emission: Emission, plan: NodePlan): SymbolicStack {
  const lowest = Math.min(plan.height, ...plan.inLocals);
  const inLocals = new Set(plan.inLocals);
  const stack = createSymbolicStack(lowest);
  for (let slot = lowest; slot < plan.height; slot++) {
    const inMemory = wordInMemory(slot);
    const word = inMemory.map(
      (limb, place): Limb => ({
        ...localLimb(homeLocal(emission, slot, place), 64),
        slot: plan.dirty.has(slot) ? NO_SLOT : limb.slot,
      }),
    );
    stack.words.push(inLocals.has(slot) ? (word as unknown as Word) : inMemory);
  }
  return stack;
}

/** Brings the stack, which nobody else needs any more, to where a node looks for it; `from` is the region of the node that
 * is left. */
export function emitEdge(emission: Emission, from: Pick<NodePlan, "region">, to: number): void {
  const { code, dispatch, stack } = emission;
  const plan = must(dispatch.plans[to], "every node has a plan");
  const arrival = dispatch.arrivals.get(to);
  if (plan.inherits !== undefined) {
    dispatch.arrivals.set(to, { stack, knownMemorySize: emission.knownMemorySize });
    return;
  }
  const knownMemorySize = Math.min(emission.knownMemorySize, arrival?.knownMemorySize ?? Infinity);
  dispatch.arrivals.set(to, { stack: createSymbolicStack(0), knownMemorySize });
  const height = heightOf(stack);
  const stays = staysInRegion({ region: from.region, height }, plan);
  const inLocals = new Set(plan.inLocals);
  // All are read before anything is written, in memory or in locals.
  const moved: number[] = [];
  for (const slot of plan.inLocals) {
    const word = wordAt(stack, slot - plan.height + height);
    for (const [place, limb] of word.entries()) {
      const home = homeLocal(emission, slot, place);
      if (limb.constant === undefined && limb.local === home) continue;
      pushLimb(emission, limb);
      moved.push(home);
    }
  }
  writeBackStack(emission, stays ? (slot) => inLocals.has(slot) && plan.dirty.has(slot) : undefined);
  for (const home of moved.reverse()) code.localSet(home);
  moveBase(emission, height - plan.height);
}

export function moveBase({ code, locals }: Emission, words: number): void {
  if (words === 0) return;
  code
    .localGet(locals.stackBase)
    .i32Const(words * WORD_BYTES)
    .i32Add()
    .localSet(locals.stackBase);
}

function goTo(emission: Emission, { plan, exits, successors }: Departure, node: number): void {
  emitEdge(emission, plan, node);
  exits.jump(successors.indexOf(flowNodeOf(node)));
}

export function emitFall(emission: Emission, departure: Departure): void {
  goTo(emission, departure, must(departure.node.next, "a block that falls has one behind it"));
}

export function emitJump(emission: Emission, departure: Departure): void {
  emitDestination(emission, departure, pop(emission.stack));
}

/** JUMPI. */
export function emitBranch(emission: Emission, departure: Departure): void {
  const { code, dispatch, stack } = emission;
  const destination = pop(stack);
  pushCondition(emission, pop(stack));
  const only = onlyTarget(departure.node, destination);
  if (only !== undefined && dispatch.plans[only]!.inherits !== undefined) {
    // Nothing is to be done on the way.
    dispatch.arrivals.set(only, { stack: copyStack(stack), knownMemorySize: emission.knownMemorySize });
    departure.exits.jumpIf(departure.successors.indexOf(flowNodeOf(only)));
  } else {
    code.if();
    const { knownMemorySize } = emission;
    emission.stack = copyStack(stack);
    emitDestination(emission, departure, destination);
    emission.stack = stack;
    emission.knownMemorySize = knownMemorySize;
    code.end();
  }
  emitFall(emission, departure);
}

/** Puts an i32 on WebAssembly's stack that is not 0 if the word is not. */
function pushCondition(emission: Emission, word: Word): void {
  pushOr(emission, word);
  emission.code.i64Eqz().i32Eqz();
}

/** The node to which a jump goes, if there is one that it must go to. */
function onlyTarget({ targets, mayFail, goesAnywhere }: PathNode, destination: Word): number | undefined {
  const constant = constantOf(destination);
  if (constant !== undefined) return targets.get(Number(constant));
  if (mayFail || goesAnywhere || targets.size !== 1) return undefined;
  return [...targets.values()][0];
}

function emitDestination(emission: Emission, departure: Departure, destination: Word): void {
  const { code, faults, locals } = emission;
  const { node } = departure;
  const only = onlyTarget(node, destination);
  if (only !== undefined) {
    goTo(emission, departure, only);
    return;
  }
  if (node.goesAnywhere) {
    goAnywhere(emission, departure, destination);
    return;
  }
  if (node.targets.size === 0 || constantOf(destination) !== undefined) {
    code.br(faults.invalidJump);
    return;
  }
  pushClamped(emission, destination);
  code.localSet(locals.end);
  const targets = [...node.targets].sort(([a], [b]) => a - b);
  emitChoice(emission, departure, targets);
}

/** A tree of comparisons. */
function emitChoice(
  emission: Emission,
  departure: Departure,
  targets: readonly (readonly [at: number, node: number])[],
): void {
  const { code, locals, faults, stack } = emission;
  const [first] = targets;
  if (targets.length === 1) {
    const [at, node] = must(first, "there is one");
    if (departure.node.mayFail) code.localGet(locals.end).i64Const(at).i64Ne().brIf(faults.invalidJump);
    emission.stack = copyStack(stack);
    goTo(emission, departure, node);
    emission.stack = stack;
    return;
  }
  const middle = targets.length >> 1;
  code.localGet(locals.end).i64Const(targets[middle]![0]).i64LtU().if();
  emitChoice(emission, departure, targets.slice(0, middle));
  code.end();
  emitChoice(emission, departure, targets.slice(middle));
}

/** By the dispatcher. */
function goAnywhere(emission: Emission, { exits, successors }: Departure, destination: Word): void {
  const { code, locals, dispatch, faults, stack, bytecode } = emission;
  pushClamped(emission, destination);
  code.localSet(locals.end);
  writeBackStack(emission);
  moveBase(emission, heightOf(stack));
  code.localGet(locals.end).i64Const(bytecode.length).i64GeU().brIf(faults.invalidJump);
  code.localGet(locals.end).i32WrapI64().call(dispatch.findEntry()).localTee(locals.entry);
  code.i32Const(0).i32LtS().brIf(faults.invalidJump);
  exits.jump(successors.indexOf(DISPATCHER));
}

/** From the dispatcher, with the base at the top of the stack and all words in memory, to a node. */
export function emitEntry(emission: Emission, to: number, exits: FlowExits): void {
  const { height, region } = must(emission.dispatch.plans[to], "every node has a plan");
  moveBase(emission, -height);
  emission.stack = createSymbolicStack(height);
  emission.knownMemorySize = 0;
  emitEdge(emission, { region }, to);
  exits.jump(0);
}
