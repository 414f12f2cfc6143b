import { must } from "@ostrom/base";
import { type CodeBuilder, I32, I64, ModuleBuilder } from "@ostrom/wasm";
import { MAX_PROGRAM_PAGES, STATIC_STACK_SLOTS } from "../contract-host/program-gas.ts";
import { type FlowPlan, planControlFlow } from "../control-flow/index.ts";
import { compileWasm, isCompileError, type WasmModule } from "../runtime/webassembly.ts";
import { type Compilation, type CompiledFunction, emitLoadFuel, emitStoreFuel } from "./compilation.ts";
import { closedSignature, closedType, openType, slotsOf } from "./compiled-signature.ts";
import { type RiscvImage, readElf } from "./elf.ts";
import { FunctionEmission } from "./emit-function.ts";
import { findInterfaces } from "./function-interfaces.ts";
import { type RecoveredFunction, recoverFunctions, successorsOf } from "./recover-functions.ts";
import { RegisterFile } from "./register-file.ts";
import { Text } from "./text.ts";
import { HOST_IMPORT, MAX_WORK_PAGES, MEMORY_IMPORT, PROGRAM_MODULE, WORK_MODULE } from "./work-area.ts";

/** A program in WebAssembly. */
export type CompiledProgram = {
  readonly module: WasmModule;
  /** Where compiled code may be entered: the number of the entry by its pc. */
  readonly entries: ReadonlyMap<number, number>;
  /** Of the module, before V8 compiled it. */
  readonly emittedBytes: number;
};

/** (number of an entry) -> pc at which to go on. */
export const COMPILED_EXPORT = "enter";

/** What V8 compiles in a second or so. */
const MAX_MODULE_BYTES = 8 * 1024 * 1024;

type Planned = { readonly recovered: RecoveredFunction; readonly plan: FlowPlan };

/** Compiles what can be of a program. @returns undefined if that is nothing, or too much. */
export function compileProgram(image: RiscvImage): CompiledProgram | undefined {
  const emitted = emitProgram(image);
  if (emitted === undefined || emitted.bytes.length > MAX_MODULE_BYTES) return undefined;
  try {
    const { bytes, entries } = emitted;
    return { module: compileWasm(bytes), entries, emittedBytes: bytes.length };
  } catch (error) {
    if (isCompileError(error)) return undefined;
    throw error;
  }
}

/** As `compileProgram`, from a file: for a thread that compiles for others. What it gives can be posted to them. */
export function compileRiscv(file: Uint8Array): CompiledProgram | undefined {
  const image = readElf(file);
  return image.ok ? compileProgram(image.value) : undefined;
}

/** The module for a program, before V8 sees it. */
export function emitProgram(
  image: RiscvImage,
): { readonly bytes: Uint8Array; readonly entries: ReadonlyMap<number, number> } | undefined {
  const { functions, pointers } = recoverFunctions(new Text(image));
  const planned: Planned[] = [];
  for (const recovered of functions) {
    const plan = planControlFlow({ entry: 0, successors: successorsOf(recovered) });
    if (plan !== undefined) planned.push({ recovered, plan });
  }
  if (planned.length === 0) return undefined;
  return new ProgramEmission(planned, pointers).emit();
}

class ProgramEmission {
  readonly #module = new ModuleBuilder();
  readonly #planned: readonly Planned[];
  readonly #pointers: readonly number[];

  constructor(planned: readonly Planned[], pointers: readonly number[]) {
    this.#planned = planned;
    this.#pointers = pointers;
  }

  emit(): { readonly bytes: Uint8Array; readonly entries: ReadonlyMap<number, number> } {
    const module = this.#module;
    const hostIndex = module.importFunction(WORK_MODULE, HOST_IMPORT, module.type([], [I32]));
    module.importMemory(PROGRAM_MODULE, MEMORY_IMPORT, { minimum: 1, maximum: MAX_PROGRAM_PAGES });
    module.importMemory(WORK_MODULE, MEMORY_IMPORT, { minimum: 1, maximum: MAX_WORK_PAGES });
    const functions = this.#declareFunctions();
    const pointerIndex = module.declareFunction(module.type([I32, I32], [I32]));
    const pointerSlots = Math.max(0, ...this.#pointers.map((pointer) => functions.get(pointer)?.slots ?? 0));
    const compilation: Compilation = { functions, hostIndex, pointerIndex, pointerSlots };
    for (const { recovered, plan } of this.#planned) {
      const compiled = must(functions.get(recovered.entry), "what was planned was declared");
      module.define(compiled.index, (code) => {
        new FunctionEmission(code, recovered, compiled, compilation).emit(plan);
      });
      if (!compiled.face.isOpen) module.define(compiled.openIndex, (code) => emitOpening(code, compiled));
    }
    this.#definePointerCall(compilation);
    const entries = this.#defineEntry([...functions.values()]);
    return { bytes: module.encode(), entries };
  }

  #declareFunctions(): ReadonlyMap<number, CompiledFunction> {
    const module = this.#module;
    const faces = findInterfaces(this.#planned.map(({ recovered }) => recovered));
    const functions = new Map<number, CompiledFunction>();
    for (const [entry, face] of faces) {
      const open = openType(module);
      const index = module.declareFunction(face.isOpen ? open : closedType(module, closedSignature(face)));
      const openIndex = face.isOpen ? index : module.declareFunction(open);
      functions.set(entry, { entry, face, index, openIndex, slots: slotsOf(face) });
    }
    return functions;
  }

  /** Finds the function by bisection: addresses that are known are few. */
  #definePointerCall({ functions, pointerIndex }: Compilation): void {
    const known = this.#pointers.filter((pointer) => functions.has(pointer)).sort((a, b) => a - b);
    this.#module.define(pointerIndex, (code) => {
      const search = (from: number, to: number): void => {
        if (to - from === 1) {
          const { entry, openIndex } = must(functions.get(known[from]!), "it is known");
          code.localGet(0).i32Const(entry).i32Eq().if();
          code.localGet(1).call(openIndex).return().end();
          return;
        }
        const middle = (from + to) >> 1;
        code.localGet(0).i32Const(known[middle]!).i32LtU().if();
        search(from, middle);
        code.else();
        search(middle, to);
        code.end();
      };
      if (known.length > 0) search(0, known.length);
      code.localGet(0);
    });
  }

  #defineEntry(functions: readonly CompiledFunction[]): ReadonlyMap<number, number> {
    const module = this.#module;
    module.table({ minimum: functions.length, maximum: functions.length });
    module.elements(
      0,
      functions.map(({ openIndex }) => openIndex),
    );
    module.function(
      module.type([I32], [I32]),
      (code) => {
        code.i32Const(STATIC_STACK_SLOTS).localGet(0).callIndirect(openType(module));
      },
      COMPILED_EXPORT,
    );
    return new Map(functions.map(({ entry }, number) => [entry, number]));
  }
}

/** Calls a closed function for those that have the registers in the work memory. */
function emitOpening(code: CodeBuilder, { face, index }: CompiledFunction): void {
  const { parameters, results, hasSlots } = closedSignature(face);
  const registers = new RegisterFile(code, face.parameters | face.results, [], 0);
  const fuel = code.local(I64);
  const pc = code.local(I32);
  emitLoadFuel(code, fuel);
  registers.load(face.parameters);
  code.localGet(fuel);
  if (hasSlots) code.localGet(0);
  for (const register of parameters) registers.push(register);
  code.call(index);
  for (const register of results.toReversed()) registers.set(register);
  code.localSet(fuel).localSet(pc);
  emitStoreFuel(code, fuel);
  registers.store(face.results);
  code.localGet(pc);
}
