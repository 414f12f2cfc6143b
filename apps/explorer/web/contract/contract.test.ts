import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInput, readAmount } from "./abi-input.ts";
import { functionsOf, isRead, signatureOf } from "./abi-types.ts";
import { describeError, showValue } from "./calls.ts";
import { disassemble, listing } from "./disassembly.ts";
import { tokenize, tokenizeLines } from "./solidity-tokens.ts";
import { readLayout, storedValue } from "./storage-layout.ts";

const ADDRESS = "0x000000000000000000000000000000000000dEaD";

test("tokens joined are the source again, whatever it is", () => {
  const sources = [
    '// c\ncontract A { string s = "a\\"b"; uint256 x = 0xff; }',
    "/* never closed",
    '"never closed\nnext',
    "a / b /** doc */ '日本' 1e18",
    "",
  ];
  for (const source of sources) {
    assert.equal(
      tokenize(source)
        .map(({ text }) => text)
        .join(""),
      source,
    );
    const lines = tokenizeLines(source).map((line) => line.map(({ text }) => text).join(""));
    assert.equal(lines.join("\n"), source);
  }
});

test("keywords, types, functions, texts and comments are told apart", () => {
  const kinds = new Map(
    tokenize('function f(uint256 a) // x\n return g("t", 5)').map(({ text, kind }) => [text, kind]),
  );
  assert.deepEqual(
    ["function", "f", "uint256", "a", "// x", "return", "g", '"t"', "5"].map((text) => kinds.get(text)),
    ["keyword", "function", "type", "plain", "comment", "keyword", "function", "text", "number"],
  );
});

test("bytecode is read instruction by instruction, a cut PUSH and unknown bytes included", () => {
  assert.deepEqual(disassemble("0x6080604052"), [
    { offset: 0, name: "PUSH1", argument: "0x80" },
    { offset: 2, name: "PUSH1", argument: "0x40" },
    { offset: 4, name: "MSTORE", argument: undefined },
  ]);
  assert.equal(listing("0x5f0c61ff"), "00000  PUSH0\n00001  INVALID(0x0c)\n00002  PUSH2 0xff");
  assert.deepEqual(disassemble("0x"), []);
  const names = disassemble("0x8f9fa4f0fafdfeff1e").map(({ name }) => name);
  assert.deepEqual(names, [
    "DUP16",
    "SWAP16",
    "LOG4",
    "CREATE",
    "STATICCALL",
    "REVERT",
    "INVALID",
    "SELFDESTRUCT",
    "CLZ",
  ]);
});

function parsed(
  type: string,
  text: string,
  components?: Parameters<typeof parseInput>[0]["components"],
): unknown {
  const result = parseInput({ type, ...(components === undefined ? {} : { components }) }, text);
  return result.ok ? result.value : result.problem;
}

test("texts become values of their types, or say what is wrong", () => {
  assert.equal(parsed("uint256", "1.5 ether"), 1_500_000_000_000_000_000n);
  assert.equal(parsed("uint8", "255"), 255n);
  assert.equal(parsed("uint8", "256"), "range");
  assert.equal(parsed("int8", "-128"), -128n);
  assert.equal(parsed("int8", "-129"), "range");
  assert.equal(parsed("uint256", "-1"), "range");
  assert.equal(parsed("uint256", "1.5"), "integer");
  assert.equal(parsed("address", ADDRESS), ADDRESS);
  assert.equal(parsed("address", "0x12"), "address");
  assert.equal(parsed("bool", "true"), true);
  assert.equal(parsed("bool", "1"), "bool");
  assert.equal(parsed("bytes4", "0x01020304"), "0x01020304");
  assert.equal(parsed("bytes4", "0x0102"), "length");
  assert.equal(parsed("bytes", "0x0"), "bytes");
  assert.equal(parsed("string", " kept "), " kept ");
});

