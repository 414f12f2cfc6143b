import type { Command } from "../command.ts";
import { DEFAULT_RPC_URL } from "../rpc-client.ts";
import { askSet, type ToldSet } from "../validator-contracts.ts";

export const validators: Command = {
  name: "validators",
  summary: "list who validates now, and in the next epoch as soon as that is decided",
  usage: "[flags]",
  flags: [
    { name: "rpc", kind: "text", placeholder: "URL", help: "the node to ask", default: DEFAULT_RPC_URL },
    { name: "epoch", kind: "number", help: "list the set of this epoch alone" },
  ],
  examples: ["ostrom validators", "ostrom validators --epoch 3", "ostrom validators --json"],
  run: async ({ values }) => {
    const rpc = String(values["rpc"]);
    const asked = values["epoch"] as number | undefined;
    const current = await askSet(rpc);
    const epoch = Number(current!.currentEpoch);
    const next = asked === undefined ? await askSet(rpc, epoch + 1) : undefined;
    const sets = asked === undefined ? [current, next] : [await askSet(rpc, asked)];
    const known = sets.filter((set) => set !== undefined);
    if (values["json"] === true) {
      for (const set of known) console.log(JSON.stringify(set));
      return known.length === 0 ? 1 : 0;
    }
    const tables = known.map((set) => describeSet(set, epoch, current));
    console.log(tables.join("\n\n"));
    if (asked !== undefined && known.length === 0)
      console.log(`The set of epoch ${asked} is not decided yet.`);
    else if (asked === undefined && next === undefined) console.log(`\n${describeUndecided(current!)}`);
    return known.length === 0 ? 1 : 0;
  },
};

function describeSet(set: ToldSet, currentEpoch: number, current: ToldSet | undefined): string {
  const epoch = Number(set.epoch);
  const when = epoch === currentEpoch ? "now" : epoch > currentEpoch ? "next" : "before";
  const total = set.validators.reduce((sum, { weight }) => sum + Number(weight), 0);
  const before = new Map(current?.validators.map((validator) => [validator.transportKey, validator]));
  const changes = (validator: ToldSet["validators"][number]): string => {
    if (set === current) return "";
    const known = before.get(validator.transportKey);
    if (known === undefined) return "new";
    return known.consensusKey === validator.consensusKey ? "" : "new key";
  };
  const rows = [
    ["name", "weight", "consensus key", "account", "reached at", ""],
    ...set.validators.map((validator) => [
      validator.name,
      String(Number(validator.weight)),
      `${validator.consensusKey.slice(0, 18)}...`,
      validator.address,
      `${validator.host}:${Number(validator.port)}`,
      changes(validator),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  const blocks = `blocks ${Number(set.firstBlock)} to ${Number(set.lastBlock)}`;
  return [`Epoch ${epoch} (${when}), ${blocks}, weight ${total}:`, ...lines].join("\n");
}

function describeUndecided(current: ToldSet): string {
  const length = Number(current.lastBlock) - Number(current.firstBlock) + 1;
  const lead = Number(current.firstBlock) - 1 - Number(current.decidedAtBlock);
  // The first epoch's set is of genesis, which tells nothing of the lead.
  if (Number(current.epoch) === 0) return "The next epoch's set is not decided yet.";
  return `The next epoch's set is decided at block ${Number(current.firstBlock) - 1 + length - lead}.`;
}
