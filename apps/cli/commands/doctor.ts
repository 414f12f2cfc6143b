import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { CLIENT_VERSION, CONFIGURATION_FILE, readConfiguration } from "@ostrom/runtime";
import { type Command, readList, UsageError } from "../command.ts";
import { bad, type Finding, good } from "../doctor-finding.ts";
import {
  checkCertificates,
  checkDatabase,
  checkDiskSpeed,
  checkKeys,
  checkMemory,
  checkPorts,
  checkProgram,
  checkRoom,
} from "../doctor-machine.ts";
import { checkGenesis, checkNetwork } from "../doctor-network.ts";
import { DEFAULT_DATA_DIRECTORY, readLocalNetwork } from "../local-network.ts";
import { styled, type TextStyle } from "../text-style.ts";

const STYLES: Readonly<Record<Finding["state"], TextStyle>> = {
  ok: "good",
  warn: "warning",
  fail: "bad",
  skip: "faint",
};

export const doctor: Command = {
  name: "doctor",
  summary: "check a node and its machine, and say what to do about what is wrong",
  usage: "[FOLDER] [--rpc URL]...",
  maxPositionals: 1,
  flags: [
    {
      name: "rpc",
      kind: "list",
      placeholder: "URL",
      help: "other nodes of the chain, to compare genesis, head and clock with; repeat",
    },
    { name: "strict", kind: "switch", help: "warnings count as failures (exit code 1)" },
  ],
  examples: [
    "ostrom doctor                      # each validator of ostrom up",
    "ostrom doctor validator-1",
    "ostrom doctor /var/lib/ostrom --rpc http://node2.example:8545 --json",
  ],
  run: async ({ values, positionals }) => {
    const folders = foldersOf(positionals[0]);
    const all: Finding[] = [];
    for (const folder of folders) {
      const findings = await examine(folder, readList(values["rpc"]));
      all.push(...findings);
      if (values["json"] === true) console.log(JSON.stringify({ folder, findings }));
      else print(folder, findings);
    }
    const failed = all.filter(({ state }) => state === "fail").length;
    const warned = all.filter(({ state }) => state === "warn").length;
    if (values["json"] !== true) console.log(verdict(failed, warned));
    return failed > 0 || (values["strict"] === true && warned > 0) ? 1 : 0;
  },
};

/** A node's folder, or all nodes of a local network. */
function foldersOf(given: string | undefined): readonly string[] {
  const folder = resolve(given ?? (existsSync(CONFIGURATION_FILE) ? "." : DEFAULT_DATA_DIRECTORY));
  if (existsSync(join(folder, CONFIGURATION_FILE))) return [folder];
  const network = readLocalNetwork(folder);
  if (network !== undefined) return network.nodes.map((node) => join(folder, node.folder));
  throw new UsageError(
    `${folder} is no node's folder: name one that ostrom init, join, keys create or up made`,
    {
      code: "doctor/no-node",
    },
  );
}

async function examine(folder: string, others: readonly string[]): Promise<readonly Finding[]> {
  const read = readConfiguration(folder);
  const machine = [checkProgram(), good("version", CLIENT_VERSION), checkMemory()];
  if (!read.ok) {
    const advice = "mend node.json: the message says what is wrong with it";
    return [...machine, bad("configuration", read.error.message, advice)];
  }
  const configuration = read.value;
  const { finding: database, use } = await checkDatabase(folder);
  const { finding: genesis, hash } = checkGenesis(folder);
  const { host, port, tls } = configuration.rpc;
  const reached = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const own = use.isRunning ? `${tls.certificate === "" ? "http" : "https"}://${reached}:${port}` : undefined;
  const network = hash === undefined ? [] : await checkNetwork(folder, configuration, hash, own, others);
  return [
    ...machine,
    good("configuration", join(folder, CONFIGURATION_FILE)),
    genesis,
    checkKeys(folder),
    database,
    await checkPorts(configuration, use),
    await checkRoom(folder, configuration),
    await checkDiskSpeed(folder),
    checkCertificates(folder, configuration, Date.now()),
    ...network,
  ];
}

function print(folder: string, findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ check }) => check.length)) + 2;
  console.log(styled("strong", folder));
  for (const { check, state, found, advice } of findings) {
    console.log(`  ${styled(STYLES[state], state.padEnd(4))}  ${check.padEnd(width)}${found}`);
    if (advice !== undefined) console.log(`        ${"".padEnd(width)}${advice}`);
  }
  console.log("");
}

function verdict(failed: number, warned: number): string {
  if (failed > 0) return styled("bad", `${failed} failed, ${warned} warnings: see what to do above.`);
  return warned > 0 ? styled("warning", `It works; ${warned} warnings.`) : styled("good", "All is well.");
}
