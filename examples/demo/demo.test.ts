import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { createTestNetwork, type TestNetwork } from "../../apps/cli/testing/test-network.ts";
import { runDemo } from "./run-demo.ts";
import type { DemoStep } from "./steps.ts";

let network: TestNetwork;

before(async () => {
  network = await createTestNetwork({ validators: 4 });
  await network.startAll();
});

after(async () => {
  await network.dispose();
});

test("an OpenZeppelin token works through viem and ethers, and its state is proved by an independent library", async () => {
  const [owner, friend] = deriveAccounts(DEVELOPMENT_MNEMONIC, 2);
  const steps: DemoStep[] = [];
  await runDemo(network.urls[1]!, [owner!.secretKey, friend!.secretKey], (step) => steps.push(step));
  assert.deepEqual(
    steps.map((step) => step.tool),
    ["viem", "viem", "viem", "viem", "ethers", "ethers", "ethers", "ethers", "proof"],
  );
});

test("a Hardhat 3 project runs its own tests on the network", async () => {
  const project = join(import.meta.dirname, "..", "hardhat");
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, "../../node_modules/hardhat/dist/src/cli.js"),
      "test",
      "nodejs",
      "--network",
      "ostrom",
    ],
    {
      cwd: project,
      env: {
        ...process.env,
        OSTROM_RPC_URL: network.urls[0]!,
        HARDHAT_DISABLE_TELEMETRY_PROMPT: "true",
        CI: "true",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  assert.equal(code, 0, output);
  assert.match(output, /4 passing/);
});
