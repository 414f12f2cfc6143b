import assert from "node:assert/strict";
import { test } from "node:test";
import { compilerInputText, MAX_INPUT_BYTES, readCompilerInput, targetOfMetadata } from "./compiler-input.ts";
import { RestProblem } from "./problem.ts";

const ADDRESS = `0x${"1".repeat(40)}` as const;
const request = (more: object) => ({ address: ADDRESS, compiler: "0.8.37", ...more });
const refusal = (code: string) => (error: unknown) => error instanceof RestProblem && error.code === code;

test("a stranger chooses neither what is put out nor what is read", () => {
  const input = readCompilerInput(
    request({
      input: {
        language: "Solidity",
        sources: { "a.sol": { content: "contract A {}", urls: ["file:///etc/passwd"] } },
        settings: {
          optimizer: { enabled: true },
          outputSelection: { "*": { "*": ["*"] } },
          modelChecker: { engine: "all" },
        },
      },
    }),
  );
  assert.deepEqual(input.sources, { "a.sol": { content: "contract A {}" } });
  assert.deepEqual(input.settings, { optimizer: { enabled: true } });
  assert.doesNotMatch(compilerInputText(input), /"\*":\["\*"\]/);
});

test("sources without text, none at all, other languages and what is no object are refused", () => {
  const wrong: readonly unknown[] = [
    { language: "Solidity", sources: { "a.sol": { urls: ["https://x"] } } },
    { language: "Solidity", sources: {} },
    { language: "SolidityAST", sources: { "a.sol": { content: "" } } },
    "text",
    [],
    null,
  ];
  for (const input of wrong)
    assert.throws(() => readCompilerInput(request({ input })), refusal("bad-request"));
  assert.throws(() => readCompilerInput(request({})), refusal("bad-request"));
});

test("too much is refused before the compiler starts", () => {
  const content = "x".repeat(MAX_INPUT_BYTES);
  const input = readCompilerInput(request({ input: { sources: { "a.sol": { content } } } }));
  assert.throws(() => compilerInputText(input), refusal("too-large"));
});

test("metadata becomes standard JSON input: its sources, settings, libraries and target", () => {
  const metadata = {
    language: "Solidity",
    sources: { "a.sol": { keccak256: "0x00" } },
    settings: {
      compilationTarget: { "a.sol": "A" },
      evmVersion: "prague",
      libraries: { "lib.sol:L": ADDRESS },
      optimizer: { enabled: true, runs: 7 },
    },
  };
  assert.equal(targetOfMetadata(JSON.stringify(metadata)), "a.sol:A");
  const input = readCompilerInput(request({ metadata, sources: { "a.sol": "contract A {}" } }));
  assert.deepEqual(input.settings, {
    evmVersion: "prague",
    libraries: { "lib.sol": { L: ADDRESS } },
    optimizer: { enabled: true, runs: 7 },
  });
  assert.throws(() => readCompilerInput(request({ metadata, sources: {} })), /"a\.sol" is missing/);
});
