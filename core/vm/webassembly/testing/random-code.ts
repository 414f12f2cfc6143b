import type { Random } from "@ostrom/base";
import {
  type CodeBuilder,
  type FunctionType,
  I32,
  I64,
  type Label,
  type ModuleBuilder,
  OPCODE,
  type ValueType,
} from "@ostrom/wasm";
import { HOST_CALLS, type HostCallName } from "../../contract-host/host-calls.ts";

const TYPES: readonly ValueType[] = [I32, I64];
/** The host calls that random contracts import. */
export const IMPORTS: readonly HostCallName[] = [
  "input_copy",
  "output",
  "exit",
  "gas_left",
  "storage_load",
  "transient_store",
  "transient_load",
  "keccak256",
  "log",
  "caller",
];
/** Most addresses are made to lie below this, so that few accesses trap. */
export const ADDRESS_MASK: number = 0x3fff;
export const TABLE_SIZE: number = 8;
const MAX_DEPTH = 4;

/** A function of the module. */
export type Signature = FunctionType & { readonly index: number };

/** A module that is being written at random: what its code may refer to. */
export type Module = {
  readonly random: Random;
  readonly builder: ModuleBuilder;
  readonly hosts: ReadonlyMap<HostCallName, number>;
  readonly functions: readonly Signature[];
  readonly globals: readonly {
    readonly type: ValueType;
    readonly index: number;
    readonly mutable: boolean;
  }[];
};

/** A function of it that is being written: what may be used at this place. */
export type Scene = Module & {
  readonly code: CodeBuilder;
  readonly locals: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly labels: readonly { readonly label: Label; readonly takes: readonly ValueType[] }[];
};

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}

export function anyType(random: Random): ValueType {
  return pick(random, TYPES);
}

export function someTypes(random: Random, limit: number): ValueType[] {
  return Array.from({ length: random.below(limit) }, () => anyType(random));
}

/** Writes code that leaves the stack as it was. */
export function statements(scene: Scene, depth: number, count: number): void {
  for (let index = 0; index < count; index++) statement(scene, depth);
}

type Write = (scene: Scene, depth: number) => void;

/** Code that leaves the stack as it was; the later ones hold others. */
const STATEMENTS: readonly Write[] = [
  setLocal,
  setLocal,
  setLocal,
  setGlobal,
  store,
  bulk,
  askHost,
  askHost,
  (scene, depth) => {
    call(scene, depth);
  },
  (scene, depth) => {
    dropAll(scene, block(scene, depth, someTypes(scene.random, 3), someTypes(scene.random, 3)));
  },
  countedLoop,
  branchIf,
  leave,
];
const PLAIN_STATEMENTS = 8;

function statement(scene: Scene, depth: number): void {
  const choice = depth >= MAX_DEPTH ? PLAIN_STATEMENTS : STATEMENTS.length;
  STATEMENTS[scene.random.below(choice)]!(scene, depth);
}

function dropAll({ code }: Scene, types: readonly ValueType[]): void {
  for (const _ of types) code.drop();
}

/** Writes code that pushes values of these types. */
export function values(scene: Scene, types: readonly ValueType[], depth: number): void {
  for (const type of types) value(scene, type, depth);
}

function setLocal(scene: Scene, depth: number): void {
  if (scene.locals.length === 0) return;
  const index = scene.random.below(scene.locals.length);
  value(scene, scene.locals[index]!, depth + 1);
  scene.code.localSet(index);
}

function setGlobal(scene: Scene, depth: number): void {
  const mutable = scene.globals.filter((global) => global.mutable);
  if (mutable.length === 0) return;
  const { type, index } = pick(scene.random, mutable);
  value(scene, type, depth + 1);
  scene.code.globalSet(index);
}

function address(scene: Scene, depth: number): void {
  value(scene, I32, depth + 1);
  if (!scene.random.chance(1, 50)) scene.code.i32Const(ADDRESS_MASK).i32And();
}

function store(scene: Scene, depth: number): void {
  const { random, code } = scene;
  address(scene, depth);
  const type = anyType(random);
  value(scene, type, depth + 1);
  const opcodes =
    type === I32
      ? [OPCODE.i32Store, OPCODE.i32Store8, OPCODE.i32Store16]
      : [OPCODE.i64Store, OPCODE.i64Store8, OPCODE.i64Store16, OPCODE.i64Store32];
  code.u8(pick(random, opcodes)).u32(0).u32(random.below(64));
}

