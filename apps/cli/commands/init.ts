import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  DEFAULT_LINK_PORT,
  DEFAULT_RPC_PORT,
  deriveAccounts,
  developmentAddresses,
  installNativeCrypto,
  isDevelopmentMnemonic,
  provisionNetwork,
} from "@ostrom/runtime";
import { type Command, UsageError } from "../command.ts";
import { readAddress, readAmount } from "../units.ts";

const PROFILE_NAMES = ["alliance", "public", "cbdc"] as const;
const MAX_CHAIN_VALIDATORS = 1_024;

export const init: Command = {
  name: "init",
  summary: "create the genesis and the keys of a network, ready to copy to its machines",
  usage: "--chain-id N --fund ADDRESS=AMOUNT [flags]",
  flags: [
    {
      name: "out",
      kind: "text",
      placeholder: "DIR",
      help: "where the folders go, one for each validator",
      default: "network",
    },
    { name: "validators", kind: "number", help: "how many", default: 4 },
    { name: "chain-id", kind: "number", help: "the chain's number; choose one that nobody else uses" },
    {
      name: "profile",
      kind: "text",
      placeholder: "NAME",
      help: `preset: ${PROFILE_NAMES.join(", ")}`,
      default: "alliance",
    },
    {
      name: "host",
      kind: "list",
      placeholder: "HOST[:PORT]",
      help: "where validator 1, 2, ... is reached by the others; repeat",
    },
    { name: "fund", kind: "list", placeholder: "ADDRESS=AMOUNT", help: "coins at genesis; repeat" },
    {
      name: "fund-mnemonic",
      kind: "text",
      placeholder: "FILE",
      help: "file with a mnemonic whose first account gets 1,000,000 coins",
    },
    {
      name: "fee-recipient",
      kind: "list",
      placeholder: "ADDRESS",
      help: "who gets validator 1's, 2's, ... fees; repeat",
    },
  ],
  examples: [
    "ostrom init --chain-id 2026 --fund 0xYourAddress=1000000",
    "ostrom init --chain-id 2026 --validators 7 --host node1.example:30310 --host node2.example:30310 ...",
    "# then copy network/validator-1 to machine 1, and there: ostrom run --data-dir validator-1",
  ],
  run: async ({ values }) => {
    const count = values["validators"] as number;
    if (count < 1 || count > MAX_CHAIN_VALIDATORS)
      throw new UsageError(`--validators: choose 1 to ${MAX_CHAIN_VALIDATORS}`);
    const chainId = values["chainId"] as number | undefined;
    if (chainId === undefined || chainId < 1)
      throw new UsageError("choose a chain id: --chain-id N (any number above 0)");
    const profile = PROFILE_NAMES.find((name) => name === values["profile"]);
    if (profile === undefined) throw new UsageError(`--profile: expected one of ${PROFILE_NAMES.join(", ")}`);
    installNativeCrypto();
    const out = resolve(String(values["out"]));
    const hosts = (values["host"] as readonly string[] | undefined) ?? [];
    const recipients = (values["feeRecipient"] as readonly string[] | undefined) ?? [];
    const validators = Array.from({ length: count }, (_, index) => {
      const name = `validator-${index + 1}`;
      return {
        name,
        folder: join(out, name),
        feeRecipient: readFeeRecipient(recipients[index], index),
        weight: 1,
        link: readHost(hosts[index], index),
        rpc: { host: "127.0.0.1", port: DEFAULT_RPC_PORT + (hosts.length === 0 ? index : 0) },
      };
    });
    const balances = readFunds(values["fund"] as readonly string[] | undefined, values["fundMnemonic"]);
    mkdirSync(out, { recursive: true, mode: 0o700 });
    const genesis = provisionNetwork({
      chainId,
      profile,
      timestampMs: Date.now(),
      balances,
      validators,
      entropy: (length) => new Uint8Array(randomBytes(length)),
    });
    if (!genesis.ok) throw new UsageError(genesis.error.message);
    report(out, validators, balances, chainId, values["json"] === true);
    return 0;
  },
};

function report(
  out: string,
  validators: readonly {
    readonly name: string;
    readonly folder: string;
    readonly link: { readonly host: string; readonly port: number };
  }[],
  balances: ReadonlyMap<string, bigint>,
  chainId: number,
  json: boolean,
): void {
  if (json) {
    console.log(
      JSON.stringify({
        out,
        chainId,
        validators: validators.map(({ name, folder, link }) => ({ name, folder, link })),
      }),
    );
    return;
  }
  console.log(`Created ${validators.length} validators of chain ${chainId} in ${out}:`);
  for (const { name, folder, link } of validators)
    console.log(`  ${name}  ${folder}  reached at ${link.host}:${link.port}`);
  if (balances.size === 0)
    console.log("No account is funded: without coins nobody can send a transaction (--fund ADDRESS=AMOUNT).");
  console.log(
    "\nEach folder holds that validator's own secret keys: copy it to its machine, nowhere else. Then there:",
  );
  console.log(`  ostrom run --data-dir ${validators[0]!.name}`);
}

function readFeeRecipient(text: string | undefined, index: number): string {
  if (text !== undefined) return readAddress(text, `--fee-recipient ${index + 1}`);
  // Nobody's address: fees are burnt until the operator names one.
  return `0x${"0".repeat(40)}`;
}

function readHost(text: string | undefined, index: number): { readonly host: string; readonly port: number } {
  if (text === undefined) return { host: "127.0.0.1", port: DEFAULT_LINK_PORT + index };
  const match = /^(\[[0-9a-fA-F:]+\]|[^:]+)(?::(\d+))?$/.exec(text);
  if (match === null) throw new UsageError(`--host: expected HOST or HOST:PORT, found "${text}"`);
  return { host: match[1]!, port: match[2] === undefined ? DEFAULT_LINK_PORT : Number(match[2]) };
}

function readFunds(
  entries: readonly string[] | undefined,
  mnemonicFile: unknown,
): ReadonlyMap<string, bigint> {
  const funds = new Map<string, bigint>();
  const known = new Set(developmentAddresses().map((address) => address.toLowerCase()));
  const add = (address: string, amount: bigint): void => {
    if (known.has(address.toLowerCase())) {
      throw new UsageError(
        `${address} belongs to the public development mnemonic: anybody could spend its coins. Use an account of your own`,
      );
    }
    funds.set(address, amount);
  };
  for (const entry of entries ?? []) {
    const [address, amount] = entry.split("=");
    add(readAddress(address, "--fund"), readAmount(amount ?? "", `--fund ${address}`));
  }
  if (typeof mnemonicFile === "string") {
    const mnemonic = readMnemonic(mnemonicFile);
    if (isDevelopmentMnemonic(mnemonic)) {
      throw new UsageError(
        "this is the public development mnemonic: anybody could spend its coins. Make one of your own",
      );
    }
    add(deriveAccounts(mnemonic, 1)[0]!.address, 1_000_000n * 10n ** 18n);
  }
  return funds;
}

function readMnemonic(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new UsageError(`--fund-mnemonic ${path}: ${(error as Error).message}`);
  }
}
