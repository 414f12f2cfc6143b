import { toHex } from "@ostrom/base";
import {
  type CommandInput,
  type Flag,
  type ModuleCommand,
  type ModuleTerminal,
  UsageError,
  type Values,
} from "@ostrom/runtime";
import { isHex } from "viem";
import { contractCall } from "./contract.ts";
import { act, sendProposal } from "./sending.ts";
import {
  askOrganisations,
  findOrganisation,
  ownOrganisation,
  readAddress,
  readCount,
  readWord,
  type ToldLimits,
} from "./told.ts";

const LIMIT_FLAGS: readonly Flag[] = [
  { name: "validators", kind: "number", help: "how many validators it may have" },
  { name: "observers", kind: "number", help: "how many observers it may have" },
  { name: "accounts", kind: "number", help: "how many accounts it may let in" },
  { name: "weight", kind: "number", help: "its weight in consensus, however many validators it has" },
];

/** A command that proposes, and what it proposes. */
function proposing(
  name: string,
  summary: string,
  usage: string,
  examples: readonly string[],
  prepare: (
    input: CommandInput,
    terminal: ModuleTerminal,
  ) => Promise<readonly [title: string, name: string, args: readonly unknown[]]>,
  flags: readonly Flag[] = [],
  maxPositionals = 1,
): ModuleCommand {
  return {
    name: `propose-${name}`,
    summary,
    usage,
    maxPositionals,
    signs: true,
    flags,
    examples: examples.map((example) => `ostrom membership propose-${name} ${example}`.trimEnd()),
    run: async (input, terminal) => {
      const [title, functionName, args] = await prepare(input, terminal);
      return sendProposal(terminal, [contractCall(functionName, args)], title);
    },
  };
}

/** Proposals about one organisation, by its number or name. */
function aboutOne(name: string, verb: string, summary: string): ModuleCommand {
  return proposing(name, summary, "ORGANISATION", ["4", "BankOfE"], async ({ positionals }, terminal) => {
    const { id, name: called } = await findOrganisation(terminal, positionals[0]);
    return [`${verb} ${called} (organisation ${Number(id)})`, name, [Number(id)]];
  });
}

const admit = proposing(
  "admit",
  "propose that an organisation becomes a member",
  "NAME ADMIN [flags]",
  [
    "BankOfE 0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "Regulator 0x7099... --validators 0 --filter 0xToken...",
  ],
  async ({ values, positionals }, terminal) => {
    const [name] = positionals;
    if (name === undefined) throw new UsageError("say its name");
    const administrator = toHex(readAddress(positionals[1], "ADMIN"));
    const [first] = (await askOrganisations(terminal)).filter(({ standing }) => standing === "active");
    const limits = limitsOf(values, first?.limits);
    return [`Admit ${name}`, "admit", [name, administrator, limits, readFilter(values)]];
  },
  [
    ...LIMIT_FLAGS.map((flag) => ({ ...flag, help: `${flag.help} (default: as the first member)` })),
    filterFlag(),
  ],
  2,
);

const limits = proposing(
  "limits",
  "propose what an organisation may do by itself",
  "ORGANISATION [flags]",
  ["BankOfE --validators 2 --weight 200"],
  async ({ values, positionals }, terminal) => {
    const found = await findOrganisation(terminal, positionals[0]);
    const title = `Change the limits of ${found.name} (organisation ${Number(found.id)})`;
    return [title, "setLimits", [Number(found.id), limitsOf(values, found.limits)]];
  },
  LIMIT_FLAGS,
);

const filter = proposing(
  "filter",
  "propose which accounts' data an organisation's observers may see (none given: all)",
  "ORGANISATION [--filter ADDRESS ...]",
  ["Regulator --filter 0x5FbDB2315678afecb367f032d93F642f64180aa3"],
  async ({ values, positionals }, terminal) => {
    const found = await findOrganisation(terminal, positionals[0]);
    const title = `Change what ${found.name} (organisation ${Number(found.id)}) may observe`;
    return [title, "setFilter", [Number(found.id), readFilter(values)]];
  },
  [filterFlag()],
);

const administrator = proposing(
  "admin",
  "propose another administrator for an organisation that has lost its key",
  "ORGANISATION ADMIN",
  ["BankOfE 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"],
  async ({ positionals }, terminal) => {
    const found = await findOrganisation(terminal, positionals[0]);
    const account = toHex(readAddress(positionals[1], "ADMIN"));
    return [
      `${account} administers ${found.name} (organisation ${Number(found.id)})`,
      "setAdmin",
      [Number(found.id), account],
    ];
  },
  [],
  2,
);