test("lists and structures are JSON, and long numbers in them keep their digits", () => {
  assert.deepEqual(parsed("uint256[]", "[123456789012345678901234567890, 2]"), [
    123456789012345678901234567890n,
    2n,
  ]);
  assert.equal(parsed("uint256[2]", "[1]"), "length");
  assert.equal(parsed("uint256[]", "{}"), "array");
  assert.equal(parsed("uint256[]", "[1"), "json");
  assert.deepEqual(parsed("uint8[][2]", "[[1],[2,3]]"), [[1n], [2n, 3n]]);
  const components = [
    { name: "to", type: "address" },
    { name: "amount", type: "uint256" },
  ];
  const value = { to: ADDRESS, amount: 5n };
  assert.deepEqual(parsed("tuple", `{"to":"${ADDRESS}","amount":5}`, components), value);
  assert.deepEqual(parsed("tuple", `["${ADDRESS}", 5]`, components), value);
  assert.deepEqual(parsed("tuple[]", `[["${ADDRESS}", 5]]`, components), [value]);
  assert.equal(parsed("tuple", "{}", components), "tuple");
});

test("amounts are exact", () => {
  assert.equal(readAmount("1e18"), 10n ** 18n);
  assert.equal(readAmount("0.1 gwei"), 100_000_000n);
  assert.equal(readAmount("1.23e1"), undefined);
  assert.equal(readAmount("ether"), undefined);
});

test("functions are those of an ABI, named by their whole signature", () => {
  const abi = [
    { type: "event", name: "E", inputs: [] },
    {
      type: "function",
      name: "f",
      inputs: [{ type: "tuple[]", components: [{ type: "uint8" }] }],
      stateMutability: "view",
    },
  ];
  const [found, ...others] = functionsOf(abi);
  assert.deepEqual(others, []);
  assert.equal(signatureOf(found!), "f((uint8)[])");
  assert.equal(isRead(found!), true);
});

test("errors of a contract are read through a wallet's wrapping", () => {
  const abi = [{ type: "error", name: "TooLittle", inputs: [{ name: "needed", type: "uint256" }] }];
  const data = `0x${"a0aae0bc"}${"00".repeat(31)}05`;
  const unknown = describeError(abi, { code: -32603, message: "reverted", data: { code: 3, data } });
  assert.equal(unknown.name, data.slice(0, 10));
  const reason = `0x08c379a0${"20".padStart(64, "0")}${"2".padStart(64, "0")}${"6e6f".padEnd(64, "0")}`;
  const known = describeError(abi, { message: "reverted", data: reason });
  assert.equal(known.name, "Error");
  assert.deepEqual(known.args, [{ name: "message", value: "no" }]);
  assert.equal(describeError(abi, new Error("no answer")).message, "no answer");
  assert.equal(showValue([1n, "a"]), '[\n  "1",\n  "a"\n]');
});

test("packed, signed, short and long state variables are read from their slots", () => {
  const layout = {
    storage: [
      { label: "flag", offset: 0, slot: "0", type: "t_bool" },
      { label: "small", offset: 1, slot: "0", type: "t_int16" },
      { label: "name", offset: 0, slot: "1", type: "t_string" },
      { label: "balances", offset: 0, slot: "2", type: "t_map" },
    ],
    types: {
      t_bool: { encoding: "inplace", label: "bool", numberOfBytes: "1" },
      t_int16: { encoding: "inplace", label: "int16", numberOfBytes: "2" },
      t_string: { encoding: "bytes", label: "string", numberOfBytes: "32" },
      t_address: { encoding: "inplace", label: "address", numberOfBytes: "20" },
      t_map: {
        encoding: "mapping",
        label: "mapping(address => bool)",
        numberOfBytes: "32",
        key: "t_address",
        value: "t_bool",
      },
    },
  };
  const [flag, small, name, balances] = readLayout(layout);
  const packed = `0x${"fffe01".padStart(64, "0")}`;
  assert.equal(storedValue(flag!, packed), "true");
  assert.equal(storedValue(small!, packed), "-2");
  assert.equal(storedValue(name!, `0x${"6869".padEnd(62, "0")}04`), '"hi"');
  assert.equal(storedValue(name!, `0x${"41".padStart(64, "0")}`), "(32 bytes)");
  assert.equal(storedValue(balances!, packed), undefined);
  assert.deepEqual(balances?.mapping, {
    key: "address",
    value: { type: "bool", bytes: 1, encoding: "inplace" },
  });
  assert.deepEqual(readLayout(null), []);
  assert.deepEqual(readLayout({ storage: "x" }), []);
});