function bulk(scene: Scene, depth: number): void {
  const { random, code } = scene;
  const kind = random.below(4);
  if (kind === 0) {
    code.i32Const(random.below(3)).memoryGrow().drop();
    return;
  }
  address(scene, depth);
  if (kind === 1) value(scene, I32, depth + 1);
  else address(scene, depth);
  code.i32Const(random.below(300));
  if (kind === 1) code.memoryFill();
  else code.memoryCopy();
}

function askHost(scene: Scene, depth: number): void {
  const { random, code, hosts } = scene;
  const name = pick(random, IMPORTS);
  if (name === "exit" && !random.chance(1, 20)) return;
  const call = HOST_CALLS.find((candidate) => candidate.name === name)!;
  for (const parameter of call.parameters) {
    if (parameter.name === "size" || parameter.name === "status") code.i32Const(random.below(70));
    else if (parameter.name === "topic_count") code.i32Const(random.below(5));
    else address(scene, depth);
  }
  code.call(hosts.get(name)!);
  if (call.result === "nothing") return;
  const target = scene.locals.indexOf(call.result === "i64" ? I64 : I32);
  if (target < 0) code.drop();
  else code.localSet(target);
}

function call(scene: Scene, depth: number): void {
  const { random, code } = scene;
  const callee = pick(random, scene.functions);
  values(scene, callee.parameters, depth + 1);
  if (random.chance(1, 3)) {
    if (random.chance(1, 2)) {
      value(scene, I32, depth + 1);
      code.i32Const(TABLE_SIZE - 1).i32And();
    } else code.i32Const(random.below(TABLE_SIZE));
    code.callIndirect(scene.builder.type(callee.parameters, callee.results));
  } else code.call(callee.index);
  dropAll(scene, callee.results);
}

/** A block, loop or if, with its parameters before it. @returns what it leaves. */
function block(
  scene: Scene,
  depth: number,
  parameters: readonly ValueType[],
  results: readonly ValueType[],
): readonly ValueType[] {
  const { random, code, builder } = scene;
  values(scene, parameters, depth + 1);
  const kind = random.below(3);
  if (kind === 2) value(scene, I32, depth + 1);
  const type = builder.type(parameters, results);
  const label =
    kind === 0 ? code.blockOfType(type) : kind === 1 ? code.loopOfType(type) : code.ifOfType(type);
  const inner: Scene = {
    ...scene,
    labels: [...scene.labels, { label, takes: kind === 1 ? parameters : results }],
  };
  const arm = (): void => {
    dropAll(scene, parameters);
    statements(inner, depth + 1, random.below(3));
    values(inner, results, depth + 1);
  };
  arm();
  if (kind === 2) {
    code.else();
    arm();
  }
  code.end();
  return results;
}

function countedLoop(scene: Scene, depth: number): void {
  const { random, code } = scene;
  const counter = code.local(I32);
  code.i32Const(random.below(40)).localSet(counter);
  const label = code.loop();
  statements({ ...scene, labels: [...scene.labels, { label, takes: [] }] }, depth + 1, 1 + random.below(3));
  code.localGet(counter).i32Const(1).i32Sub().localTee(counter).i32Const(0).i32GtS().brIf(label).end();
}

function branchIf(scene: Scene, depth: number): void {
  if (scene.labels.length === 0) return;
  const { label, takes } = pick(scene.random, scene.labels);
  values(scene, takes, depth + 1);
  value(scene, I32, depth + 1);
  scene.code.brIf(label);
  dropAll(scene, takes);
}

