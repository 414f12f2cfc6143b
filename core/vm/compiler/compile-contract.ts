import { assert, type Bytes, must } from "@ostrom/base";
import { type CodeBuilder, I32, I64, ModuleBuilder, V128 } from "@ostrom/wasm";
import { emitControlFlow, type FlowExits, type FlowPlan, planControlFlow } from "../control-flow/index.ts";
import { MAX_STACK_SIZE } from "../gas-schedule.ts";
import { instructionsOf } from "../instruction-set.ts";
import { STATUS } from "../runtime/exit-status.ts";
import { FRAME, STACK_BYTES, WORD_BYTES } from "../runtime/memory-layout.ts";
import { importMemory, importRuntime, RUNTIME_MODULE } from "../runtime/runtime-functions.ts";
import { REVERSED_LANES } from "../runtime/runtime-memory.ts";
import type { Fork } from "../types.ts";
import { blockCosts } from "./block-costs.ts";
import { type CodePaths, findCodePaths, type PathNode } from "./code-paths.ts";
import { buildControlFlowGraph } from "./control-flow-graph.ts";
import {
  chargeConstant,
  type Emission,
  type FaultLabels,
  type FrameLocals,
  freeDeadLocals,
  recycleLocals,
} from "./emission.ts";
import {
  type Departure,
  type Dispatch,
  emitBranch,
  emitEntry,
  emitFall,
  emitJump,
  stackOnArrival,
} from "./emit-edges.ts";
import { emitCall } from "./emit-host.ts";
import { emitInstruction } from "./emit-instruction.ts";
import { createSlotFunctions } from "./emit-storage.ts";
import { DISPATCHER, flowNodeOf, flowNodeOfEntry, flowOf, type PathFlow } from "./flow-of-paths.ts";
import { mergeChains } from "./merge-chains.ts";
import { type NodePlan, planStacks } from "./stack-plan.ts";
import { createSymbolicStack } from "./symbolic-stack.ts";

/** Code with more entries, or that becomes more WebAssembly than this, is left to the reference: V8 would take too long
 * over it. Only how fast the code runs depends on these, never what it does. */
export const MAX_ENTRIES = 4096;
export const MAX_MODULE_BYTES: number = 2 ** 20;

export const HOST_FUNCTION = "host";
export const RUN_FUNCTION = "run";

/** Code as a WebAssembly module, or why it is not compiled. */
export type Compilation =
  | { readonly kind: "compiled"; readonly bytes: Bytes }
  | { readonly kind: "refused"; readonly reason: RefusalReason };

/** All opcodes are compiled: only size refuses, and V8 itself, should it ever (that would be a bug here, but no reason to
 * have a wrong result or none). */
export type RefusalReason = "too many entries" | "module too large" | "refused by V8";

/** Compiles EVM code by the rules of a fork. The module imports the runtime's functions and `host`, and exports
 * `run(frame, entry) -> status` (see exit-status.ts); entry 0 is the beginning. */
export function compileContract(code: Bytes, fork: Fork): Compilation {
  const graph = buildControlFlowGraph(code, instructionsOf(fork));
  const found = findCodePaths(graph);
  if (found === undefined) return { kind: "refused", reason: "too many entries" };
  const paths = mergeChains(found);
  const flow = flowOf(paths);
  if (flow.entries.length > MAX_ENTRIES) return { kind: "refused", reason: "too many entries" };
  const flowPlan = planControlFlow({ entry: DISPATCHER, successors: flow.successors });
  if (flowPlan === undefined) return { kind: "refused", reason: "too many entries" };
  const module = new ModuleBuilder();
  const runtime = importRuntime(module);
  const host = module.importFunction(RUNTIME_MODULE, HOST_FUNCTION, module.type([I32], [I32]));
  importMemory(module);
  const run = module.declareFunction(module.type([I32, I32], [I32]));
  module.export(RUN_FUNCTION, "function", run);
  let findEntry: number | undefined;
  const builder = module.begin(run);
  const dispatch: Dispatch = {
    paths,
    flow,
    plans: planStacks(paths, flow),
    arrivals: new Map(),
    homes: new Map(),
    jumpTargets: graph.jumpTargets,
    findEntry: () => {
      findEntry ??= emitFindEntry(module, paths, flow);
      return findEntry;
    },
  };
  const slotFunctions = createSlotFunctions(module, runtime, host);
  emitRun(builder, flowPlan, { host, runtime, slotFunctions, bytecode: code, dispatch });
  const { length } = builder;
  module.finish(builder);
  if (length > MAX_MODULE_BYTES) return { kind: "refused", reason: "module too large" };
  return { kind: "compiled", bytes: module.encode() };
}

