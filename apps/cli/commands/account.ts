import { existsSync, writeFileSync } from "node:fs";
import { DEVELOPMENT_ACCOUNT_COUNT, DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import {
  ACCOUNT_FILE_FLAGS,
  createAccount,
  exportAccount,
  importAccount,
  listAccounts,
} from "../account-keys.ts";
import { type Command, UsageError } from "../command.ts";
import { KEY_SET_ACTIONS, runKeySetAction } from "../key-set-acts.ts";
import { KEY_SET_FLAGS } from "../key-set-flags.ts";
import { ask, DEFAULT_RPC_URL } from "../rpc-client.ts";
import { readAddress, showCoins } from "../units.ts";

const ACTIONS = ["new", "list", "import", "export", "balance", "dev"] as const;

export const account: Command = {
  name: "account",
  summary: "create, import and export keys of all kinds, show balances",
  usage: "new | list | import | export | balance | dev | keys | enroll | rotate | apply | cancel | protect",
  maxPositionals: 2,
  flags: [
    {
      name: "out",
      kind: "text",
      placeholder: "FILE",
      help: "new: where the key goes, in hex or with --key as a keystore; export: where it goes",
    },
    ...ACCOUNT_FILE_FLAGS,
    ...KEY_SET_FLAGS,
    {
      name: "rpc",
      kind: "text",
      placeholder: "URL",
      help: "the node to ask",
      default: DEFAULT_RPC_URL,
    },
  ],
  examples: [
    "ostrom account new --out alice.key",
    "ostrom account new --key ml-dsa-44 --with secp256k1",
    "ostrom account import sm2.pem",
    "ostrom account export 0x5FbDB2315678afecb367f032d93F642f64180aa3 --format pem --out sm2.pem",
    "ostrom account balance 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "ostrom account dev",
    "ostrom account enroll --key-file alice.key --keep --new ml-dsa.json --guardian guardian.json",
    "ostrom account rotate --sender 0xf39F...2266 --signer old.json --new next.json",
    "ostrom account protect --key-file alice.key --commit ml-dsa.json",
  ],
  run: async (input) => {
    const { values, positionals, given } = input;
    const [action, argument] = positionals;
    const json = values["json"] === true;
    const keySetAction = KEY_SET_ACTIONS.find((name) => name === action);
    if (keySetAction !== undefined) return runKeySetAction(keySetAction, input);
    switch (action as (typeof ACTIONS)[number] | undefined) {
      case "new":
        return given.has("key") || given.has("with")
          ? createAccount(values, json)
          : createKey(values["out"], json);
      case "list":
        return listAccounts(values, json);
      case "import":
        return importAccount(argument, values, json);
      case "export":
        return exportAccount(argument, values, json);
      case "balance":
        return showBalance(String(values["rpc"]), argument, json);
      case "dev":
        return listDevelopmentAccounts(json);
      default:
        throw new UsageError(
          `say what to do: ${[...ACTIONS, ...KEY_SET_ACTIONS].join(", ")}. See: ostrom account --help`,
        );
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
