import { existsSync, readFileSync } from "node:fs";
import { fromHex, hex, must } from "@ostrom/base";
import { DEVELOPMENT_ACCOUNT_COUNT, developmentKeys } from "@ostrom/runtime";
import { describeKeystore, KEY_SCHEMES, type KeyPair, keyPairOf, schemeOfName } from "@ostrom/sdk";
import { readChoice } from "./choice.ts";
import { type CommandInput, type Flag, readList, UsageError, type Values } from "./command.ts";
import { KEYSTORE_FLAGS, openKeys } from "./keystore-files.ts";
import { readAddress } from "./units.ts";

const KEY_VARIABLE = "OSTROM_PRIVATE_KEY";
const ETHEREUM_SCHEME = "secp256k1";

/** Who signs; keystores apart. */
export const SIGNER_FLAGS: readonly Flag[] = [
  {
    name: "key-file",
    kind: "text",
    placeholder: "FILE",
    help: `file of a secret key: hex, lines of KIND:HEX, or a keystore (else ${KEY_VARIABLE})`,
  },
  {
    name: "signer",
    kind: "list",
    placeholder: "NAME",
    help: "keystore: its file, or an address's beginning; repeat where several must sign",
  },
  {
    name: "sender",
    kind: "text",
    placeholder: "ADDRESS",
    help: "the account, if not the one that its keys give: it changed its keys",
  },
  {
    name: "dev",
    kind: "number",
    placeholder: "I",
    help: `sign with development account I, 0 to ${DEVELOPMENT_ACCOUNT_COUNT - 1}`,
    default: 0,
  },
  {
    name: "dev-kind",
    kind: "text",
    placeholder: "KIND",
    help: "kind of the development account's key: that of the chain's suite",
    default: ETHEREUM_SCHEME,
    choices: KEY_SCHEMES,
  },
];

export const KEY_FLAGS: readonly Flag[] = [...SIGNER_FLAGS, ...KEYSTORE_FLAGS];

/** The keys that sign for an account. */
export type SigningKeys = {
  readonly keys: readonly KeyPair[];
  /** How many of them must sign where the account has no keys on chain. */
  readonly threshold: number;
  /** The account, if not the one whose address the keys give. */
  readonly sender: `0x${string}` | undefined;
};

/** The keys to sign with: from files, keystores, an environment variable, or a development account. Keys are never taken from the command line
 * itself, which other users of the machine can read. */
export async function readSigningKey({ values, given }: CommandInput): Promise<SigningKeys> {
  const named = readList(values["signer"]);
  const file = values["keyFile"];
  const isDevelopment = given.has("dev") || given.has("devKind");
  if (isDevelopment && typeof file === "string") throw new UsageError("choose one: --key-file or --dev");
  const sender =
    values["sender"] === undefined ? undefined : readAddress(String(values["sender"]), "--sender");
  const sources = [...(typeof file === "string" ? [file] : []), ...named];
  const rings: Keys[] = [];
  for (const source of sources) rings.push(await readKeys(source, values));
  const fromEnvironment = process.env[KEY_VARIABLE];
  if (isDevelopment) rings.push(developmentKey(values));
  else if (rings.length === 0 && fromEnvironment !== undefined)
    rings.push(readLines(fromEnvironment, KEY_VARIABLE));
  else if (rings.length === 0) rings.push(developmentKey(values));
  return { ...join(rings), sender };
}

type Keys = Omit<SigningKeys, "sender">;

/** Keys of any form, by the path of a file, or by the beginning of a keystore's name.
 * @throws UsageError. */
export async function readKeys(name: string, values: Values): Promise<Keys> {
  if (!existsSync(name)) return openKeys(name, values);
  const text = readFileSync(name, "utf8");
  return describeKeystore(text).ok ? openKeys(name, values) : readLines(text, name);
}

/** Keys of several files are one account's, and all of them sign. */
function join(rings: readonly Keys[]): Keys {
  const [first, ...others] = rings;
  if (first !== undefined && others.length === 0) return first;
  const keys = rings.flatMap((ring) => ring.keys);
  return { keys, threshold: keys.length };
}

/** Lines of KIND:HEX; without a kind it is an Ethereum key. */
function readLines(text: string, where: string): Keys {
  const keys = text
    .trim()
    .split(/\s+/)
    .map((line) => readLine(line, where));
  return { keys, threshold: keys.length };
}

function readLine(line: string, where: string): KeyPair {
  const at = line.indexOf(":");
  const scheme = at < 0 ? ETHEREUM_SCHEME : line.slice(0, at);
  const bytes = fromHex(line.slice(at + 1));
  const pair = bytes.ok ? keyPairOf(scheme, bytes.value) : undefined;
  if (pair?.ok === true) return pair.value;
  const expected =
    at < 0 ? "a secret key of 64 hex digits" : `KIND:HEX (${pair?.error.message ?? "no hex digits"})`;
  throw new UsageError(`${where}: expected ${expected}`);
}

function developmentKey(values: Values): Keys {
  const index = values["dev"] as number;
  if (index >= DEVELOPMENT_ACCOUNT_COUNT) {
    throw new UsageError(
      `--dev: there are ${DEVELOPMENT_ACCOUNT_COUNT} development accounts, 0 to ${DEVELOPMENT_ACCOUNT_COUNT - 1}`,
    );
  }
  const name = readChoice("--dev-kind", String(values["devKind"]), KEY_SCHEMES);
  const scheme = must(schemeOfName(name), "a listed kind is known");
  const { secretKey } = must(developmentKeys(scheme.id, index + 1)[index], "so many were asked for");
  return readLines(`${scheme.name}:${secretKey}`, "the development account");
}

/** The keys of an Ethereum account. @param secretKey 32 bytes in hex. */
export function ethereumKeys(secretKey: `0x${string}`): SigningKeys {
  const pair = keyPairOf(ETHEREUM_SCHEME, hex(secretKey));
  if (!pair.ok) throw new UsageError(pair.error.message);
  return { keys: [pair.value], threshold: 1, sender: undefined };
}
