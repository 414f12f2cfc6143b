// npm run demo [-- --rpc URL]: uses the network that runs at the address, or starts one of its own for the time being.
import { parseArgs } from "node:util";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { DEFAULT_RPC_URL } from "../../apps/cli/rpc-client.ts";
import { createTestNetwork } from "../../apps/cli/testing/test-network.ts";
import { runDemo } from "./run-demo.ts";

const VALIDATORS = 4;

const { values } = parseArgs({ options: { rpc: { type: "string" } } });
const [owner, friend] = deriveAccounts(DEVELOPMENT_MNEMONIC, 2);

if (values.rpc !== undefined || (await answers(DEFAULT_RPC_URL))) {
  await demonstrate(values.rpc ?? DEFAULT_RPC_URL);
} else {
  console.log(
    `No node answers at ${DEFAULT_RPC_URL}: starting ${VALIDATORS} validators for this demonstration.`,
  );
  const network = await createTestNetwork({ validators: VALIDATORS });
  try {
    await network.startAll();
    await demonstrate(network.urls[0]!);
  } finally {
    await network.dispose();
  }
}

async function demonstrate(rpcUrl: string): Promise<void> {
  console.log(`The token, on the chain at ${rpcUrl}:`);
  await runDemo(rpcUrl, [owner!.secretKey, friend!.secretKey], ({ tool, what, gasUsed }) => {
    console.log(`  ${tool.padEnd(6)}  ${what}${gasUsed === undefined ? "" : ` (${gasUsed} gas)`}`);
  });
  console.log("All of it was as it should be.");
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
    });
    return response.ok;
  } catch {
    return false;
  }
}
