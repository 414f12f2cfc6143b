import { type Bytes, must } from "@ostrom/base";
import { type CodeBuilder, I32 } from "@ostrom/wasm";
import { programFile } from "../../riscv/testing/elf-file.ts";
import { assembleWords, encode } from "../../riscv/testing/encode.ts";
import { HOST_CALLS, type HostCallName } from "../host-calls.ts";
import { webassemblyProgram } from "./webassembly-program.ts";

/** A variable, by its number, or a constant. */
export type Operand = { readonly variable: number } | number;

/** What small programs for tests do, in either kind: straight code on a few variables of 32 bits, without branches. */
export type Step =
  /** An i64 parameter gets its operand extended by its sign: -1 is all gas there is. */
  | {
      readonly do: "host";
      readonly name: HostCallName;
      readonly operands: readonly Operand[];
      readonly into?: number;
    }
  | {
      readonly do: "add" | "subtract" | "multiply" | "shiftRight";
      readonly into: number;
      readonly a: Operand;
      readonly b: Operand;
    }
  /** 1 if `a` is 0, else 0. */
  | { readonly do: "isZero"; readonly into: number; readonly a: Operand }
  | { readonly do: "loadByte"; readonly into: number; readonly at: number }
  | { readonly do: "storeByte"; readonly at: number; readonly a: Operand }
  /** Without end. */
  | { readonly do: "loop" };

export type PortableProgram = { readonly steps: readonly Step[]; readonly exit: number };

/** Where programs may work: both kinds have memory there, and nothing else in it. */
export const WORK_AREA = 0x2_0000;
const PAGES = 3;

export function host(name: HostCallName, operands: readonly Operand[] = [], into?: number): Step {
  return into === undefined ? { do: "host", name, operands } : { do: "host", name, operands, into };
}

export function variable(number: number): Operand {
  return { variable: number };
}

function signatureOf(name: HostCallName): (typeof HOST_CALLS)[number] {
  return must(
    HOST_CALLS.find((call) => call.name === name),
    "a program calls what there is",
  );
}

const VARIABLES = 8;

/** The program as a module: it does the same when it is deployed. */
export function asWebAssembly({ steps, exit }: PortableProgram): Bytes {
  const imports = [...new Set(steps.flatMap((step) => (step.do === "host" ? [step.name] : [])))];
  const write = (code: CodeBuilder, callHost: (name: HostCallName) => void): void => {
    code.locals(I32, VARIABLES);
    for (const step of steps) writeStep(code, step, callHost);
    code.i32Const(exit);
  };
  return webassemblyProgram({ imports, call: write, deploy: write, pages: PAGES });
}

function push(code: CodeBuilder, operand: Operand): void {
  if (typeof operand === "number") code.i32Const(operand);
  else code.localGet(operand.variable);
}

function writeStep(code: CodeBuilder, step: Step, callHost: (name: HostCallName) => void): void {
  switch (step.do) {
    case "host": {
      const { parameters, result } = signatureOf(step.name);
      for (const [index, operand] of step.operands.entries()) {
        push(code, operand);
        if (parameters[index]?.type === "i64") code.i64ExtendI32S();
      }
      callHost(step.name);
      if (result === "i64") code.i32WrapI64();
      if (step.into !== undefined) code.localSet(step.into);
      else if (result !== "nothing") code.drop();
      return;
    }
    case "isZero":
      push(code, step.a);
      code.i32Eqz().localSet(step.into);
      return;
    case "loadByte":
      code.i32Const(step.at).i32Load8U().localSet(step.into);
      return;
    case "storeByte":
      code.i32Const(step.at);
      push(code, step.a);
      code.i32Store8();
      return;
    case "loop": {
      const loop = code.loop();
      code.br(loop).end();
      return;
    }
    default:
      push(code, step.a);
      push(code, step.b);
      if (step.do === "add") code.i32Add();
      else if (step.do === "subtract") code.i32Sub();
      else if (step.do === "multiply") code.i32Mul();
      else code.i32ShrU();
      code.localSet(step.into);
  }
}

const A0 = 10;
const A7 = 17;
/** Two registers to work with, and the first of those that hold variables. */
const [T0, T1, S2] = [5, 6, 18];
const EXIT: number = signatureOf("exit").number;

/** The program as an ELF file: it does the same when it is deployed. */
export function asRiscv({ steps, exit }: PortableProgram): Bytes {
  const words = steps.flatMap(wordsOf);
  words.push(...load(A0, exit), ...load(A7, EXIT), encode("ecall"));
  return programFile(assembleWords(words), new Uint8Array(), 0x10_000);
}

/** Puts an operand into a register. */
function load(register: number, operand: Operand): number[] {
  if (typeof operand !== "number") return [encode("addi", { rd: register, rs1: S2 + operand.variable })];
  const low = (operand << 20) >> 20;
  const high = (operand - low) | 0;
  const upper = high === 0 ? [] : [encode("lui", { rd: register, immediate: high })];
  return [...upper, encode("addi", { rd: register, rs1: high === 0 ? 0 : register, immediate: low })];
}

function wordsOf(step: Step): number[] {
  switch (step.do) {
    case "host": {
      const operands = step.operands.flatMap((operand, index) => load(A0 + index, operand));
      const call = [...operands, ...load(A7, signatureOf(step.name).number), encode("ecall")];
      if (step.into !== undefined) call.push(encode("addi", { rd: S2 + step.into, rs1: A0 }));
      return call;
    }
    case "isZero":
      return [...load(T0, step.a), encode("sltiu", { rd: S2 + step.into, rs1: T0, immediate: 1 })];
    case "loadByte":
      return [...load(T0, step.at), encode("lbu", { rd: S2 + step.into, rs1: T0 })];
    case "storeByte":
      return [...load(T0, step.at), ...load(T1, step.a), encode("sb", { rs1: T0, rs2: T1 })];
    case "loop":
      return [encode("jal")];
    default: {
      const operation = ({ add: "addw", subtract: "subw", multiply: "mulw", shiftRight: "srlw" } as const)[
        step.do
      ];
      return [
        ...load(T0, step.a),
        ...load(T1, step.b),
        encode(operation, { rd: S2 + step.into, rs1: T0, rs2: T1 }),
      ];
    }
  }
}
