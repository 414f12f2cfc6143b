import assert from "node:assert/strict";
import { test } from "node:test";
import { constructorArguments, matchDeployed } from "./code-match.ts";
import type { CompiledCode } from "./compiler.ts";

const HASH = "ab".repeat(32);
const OTHER_HASH = "cd".repeat(32);
const metadata = (hash: string): string => `a2646970667358221220${hash}64736f6c63430008250033`;
const code = (object: string, more: Partial<CompiledCode> = {}): CompiledCode => ({
  object,
  linkReferences: {},
  ...more,
});

test("equal code with a metadata hash is a full match; another hash a partial one; other code none", () => {
  const compiled = code(`6001${metadata(HASH)}`);
  assert.equal(matchDeployed(compiled, `6001${metadata(HASH)}`)?.match, "full");
  assert.equal(matchDeployed(compiled, `6001${metadata(OTHER_HASH)}`)?.match, "partial");
  assert.equal(matchDeployed(compiled, `6002${metadata(HASH)}`), undefined);
  assert.equal(matchDeployed(compiled, `600101${metadata(HASH)}`), undefined);
});

test("code without a metadata hash says nothing of names and comments: partial", () => {
  assert.equal(matchDeployed(code("6001"), "6001")?.match, "partial");
  assert.equal(matchDeployed(code(""), ""), undefined);
});

test("metadata of contracts inside the code, which it makes, is left out too", () => {
  const compiled = code(`60${metadata(HASH)}61${metadata(HASH)}`);
  assert.equal(
    matchDeployed(compiled, `60${metadata(OTHER_HASH)}61${metadata(OTHER_HASH)}`)?.match,
    "partial",
  );
});

test("immutables are what the chain says", () => {
  const compiled = code(`73${"00".repeat(20)}${metadata(HASH)}`, {
    immutableReferences: { 5: [{ start: 1, length: 20 }] },
  });
  assert.equal(matchDeployed(compiled, `73${"11".repeat(20)}${metadata(HASH)}`)?.match, "full");
});

test("libraries are told by where they stand; one library has one address", () => {
  const place = "__$0123456789abcdef0123456789abcdef01$__";
  const compiled = code(`73${place}73${place}${metadata(HASH)}`, {
    linkReferences: {
      "a.sol": {
        Lib: [
          { start: 1, length: 20 },
          { start: 22, length: 20 },
        ],
      },
    },
  });
  const [one, two] = ["11".repeat(20), "22".repeat(20)];
  assert.deepEqual(matchDeployed(compiled, `73${one}73${one}${metadata(HASH)}`), {
    match: "full",
    libraries: { "a.sol:Lib": `0x${one}` },
  });
  assert.equal(matchDeployed(compiled, `73${one}73${two}${metadata(HASH)}`), undefined);
});

test("a library's own address at its beginning is what the chain says", () => {
  const compiled = code(`73${"00".repeat(20)}301460${metadata(HASH)}`);
  assert.equal(matchDeployed(compiled, `73${"99".repeat(20)}301460${metadata(HASH)}`)?.match, "full");
});

test("constructor arguments are what follows the creation code", () => {
  const compiled = code(`6001${metadata(HASH)}`);
  assert.equal(constructorArguments(compiled, `6001${metadata(HASH)}00aa`), "00aa");
  assert.equal(constructorArguments(compiled, `6001${metadata(OTHER_HASH)}`), "");
  assert.equal(constructorArguments(compiled, `6002${metadata(HASH)}00aa`), undefined);
  assert.equal(constructorArguments(compiled, "60"), undefined);
});
