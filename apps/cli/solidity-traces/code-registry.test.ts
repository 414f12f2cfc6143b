import assert from "node:assert/strict";
import { test } from "node:test";
import { createCodeRegistry } from "./code-registry.ts";
import { compileFailures } from "./testing/compile-failures.ts";

const compiled = compileFailures({ optimizes: true, viaIR: false });

type Code = { readonly object: string; readonly immutableReferences?: Record<string, { start: number }[]> };

function codesOf(name: string): {
  readonly creation: Uint8Array;
  readonly deployed: Uint8Array;
  readonly immutables: number[];
} {
  const evm = compiled.contracts[name]?.evm as unknown as { bytecode: Code; deployedBytecode: Code };
  const bytes = (code: Code): Uint8Array =>
    Uint8Array.from(Buffer.from(code.object.replace(/__.{36}__/g, "ab".repeat(20)), "hex"));
  const references = Object.values(evm.deployedBytecode.immutableReferences ?? {}).flat();
  return {
    creation: bytes(evm.bytecode),
    deployed: bytes(evm.deployedBytecode),
    immutables: references.map(({ start }) => start),
  };
}

const registry = createCodeRegistry();
registry.add(compiled.version, compiled.input, compiled.output);

test("deployed code is found whatever its immutables are", () => {
  const { deployed, immutables } = codesOf("Failures");
  assert.ok(immutables.length > 0);
  for (const start of immutables) deployed.fill(0xee, start, start + 32);
  assert.equal(registry.identifyDeployed(deployed)?.contract.name, "Failures");
});

test("code is found whatever libraries it is linked with, and a library though it holds its own address", () => {
  assert.equal(
    registry.identifyDeployed(codesOf("PublicLibraryUser").deployed)?.contract.name,
    "PublicLibraryUser",
  );
  const library = codesOf("Arithmetic").deployed;
  library.fill(0xab, 1, 21);
  assert.equal(registry.identifyDeployed(library)?.contract.name, "Arithmetic");
});

test("code is found though comments changed: the hash of its metadata does not count", () => {
  const { deployed } = codesOf("Callee");
  const at = Buffer.from(deployed).lastIndexOf(Buffer.from("6970667358221220", "hex"));
  assert.ok(at > 0);
  deployed.fill(0x77, at + 8, at + 40);
  assert.equal(registry.identifyDeployed(deployed)?.contract.name, "Callee");
});

test("init code is found with its arguments behind it", () => {
  const { creation } = codesOf("BadConstructor");
  const withArguments = new Uint8Array(creation.length + 32);
  withArguments.set(creation);
  assert.equal(registry.identifyCreation(withArguments)?.contract.name, "BadConstructor");
});

test("other code is not found, nor code of which an instruction differs", () => {
  const { deployed } = codesOf("Callee");
  deployed[10] = (deployed[10] ?? 0) ^ 1;
  assert.equal(registry.identifyDeployed(deployed), undefined);
  assert.equal(registry.identifyDeployed(Uint8Array.of(0x60, 0x00)), undefined);
});

test("what is no compiler's output is refused", () => {
  for (const nonsense of [undefined, null, 7, [], {}, { sources: {} }])
    assert.equal(createCodeRegistry().add("0.8.37", nonsense, nonsense), false);
});
