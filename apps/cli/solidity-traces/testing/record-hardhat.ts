/** Writes what Hardhat's network says of each failure to hardhat-stacks.json: `node record-hardhat.ts`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import type { Hex } from "viem";
import {
  COMPILER_SETTINGS,
  type CompilerSettings,
  caseData,
  compileFailures,
  DEPLOYED,
  nameOfSettings,
} from "./compile-failures.ts";
import { FAILURE_CASES } from "./failure-cases.ts";

type Provider = {
  request(call: { method: string; params: readonly unknown[] }): Promise<unknown>;
  addCompilationResult(version: string, input: unknown, output: unknown): Promise<void>;
};
type ProviderClass = {
  createContractDecoder(options: object): Promise<unknown>;
  create(options: object): Promise<Provider>;
};

const GAS_OF_DEPLOYMENT = "0xf00000";
const GAS_OF_CASE = 3_000_000n;

async function openProvider(): Promise<Provider> {
  const environment = await createHardhatRuntimeEnvironment({});
  // Compiler results can be given to the network's own class alone, which Hardhat does not export.
  const path = "../dist/src/internal/builtin-plugins/network-manager/edr/edr-provider.js";
  const url = new URL(path, new URL("dist/", import.meta.resolve("hardhat/package.json")));
  const { EdrProvider } = (await import(url.href)) as { EdrProvider: ProviderClass };
  const contractDecoder = await EdrProvider.createContractDecoder({ buildInfos: [] });
  return EdrProvider.create({
    chainDescriptors: environment.config.chainDescriptors,
    networkConfig: { chainType: "l1", ...environment.config.networks["default"] },
    contractDecoder,
    connectionId: 0,
    networkName: "default",
    verbosity: 0,
  });
}

async function recordCases(settings: CompilerSettings): Promise<unknown[]> {
  const compiled = compileFailures(settings);
  const provider = await openProvider();
  await provider.addCompilationResult(
    compiled.version.slice(0, compiled.version.indexOf("+")),
    compiled.input,
    compiled.output,
  );
  const [from] = (await provider.request({ method: "eth_accounts", params: [] })) as string[];
  const addresses = new Map<string, Hex>();
  for (const [contract, values] of DEPLOYED) {
    const data = caseData(compiled, { contract, isCreation: true, arguments: values }, addresses);
    const call = { from, data, gas: GAS_OF_DEPLOYMENT };
    const hash = await provider.request({ method: "eth_sendTransaction", params: [call] });
    const receipt = await provider.request({ method: "eth_getTransactionReceipt", params: [hash] });
    addresses.set(contract, (receipt as { contractAddress: Hex }).contractAddress);
  }
  const told: unknown[] = [];
  for (const item of FAILURE_CASES) {
    const call = {
      from,
      ...(item.isCreation === true ? {} : { to: addresses.get(item.contract) }),
      data: caseData(compiled, item, addresses),
      value: `0x${(item.value ?? 0n).toString(16)}`,
      gas: `0x${(item.gas ?? GAS_OF_CASE).toString(16)}`,
    };
    const failure = await provider.request({ method: "eth_sendTransaction", params: [call] }).then(
      () => ({ message: "it did not fail" }),
      (error: { message: string; solidityStack?: string }) => error,
    );
    const message = [...addresses].reduce(
      (text, [name, address]) => text.replace(new RegExp(address, "i"), `@${name}`),
      failure.message,
    );
    const stack = "solidityStack" in failure ? failure.solidityStack?.split("\n") : undefined;
    told.push({ name: item.name, message, stack: stack ?? [] });
  }
  return told;
}

const recorded: Record<string, unknown> = {};
for (const settings of COMPILER_SETTINGS) recorded[nameOfSettings(settings)] = await recordCases(settings);
writeFileSync(
  join(import.meta.dirname, "hardhat-stacks.json"),
  `${JSON.stringify(recorded, undefined, 2)}\n`,
);
// Hardhat's network leaves timers behind.
process.exit(0);
