import type { Random } from "@ostrom/base";
import type { CodeBuilder } from "../code-builder.ts";
import {
  FIRST_OPERAND,
  HAS_SIGNATURE,
  LANE_COUNT,
  MAX_ALIGNMENT,
  NEEDS_MEMORY,
  RESULT,
  SECOND_OPERAND,
  THIRD_OPERAND,
} from "../instruction-table.ts";
import { BULK_BASE, BULK_PREFIX, OPCODE, VECTOR_BASE, VECTOR_PREFIX } from "../opcodes.ts";
import { type FunctionType, I32, I64, type Label, V128, type ValueType } from "../types.ts";

/** What a random function may refer to. */
export type Surroundings = {
  readonly types: readonly FunctionType[];
  readonly typeIndexOf: (type: FunctionType) => number;
  /** The type of each function, imported ones included. */
  readonly functions: readonly FunctionType[];
  readonly globals: readonly { readonly type: ValueType; readonly mutable: boolean }[];
  readonly hasMemory: boolean;
  readonly hasTable: boolean;
};

type OpenLabel = { readonly label: Label; readonly takes: readonly ValueType[] };

/** A function being written at random, and validly: what may be used at this place. */
type Scene = {
  readonly random: Random;
  readonly code: CodeBuilder;
  readonly around: Surroundings;
  readonly locals: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly labels: readonly OpenLabel[];
};

const MAX_DEPTH = 5;
const FIXED: readonly number[] = Object.values(OPCODE).filter((opcode) => HAS_SIGNATURE[opcode] === 1);
const WITHOUT_MEMORY: readonly number[] = FIXED.filter((opcode) => NEEDS_MEMORY[opcode] === 0);
const NAMES = new Map<number, string>(Object.entries(OPCODE).map(([name, opcode]) => [opcode, name]));

/** Writes a random valid body, with everything but its final end. */
export function writeRandomBody(
  code: CodeBuilder,
  random: Random,
  around: Surroundings,
  type: FunctionType,
): void {
  const locals = [...type.parameters];
  for (let count = random.below(6); count > 0; count--) {
    const local = pick<ValueType>(random, [I32, I64, V128]);
    const length = 1 + random.below(3);
    code.locals(local, length);
    for (let index = 0; index < length; index++) locals.push(local);
  }
  const labels = [{ label: 0 as Label, takes: type.results }];
  const scene: Scene = { random, code, around, locals, results: type.results, labels };
  statements(scene, 0, 1 + random.below(6));
  for (const result of type.results) value(scene, result, 0);
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}

function statements(scene: Scene, depth: number, count: number): void {
  for (let index = 0; index < count; index++) statement(scene, depth);
}

/** Writes code that leaves the stack as it was. */
function statement(scene: Scene, depth: number): void {
  const { random, code } = scene;
  switch (random.below(depth >= MAX_DEPTH ? 4 : 10)) {
    case 0:
    case 1:
      if (scene.locals.length === 0) return;
      setLocal(scene, depth);
      return;
    case 2:
      setGlobal(scene, depth);
      return;
    case 3:
      fixedWithoutResult(scene, depth);
      return;
    case 4:
      value(scene, pick<ValueType>(random, [I32, I64, V128]), depth);
      code.drop();
      return;
    case 5:
    case 6:
      call(scene, depth);
      return;
    case 7: {
      const type = randomBlockType(random);
      block(scene, type, depth);
      for (let count = type.results.length; count > 0; count--) code.drop();
      return;
    }
    case 8:
      branchIf(scene, depth);
      return;
    default:
      deadCode(scene, depth);
  }
}

function setLocal(scene: Scene, depth: number): void {
  const index = scene.random.below(scene.locals.length);
  value(scene, scene.locals[index]!, depth + 1);
  scene.code.localSet(index);
}

function setGlobal(scene: Scene, depth: number): void {
  const mutable = scene.around.globals.flatMap((global, index) => (global.mutable ? [index] : []));
  if (mutable.length === 0) return;
  const index = pick(scene.random, mutable);
  value(scene, scene.around.globals[index]!.type, depth + 1);
  scene.code.globalSet(index);
}

