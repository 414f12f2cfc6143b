import { validatorScheme } from "@ostrom/crypto";
import { type Command, UsageError } from "../command.ts";
import { DEFAULT_RPC_URL } from "../rpc-client.ts";
import {
  askSet,
  contractCall,
  readScheme,
  type ToldSet,
  VALIDATOR_SET_ADDRESS,
} from "../validator-contracts.ts";

export const validators: Command = {
  name: "validators",
  summary: "list who validates now, and in the next epoch as soon as that is decided",
  usage: "[flags] | scheme NAME",
  maxPositionals: 2,
  flags: [
    { name: "rpc", kind: "text", placeholder: "URL", help: "the node to ask", default: DEFAULT_RPC_URL },
    { name: "epoch", kind: "number", help: "list the set of this epoch alone" },
  ],
  examples: [
    "ostrom validators",
    "ostrom validators --epoch 3",
    "ostrom validators --json",
    "ostrom validators scheme ml-dsa-44",
  ],
  run: async ({ values, positionals }) => {
    const [action, name] = positionals;
    if (action !== undefined) return beginChange(action, name, values["json"] === true);
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

/** What the owner sends so that the validators change the scheme that they vote by. */
function beginChange(action: string, name: string | undefined, isJson: boolean): number {
  if (action !== "scheme" || name === undefined)
    throw new UsageError("say what to do: scheme NAME, or nothing to list. See: ostrom validators --help");
  const scheme = readScheme(name, "scheme");
  const data = contractCall("changeScheme", [BigInt(scheme.id)]);
  if (isJson) {
    console.log(JSON.stringify({ scheme: scheme.name, to: VALIDATOR_SET_ADDRESS, data }));
    return 0;
  }
  const lines = [
    `Where an owner manages the validators, its account begins the change to ${scheme.name}:`,
    `  ostrom send --to ${VALIDATOR_SET_ADDRESS} --data ${data} --key-file FILE`,
    "",
    `Then each validator makes a key and hands it in: ostrom keys rotate FOLDER --rpc URL --scheme ${scheme.name}`,
    "With the last of them, the next epoch whose set is not decided yet votes by the new keys.",
  ];
  console.log(lines.join("\n"));
  return 0;
}

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
  const scheme = validatorScheme(Number(set.schemeId))?.name ?? `scheme ${Number(set.schemeId)}`;
  return [`Epoch ${epoch} (${when}), ${blocks}, weight ${total}, ${scheme}:`, ...lines].join("\n");
}

function describeUndecided(current: ToldSet): string {
  const length = Number(current.lastBlock) - Number(current.firstBlock) + 1;
  const lead = Number(current.firstBlock) - 1 - Number(current.decidedAtBlock);
  // The first epoch's set is of genesis, which tells nothing of the lead.
  if (Number(current.epoch) === 0) return "The next epoch's set is not decided yet.";
  return `The next epoch's set is decided at block ${Number(current.firstBlock) - 1 + length - lead}.`;
}