const rules = proposing(
  "rules",
  "propose how many votes a decision needs, and for how long it can be voted on",
  "--threshold PERCENT --blocks N",
  ["--threshold 67 --blocks 600000"],
  async ({ values }, terminal) => {
    const now = await terminal.ask<{ readonly thresholdPercent: string; readonly proposalBlocks: string }>(
      "membership_rules",
    );
    const threshold = Number(values["threshold"] ?? Number(now.thresholdPercent));
    const blocks = Number(values["blocks"] ?? Number(now.proposalBlocks));
    if (threshold > 100) throw new UsageError("--threshold: a percentage, 51 to 100");
    return [`Decide by ${threshold} % within ${blocks} blocks`, "setRules", [threshold, BigInt(blocks)]];
  },
  [
    { name: "threshold", kind: "number", help: "percent of the members, 51 to 100" },
    { name: "blocks", kind: "number", help: "how many blocks a proposal lives" },
  ],
  0,
);

const owner = proposing(
  "owner",
  "propose one account that decides alone; none: the members vote",
  "ADDRESS|none",
  ["none"],
  async ({ positionals: [text] }) => {
    const account = text === "none" ? `0x${"00".repeat(20)}` : toHex(readAddress(text, "ADDRESS"));
    return [
      text === "none" ? "The members decide by vote" : `${account} decides alone`,
      "setOwner",
      [account],
    ];
  },
);

const open = proposing(
  "open",
  "propose that everybody may send transactions and deploy, or only the members' accounts",
  "yes|no",
  ["yes"],
  async ({ positionals }) => {
    const isOpen = readWord(positionals[0], ["yes", "no"], "open to all") === "yes";
    return [isOpen ? "Open to all" : "Open to the members' accounts alone", "setOpenToAll", [isOpen]];
  },
);

const call: ModuleCommand = {
  name: "propose-call",
  summary: "propose any call in the name of the members",
  usage: "ADDRESS DATA [--title TEXT]",
  maxPositionals: 2,
  signs: true,
  flags: [{ name: "title", kind: "text", help: "one line for those who vote" }],
  examples: [
    "ostrom membership propose-call 0x5FbDB2315678afecb367f032d93F642f64180aa3 0x8456cb59 --title Pause",
  ],
  run: async ({ values, positionals }, terminal) => {
    const to = readAddress(positionals[0], "ADDRESS");
    const data = positionals[1];
    if (!isHex(data) || data.length % 2 !== 0) throw new UsageError("DATA: expected hex bytes, 0x...");
    const title = String(values["title"] ?? `Call ${toHex(to)}`);
    return sendProposal(terminal, [{ to, data: Uint8Array.from(Buffer.from(data.slice(2), "hex")) }], title);
  },
};

/** A command that says something about a proposal by its number. */
function aboutProposal(
  name: string,
  summary: string,
  run: (id: number, input: CommandInput, terminal: ModuleTerminal) => Promise<number>,
  flags: readonly Flag[] = [],
): ModuleCommand {
  return {
    name,
    summary,
    usage: "PROPOSAL",
    maxPositionals: 1,
    signs: true,
    flags,
    examples: [`ostrom membership ${name} 7 --key-file admin.key`],
    run: async (input, terminal) => run(readCount(input.positionals[0], "PROPOSAL"), input, terminal),
  };
}

const vote = aboutProposal(
  "vote",
  "vote for a proposal, in the name of the organisation that the account administers",
  async (id, { values }, terminal) => {
    const { name } = await ownOrganisation(terminal);
    const isFor = values["against"] !== true;
    return act(terminal, "vote", [id, isFor], `${name} is ${isFor ? "for" : "not for"} proposal ${id}`);
  },
  [
    {
      name: "against",
      kind: "switch",
      help: "take back a vote for it, or say that there is none",
      default: false,
    },
  ],
);

const execute = aboutProposal("execute", "carry out a proposal that has the votes", (id, _input, terminal) =>
  act(terminal, "execute", [id], `Proposal ${id} is carried out`),
);

const withdraw = aboutProposal(
  "withdraw",
  "withdraw a proposal of one's own organisation",
  (id, _input, terminal) => act(terminal, "withdraw", [id], `Proposal ${id} is withdrawn`),
);

/** Commands by which members decide. */
export const proposalCommands: readonly ModuleCommand[] = [
  admit,
  aboutOne(
    "suspend",
    "Suspend",
    "propose that a member loses its vote, its validators and its accounts' rights for a time",
  ),
  aboutOne("resume", "Resume", "propose that a suspended member has them again"),
  aboutOne("remove", "Remove", "propose that a member leaves for good"),
  limits,
  filter,
  administrator,
  rules,
  owner,
  open,
  call,
  vote,
  execute,
  withdraw,
];

function limitsOf(values: Values, standard: ToldLimits | undefined): object {
  const chosen = (name: keyof ToldLimits): number => Number(values[name] ?? Number(standard?.[name] ?? 0));
  return {
    validators: chosen("validators"),
    observers: chosen("observers"),
    accounts: chosen("accounts"),
    weight: BigInt(chosen("weight")),
  };
}

function filterFlag(): Flag {
  return {
    name: "filter",
    kind: "list",
    placeholder: "ADDRESS",
    help: "an account whose data its observers may see; repeat (default: all)",
  };
}

function readFilter(values: Values): readonly string[] {
  const given = (values["filter"] as readonly string[] | undefined) ?? [];
  return given.map((text) => toHex(readAddress(text, "--filter")));
}
