import { readFileSync } from "node:fs";
import { DEVELOPMENT_ACCOUNT_COUNT, DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { type CommandInput, type Flag, UsageError } from "./command.ts";

const KEY_VARIABLE = "OSTROM_PRIVATE_KEY";

export const KEY_FLAGS: readonly Flag[] = [
  {
    name: "key-file",
    kind: "text",
    placeholder: "FILE",
    help: `file with a secret key in hex (else the variable ${KEY_VARIABLE})`,
  },
  {
    name: "dev",
    kind: "number",
    placeholder: "I",
    help: `sign with development account I, 0 to ${DEVELOPMENT_ACCOUNT_COUNT - 1}`,
    default: 0,
  },
];

/** The secret key to sign with: a file, an environment variable, or a development account. Keys are never taken from the
 * command line itself, which other users of the machine can read. */
export function readSigningKey({ values, given }: CommandInput): `0x${string}` {
  const file = values["keyFile"];
  const isDevelopment = given.has("dev");
  if (isDevelopment && typeof file === "string") throw new UsageError("choose one: --key-file or --dev");
  const fromEnvironment = isDevelopment ? undefined : process.env[KEY_VARIABLE];
  const text = typeof file === "string" ? readFileSync(file, "utf8") : fromEnvironment;
  if (text !== undefined) {
    const digits = text.trim().replace(/^0x/, "");
    if (!/^[0-9a-fA-F]{64}$/.test(digits)) {
      throw new UsageError(
        `${typeof file === "string" ? file : KEY_VARIABLE}: expected a secret key of 64 hex digits`,
      );
    }
    return `0x${digits}`;
  }
  const index = values["dev"] as number;
  if (index >= DEVELOPMENT_ACCOUNT_COUNT) {
    throw new UsageError(
      `--dev: there are ${DEVELOPMENT_ACCOUNT_COUNT} development accounts, 0 to ${DEVELOPMENT_ACCOUNT_COUNT - 1}`,
    );
  }
  return deriveAccounts(DEVELOPMENT_MNEMONIC, index + 1)[index]!.secretKey;
}
