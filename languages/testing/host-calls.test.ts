// What the kits declare is what the engine has.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { must } from "@ostrom/base";
import { HOST_CALLS } from "@ostrom/vm";

type Declared = {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly result: string;
};

const expected = HOST_CALLS.map(({ name, parameters, result }) => ({
  name,
  parameters: parameters.map(({ type }) => type as string),
  result: result as string,
}));
/** WebAssembly has an instruction for it. */
const expectedOfWebAssembly = expected.filter(({ name }) => name !== "memory_grow");

const readKit = (path: string): string => readFileSync(join(import.meta.dirname, "..", path), "utf8");

function typesIn(parameters: string, is64Bit: (parameter: string) => boolean): readonly string[] {
  const list = parameters.trim();
  if (list === "" || list === "void") return [];
  return list.split(",").map((parameter) => (is64Bit(parameter) ? "i64" : "i32"));
}

const resultType = (type: string | undefined): string =>
  type === undefined || type === "void" ? "nothing" : /64/.test(type) ? "i64" : "i32";

test("the header for C declares every host call, with its number", () => {
  const pattern = /^OSTROM_HOST(_VOID)?\((\d+), (?:(uint\d+_t), )?(\w+),\s+\(([^)]*)\)/gm;
  const numbers = new Map<string, number>(HOST_CALLS.map(({ name, number }) => [name, number]));
  const declared = [...readKit("c/ostrom.h").matchAll(pattern)].map(
    ([, , number, result, name, parameters]): Declared => {
      assert.equal(Number(number), numbers.get(must(name, "a name")), must(name, "a name"));
      return {
        name: must(name, "a name"),
        parameters: typesIn(must(parameters, "parameters"), (parameter) => parameter.includes("uint64_t")),
        result: resultType(result),
      };
    },
  );
  assert.deepEqual(sorted(declared), sorted(expected));
});

test("the crate for Rust declares every host call", () => {
  const text = must(
    /extern "C" \{([\s\S]*?)\n {4}\}/.exec(readKit("rust/ostrom.rs"))?.[1],
    "the block of host calls",
  );
  const declared = [...text.matchAll(/pub fn (\w+)\(([^)]*)\)(?: -> (\w+))?;/g)].map(
    ([, name, parameters, result]): Declared => ({
      name: must(name, "a name"),
      parameters: typesIn(must(parameters, "parameters"), (parameter) => parameter.endsWith(": u64")),
      result: resultType(result),
    }),
  );
  assert.deepEqual(sorted(declared), sorted(expectedOfWebAssembly));
});

test("the module for AssemblyScript declares every host call", () => {
  const pattern = /@external\("ostrom", "(\w+)"\)\s+export declare function \w+\(([^)]*)\): (\w+);/g;
  const declared = [...readKit("assemblyscript/host.ts").matchAll(pattern)].map(
    ([, name, parameters, result]): Declared => ({
      name: must(name, "a name"),
      parameters: typesIn(must(parameters, "parameters"), (parameter) => parameter.endsWith(": u64")),
      result: resultType(result),
    }),
  );
  assert.deepEqual(sorted(declared), sorted(expectedOfWebAssembly));
});

function sorted(calls: readonly Declared[]): readonly Declared[] {
  return calls.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
