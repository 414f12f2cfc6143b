import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Bytes, fromHex, toHex } from "@ostrom/base";
import { OPERATOR_SECRET_BYTES } from "@ostrom/rpc";
import { readSecretFile, StorageError, writeSecretFile } from "@ostrom/storage";
import { machineEntropy } from "./machine.ts";
import { KEYS_FOLDER } from "./node-keys.ts";

/** Beside the node's keys: whoever can read it may do on this machine what an operator may. Source: Engine API, "Authentication". */
export const OPERATOR_SECRET_FILE = "operator.secret";

/** Reads a node's operator secret. Rejects with StorageError: `storage/missing`, `storage/exposed`, `storage/failed`. */
export async function readOperatorSecret(folder: string): Promise<Bytes> {
  const path = join(folder, KEYS_FOLDER, OPERATOR_SECRET_FILE);
  const secret = fromHex((await readSecretFile(path)).trim());
  if (secret.ok && secret.value.length === OPERATOR_SECRET_BYTES) return secret.value;
  throw new StorageError(
    "storage/failed",
    `${path}: expected ${OPERATOR_SECRET_BYTES} bytes in hex; remove it, and the node makes another when it starts`,
  );
}

/** The same; makes one where none is. */
export async function ensureOperatorSecret(folder: string): Promise<Bytes> {
  const path = join(folder, KEYS_FOLDER, OPERATOR_SECRET_FILE);
  if (!existsSync(path))
    await writeSecretFile(path, `${toHex(machineEntropy.bytes(OPERATOR_SECRET_BYTES))}\n`);
  return readOperatorSecret(folder);
}
