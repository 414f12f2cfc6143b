import { existsSync } from "node:fs";
import { fromHex, toHex } from "@ostrom/base";
import { installNativeCrypto } from "@ostrom/runtime";
import {
  createKeyPair,
  describeKeystore,
  isEncryptedPem,
  isWeb3Keystore,
  KEY_SCHEMES,
  type KeyPair,
  type KeyRing,
  type KeystoreFace,
  keyPairOf,
  openKeystore,
  openWeb3Keystore,
  platformEntropy,
  privateKeyFromPem,
  privateKeyToPem,
  publicKeyToPem,
  sealWeb3Keystore,
  wipeKeys,
  X_WING,
} from "@ostrom/sdk";
import { readSecretFile, writeSecretFile } from "@ostrom/storage";
import { getAddress } from "viem";
import { type Flag, readList, UsageError, type Values } from "./command.ts";
import {
  findKeystore,
  KEYSTORE_FLAGS,
  type KeystoreFile,
  keystoreFolder,
  listKeystores,
  openKeys,
  writeKeystore,
} from "./keystore-files.ts";
import { readPassphrase } from "./passphrase.ts";

const EXPORT_FORMATS = ["pem", "web3", "public"] as const;
const DEFAULT_SCHEME = "secp256k1";

/** Flags of `ostrom account new | list | import | export`. */
export const ACCOUNT_FILE_FLAGS: readonly Flag[] = [
  {
    name: "key",
    kind: "text",
    placeholder: "KIND",
    help: "new: a key of this kind, in a keystore (sm2, ml-dsa-44, ...); import: kind of a hex file",
    choices: KEY_SCHEMES,
  },
  {
    name: "with",
    kind: "list",
    placeholder: "KIND",
    help: "new: another key of the same account; import: another file with one; repeat",
  },
  { name: "threshold", kind: "number", help: "new, import: how many of the keys must sign (default: all)" },
  {
    name: "from-passphrase-file",
    kind: "text",
    placeholder: "FILE",
    help: "import: passphrase of the imported file, if it has another one",
  },
  {
    name: "format",
    kind: "text",
    placeholder: "FORMAT",
    help: `export: ${EXPORT_FORMATS.join(", ")}`,
    default: "pem",
    choices: EXPORT_FORMATS,
  },
  {
    name: "to-passphrase-file",
    kind: "text",
    placeholder: "FILE",
    help: "export: passphrase of the exported file (default: the keystore's own)",
  },
  { name: "plain", kind: "switch", help: "export: without a passphrase, in the clear" },
  ...KEYSTORE_FLAGS,
];

/** `ostrom account new --key KIND`. @returns the exit code. @throws UsageError. */
export async function createAccount(values: Values, json: boolean): Promise<number> {
  installNativeCrypto();
  const schemes = [String(values["key"] ?? DEFAULT_SCHEME), ...readList(values["with"])];
  const keys: KeyPair[] = [];
  for (const scheme of schemes) {
    const pair = createKeyPair(scheme, platformEntropy);
    if (!pair.ok) throw new UsageError(`--key: ${pair.error.message}`);
    keys.push(pair.value);
  }
  return keep(keys, values, json);
}

/** `ostrom account list`. @returns the exit code. */
export function listAccounts(values: Values, json: boolean): number {
  const folder = keystoreFolder(values);
  const found = listKeystores(folder);
  for (const file of found) console.log(json ? JSON.stringify(shown(file)) : line(file));
  if (!json && found.length === 0) console.log(`There are no keystores in ${folder}.`);
  return 0;
}

/** `ostrom account import FILE`. @returns the exit code. @throws UsageError. */
export async function importAccount(
  file: string | undefined,
  values: Values,
  json: boolean,
): Promise<number> {
  if (file === undefined) throw new UsageError("say what to import: ostrom account import FILE");
  installNativeCrypto();
  const rings: KeyRing[] = [];
  for (const path of [file, ...readList(values["with"])]) rings.push(await readAny(path, values));
  const [first, ...others] = rings;
  if (others.length === 0 && first!.keys.length > 1) return keep(first!.keys, values, json, first!.threshold);
  return keep(
    rings.flatMap(({ keys }) => keys),
    values,
    json,
  );
}

/** `ostrom account export ACCOUNT`. @returns the exit code. @throws UsageError. */
export async function exportAccount(
  name: string | undefined,
  values: Values,
  json: boolean,
): Promise<number> {
  if (name === undefined) throw new UsageError("say what to export: ostrom account export ADDRESS");
  const format = EXPORT_FORMATS.find((known) => known === values["format"]);
  if (format === undefined) throw new UsageError(`--format: expected one of ${EXPORT_FORMATS.join(", ")}`);
  if (format === "public") return exportPublic(findKeystore(name, keystoreFolder(values)), json);
  const out = values["out"];
  if (typeof out !== "string")
    throw new UsageError("say where it goes: --out FILE (0600; never overwritten)");
  if (existsSync(out)) throw new UsageError(`${out} is there already; a key is never overwritten`);
  installNativeCrypto();
  const ring = await openKeys(name, values);
  const text = await exported(format, chosenKey(ring, values["key"]), values);
  wipeKeys(ring);
  await writeSecretFile(out, text);
  const isPlain = format === "pem" && values["plain"] === true;
  console.log(
    json
      ? JSON.stringify({ file: out, format, isEncrypted: !isPlain })
      : `The key is in ${out}, readable by you alone, ${isPlain ? "in the clear" : "under a passphrase"}.`,
  );
  return 0;
}

