import { assert, type Bytes, must } from "@ostrom/base";
import { type CodeBuilder, I32, I64, type Label, ModuleBuilder, V128 } from "@ostrom/wasm";
import { MAX_STACK_SIZE } from "../gas-schedule.ts";
import { instructionsOf } from "../instruction-set.ts";
import { STATUS } from "../runtime/exit-status.ts";
import { FRAME, STACK_BYTES, WORD_BYTES } from "../runtime/memory-layout.ts";
import { importMemory, importRuntime, RUNTIME_MODULE } from "../runtime/runtime-functions.ts";
import type { Fork } from "../types.ts";
import { blockCosts } from "./block-costs.ts";
import { type BasicBlock, buildControlFlowGraph, type ControlFlowGraph } from "./control-flow-graph.ts";
import {
  chargeConstant,
  type Emission,
  type FaultLabels,
  type FrameLocals,
  freeAllLocals,
  recycleLocals,
  writeBackStack,
} from "./emission.ts";
import { emitCall } from "./emit-host.ts";
import { emitInstruction } from "./emit-instruction.ts";
import { createSymbolicStack, resetStack } from "./symbolic-stack.ts";

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
  const entries = findEntries(graph);
  if (entries.size > MAX_ENTRIES) return { kind: "refused", reason: "too many entries" };
  const module = new ModuleBuilder();
  const runtime = importRuntime(module);
  const host = module.importFunction(RUNTIME_MODULE, HOST_FUNCTION, module.type([I32], [I32]));
  importMemory(module);
  const run = module.declareFunction(module.type([I32, I32], [I32]));
  module.export(RUN_FUNCTION, "function", run);
  let findEntry: number | undefined;
  const builder = module.begin(run);
  emitRun(builder, graph, {
    host,
    runtime,
    codeSize: code.length,
    entries,
    findEntry: () => {
      findEntry ??= emitFindEntry(module, graph, entries);
      return findEntry;
    },
  });
  const { length } = builder;
  module.finish(builder);
  if (length > MAX_MODULE_BYTES) return { kind: "refused", reason: "module too large" };
  return { kind: "compiled", bytes: module.encode() };
}

/** The beginning, what jumps may reach, and what follows a call; numbered in the order of the code. */
function findEntries({ blocks, jumpTargets }: ControlFlowGraph): ReadonlyMap<number, number> {
  const isEntry = new Set<number>([0, ...jumpTargets.values()]);
  for (const { index, end } of blocks) if (end === "call") isEntry.add(index + 1);
  return new Map([...isEntry].sort((a, b) => a - b).map((block, entry) => [block, entry]));
}

type Surroundings = Pick<Emission, "host" | "runtime" | "codeSize"> & {
  readonly entries: ReadonlyMap<number, number>;
  readonly findEntry: () => number;
};

/** One function: a loop around a table of all entries, in the order of the code. Each entry's block begins where the label
 * ends that the table has for it, so that going ahead is a plain branch, and only going back takes the table. */
function emitRun(code: CodeBuilder, graph: ControlFlowGraph, surroundings: Surroundings): void {
  const { host, runtime, codeSize, entries, findEntry } = surroundings;
  const locals = declareLocals(code);
  loadFrame(code, locals);
  const faults = openFaults(code);
  const loop = code.loop();
  // The last entry's label is the outermost.
  const labels: Label[] = Array.from({ length: entries.size }, () => code.block()).reverse();
  code.localGet(locals.entry).brTable(labels, must(labels[0], "there is always a first block"));
  const emission: Emission = {
    code,
    locals,
    faults,
    runtime,
    host,
    codeSize,
    dispatch: { loop, labels, entries, jumpTargets: graph.jumpTargets, findEntry },
    pool: { free: [], all: [] },
    stack: createSymbolicStack(),
    block: must(graph.blocks[0], "there is always a first block"),
    knownMemorySize: 0,
  };
  for (const block of graph.blocks) {
    if (entries.has(block.index)) code.end();
    emission.block = block;
    emitBlock(emission);
    if (code.length > MAX_MODULE_BYTES) break;
  }
  closeAll(code, faults);
}

function declareLocals(code: CodeBuilder): FrameLocals {
  return {
    frame: 0,
    entry: 1,
    stackTop: code.local(I32),
    memoryBase: code.local(I32),
    address: code.local(I32),
    length: code.local(I32),
    condition: code.local(I32),
    gas: code.local(I64),
    memorySize: code.local(I64),
    end: code.local(I64),
    vector: code.local(V128),
  };
}

function loadFrame(code: CodeBuilder, locals: FrameLocals): void {
  const { frame } = locals;
  code.localGet(frame).i32Load(FRAME.stackTop).i32Const(STACK_BYTES).i32Sub().localSet(locals.stackTop);
  code.localGet(frame).i32Load(FRAME.memoryBase).localSet(locals.memoryBase);
  code.localGet(frame).i64Load(FRAME.gas).localSet(locals.gas);
  code.localGet(frame).i64Load32U(FRAME.memorySize).localSet(locals.memorySize);
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

function emitBlock(emission: Emission): void {
  const { block, code, faults } = emission;
  // Any other block is reached from the one before it alone, and what was known there is known here.
  if (emission.dispatch.entries.has(block.index)) {
    emission.knownMemorySize = 0;
    freeAllLocals(emission);
    resetStack(emission.stack);
  }
  if (block.end === "invalid") {
    code.br(faults.invalidOpcode);
    return;
  }
  const { wordsNeeded, growth, segments } = blockCosts(block);
  checkStack(emission, wordsNeeded, growth);
  const gasAt = new Map(segments.map(({ from, gas }) => [from, gas]));
  for (const [place, placed] of block.instructions.entries()) {
    chargeConstant(emission, gasAt.get(place) ?? 0);
    recycleLocals(emission);
    const isLast = place === block.instructions.length - 1;
    if (isLast && block.end === "call") emitCall(emission, placed.instruction, entryAfter(emission, block));
    else emitInstruction(emission, placed);
  }
  if (block.end === "fall") writeBackStack(emission);
}

function entryAfter({ dispatch }: Emission, block: BasicBlock): number {
  return must(dispatch.entries.get(block.index + 1), "what follows a call must be an entry");
}

/** Faults if the stack has fewer words than the block takes, or no room for what it adds. */
function checkStack({ code, locals, faults }: Emission, wordsNeeded: number, growth: number): void {
  const empty = FRAME.stack - STACK_BYTES;
  const height = (): CodeBuilder => code.localGet(locals.stackTop).localGet(locals.frame).i32Sub();
  if (wordsNeeded > 0) {
    height()
      .i32Const(empty + wordsNeeded * WORD_BYTES)
      .i32LtS()
      .brIf(faults.stackUnderflow);
  }
  if (growth > 0) {
    height()
      .i32Const(empty + (MAX_STACK_SIZE - growth) * WORD_BYTES)
      .i32GtS()
      .brIf(faults.stackOverflow);
  }
}

/** (program counter) -> entry or -1: where a jump goes whose destination is known only when it runs. A tree of
 * comparisons. */
function emitFindEntry(
  module: ModuleBuilder,
  { jumpTargets }: ControlFlowGraph,
  entries: ReadonlyMap<number, number>,
): number {
  const targets = [...jumpTargets].map(([at, block]) => ({ at, entry: entries.get(block)! }));
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
