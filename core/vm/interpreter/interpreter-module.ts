import { assert, type Bytes, must } from "@ostrom/base";
import { type CodeBuilder, I32, type Label, ModuleBuilder } from "@ostrom/wasm";
import { FORKS } from "../fork-rules.ts";
import { instructionsOf } from "../instruction-set.ts";
import { STATUS } from "../runtime/exit-status.ts";
import { importMemory, importRuntime, RUNTIME_MODULE } from "../runtime/runtime-functions.ts";
import { ENDED_BY_HOST } from "./cold-function.ts";
import { emitAnalysis } from "./emit-analysis.ts";
import { emitInstructions } from "./emitters.ts";
import { declareLocals, type ExitLabels, type Loop, loadFrame } from "./interpreter-loop.ts";
import { SEQUENCES, type Sequence } from "./sequences.ts";

export const HOST_FUNCTION = "host";
/** Names of what the module exports. */
export const EXPORT = { run: "run", analyse: "analyse", joinSequences: "joinSequences" } as const;

/** The interpreter as a WebAssembly module. It imports the runtime's functions and `host`. It is the same for all forks:
 * what a fork does not have is not in the images of its code. */
export function encodeInterpreter(): Bytes {
  const module = new ModuleBuilder();
  const runtime = importRuntime(module);
  const host = module.importFunction(RUNTIME_MODULE, HOST_FUNCTION, module.type([I32], [I32]));
  importMemory(module);
  const { analyse, joinSequences } = emitAnalysis(module);
  module.export(EXPORT.analyse, "function", analyse);
  module.export(EXPORT.joinSequences, "function", joinSequences);
  const run = module.declareFunction(module.type([I32, I32], [I32]));
  module.export(EXPORT.run, "function", run);
  module.define(run, (code) => emitRun(code, { module, runtime, host }));
  return module.encode();
}

const OPCODES = 256;

/** From the innermost. */
const EXITS: readonly (keyof ExitLabels)[] = [
  "outOfGas",
  "stackUnderflow",
  "stackOverflow",
  "invalidJump",
  "invalidOpcode",
];

/** One function: a loop around a table of all opcodes. */
function emitRun(code: CodeBuilder, surroundings: Pick<Loop, "module" | "runtime" | "host">): void {
  const locals = declareLocals(code);
  loadFrame(code, locals);
  const labels = EXITS.map(() => code.block()).reverse();
  const exits = Object.fromEntries(EXITS.map((name, place) => [name, labels[place]])) as ExitLabels;
  const next = code.loop();
  const entries = allEntries();
  const opcodeLabels = new Map<number, Label>();
  for (const { opcode } of entries.toReversed()) opcodeLabels.set(opcode, code.block());
  const loop: Loop = { code, locals, exits, next, ...surroundings };
  const table = Array.from(
    { length: OPCODES },
    (_, opcode) => opcodeLabels.get(opcode) ?? exits.invalidOpcode,
  );
  code.localGet(locals.counter).i32Load8U().brTable(table, exits.invalidOpcode);
  for (const { opcode, instructions } of entries) {
    assert(code.depth === opcodeLabels.get(opcode), "instructions follow each other as their labels lie");
    code.end();
    emitInstructions(loop, instructions);
  }
  code.end().unreachable();
  closeExits(loop);
}

/** What an image has opcodes for: the instructions of all forks, each once, and sequences. */
function allEntries(): readonly Sequence[] {
  const newest = must(FORKS[FORKS.length - 1], "there is a fork");
  const single = instructionsOf(newest).filter((instruction) => instruction !== undefined);
  return [
    ...single.map((instruction) => ({ opcode: instruction.opcode, instructions: [instruction] })),
    ...SEQUENCES,
  ];
}

function closeExits({ code, locals, exits }: Loop): void {
  for (const name of EXITS) {
    assert(code.depth === exits[name], "exits are closed in the order in which they lie");
    code.end();
    code.i32Const(STATUS[name]);
    if (name === "outOfGas") {
      code.i32Const(STATUS.endedByHost).localGet(locals.gas).i64Const(ENDED_BY_HOST).i64Ne().select();
    }
    code.return();
  }
  code.unreachable();
}