async function exported(format: "pem" | "web3", pair: KeyPair, values: Values): Promise<string> {
  if (format === "pem" && values["plain"] === true) return textOrRefuse(privateKeyToPem(pair));
  const file = values["toPassphraseFile"] ?? values["passphraseFile"];
  const passphrase = await readPassphrase(file, "Passphrase of the exported file", true);
  if (format === "pem") return textOrRefuse(privateKeyToPem(pair, { passphrase, entropy: platformEntropy }));
  if (values["plain"] === true) throw new UsageError("--plain: Web3 Secret Storage always has a passphrase");
  if (pair.scheme !== DEFAULT_SCHEME)
    throw new UsageError(`Web3 Secret Storage holds keys of ${DEFAULT_SCHEME} alone, not of ${pair.scheme}`);
  return sealWeb3Keystore(pair, passphrase, platformEntropy);
}

function exportPublic({ face }: KeystoreFile, json: boolean): number {
  for (const key of face.keys) {
    const pem = publicKeyToPem(key);
    const { scheme, publicKey } = key;
    if (json)
      console.log(
        JSON.stringify({ scheme, publicKey: toHex(publicKey), pem: pem.ok ? pem.value : undefined }),
      );
    else console.log(pem.ok ? pem.value.trimEnd() : `${scheme}:${toHex(publicKey)}`);
  }
  return 0;
}

function chosenKey({ keys }: KeyRing, scheme: unknown): KeyPair {
  const fitting = scheme === undefined ? keys : keys.filter((pair) => pair.scheme === scheme);
  if (fitting.length === 1) return fitting[0]!;
  throw new UsageError(
    `${fitting.length === 0 ? "no" : fitting.length} keys fit: say which with --key ${keys.map((pair) => pair.scheme).join(" | ")}`,
  );
}

async function keep(
  keys: readonly KeyPair[],
  values: Values,
  json: boolean,
  ownThreshold?: number,
): Promise<number> {
  const signing = keys.filter(({ scheme }) => scheme !== X_WING).length;
  if (signing > 0 && signing < keys.length)
    throw new UsageError(`keys of ${X_WING} only encrypt: keep them in a keystore of their own`);
  const threshold =
    signing === 0 ? 0 : ((values["threshold"] as number | undefined) ?? ownThreshold ?? signing);
  const ring = { threshold, keys };
  try {
    const written = await writeKeystore(ring, values, values["out"] as string | undefined);
    console.log(json ? JSON.stringify(shown(written)) : line(written));
    return 0;
  } finally {
    wipeKeys(ring);
  }
}

/** Any of the forms that keys come in. */
async function readAny(path: string, values: Values): Promise<KeyRing> {
  const text = await readSecretFile(path).catch((error: Error) => {
    throw new UsageError(error.message);
  });
  const ask = (): Promise<string> =>
    readPassphrase(values["fromPassphraseFile"] ?? values["passphraseFile"], `Passphrase of ${path}`, false);
  const refused = (message: string): UsageError => new UsageError(`${path}: ${message}`);
  if (describeKeystore(text).ok) {
    const ring = openKeystore(text, await ask());
    if (!ring.ok) throw refused(ring.error.message);
    return ring.value;
  }
  const read = isWeb3Keystore(text)
    ? openWeb3Keystore(text, await ask())
    : text.includes("-----BEGIN ")
      ? privateKeyFromPem(text, isEncryptedPem(text) ? await ask() : undefined)
      : fromHexText(text, String(values["key"] ?? DEFAULT_SCHEME));
  if (!read.ok) throw refused(read.error.message);
  return { threshold: 1, keys: [read.value] };
}

function fromHexText(text: string, scheme: string): ReturnType<typeof keyPairOf> {
  const bytes = fromHex(text.trim());
  if (!bytes.ok)
    throw new UsageError("this is no key: expected a keystore, Web3 Secret Storage, PEM, or hex digits");
  return keyPairOf(scheme, bytes.value);
}

function textOrRefuse(made: ReturnType<typeof privateKeyToPem>): string {
  if (!made.ok) throw new UsageError(made.error.message);
  return made.value;
}

function shown({ path, face }: KeystoreFile): Readonly<Record<string, unknown>> {
  return {
    ...(face.address === undefined ? {} : { address: getAddress(toHex(face.address)) }),
    threshold: face.threshold,
    keys: face.keys.map(({ scheme, publicKey }) => ({ scheme, publicKey: toHex(publicKey) })),
    file: path,
  };
}

function line(file: KeystoreFile): string {
  return `${nameOf(file.face)}  ${describePolicy(file.face)}  ${file.path}`;
}

function nameOf({ address }: KeystoreFace): string {
  return address === undefined ? "for encryption alone".padEnd(42) : getAddress(toHex(address));
}

function describePolicy({ keys, threshold }: KeystoreFace): string {
  const schemes = keys.map(({ scheme }) => scheme).join(" + ");
  return keys.length < 2 || threshold === 0 ? schemes : `${schemes} (${threshold} of ${keys.length} sign)`;
}
