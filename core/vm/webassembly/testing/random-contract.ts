import type { Bytes, Random } from "@ostrom/base";
import { type CodeBuilder, FUNCTION_LABEL, I32, ModuleBuilder, type ValueType } from "@ostrom/wasm";
import { HOST_CALLS, HOST_MODULE, type HostCallName } from "../../contract-host/host-calls.ts";
import { typeOfHostCall } from "../read-contract.ts";
import {
  ADDRESS_MASK,
  anyType,
  IMPORTS,
  type Module,
  pick,
  type Scene,
  type Signature,
  someTypes,
  statements,
  TABLE_SIZE,
  values,
} from "./random-code.ts";

/** A random contract that mostly runs for long: it computes, branches, recurses, grows its memory and asks the host, and returns
 * what its memory holds in the end. */
export function randomContract(random: Random): Bytes {
  const builder = new ModuleBuilder();
  const hosts = new Map<HostCallName, number>();
  for (const call of HOST_CALLS) {
    if (!IMPORTS.includes(call.name)) continue;
    const { parameters, results } = typeOfHostCall(call);
    hosts.set(call.name, builder.importFunction(HOST_MODULE, call.name, builder.type(parameters, results)));
  }
  const minimum = 1 + random.below(2);
  builder.memory({ minimum, maximum: random.chance(1, 2) ? minimum + random.below(4) : undefined });
  if (random.chance(1, 2)) builder.data(random.below(ADDRESS_MASK), random.bytes(random.below(64)));
  const globals = Array.from({ length: 1 + random.below(4) }, () => {
    const type = anyType(random);
    const mutable = random.chance(3, 4);
    return { type, mutable, index: builder.global(type as typeof I32, mutable, random.nextUint32() >> 0) };
  });
  const functions: Signature[] = Array.from({ length: 1 + random.below(5) }, () => {
    const type = { parameters: someTypes(random, 4), results: someTypes(random, 3) };
    return { ...type, index: builder.declareFunction(builder.type(type.parameters, type.results)) };
  });
  builder.table({ minimum: TABLE_SIZE, maximum: undefined });
  builder.elements(
    random.below(2),
    Array.from({ length: TABLE_SIZE - 2 }, () => pick(random, functions).index),
  );
  const module: Module = { random, builder, hosts, functions, globals };
  for (const { index, parameters, results } of functions) {
    builder.define(index, (code) => {
      writeFunction(module, code, parameters, results);
    });
  }
  writeEntry(module);
  return builder.encode();
}

function writeEntry(module: Module): void {
  const { builder, random, hosts } = module;
  const scene = { ...module, results: [I32] as readonly ValueType[] };
  builder.function(
    builder.type([], [I32]),
    (code) => {
      const locals = declareLocals(random, code);
      const body = { ...scene, code, locals, labels: [] };
      statements(body, 0, 2 + random.below(4));
      for (const { type, index } of module.globals) {
        code.i32Const(index * 8).globalGet(index);
        if (type === I32) code.i32Store();
        else code.i64Store();
      }
      code.i32Const(0).i32Const(256).call(hosts.get("output")!);
      code.i32Const(random.chance(1, 10) ? random.below(3) : 0);
    },
    "call",
  );
}

function writeFunction(
  module: Module,
  code: CodeBuilder,
  parameters: readonly ValueType[],
  results: readonly ValueType[],
): void {
  const locals = [...parameters, ...declareLocals(module.random, code)];
  const labels = [{ label: FUNCTION_LABEL, takes: results }];
  const scene: Scene = { ...module, code, locals, results, labels };
  statements(scene, 0, 1 + module.random.below(5));
  values(scene, results, 0);
}

function declareLocals(random: Random, code: CodeBuilder): ValueType[] {
  const types = someTypes(random, 5);
  for (const type of types) code.local(type);
  return types;
}
