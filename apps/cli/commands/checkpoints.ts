import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { toHex } from "@ostrom/base";
import { installNativeCrypto } from "@ostrom/runtime";
import { checkpointToStart, formatCheckpoint, verifyCheckpoints } from "@ostrom/sdk";
import {
  describeRegistration,
  planRegistration,
  planRegistrationForKey,
} from "../checkpoint-registration.ts";
import { type Command, UsageError } from "../command.ts";
import { askMany, DEFAULT_RPC_URL } from "../rpc-client.ts";
import { askSet } from "../validator-contracts.ts";

/** Epochs that a list shows, the newest. */
const LISTED_EPOCHS = 10;

export const checkpoints: Command = {
  name: "checkpoints",
  summary: "list, verify or register for what certifies epochs by post-quantum keys",
  usage: "[list] | verify --genesis FILE | register FOLDER [flags]",
  maxPositionals: 2,
  flags: [
    { name: "rpc", kind: "text", placeholder: "URL", help: "the node to ask", default: DEFAULT_RPC_URL },
    { name: "genesis", kind: "text", placeholder: "FILE", help: "verify: the chain's genesis.json" },
    { name: "epochs", kind: "number", help: `list: so many, the newest (default ${LISTED_EPOCHS})` },
    {
      name: "new",
      kind: "text",
      placeholder: "NAME",
      help: "register: replace the key by a new one, keys/checkpoint-NAME.key",
    },
    {
      name: "consensus-key",
      kind: "text",
      placeholder: "HEX",
      help: "register: for this consensus key of the folder, which the validator changes to",
    },
  ],
  examples: [
    "ostrom checkpoints",
    "ostrom checkpoints verify --genesis genesis.json --rpc https://node1.example:8545",
    "ostrom checkpoints register validator-5 --rpc http://127.0.0.1:8545",
    "ostrom checkpoints register validator-5 --new 2027",
    "ostrom checkpoints register validator-5 --consensus-key 0xKeyThatItChangesTo",
  ],
  run: async ({ values, positionals }) => {
    const [action = "list", folder] = positionals;
    const rpc = String(values["rpc"]);
    const isJson = values["json"] === true;
    installNativeCrypto();
    if (action === "list" && folder === undefined)
      return list(rpc, Number(values["epochs"] ?? LISTED_EPOCHS), isJson);
    if (action === "verify" && folder === undefined) return verify(rpc, values["genesis"], isJson);
    if (action !== "register" || folder === undefined)
      throw new UsageError(
        "say what to do: list, verify --genesis FILE, or register FOLDER. See: ostrom checkpoints --help",
      );
    const name = values["new"] === undefined ? undefined : String(values["new"]);
    const consensusKey = values["consensusKey"];
    if (consensusKey !== undefined && name !== undefined)
      throw new UsageError("--consensus-key and --new are two registrations, one after the other");
    const planned =
      consensusKey === undefined
        ? await planRegistration(rpc, folder, name)
        : await planRegistrationForKey(rpc, folder, String(consensusKey));
    console.log(isJson ? JSON.stringify(planned) : describeRegistration(planned).join("\n"));
    return 0;
  },
};

type ToldCheckpoint = {
  readonly epoch: string;
  readonly status: "certified" | "missing" | "pending" | "undecided";
  readonly weightWithKeys: string;
  readonly weightNeeded: string;
  readonly evidence: readonly string[];
};

async function list(rpc: string, count: number, isJson: boolean): Promise<number> {
  const newest = Number((await askSet(rpc))!.currentEpoch) + 1;
  const first = Math.max(0, newest - count + 1);
  const asked = Array.from({ length: newest - first + 1 }, (_, index) => ({
    method: "ostrom_getEpochCheckpoint",
    params: [`0x${(first + index).toString(16)}`],
  }));
  const answers = await askMany(rpc, asked);
  const told = answers.flatMap(({ result }) => (result ?? []) as ToldCheckpoint | readonly ToldCheckpoint[]);
  if (isJson) for (const one of told) console.log(JSON.stringify(one));
  else for (const one of told) console.log(describe(one));
  if (told.length > 0) return 0;
  if (!isJson)
    console.log(
      "This chain has no epoch checkpoints: its genesis is older, or its validators vote by ML-DSA.",
    );
  return 1;
}

function describe({ epoch, status, weightWithKeys, weightNeeded, evidence }: ToldCheckpoint): string {
  const [keys, needed] = [Number(weightWithKeys), Number(weightNeeded)];
  const lack = keys < needed ? "; too few validators have keys" : "";
  const proof = evidence.length > 0 ? `; ${evidence.length} contradictions` : "";
  return `Epoch ${Number(epoch)}: ${MEANINGS[status]} (weight with keys ${keys}, needed ${needed}${lack}${proof})`;
}

const MEANINGS: Readonly<Record<ToldCheckpoint["status"], string>> = {
  certified: "certified",
  missing: "has none, a later one stands for it",
  pending: "HAS NONE YET",
  undecided: "goes on",
};

async function verify(rpc: string, genesis: unknown, isJson: boolean): Promise<number> {
  if (typeof genesis !== "string") throw new UsageError("name the chain's genesis.json: --genesis FILE");
  const verified = await verifyCheckpoints(JSON.parse(readFileSync(resolve(genesis), "utf8")), rpc);
  if (!verified.ok) throw new UsageError(`${verified.error.message} (${verified.error.code})`);
  const { proved, missing } = verified.value;
  const newest = proved.at(-1);
  const start = checkpointToStart(verified.value);
  if (newest === undefined || start === undefined) {
    console.log(
      isJson ? JSON.stringify({ epoch: null }) : "No checkpoint is certified yet: genesis alone is sure.",
    );
    return 1;
  }
  const { epoch, height, executedHash, header } = newest;
  const found = { epoch, height, hash: toHex(executedHash), stateRoot: toHex(header.stateRoot) };
  if (isJson) {
    console.log(JSON.stringify({ ...found, missing, checkpoint: formatCheckpoint(start) }));
    return 0;
  }
  const lines = [
    `Verified from genesis by ML-DSA alone: ${proved.length} checkpoints, the newest of epoch ${epoch}.`,
    `block ${height}  ${found.hash}`,
    `state  ${found.stateRoot}`,
    ...(missing.length === 0 ? [] : [`Epochs without one: ${missing.join(", ")}`]),
    "",
    `A light client may begin here: ${formatCheckpoint(start)}`,
  ];
  console.log(lines.join("\n"));
  return 0;
}