function fixedWithoutResult(scene: Scene, depth: number): void {
  const choice = (scene.around.hasMemory ? FIXED : WITHOUT_MEMORY).filter((opcode) => RESULT[opcode] === 0);
  fixed(scene, pick(scene.random, choice), depth);
}

function fixed(scene: Scene, opcode: number, depth: number): void {
  for (const operand of [FIRST_OPERAND[opcode]!, SECOND_OPERAND[opcode]!, THIRD_OPERAND[opcode]!]) {
    if (operand !== 0) value(scene, operand as ValueType, depth + 1);
  }
  writeFixed(scene.code, opcode, scene.random);
}

/** Writes one instruction of fixed type, with random immediates. */
export function writeFixed(code: CodeBuilder, opcode: number, random: Random): void {
  if (opcode >= VECTOR_BASE) code.u8(VECTOR_PREFIX).u32(opcode - VECTOR_BASE);
  else if (opcode >= BULK_BASE) code.u8(BULK_PREFIX).u32(opcode - BULK_BASE);
  else code.u8(opcode);
  const name = NAMES.get(opcode) ?? "";
  if (opcode === OPCODE.i32Const) code.s32(random.nextUint32() >> random.below(32));
  else if (opcode === OPCODE.i64Const)
    code.s64Halves(random.nextUint32(), random.nextUint32() >> random.below(32));
  else if (opcode === OPCODE.v128Const) code.raw(random.bytes(16));
  else if (opcode === OPCODE.i8x16Shuffle) for (let lane = 0; lane < 16; lane++) code.u8(random.below(32));
  else if (LANE_COUNT[opcode]! > 0) code.u8(random.below(LANE_COUNT[opcode]!));
  else if (opcode === OPCODE.memoryCopy) code.u8(0).u8(0);
  else if (/^memory/.test(name)) code.u8(0);
  else if (/Load|Store/.test(name))
    code.u32(random.below(MAX_ALIGNMENT[opcode]! + 1)).u32(random.nextUint32() >>> random.below(32));
}

/** Writes code that pushes one value. */
function value(scene: Scene, type: ValueType, depth: number): void {
  const { random, code } = scene;
  switch (random.below(depth >= MAX_DEPTH ? 2 : 9)) {
    case 0:
      if (readVariable(scene, type)) return;
      break;
    case 1:
      break;
    case 2:
      block(scene, { parameters: [], results: [type] }, depth);
      return;
    case 3:
      value(scene, type, depth + 1);
      value(scene, type, depth + 1);
      value(scene, I32, depth + 1);
      if (random.chance(1, 2)) code.select();
      else code.selectTyped(type);
      return;
    default: {
      const choice = (scene.around.hasMemory ? FIXED : WITHOUT_MEMORY).filter(
        (opcode) => RESULT[opcode] === type,
      );
      fixed(scene, pick(random, choice), depth);
      return;
    }
  }
  const constant = type === I32 ? OPCODE.i32Const : type === I64 ? OPCODE.i64Const : OPCODE.v128Const;
  writeFixed(code, constant, random);
}

function readVariable(scene: Scene, type: ValueType): boolean {
  const { random, code } = scene;
  const locals = scene.locals.flatMap((local, index) => (local === type ? [index] : []));
  const globals = scene.around.globals.flatMap((global, index) => (global.type === type ? [index] : []));
  if (globals.length > 0 && random.chance(1, 4)) code.globalGet(pick(random, globals));
  else if (locals.length > 0) code.localGet(pick(random, locals));
  else return false;
  if (locals.length > 0 && random.chance(1, 4)) code.localTee(pick(random, locals));
  return true;
}