/** Leaves for good inside an if, with some instructions behind that nobody reaches. */
function leave(scene: Scene, depth: number): void {
  const { random, code, labels } = scene;
  value(scene, I32, depth + 1);
  code.i32Const(7).i32And().i32Eqz();
  code.if();
  const kind = random.below(8);
  if (kind === 0) code.unreachable();
  else if (kind < 3 || labels.length === 0) {
    values(scene, scene.results, depth + 1);
    code.return();
  } else {
    const { label, takes } = pick(random, labels);
    values(scene, takes, depth + 1);
    if (kind < 5) code.br(label);
    else {
      value(scene, I32, depth + 1);
      const alike = labels.filter((other) => other.takes.join() === takes.join());
      code.brTable(
        Array.from({ length: random.below(5) }, () => pick(random, alike).label),
        label,
      );
    }
  }
  if (random.chance(1, 2)) code.i32Add().drop();
  if (random.chance(1, 2)) code.call(pick(random, scene.functions).index).unreachable();
  code.end();
}

/** Code that pushes one value. */
function value(scene: Scene, type: ValueType, depth: number): void {
  const { random, code } = scene;
  switch (random.below(depth >= MAX_DEPTH ? 3 : 10)) {
    case 0:
    case 1:
      if (readVariable(scene, type)) return;
      break;
    case 2:
      break;
    case 3:
      block(scene, depth, [], [type]);
      return;
    case 4:
      values(scene, [type, type, I32], depth + 1);
      if (random.chance(1, 2)) code.select();
      else code.selectTyped(type);
      return;
    case 5:
      load(scene, type, depth);
      return;
    case 6:
      convert(scene, type, depth);
      return;
    default:
      binary(scene, type, depth);
      return;
  }
  if (type === I32) code.i32Const(random.nextUint32() >> random.below(32));
  else code.i64ConstHalves(random.nextUint32() >> random.below(32), random.nextUint32() >> random.below(32));
}

function readVariable(scene: Scene, type: ValueType): boolean {
  const { random, code } = scene;
  const locals = scene.locals.flatMap((local, index) => (local === type ? [index] : []));
  const globals = scene.globals.filter((global) => global.type === type);
  if (globals.length > 0 && random.chance(1, 3)) code.globalGet(pick(random, globals).index);
  else if (locals.length > 0) code.localGet(pick(random, locals));
  else return false;
  if (locals.length > 0 && random.chance(1, 4)) code.localTee(pick(random, locals));
  return true;
}

function load(scene: Scene, type: ValueType, depth: number): void {
  const { random, code } = scene;
  address(scene, depth);
  const first = type === I32 ? OPCODE.i32Load8S : OPCODE.i64Load8S;
  const count = type === I32 ? 4 : 6;
  const whole = type === I32 ? OPCODE.i32Load : OPCODE.i64Load;
  code
    .u8(random.chance(1, 3) ? whole : first + random.below(count))
    .u32(0)
    .u32(random.below(64));
}

function convert(scene: Scene, type: ValueType, depth: number): void {
  const { random, code } = scene;
  if (random.chance(1, 2)) {
    value(scene, type, depth + 1);
    const opcodes =
      type === I32
        ? [OPCODE.i32Clz, OPCODE.i32Ctz, OPCODE.i32Popcnt, OPCODE.i32Extend8S, OPCODE.i32Eqz]
        : [OPCODE.i64Clz, OPCODE.i64Ctz, OPCODE.i64Popcnt, OPCODE.i64Extend32S, OPCODE.i64Extend8S];
    code.u8(pick(random, opcodes));
    return;
  }
  value(scene, type === I32 ? I64 : I32, depth + 1);
  if (type === I32) code.u8(pick(random, [OPCODE.i32WrapI64, OPCODE.i64Eqz]));
  else code.u8(pick(random, [OPCODE.i64ExtendI32S, OPCODE.i64ExtendI32U]));
}

function binary(scene: Scene, type: ValueType, depth: number): void {
  const { random, code } = scene;
  if (type === I32 && random.chance(1, 3)) {
    const operands = anyType(random);
    values(scene, [operands, operands], depth + 1);
    code.u8((operands === I32 ? OPCODE.i32Eq : OPCODE.i64Eq) + random.below(10));
    return;
  }
  const first = type === I32 ? OPCODE.i32Add : OPCODE.i64Add;
  const opcode = first + random.below(15);
  values(scene, [type, type], depth + 1);
  const divides = opcode >= first + 3 && opcode <= first + 6;
  // Most divisors are made odd: then none is zero.
  if (divides && !random.chance(1, 20)) {
    if (type === I32) code.i32Const(1).i32Or();
    else code.i64Const(1).i64Or();
  }
  code.u8(opcode);
}