/** One function: the flow of the code as blocks and loops, around which lie the blocks that end with a fault. */
function emitRun(
  code: CodeBuilder,
  flowPlan: FlowPlan,
  surroundings: Pick<Emission, "host" | "runtime" | "slotFunctions" | "bytecode" | "dispatch">,
): void {
  const locals = declareLocals(code);
  loadFrame(code, locals);
  const faults = openFaults(code);
  const emission: Emission = {
    ...surroundings,
    code,
    locals,
    faults,
    pool: { free: [], all: [] },
    stack: createSymbolicStack(0),
    products: new WeakMap(),
    knownMemorySize: 0,
  };
  const isReducible = flowPlan.helpers.length === 0;
  emitControlFlow(code, flowPlan, (flowNode, exits) => {
    if (code.length > MAX_MODULE_BYTES) code.unreachable();
    else emitFlowNode(emission, flowNode, exits, isReducible);
  });
  closeAll(code, faults);
}

function emitFlowNode(emission: Emission, flowNode: number, exits: FlowExits, isReducible: boolean): void {
  const { code, locals, dispatch } = emission;
  const { paths, flow, plans } = dispatch;
  if (flowNode === DISPATCHER) {
    const last = flow.entries.length - 1;
    if (last === 0) exits.jump(0);
    else {
      code.localGet(locals.entry);
      exits.jumpTable(
        Array.from({ length: last }, (_, entry) => entry),
        last,
      );
    }
    return;
  }
  const node = paths.nodes[flowNode - flowNodeOf(0)];
  if (node === undefined) {
    emitEntry(emission, must(flow.entries[flowNode - flowNodeOfEntry(paths, 0)], "an entry"), exits);
    return;
  }
  const plan = must(plans[node.index], "every node has a plan");
  const arrival = dispatch.arrivals.get(node.index);
  if (arrival === undefined && (isReducible || plan.inherits !== undefined)) {
    // What was to lead here knows better.
    code.unreachable();
    return;
  }
  emission.stack = plan.inherits === undefined ? stackOnArrival(emission, plan) : arrival!.stack;
  // A loop is entered at its head, whatever comes later; unless it has several entries.
  emission.knownMemorySize = isReducible || plan.inherits !== undefined ? (arrival?.knownMemorySize ?? 0) : 0;
  freeDeadLocals(emission);
  emitNode(emission, { node, plan, exits, successors: must(flow.successors[flowNode], "its successors") });
}

function declareLocals(code: CodeBuilder): FrameLocals {
  return {
    frame: 0,
    entry: 1,
    stackBase: code.local(I32),
    memoryBase: code.local(I32),
    address: code.local(I32),
    length: code.local(I32),
    gas: code.local(I64),
    memorySize: code.local(I64),
    end: code.local(I64),
    vector: code.local(V128),
    reversed: code.local(V128),
  };
}

function loadFrame(code: CodeBuilder, locals: FrameLocals): void {
  const { frame } = locals;
  code.localGet(frame).i32Load(FRAME.stackTop).i32Const(STACK_BYTES).i32Sub().localSet(locals.stackBase);
  code.localGet(frame).i32Load(FRAME.memoryBase).localSet(locals.memoryBase);
  code.localGet(frame).i64Load(FRAME.gas).localSet(locals.gas);
  code.localGet(frame).i64Load32U(FRAME.memorySize).localSet(locals.memorySize);
  code.v128Const(REVERSED_LANES).localSet(locals.reversed);
}

/** From the innermost. */
const FAULTS: readonly (keyof FaultLabels)[] = [
  "outOfGas",
  "stackUnderflow",
  "stackOverflow",
  "invalidJump",
  "invalidOpcode",
  "endedByHost",
];

