import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { installNativeCrypto } from "@ostrom/runtime";
import { createLightClient } from "@ostrom/sdk";
import { type Command, UsageError } from "../command.ts";
import { DEFAULT_RPC_URL } from "../rpc-client.ts";

export const checkpoint: Command = {
  name: "checkpoint",
  summary: "verify a chain as a light client and print where it stands, for others to start from",
  usage: "--genesis FILE | --from CHECKPOINT [flags]",
  flags: [
    {
      name: "rpc",
      kind: "list",
      placeholder: "URL",
      help: `the nodes to ask, none of which is believed; repeat (default ${DEFAULT_RPC_URL})`,
    },
    { name: "genesis", kind: "text", placeholder: "FILE", help: "the chain's genesis.json" },
    {
      name: "from",
      kind: "text",
      placeholder: "CHECKPOINT",
      help: "an older checkpoint, instead of genesis",
    },
  ],
  examples: [
    "ostrom checkpoint --genesis genesis.json --rpc https://node1.example:8545 --rpc https://node2.example:8545",
    "ostrom checkpoint --from ostrom-checkpoint-1:...",
  ],
  run: async ({ values }) => {
    const { genesis, from } = values;
    if ((genesis === undefined) === (from === undefined))
      throw new UsageError("name what to begin with: --genesis FILE, or --from CHECKPOINT");
    installNativeCrypto();
    const client = createLightClient({
      servers: (values["rpc"] as readonly string[] | undefined) ?? [DEFAULT_RPC_URL],
      ...(typeof genesis === "string"
        ? { genesis: JSON.parse(readFileSync(resolve(genesis), "utf8")) }
        : { checkpoint: String(from) }),
    });
    const reached = await client.checkpoint();
    if (!reached.ok) throw new UsageError(`${reached.error.message} (${reached.error.code})`);
    const disagreements = client.disagreements();
    if (values["json"] === true) console.log(JSON.stringify({ checkpoint: reached.value, disagreements }));
    else console.log(reached.value);
    for (const one of disagreements) console.error(`a server disagrees: ${JSON.stringify(one)}`);
    return 0;
  },
};