function call(scene: Scene, depth: number): void {
  const { random, code, around } = scene;
  const indirect = around.hasTable && around.types.length > 0 && random.chance(1, 3);
  if (!indirect && around.functions.length === 0) return;
  const index = random.below(indirect ? around.types.length : around.functions.length);
  const type = indirect ? around.types[index]! : around.functions[index]!;
  for (const parameter of type.parameters) value(scene, parameter, depth + 1);
  if (indirect) {
    value(scene, I32, depth + 1);
    code.callIndirect(index);
  } else code.call(index);
  for (let count = type.results.length; count > 0; count--) code.drop();
}

function randomBlockType(random: Random): FunctionType {
  const some = (): ValueType[] =>
    Array.from({ length: random.below(3) }, () => pick<ValueType>(random, [I32, I64, V128]));
  return { parameters: some(), results: some() };
}

/** Writes a block, loop or if of a type, with its parameters before it, and leaves its results. */
function block(scene: Scene, type: FunctionType, depth: number): void {
  const { random, code } = scene;
  const kind = random.below(3);
  for (const parameter of type.parameters) value(scene, parameter, depth + 1);
  if (kind === 2) value(scene, I32, depth + 1);
  const label = openBlock(scene, kind, type);
  const takes = kind === 1 ? type.parameters : type.results;
  const inner = { ...scene, labels: [...scene.labels, { label, takes }] };
  const arm = (): void => {
    for (let count = type.parameters.length; count > 0; count--) code.drop();
    statements(inner, depth + 1, random.below(3));
    for (const result of type.results) value(inner, result, depth + 1);
  };
  arm();
  const sameEnds = type.parameters.join() === type.results.join();
  if (kind === 2 && (!sameEnds || random.chance(1, 2))) {
    code.else();
    arm();
  }
  code.end();
}

function openBlock({ code, around }: Scene, kind: number, type: FunctionType): Label {
  if (type.parameters.length > 0 || type.results.length > 1) {
    const index = around.typeIndexOf(type);
    if (kind === 0) return code.blockOfType(index);
    return kind === 1 ? code.loopOfType(index) : code.ifOfType(index);
  }
  if (kind === 0) return code.block(type.results[0]);
  return kind === 1 ? code.loop(type.results[0]) : code.if(type.results[0]);
}

function branchIf(scene: Scene, depth: number): void {
  const { label, takes } = pick(scene.random, scene.labels);
  for (const type of takes) value(scene, type, depth + 1);
  value(scene, I32, depth + 1);
  scene.code.brIf(label);
  for (let count = takes.length; count > 0; count--) scene.code.drop();
}

/** Leaves for good inside an if, and writes some instructions behind that nobody reaches. */
function deadCode(scene: Scene, depth: number): void {
  const { random, code, around } = scene;
  value(scene, I32, depth + 1);
  code.if();
  const target = pick(random, scene.labels);
  const tails = around.functions.flatMap((type, index) =>
    type.results.join() === scene.results.join() ? [index] : [],
  );
  const kind = random.below(5);
  if (kind === 0) code.unreachable();
  else if (kind === 1 && tails.length > 0) {
    const callee = pick(random, tails);
    for (const parameter of around.functions[callee]!.parameters) value(scene, parameter, depth + 1);
    code.returnCall(callee);
  } else if (kind === 2) {
    for (const result of scene.results) value(scene, result, depth + 1);
    code.return();
  } else {
    for (const type of target.takes) value(scene, type, depth + 1);
    const alike = scene.labels.filter(({ takes }) => takes.join() === target.takes.join());
    if (kind === 3) code.br(target.label);
    else {
      value(scene, I32, depth + 1);
      const labels = Array.from({ length: random.below(5) }, () => pick(random, alike).label);
      code.brTable(labels, target.label);
    }
  }
  for (let count = random.below(3); count > 0; count--) unreached(scene);
  code.end();
}

/** Any instruction whose operands come from nowhere; what it leaves is dropped. */
function unreached({ random, code }: Scene): void {
  const opcode = pick(random, WITHOUT_MEMORY);
  if (random.chance(1, 4)) code.drop();
  if (random.chance(1, 4)) code.select().drop();
  writeFixed(code, opcode, random);
  if (RESULT[opcode] !== 0) code.drop();
}