function openFaults(code: CodeBuilder): FaultLabels {
  const labels = FAULTS.map(() => code.block()).reverse();
  return Object.fromEntries(FAULTS.map((name, place) => [name, labels[place]])) as FaultLabels;
}

/** Ends the loop (and what of it a break left open), then gives each fault its status. */
function closeAll(code: CodeBuilder, faults: FaultLabels): void {
  while (code.depth > faults.outOfGas) code.end();
  code.unreachable();
  for (const name of FAULTS) {
    assert(code.depth === faults[name], "faults are closed in the order in which they lie");
    code.end().i32Const(STATUS[name]).return();
  }
  code.unreachable();
}

function emitNode(emission: Emission, departure: Departure): void {
  const { code, faults } = emission;
  const { node, plan } = departure;
  const { block } = node;
  if (block.end === "invalid") {
    code.br(faults.invalidOpcode);
    return;
  }
  const { wordsNeeded, growth, segments } = blockCosts(block);
  if (!checkStack(emission, plan, wordsNeeded, growth)) return;
  const gasAt = new Map(segments.map(({ from, gas }) => [from, gas]));
  for (const [place, placed] of block.instructions.entries()) {
    chargeConstant(emission, gasAt.get(place) ?? 0);
    recycleLocals(emission);
    const isLast = place === block.instructions.length - 1;
    if (!isLast) emitInstruction(emission, placed);
    else if (block.end === "call") emitCall(emission, placed.instruction, entryAfter(emission, node));
    else if (block.end === "jump") emitJump(emission, departure);
    else if (block.end === "branch") emitBranch(emission, departure);
    else emitInstruction(emission, placed);
  }
  if (block.end === "fall") emitFall(emission, departure);
}

function entryAfter({ dispatch }: Emission, { next }: PathNode): number {
  return must(dispatch.flow.entryOf.get(next ?? -1), "what follows a call must be an entry");
}

/** Faults if the stack has fewer words than the block takes, or no room for what it adds, unless the plan tells that it
 * has. @returns false if it cannot go on. */
function checkStack(
  { code, locals, faults }: Emission,
  { height, lowestBase, highestBase }: NodePlan,
  wordsNeeded: number,
  growth: number,
): boolean {
  const empty = FRAME.stack - STACK_BYTES;
  const base = (): CodeBuilder => code.localGet(locals.stackBase).localGet(locals.frame).i32Sub();
  const needed = wordsNeeded - height;
  if (highestBase < needed) {
    code.br(faults.stackUnderflow);
    return false;
  }
  if (lowestBase < needed) {
    base()
      .i32Const(empty + needed * WORD_BYTES)
      .i32LtS()
      .brIf(faults.stackUnderflow);
  }
  const most = MAX_STACK_SIZE - height - growth;
  if (lowestBase > most) {
    code.br(faults.stackOverflow);
    return false;
  }
  if (highestBase > most) {
    base()
      .i32Const(empty + most * WORD_BYTES)
      .i32GtS()
      .brIf(faults.stackOverflow);
  }
  return true;
}

/** (program counter) -> entry or -1: where a jump goes whose destination is known only when it runs. A tree of
 * comparisons. */
function emitFindEntry(module: ModuleBuilder, { anywhere }: CodePaths, { entryOf }: PathFlow): number {
  const targets = [...(anywhere ?? [])].map(([at, node]) => ({ at, entry: entryOf.get(node)! }));
  return module.function(module.type([I32], [I32]), (code) => emitSearch(code, targets));
}

function emitSearch(code: CodeBuilder, targets: readonly { at: number; entry: number }[]): void {
  const [only] = targets;
  if (only === undefined) {
    code.i32Const(-1);
    return;
  }
  if (targets.length === 1) {
    code.i32Const(only.entry).i32Const(-1).localGet(0).i32Const(only.at).i32Eq().select();
    return;
  }
  const middle = targets.length >> 1;
  code.localGet(0).i32Const(targets[middle]!.at).i32LtU().if(I32);
  emitSearch(code, targets.slice(0, middle));
  code.else();
  emitSearch(code, targets.slice(middle));
  code.end();
}
