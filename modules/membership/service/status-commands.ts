import { toHex } from "@ostrom/base";
import type { ModuleCommand, ModuleTerminal } from "@ostrom/runtime";
import type { Act } from "./acts.ts";
import { plainText } from "./contract.ts";
import {
  askNodes,
  askOrganisations,
  askProposals,
  askRules,
  readAddress,
  type ToldNode,
  type ToldOrganisation,
  type ToldProposal,
  type ToldRules,
} from "./told.ts";

const status: ModuleCommand = {
  name: "status",
  summary: "the members, their nodes, and what is being voted on",
  usage: "",
  signs: false,
  flags: [],
  examples: ["ostrom membership status", "ostrom membership status --json"],
  run: async (_input, terminal) => {
    const [rules, organisations, proposals] = await Promise.all([
      askRules(terminal),
      askOrganisations(terminal),
      askProposals(terminal),
    ]);
    const nodes = await askNodes(terminal, organisations);
    if (terminal.json) terminal.print(JSON.stringify({ rules, organisations, nodes, proposals }));
    else {
      const lines = [
        describeRules(rules),
        "",
        ...table(organisationRows(organisations)),
        "",
        ...table(nodeRows(nodes)),
        ...proposals.flatMap((proposal) => ["", ...describeProposal(proposal, organisations)]),
      ];
      terminal.print(lines.join("\n"));
    }
    return 0;
  },
};

const proposals: ModuleCommand = {
  name: "proposals",
  summary: "what is being voted on, call by call",
  usage: "",
  signs: false,
  flags: [],
  examples: ["ostrom membership proposals"],
  run: async (_input, terminal) => {
    const [open, organisations] = await Promise.all([askProposals(terminal), askOrganisations(terminal)]);
    if (terminal.json) for (const proposal of open) terminal.print(JSON.stringify(proposal));
    else if (open.length === 0) terminal.print("Nothing is being voted on.");
    else
      terminal.print(
        open.map((proposal) => describeProposal(proposal, organisations).join("\n")).join("\n\n"),
      );
    return 0;
  },
};

const roles: ModuleCommand = {
  name: "roles",
  summary: "what an account may do, and who lets it",
  usage: "ADDRESS",
  maxPositionals: 1,
  signs: false,
  flags: [{ name: "block", kind: "number", help: "as of this block (default: the newest)" }],
  examples: ["ostrom membership roles 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --block 1200"],
  run: async ({ positionals, values }, terminal) => {
    const address = toHex(readAddress(positionals[0], "ADDRESS"));
    const block = values["block"] === undefined ? "latest" : `0x${Number(values["block"]).toString(16)}`;
    const told = await terminal.ask<ToldAccount>("membership_account", [address, block]);
    if (terminal.json) terminal.print(JSON.stringify(told));
    else terminal.print(describeAccount(told).join("\n"));
    return 0;
  },
};

type ToldAccount = {
  readonly address: string;
  readonly roles: readonly string[];
  readonly adminOf: string | null;
  readonly maySend: boolean;
  readonly mayDeploy: boolean;
  readonly grants: readonly {
    readonly organisation: string;
    readonly roles: readonly string[];
    readonly isActive: boolean;
  }[];
};

const acts: ModuleCommand = {
  name: "acts",
  summary: "everything that members and administrators did in a period of blocks",
  usage: "[--from N] [--to N]",
  signs: false,
  flags: [
    { name: "from", kind: "number", help: "the first block", default: 0 },
    { name: "to", kind: "number", help: "the last block (default: the newest)" },
  ],
  examples: ["ostrom membership acts --from 1000 --to 2000 --json"],
  run: async ({ values }, terminal) => {
    const newest = Number(await terminal.ask<string>("eth_blockNumber"));
    const last = Math.min(Number(values["to"] ?? newest), newest);
    let count = 0;
    for (let from = Number(values["from"]); from <= last; from += BLOCKS_AT_ONCE) {
      const to = Math.min(from + BLOCKS_AT_ONCE - 1, last);
      const range = [from, to].map((block) => `0x${block.toString(16)}`);
      for (const told of await terminal.ask<readonly Act[]>("membership_acts", range)) {
        printAct(told, terminal);
        count++;
      }
    }
    if (count === 0 && !terminal.json)
      terminal.print(`No acts in blocks ${Number(values["from"])} to ${last}; what genesis says is no act.`);
    return 0;
  },
};

