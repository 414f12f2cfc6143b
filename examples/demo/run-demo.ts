import type { Hex } from "viem";
import { compileContract } from "./compile.ts";
import { proveBalance } from "./prove.ts";
import type { DemoStep } from "./steps.ts";
import { demoWithEthers } from "./with-ethers.ts";
import { demoWithViem } from "./with-viem.ts";

/** The whole demonstration against a running network. @throws as soon as something is not as it should be. */
export async function runDemo(
  rpcUrl: string,
  keys: readonly [Hex, Hex],
  report: (step: DemoStep) => void,
): Promise<void> {
  const contract = compileContract("Token.sol", "Token");
  const { token } = await demoWithViem(rpcUrl, contract, keys, report);
  await demoWithEthers(rpcUrl, contract, keys, report);
  report({ tool: "proof", what: await proveBalance(rpcUrl, token) });
}
