import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Hex, toFunctionSelector } from "viem";
import { caseData, compileFailures, compilePrinter } from "./solidity-traces/testing/compile-failures.ts";
import { type DevProcess, startDev } from "./testing/dev-process.ts";
import { LONG_WAIT_MS, waitUntil } from "./testing/wait-until.ts";

const ROOT = join(import.meta.dirname, "../..");
const PROJECT = join(ROOT, "examples/hardhat");

let dev: DevProcess;

before(async () => {
  dev = await startDev();
});

after(async () => {
  await dev.stop();
});

async function ask(
  method: string,
  params: readonly unknown[],
): Promise<{ result?: unknown; error?: { code: number; message: string; data: unknown } }> {
  const response = await fetch(dev.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  return response.json() as ReturnType<typeof ask>;
}

test("the tests of a Hardhat project pass on ostrom dev, as they are", async () => {
  const hardhat = new URL("cli.js", import.meta.resolve("hardhat")).pathname;
  const child = spawn(process.execPath, [hardhat, "test", "--network", "ostrom"], {
    cwd: PROJECT,
    env: { ...process.env, OSTROM_RPC_URL: dev.url, HARDHAT_DISABLE_TELEMETRY_PROMPT: "true" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let told = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (told += chunk));
  const timer = setTimeout(() => child.kill("SIGKILL"), LONG_WAIT_MS);
  const code = await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  assert.equal(code, 0, told);
  assert.match(told, /4 passing/);
});

test("a failure of contracts that it was told of has Solidity's message, and its stack in the log", async () => {
  const compiled = compileFailures({ optimizes: true, viaIR: false });
  const version = compiled.version.slice(0, compiled.version.indexOf("+"));
  await waitUntil("compilation results are taken", LONG_WAIT_MS, async () => {
    const { result } = await ask("hardhat_addCompilationResult", [version, compiled.input, compiled.output]);
    return result === true;
  });
  const { result: accounts } = await ask("eth_accounts", []);
  const [from] = accounts as string[];
  const init = caseData(compiled, { contract: "Failures", isCreation: true, arguments: [1n] }, new Map());
  const { result: hash } = await ask("eth_sendTransaction", [{ from, data: init, gas: "0xf00000" }]);
  const { result: receipt } = await ask("eth_getTransactionReceipt", [hash]);
  const to = (receipt as { contractAddress: string }).contractAddress;
  const data = caseData(
    compiled,
    { contract: "Failures", call: "twoModifiers", arguments: [101n] },
    new Map(),
  );
  const message = "VM Exception while processing transaction: reverted with custom error 'FreeError(101)'";
  for (const [method, params] of [
    ["eth_sendTransaction", [{ from, to, data, gas: "0x100000" }]],
    ["eth_call", [{ from, to, data }, "latest"]],
    ["eth_estimateGas", [{ from, to, data }]],
  ] as const) {
    const { error } = await ask(method, params);
    assert.equal(error?.code, 3, method);
    assert.equal(error.message, message, method);
    assert.equal(error.data, `${toFunctionSelector("function FreeError(uint256)")}${"65".padStart(64, "0")}`);
  }
  await waitUntil("the log has the stack", LONG_WAIT_MS, () =>
    /Contract call: *Failures#twoModifiers[\s\S]*at Failures\.bounded \(contracts\/Failures\.sol:90:\d+\)[\s\S]*at Failures\.twoModifiers/.test(
      dev.cli.stdout(),
    ),
  );
});

test("what a contract prints is in the log in its order, and once", async () => {
  const bytecode: Hex = compilePrinter();
  const { result: accounts } = await ask("eth_accounts", []);
  const [from = ""] = accounts as string[];
  const { result: created } = await ask("eth_sendTransaction", [{ from, data: bytecode }]);
  const { result: receipt } = await ask("eth_getTransactionReceipt", [created]);
  const to = (receipt as { readonly contractAddress: string }).contractAddress;
  const data = toFunctionSelector("function print()");
  const { result: hash } = await ask("eth_sendTransaction", [{ from, to, data }]);
  assert.match(String(hash), /^0x/);
  await waitUntil("the log has the last line", LONG_WAIT_MS, () => /^ +last$/m.test(dev.cli.stdout()));
  const written = dev.cli.stdout().split("\n");
  const lines = [
    "constructor",
    `first ${from} true`,
    "second text of 42, 7%",
    `0x${"ff".padStart(64, "0")}`,
    "inner 8",
    "-9",
    "inner before its failure",
    "last",
  ];
  const places = lines.map((line) =>
    written.flatMap((text, at) => (text.trim().toLowerCase() === line ? [at] : [])),
  );
  const once = places.map(([place = -1, ...more]) => (more.length === 0 ? place : -1));
  const [constructed = -1, first = -1] = once;
  assert.ok(constructed >= 0 && constructed < first, dev.cli.stdout());
  // Nothing else stands between the lines of one transaction.
  assert.deepEqual(
    once.slice(1),
    lines.slice(1).map((_, at) => first + at),
    dev.cli.stdout(),
  );
});