const BLOCKS_AT_ONCE = 50_000;

function printAct(told: Act, terminal: ModuleTerminal): void {
  if (terminal.json) return terminal.print(JSON.stringify(told));
  const details = Object.entries(told.details).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `${name} ${plainText(text)}`;
  });
  terminal.print(`${Number(told.block)}  ${told.act}  ${details.join(", ")}`);
}

/** Commands that only look. */
export const statusCommands: readonly ModuleCommand[] = [status, proposals, roles, acts];

function describeRules(rules: ToldRules): string {
  const who =
    rules.owner === null
      ? `${Number(rules.thresholdPercent)} % of ${Number(rules.activeOrganisations)} members decide, within ${Number(rules.proposalBlocks)} blocks`
      : `${rules.owner} decides alone`;
  return `${who}; ${rules.openToAll ? "everybody" : "accounts of members"} may send transactions.`;
}

function organisationRows(organisations: readonly ToldOrganisation[]): readonly (readonly string[])[] {
  const rows = organisations.map((organisation) => {
    const { limits } = organisation;
    return [
      String(Number(organisation.id)),
      organisation.name,
      organisation.standing,
      organisation.admin ?? "",
      `${Number(organisation.validators)}/${Number(limits.validators)}`,
      String(Number(limits.weight)),
      `${Number(organisation.observers)}/${Number(limits.observers)}`,
      `${Number(organisation.accounts)}/${Number(limits.accounts)}`,
      organisation.certificates.length === 0 ? "-" : String(organisation.certificates.length),
    ];
  });
  return [
    ["id", "member", "standing", "admin", "validators", "weight", "observers", "accounts", "ca"],
    ...rows,
  ];
}

function nodeRows(nodes: readonly ToldNode[]): readonly (readonly string[])[] {
  const rows = nodes.map((node) => [
    String(Number(node.id)),
    node.name,
    String(Number(node.organisation)),
    node.isActive ? node.role : `${node.role}, suspended`,
    String(Number(node.weight)),
    `${node.host}:${Number(node.port)}`,
    `${node.transportKey.slice(0, 18)}...`,
    node.filter === null ? "" : `sees ${node.filter.length} accounts`,
  ]);
  return [["node", "name", "member", "role", "share", "reached at", "transport key", ""], ...rows];
}

function describeProposal(
  proposal: ToldProposal,
  organisations: readonly ToldOrganisation[],
): readonly string[] {
  const nameOf = (id: string): string => organisations.find((one) => one.id === id)?.name ?? id;
  const supporters = proposal.supporters.map(nameOf).join(", ") || "nobody";
  return [
    `Proposal ${Number(proposal.id)} of ${nameOf(proposal.organisation)}, until block ${Number(proposal.lastBlock)}: ${plainText(proposal.title)}`,
    `  ${Number(proposal.votes)} of ${Number(proposal.needed)} votes; for it: ${supporters}`,
    ...proposal.calls.map(({ meaning }) => `  ${meaning}`),
  ];
}

function describeAccount(told: ToldAccount): readonly string[] {
  const may = [told.maySend ? "may send" : "may not send", told.mayDeploy ? "may deploy" : "may not deploy"];
  return [
    `${told.address} ${may.join(", ")}; roles: ${told.roles.join(", ") || "none"}`,
    ...(told.adminOf === null ? [] : [`  administers organisation ${Number(told.adminOf)}`]),
    ...told.grants.map(({ organisation, roles: given, isActive }) => {
      const note = isActive ? "" : ", which does not count now";
      return `  from organisation ${Number(organisation)}: ${given.join(", ")}${note}`;
    }),
  ];
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
