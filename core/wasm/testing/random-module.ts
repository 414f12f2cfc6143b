import type { Bytes, Random } from "@ostrom/base";
import { ModuleBuilder } from "../module-builder.ts";
import { type FunctionType, I32, I64, V128, type ValueType } from "../types.ts";
import { type Surroundings, writeRandomBody } from "./random-code.ts";

const VALUE_TYPES = [I32, I64, V128] as const;

function randomType(random: Random): FunctionType {
  const some = (limit: number): ValueType[] =>
    Array.from({ length: random.below(limit) }, () => VALUE_TYPES[random.below(VALUE_TYPES.length)]!);
  return { parameters: some(5), results: some(3) };
}

/** A random valid module with everything that the subset has. */
export function randomModule(random: Random): Bytes {
  const builder = new ModuleBuilder();
  const types = Array.from({ length: 1 + random.below(5) }, () => randomType(random));
  const typeIndexOf = ({ parameters, results }: FunctionType): number => builder.type(parameters, results);
  const functions: FunctionType[] = [];
  const globals: { type: ValueType; mutable: boolean }[] = [];
  const randomFunctionType = (): FunctionType => types[random.below(types.length)]!;

  for (let count = random.below(3); count > 0; count--) {
    const type = randomFunctionType();
    functions.push(type);
    builder.importFunction("host", `f${count}`, typeIndexOf(type));
  }
  for (let count = random.below(3); count > 0; count--) {
    const global = { type: VALUE_TYPES[random.below(3)]!, mutable: random.chance(1, 2) };
    globals.push(global);
    builder.importGlobal("host", `g${count}`, global.type, global.mutable);
  }
  const importedFunctions = functions.length;
  const declared = random.below(4);
  for (let count = declared; count > 0; count--) functions.push(randomFunctionType());
  const hasMemory = addMemory(builder, random);
  const hasTable = addTable(builder, random, functions.length);
  for (let count = random.below(3); count > 0; count--) {
    const type = random.chance(1, 2) ? I32 : I64;
    const mutable = random.chance(1, 2);
    globals.push({ type, mutable });
    builder.global(type, mutable, random.nextUint32() >> 0);
  }
  // Indices must be those of the builder, which keeps one type of those that are alike.
  const indexed: FunctionType[] = [];
  for (const type of types) indexed[typeIndexOf(type)] = type;
  const around: Surroundings = { types: indexed, typeIndexOf, functions, globals, hasMemory, hasTable };
  for (let index = importedFunctions; index < functions.length; index++) {
    builder.declareFunction(typeIndexOf(functions[index]!));
  }
  for (let index = importedFunctions; index < functions.length; index++) {
    builder.define(index, (code) => writeRandomBody(code, random, around, functions[index]!));
    if (random.chance(1, 2)) builder.export(`f${index}`, "function", index);
    if (random.chance(1, 4)) builder.nameFunction(index, `name ${index}`);
  }
  if (globals.length > 0) builder.export("g", "global", random.below(globals.length));
  if (random.chance(1, 4)) builder.customSection("notes", random.bytes(random.below(20)));
  return builder.encode();
}

function addMemory(builder: ModuleBuilder, random: Random): boolean {
  if (random.chance(1, 4)) return false;
  const minimum = random.below(10);
  const limits = { minimum, maximum: random.chance(1, 2) ? minimum + random.below(10) : undefined };
  if (random.chance(1, 3)) builder.importMemory("host", "memory", limits);
  else builder.memory(limits);
  if (random.chance(1, 2)) builder.export("memory", "memory");
  for (let count = random.below(3); count > 0; count--) {
    builder.data(random.below(1000), random.bytes(random.below(20)));
  }
  return true;
}

function addTable(builder: ModuleBuilder, random: Random, functionCount: number): boolean {
  if (random.chance(1, 3)) return false;
  const limits = { minimum: 10, maximum: random.chance(1, 2) ? 20 : undefined };
  if (random.chance(1, 3)) builder.importTable("host", "table", limits);
  else builder.table(limits);
  for (let count = random.below(3); functionCount > 0 && count > 0; count--) {
    const entries = Array.from({ length: random.below(4) }, () => random.below(functionCount));
    builder.elements(random.below(5), entries);
  }
  return true;
}

/** Changes a few bytes of a module: overwrites, flips a bit, inserts, removes, or copies a stretch. */
export function mutate(bytes: Bytes, random: Random): Bytes {
  let current: Uint8Array = Uint8Array.from(bytes);
  for (let count = 1 + random.below(3); count > 0; count--) {
    // The header is only in the way: everything that changes there is refused at once.
    const at = 8 + random.below(Math.max(1, current.length - 8));
    switch (random.below(6)) {
      case 0:
        current[at] = random.below(256);
        break;
      case 1:
        current[at]! ^= 1 << random.below(8);
        break;
      case 2:
        current[at] = (current[at]! + (random.chance(1, 2) ? 1 : 255)) & 0xff;
        break;
      case 3:
        current[at] = current[random.below(current.length)]!;
        break;
      case 4:
        current = Uint8Array.of(...current.subarray(0, at), random.below(256), ...current.subarray(at));
        break;
      default:
        current = Uint8Array.of(...current.subarray(0, at), ...current.subarray(at + 1));
    }
  }
  return current;
}
