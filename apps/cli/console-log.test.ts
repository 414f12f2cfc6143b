import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, fromHex, unwrap } from "@ostrom/base";
import { type AbiParameter, encodeAbiParameters, toFunctionSelector } from "viem";
import { consoleSignatures, readConsoleLog } from "./console-log.ts";

function call(types: readonly string[], values: readonly unknown[], name = "log"): Bytes {
  const selector = toFunctionSelector(`function ${name}(${types.join(",")})`);
  const parameters: AbiParameter[] = types.map((type) => ({ type }));
  return unwrap(fromHex(`${selector}${encodeAbiParameters(parameters, [...values]).slice(2)}`));
}

test("every signature of Hardhat's console is known, with its types in their order", async () => {
  const source = new URL(import.meta.resolve("hardhat/console.sol"));
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(source, "utf8");
  const wanted = new Set([...text.matchAll(/"(log\([^"]*\))"/g)].map((match) => match[1] ?? ""));
  assert.ok(wanted.size >= 375, `${wanted.size} signatures`);
  const known = consoleSignatures();
  for (const signature of wanted) {
    const types = signature
      .slice(4, -1)
      .split(",")
      .filter((type) => type !== "");
    assert.deepEqual(known.get(toFunctionSelector(`function ${signature}`)), types, signature);
  }
});

test("values of each type are shown as Hardhat shows them", () => {
  const address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
  assert.equal(readConsoleLog(call([], [])), "");
  assert.equal(readConsoleLog(call(["uint256"], [2n ** 256n - 1n])), (2n ** 256n - 1n).toString());
  assert.equal(readConsoleLog(call(["int256"], [-5n])), "-5");
  assert.equal(readConsoleLog(call(["bool", "address"], [true, address])), `true ${address.toLowerCase()}`);
  assert.equal(readConsoleLog(call(["bytes"], ["0xc0ffee"])), "0xc0ffee");
  assert.equal(readConsoleLog(call(["bytes3"], ["0xc0ffee"])), "0xc0ffee");
  assert.equal(readConsoleLog(call(["string", "string"], ["grüße", "Ostrom"])), "grüße Ostrom");
});

test("a first text is a format; numbers of any size keep their digits; %% is a percent sign", () => {
  const types = ["string", "uint256", "uint256"];
  const large = 10n ** 30n;
  assert.equal(readConsoleLog(call(types, ["%d of %i", large, 7n])), `${large} of 7`);
  assert.equal(readConsoleLog(call(types, ["100%% of %s,", 1n, 2n])), "100% of 1, 2");
  assert.equal(readConsoleLog(call(types, ["no place:", 1n, 2n])), "no place: 1 2");
  assert.equal(readConsoleLog(call(["string", "string"], ["%o", "text"])), "'text'");
});

test("what is no call of the console, or is cut off, prints nothing", () => {
  assert.equal(readConsoleLog(call(["uint256"], [1n], "print")), undefined);
  assert.equal(readConsoleLog(call(["uint256"], [1n]).subarray(0, 20)), undefined);
  const text = call(["string"], ["long enough"]);
  assert.equal(readConsoleLog(text.subarray(0, text.length - 32)), undefined);
  const far = Uint8Array.from(text);
  far.fill(0xff, 4, 36);
  assert.equal(readConsoleLog(far), undefined);
});
