import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runCli } from "./testing/cli-process.ts";
import { createTestNetwork, type TestNetwork } from "./testing/test-network.ts";

const ROOT = join(import.meta.dirname, "../..");
const SUPPLY = 1_000_000n;
const folder = mkdtempSync(join(tmpdir(), "ostrom-deploy-"));
let network: TestNetwork;

before(async () => {
  network = await createTestNetwork({ validators: 4 });
  await network.startAll();
});

after(async () => {
  await network.dispose();
  rmSync(folder, { recursive: true, force: true });
});

type Deployed = { readonly kind: string; readonly contract: string; readonly gasUsed: string };

async function deploy(file: string): Promise<Deployed> {
  const argument = `0x${SUPPLY.toString(16).padStart(64, "0")}`;
  const rpc = network.urls[0]!;
  const { code, stdout, stderr } = await runCli([
    "deploy",
    file,
    "--constructor",
    argument,
    "--rpc",
    rpc,
    "--json",
  ]);
  assert.deepEqual([code, stderr], [0, ""]);
  return JSON.parse(stdout) as Deployed;
}

/** The node's answer to totalSupply(). */
async function supply(contract: string): Promise<string> {
  const rpc = network.urls[1]!;
  const signature = "function totalSupply() view returns (uint256)";
  const { code, stdout, stderr } = await runCli(["call", contract, signature, "--rpc", rpc]);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout.trim();
}

const TOKENS = [
  ["webassembly", "languages/rust/erc20/erc20.wasm"],
  ["webassembly", "languages/assemblyscript/erc20/erc20.wasm"],
  ["riscv", "languages/c/erc20/erc20.riscv.elf"],
] as const;

for (const [kind, path] of TOKENS) {
  test(`ostrom deploy: ${path} becomes a token that all validators know`, async () => {
    const deployed = await deploy(join(ROOT, path));
    assert.equal(deployed.kind, kind);
    assert.match(await supply(deployed.contract), new RegExp(`^${SUPPLY}\\b`));
  });
}

test("a program that no transaction could hold goes up in chunks", async () => {
  const token = readFileSync(join(ROOT, "languages/c/erc20/erc20.riscv.elf"));
  const file = join(folder, "large.elf");
  // What stands behind an ELF file's parts belongs to nothing.
  writeFileSync(file, Buffer.concat([token, Buffer.alloc(60_000)]));
  const deployed = await deploy(file);
  assert.match(await supply(deployed.contract), new RegExp(`^${SUPPLY}\\b`));
});

test("what cannot be deployed gets one line that says why", async () => {
  const malformed = join(folder, "malformed.wasm");
  writeFileSync(malformed, Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00));
  const text = join(folder, "text.txt");
  writeFileSync(text, "no contract");
  const rpc = network.urls[0]!;
  for (const [file, says] of [
    [malformed, /invalid program/],
    [text, /neither WebAssembly, nor an ELF file, nor init code in hex/],
    [join(folder, "absent"), /cannot be read/],
  ] as const) {
    const { code, stderr } = await runCli(["deploy", file, "--rpc", rpc]);
    assert.equal(code, 1);
    assert.match(stderr, /^ostrom deploy: [^\n]+\n$/);
    assert.match(stderr, says);
  }
});
