import { toHex } from "@ostrom/base";
import { DEFAULT_TOKEN_SECONDS, installNativeCrypto, MAX_TOKEN_SECONDS } from "@ostrom/runtime";
import { type Command, UsageError } from "../command.ts";
import { ACCOUNT_KEY_FLAGS, tokenMaker } from "../node-access.ts";

export const token: Command = {
  name: "token",
  summary: "make a token with which a node's JSON-RPC knows who you are",
  usage: "create --account-key FILE --genesis FILE [flags]",
  maxPositionals: 1,
  flags: [
    ...ACCOUNT_KEY_FLAGS,
    { name: "ttl", kind: "number", help: "seconds that it is good for", default: DEFAULT_TOKEN_SECONDS },
  ],
  examples: [
    "ostrom token create --account-key auditor.key --genesis genesis.json",
    'curl -H "Authorization: Bearer $(ostrom token create --account-key me.key --genesis genesis.json --ttl 60)" ...',
    "OSTROM_TOKEN=$(ostrom token create --account-key me.key --genesis genesis.json) ostrom status",
  ],
  run: async ({ values, positionals }) => {
    if (positionals[0] !== "create") throw new UsageError("say what to do: create. See: ostrom token --help");
    const seconds = values["ttl"] as number;
    if (seconds < 1 || seconds > MAX_TOKEN_SECONDS)
      throw new UsageError(`--ttl: expected 1 to ${MAX_TOKEN_SECONDS} seconds`);
    installNativeCrypto();
    const made = (await tokenMaker(values))(seconds);
    const shown = { token: made.token, account: toHex(made.account), seconds };
    console.log(values["json"] === true ? JSON.stringify(shown) : made.token);
    return 0;
  },
};
