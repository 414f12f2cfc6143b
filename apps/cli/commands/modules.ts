import { toHex } from "@ostrom/base";
import { importChainModules } from "@ostrom/runtime";
import type { Command } from "../command.ts";
import { askModules, type ToldModules, type ToldVersion } from "../module-registry.ts";
import { RPC_FLAG } from "../module-terminal.ts";
import type { Program } from "../program.ts";

export const modules: Command = {
  name: "modules",
  summary: "list the modules of this program, and what the chain uses of them, from which block",
  usage: "[flags]",
  flags: [RPC_FLAG],
  examples: ["ostrom modules", "ostrom modules --rpc http://127.0.0.1:8546 --json"],
  run: async ({ values }, program) => {
    const rpc = String(values["rpc"]);
    const installed = await listInstalled(program);
    const told = await askModules(rpc).catch((error: Error) => error.message);
    if (values["json"] === true) {
      console.log(
        JSON.stringify({ installed, ...(typeof told === "string" ? { problem: told } : { chain: told }) }),
      );
      return 0;
    }
    const lines = [
      "Installed in this program:",
      ...installed.flatMap(({ name, summary, versions }) => [
        `  ${name}: ${summary}`,
        ...versions.map(({ version, codeHash }) => `    version ${version}  ${codeHash}`),
      ]),
      "",
      ...(typeof told === "string" ? [`The chain: ${told}`] : describeChain(rpc, told)),
    ];
    console.log(lines.join("\n"));
    return 0;
  },
};

type InstalledModule = {
  readonly name: string;
  readonly summary: string;
  readonly versions: readonly { readonly version: number; readonly codeHash: string }[];
};

async function listInstalled({ modules: manifests }: Program): Promise<readonly InstalledModule[]> {
  return Promise.all(
    manifests.map(async ({ name, summary, chain }) => {
      const versions = await importChainModules([chain]);
      return {
        name,
        summary,
        versions: versions.map(({ version, codeHash }) => ({ version, codeHash: toHex(codeHash) })),
      };
    }),
  );
}

function describeChain(rpc: string, { block, registry }: ToldModules): readonly string[] {
  if (registry === null) return [`The chain at ${rpc} has no registry of modules: it uses none, for good.`];
  const { authority, modules: used, forks, validatorSets } = registry;
  const { holder, handOver } = validatorSets;
  const later = handOver === null ? "" : `; from epoch ${Number(handOver.fromEpoch)} on ${handOver.to}`;
  return [
    `The chain at ${rpc}, block ${Number(block)}:`,
    ...used.flatMap(({ name, active, scheduled }) => [
      ...(active === null ? [] : [`  ${name}  ${describeVersion(active, "active since")}`]),
      ...(scheduled === null ? [] : [`  ${name}  ${describeVersion(scheduled, "scheduled for")}`]),
    ]),
    ...forks.map(({ name, fromBlock }) => {
      const when = Number(fromBlock) <= Number(block) ? "holds since" : "scheduled for";
      return `  rule set ${name}, ${when} block ${Number(fromBlock)}`;
    }),
    "",
    `Validators are decided by ${holder ?? "genesis"}${later}.`,
    `Upgrades are decided by ${authority ?? "nobody"}.`,
  ];
}

function describeVersion({ version, codeHash, fromBlock, isInstalled }: ToldVersion, when: string): string {
  const lack = isInstalled ? "" : "  THE NODE LACKS IT and stops there";
  return `version ${Number(version)}, ${when} block ${Number(fromBlock)}, code hash ${codeHash}${lack}`;
}
