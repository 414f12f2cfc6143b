import { existsSync, readFileSync, statSync } from "node:fs";
import { fromHex } from "@ostrom/base";
import {
  describeKeystore,
  ENCRYPTION_SCHEMES,
  type KeyPair,
  type PublicKey,
  publicKeyFromPem,
} from "@ostrom/sdk";
import { type Flag, readList, UsageError, type Values } from "./command.ts";
import { findKeystore, keystoreFolder, openKeys } from "./keystore-files.ts";

/** Messages are held in memory. */
export const MAX_MESSAGE_BYTES: number = 512 * 1024 * 1024;

export const RECIPIENT_FLAG: Flag = {
  name: "to",
  kind: "list",
  placeholder: "KEY",
  help: "who may read it: a keystore, a PEM file with a public key, or KIND:HEX; repeat",
};

/** The keys that `--to` names. @throws UsageError. */
export function readRecipients(values: Values): readonly PublicKey[] {
  const named = readList(values["to"]);
  if (named.length === 0) throw new UsageError("say who may read it: --to KEY");
  return named.map((name) => readRecipient(name, values));
}

/** The keys of the keystores that `--key` names which something can be encrypted to. @throws UsageError. */
export async function openDecryptionKeys(values: Values): Promise<readonly KeyPair[]> {
  const names = readList(values["key"]);
  if (names.length === 0) throw new UsageError("say whose key opens it: --key KEYSTORE");
  const keys: KeyPair[] = [];
  for (const name of names) keys.push(...(await openKeys(name, values)).keys);
  return keys.filter(({ scheme }) => ENCRYPTION_SCHEMES.includes(scheme));
}

/** Reads a file that fits memory. @throws UsageError. */
export function readMessage(path: string): Uint8Array {
  if (statSync(path).size > MAX_MESSAGE_BYTES)
    throw new UsageError(
      `${path}: more than ${MAX_MESSAGE_BYTES} bytes cannot be encrypted at once: split it`,
    );
  return new Uint8Array(readFileSync(path));
}

function readRecipient(name: string, values: Values): PublicKey {
  const literal = /^([a-z0-9-]+):((?:0x)?[0-9a-fA-F]+)$/.exec(name);
  if (literal !== null && ENCRYPTION_SCHEMES.includes(literal[1]!)) {
    const publicKey = fromHex(literal[2]!);
    if (!publicKey.ok) throw new UsageError(`--to ${name}: ${publicKey.error.message}`);
    return { scheme: literal[1]!, publicKey: publicKey.value };
  }
  const text = existsSync(name) ? readFileSync(name, "utf8") : "";
  if (!describeKeystore(text).ok && text.includes("PUBLIC KEY")) {
    const read = publicKeyFromPem(text);
    if (!read.ok) throw new UsageError(`--to ${name}: ${read.error.message}`);
    return read.value;
  }
  const { face } = findKeystore(name, keystoreFolder(values));
  const fitting = face.keys.find(({ scheme }) => ENCRYPTION_SCHEMES.includes(scheme));
  if (fitting !== undefined) return fitting;
  const own = face.keys.map(({ scheme }) => scheme).join(", ");
  throw new UsageError(
    `--to ${name}: nothing can be encrypted to keys of ${own}; make one with ostrom account new --key x-wing`,
  );
}
