import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { toHex } from "@ostrom/base";
import {
  describeKeystore,
  type KeyPair,
  type KeyRing,
  type KeystoreFace,
  openKeystore,
  platformEntropy,
  recipientName,
  sealKeystore,
} from "@ostrom/sdk";
import { writeSecretFile } from "@ostrom/storage";
import { type Flag, UsageError, type Values } from "./command.ts";
import { PASSPHRASE_FLAGS, readPassphrase } from "./passphrase.ts";

const KEYSTORE_VARIABLE = "OSTROM_KEYSTORE";
const OWNER_ONLY = 0o700;
const ENDING = ".json";

export const KEYSTORE_FLAGS: readonly Flag[] = [
  {
    name: "keystore",
    kind: "text",
    placeholder: "DIR",
    help: `folder of encrypted keys (else ${KEYSTORE_VARIABLE}, else ~/.ostrom/keystore)`,
  },
  ...PASSPHRASE_FLAGS,
];

/** A keystore file, and what it says in the clear. */
export type KeystoreFile = { readonly path: string; readonly face: KeystoreFace };

/** The folder that flags, environment or habit name. */
export function keystoreFolder(values: Values): string {
  const named = values["keystore"] ?? process.env[KEYSTORE_VARIABLE];
  return resolve(typeof named === "string" ? named : join(homedir(), ".ostrom", "keystore"));
}

/** All keystores of a folder, by the names of their files; others than keystores are passed over. */
export function listKeystores(folder: string): readonly KeystoreFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(ENDING))
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      const face = describeKeystore(readFileSync(path, "utf8"));
      return face.ok ? [{ path, face: face.value }] : [];
    });
}

/** Finds one by the path of its file, or, in the folder, by the beginning of its name: an address. @throws UsageError. */
export function findKeystore(name: string, folder: string): KeystoreFile {
  if (existsSync(name)) return readFace(name);
  const wanted = name.toLowerCase();
  const found = listKeystores(folder).filter(({ path }) => basename(path).startsWith(wanted));
  if (found.length === 1) return found[0]!;
  throw new UsageError(
    found.length === 0
      ? `there is no keystore "${name}", neither as a file nor in ${folder}: see ostrom account list`
      : `"${name}" fits ${found.length} keystores in ${folder}: write more of its name`,
  );
}

function readFace(path: string): KeystoreFile {
  const face = describeKeystore(readFileSync(path, "utf8"));
  if (!face.ok) throw new UsageError(`${path}: ${face.error.message}`);
  return { path, face: face.value };
}

/** Opens a keystore by its name. Who is done with the keys wipes them. @throws UsageError. */
export async function openKeys(name: string, values: Values): Promise<KeyRing> {
  const { path } = findKeystore(name, keystoreFolder(values));
  const question = `Passphrase of ${basename(path)}`;
  const passphrase = await readPassphrase(values["passphraseFile"], question, false);
  const ring = openKeystore(readFileSync(path, "utf8"), passphrase);
  if (!ring.ok) throw new UsageError(`${path}: ${ring.error.message}`);
  return ring.value;
}

/** Writes a new keystore, 0600, into the folder, or where `out` says. It never replaces one. @throws UsageError. */
export async function writeKeystore(ring: KeyRing, values: Values, out?: string): Promise<KeystoreFile> {
  const passphrase = await readPassphrase(values["passphraseFile"], "Passphrase of the new keystore", true);
  const sealed = sealKeystore(ring, passphrase, platformEntropy);
  if (!sealed.ok) throw new UsageError(sealed.error.message);
  const face = describeKeystore(sealed.value);
  if (!face.ok) throw new UsageError(face.error.message);
  const folder = keystoreFolder(values);
  if (out === undefined) {
    mkdirSync(folder, { recursive: true, mode: OWNER_ONLY });
    chmodSync(folder, OWNER_ONLY);
  }
  const path = out === undefined ? join(folder, nameOf(face.value, ring.keys)) : resolve(out);
  if (existsSync(path)) throw new UsageError(`${path} is there already; a key is never overwritten`);
  await writeSecretFile(path, sealed.value);
  return { path, face: face.value };
}

function nameOf({ address }: KeystoreFace, keys: readonly KeyPair[]): string {
  if (address !== undefined) return `${toHex(address)}${ENDING}`;
  const { scheme, name } = recipientName(keys[0]!);
  return `${scheme}-${name}${ENDING}`;
}
