import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Bytes, fromHex } from "@ostrom/base";
import { KEYS_FOLDER, readSecret } from "./key-files.ts";

const MODULE_KEY_NAME = /^[a-z][a-z0-9-]{0,30}$/;
/** Names of the node's own keys. */
const RESERVED_NAME = /^(consensus|transport|has-voted|checkpoint)/;

/** A module's key that cannot be read. Codes: `keys/exposed`, `keys/invalid`. Its message never holds key material. */
export class ModuleKeyError extends Error {
  override readonly name = "ModuleKeyError";
  readonly code: "keys/exposed" | "keys/invalid";
  constructor(code: "keys/exposed" | "keys/invalid", message: string) {
    super(message);
    this.code = code;
  }
}

/** Where a node's folder has the key of a module. @throws ModuleKeyError if the name is the node's own or none. */
export function moduleKeyPath(folder: string, name: string): string {
  if (!MODULE_KEY_NAME.test(name) || RESERVED_NAME.test(name))
    throw new ModuleKeyError("keys/invalid", `"${name}" is no name of a module's key`);
  return join(folder, KEYS_FOLDER, `${name}.key`);
}

/** @returns undefined where there is none. @throws ModuleKeyError. */
export function readModuleKey(folder: string, name: string): Bytes | undefined {
  const path = moduleKeyPath(folder, name);
  if (!existsSync(path)) return undefined;
  const text = readSecret(path);
  if (!text.ok) throw new ModuleKeyError(text.error.code, text.error.message);
  const secret = fromHex(text.value.trim());
  if (!secret.ok) {
    const what = `${path}: expected a secret in hex; put the node's own key back, from its backup`;
    throw new ModuleKeyError("keys/invalid", what);
  }
  return secret.value;
}
