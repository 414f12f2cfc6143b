import { existsSync, writeFileSync } from "node:fs";
import { DEVELOPMENT_ACCOUNT_COUNT, DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { type Command, UsageError } from "../command.ts";
import { ask, DEFAULT_RPC_URL } from "../rpc-client.ts";
import { readAddress, showCoins } from "../units.ts";

const ACTIONS = ["new", "balance", "dev"] as const;

export const account: Command = {
  name: "account",
  summary: "create keys, show balances, list the development accounts",
  usage: "new --out FILE | balance ADDRESS | dev",
  maxPositionals: 2,
  flags: [
    {
      name: "out",
      kind: "text",
      placeholder: "FILE",
      help: "new: where the secret key goes (0600; never overwritten)",
    },
    {
      name: "rpc",
      kind: "text",
      placeholder: "URL",
      help: "balance: the node to ask",
      default: DEFAULT_RPC_URL,
    },
  ],
  examples: [
    "ostrom account new --out alice.key",
    "ostrom account balance 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "ostrom account dev",
  ],
  run: async ({ values, positionals }) => {
    const [action, argument] = positionals;
    const json = values["json"] === true;
    switch (action as (typeof ACTIONS)[number] | undefined) {
      case "new":
        return createKey(values["out"], json);
      case "balance":
        return showBalance(String(values["rpc"]), argument, json);
      case "dev":
        return listDevelopmentAccounts(json);
      default:
        throw new UsageError(`say what to do: ${ACTIONS.join(", ")}. See: ostrom account --help`);
    }
  },
};

function createKey(out: unknown, json: boolean): number {
  if (typeof out !== "string") throw new UsageError("say where the secret key goes: --out FILE");
  if (existsSync(out)) throw new UsageError(`${out} is there already; a key is never overwritten`);
  const secretKey = generatePrivateKey();
  writeFileSync(out, `${secretKey}\n`, { mode: 0o600, flag: "wx" });
  const { address } = privateKeyToAccount(secretKey);
  console.log(
    json
      ? JSON.stringify({ address, file: out })
      : `${address}  (secret key in ${out}, readable by you alone)`,
  );
  return 0;
}

async function showBalance(rpc: string, argument: string | undefined, json: boolean): Promise<number> {
  const address = readAddress(argument, "account balance");
  const wei = BigInt(await ask<string>(rpc, "eth_getBalance", [address, "latest"]));
  const nonce = Number(await ask<string>(rpc, "eth_getTransactionCount", [address, "latest"]));
  console.log(
    json
      ? JSON.stringify({ address, wei: wei.toString(), nonce })
      : `${address}  ${showCoins(wei)} coins, ${nonce} transactions sent`,
  );
  return 0;
}

function listDevelopmentAccounts(json: boolean): number {
  deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT).forEach(({ address, secretKey }, index) => {
    console.log(json ? JSON.stringify({ index, address, secretKey }) : `(${index}) ${address}  ${secretKey}`);
  });
  if (!json) console.log("\nEverybody knows these keys: use them on development chains alone.");
  return 0;
}
