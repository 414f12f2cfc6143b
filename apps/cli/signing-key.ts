import { readFileSync } from "node:fs";
import { DEVELOPMENT_ACCOUNT_COUNT, DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { type Flag, UsageError, type Values } from "./command.ts";

const KEY_VARIABLE = "OSTROM_PRIVATE_KEY";

export const KEY_FLAGS: readonly Flag[] = [
  { name: "key-file", kind: "text", placeholder: "FILE", help: `file with a secret key in hex (else the variable ${KEY_VARIABLE})` },
  { name: "dev", kind: "number", placeholder: "I", help: "sign with development account I, 0 to 9", default: 0 },
];

/** The secret key to sign with: a file, an environment variable, or a development account. Keys are never taken from the command
 * line itself, which other users of the machine can read. */
export function readSigningKey(values: Values): `0x${string}` {
  const file = values["keyFile"];
  const text = typeof file === "string" ? readKeyFile(file) : process.env[KEY_VARIABLE];
  if (text !== undefined) {
    const digits = text.trim().replace(/^0x/, "");
    if (!/^[0-9a-fA-F]{64}$/.test(digits)) {
      throw new UsageError(`${typeof file === "string" ? file : KEY_VARIABLE}: expected a secret key of 64 hex digits`);
    }
    return `0x${digits}`;
  }
  const index = values["dev"] as number;
  if (index >= DEVELOPMENT_ACCOUNT_COUNT) {
    throw new UsageError(`--dev: there are ${DEVELOPMENT_ACCOUNT_COUNT} development accounts, 0 to ${DEVELOPMENT_ACCOUNT_COUNT - 1}`);
  }
  return deriveAccounts(DEVELOPMENT_MNEMONIC, index + 1)[index]!.secretKey;
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`--key-file ${path}: ${(error as Error).message}`);
  }
}
