import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bytes, type Failure, fail, fromHex, ok, type Result, toHex } from "@ostrom/base";
import { bls, deriveBlsSecretKey, isBlsSecretKey } from "@ostrom/crypto";
import { type Identity, identityFromPem } from "@ostrom/network";
import type { ConsensusKey, NodeKeys } from "./epoch-sets.ts";
import type { Log } from "./ports.ts";

/** A node's secrets, in its folder, readable by its owner alone. */
export const KEYS_FOLDER = "keys";
export const CONSENSUS_KEY_FILE = "consensus.key";
export const TRANSPORT_IDENTITY_FILE = "transport.pem";
/** A certificate over the transport key, issued by the organisation's own authority: shown on links in place of the self-signed one. */
export const ISSUED_CERTIFICATE_FILE = "transport.crt";
export const CONSENSUS_SECRET_BYTES = 32;
/** A node that changes its consensus key holds two for a while: in each epoch signs the one that the epoch's set knows. */
const FURTHER_KEY_FILE = /^consensus-[A-Za-z0-9_-]{1,64}\.key$/;
/** More keys than a node needs at a time. */
const MAX_CONSENSUS_KEYS = 16;
const SECRET_MODE = 0o600;
const OTHERS_MASK = 0o077;

export type NodeSecrets = {
  /** That of `consensus.key`. */
  readonly consensusSecret: Bytes;
  /** Those of `consensus-<name>.key`, by name. */
  readonly furtherSecrets?: readonly Bytes[];
  readonly identity: Identity;
};

type KeysFailure = Failure<"keys/unreadable" | "keys/exposed" | "keys/invalid">;

/** Reads a node's keys. Errors: `keys/unreadable`, `keys/exposed` (others than their owner may read them), `keys/invalid`. The
 * message never holds key material. */
export function readSecrets(folder: string): Result<NodeSecrets, KeysFailure> {
  const keys = join(folder, KEYS_FOLDER);
  const texts = new Map<string, string>();
  try {
    const further = existsSync(keys) ? readdirSync(keys).filter((name) => FURTHER_KEY_FILE.test(name)) : [];
    const names = [CONSENSUS_KEY_FILE, TRANSPORT_IDENTITY_FILE, ...further.sort()];
    if (further.length >= MAX_CONSENSUS_KEYS)
      return fail("keys/invalid", `${keys} holds ${further.length + 1} consensus keys: remove the old ones`);
    for (const name of names) {
      const path = join(keys, name);
      if (isExposed(path))
        return fail("keys/exposed", `${path} can be read by others than its owner: run chmod 600 ${path}`);
      texts.set(name, readFileSync(path, "utf8"));
    }
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    const problem = code === "ENOENT" ? `${path} is not there` : `${keys}: ${message}`;
    return fail("keys/unreadable", `${problem}: put this node's own keys back, from its backup`);
  }
  const restore = "put this node's own key back, from its backup";
  const issued = readIssuedCertificate(keys);
  if (!issued.ok) return issued;
  const identity = identityFromPem(texts.get(TRANSPORT_IDENTITY_FILE) ?? "", issued.value);
  texts.delete(TRANSPORT_IDENTITY_FILE);
  const found: Bytes[] = [];
  for (const [name, text] of texts) {
    const secret = fromHex(text.trim());
    if (!secret.ok || !isBlsSecretKey(secret.value)) {
      const expected = `expected a BLS12-381 secret key of ${CONSENSUS_SECRET_BYTES} bytes in hex`;
      return fail("keys/invalid", `${join(keys, name)}: ${expected}; ${restore}`);
    }
    found.push(secret.value);
  }
  if (!identity.ok) {
    const isIssued = issued.value !== undefined;
    const path = join(keys, isIssued ? ISSUED_CERTIFICATE_FILE : TRANSPORT_IDENTITY_FILE);
    const advice = isIssued ? "let your authority issue it over the key of transport.pem" : restore;
    return fail("keys/invalid", `${path}: ${identity.error.message}; ${advice}`);
  }
  const [consensusSecret, ...furtherSecrets] = found as [Bytes, ...Bytes[]];
  return ok({ consensusSecret, furtherSecrets, identity: identity.value });
}

/** A certificate is no secret; it need not be there. */
function readIssuedCertificate(keys: string): Result<string | undefined, Failure<"keys/unreadable">> {
  const path = join(keys, ISSUED_CERTIFICATE_FILE);
  if (!existsSync(path)) return ok(undefined);
  try {
    return ok(readFileSync(path, "utf8"));
  } catch (error) {
    return fail("keys/unreadable", `${path}: ${(error as Error).message}`);
  }
}

/** What the others must know of a new key before a set can name it. */
export type NewConsensusKey = {
  readonly path: string;
  readonly publicKey: Bytes;
  readonly proofOfPossession: Bytes;
};

/** Makes a further consensus key in a node's folder, `keys/consensus-<name>.key`. A running node finds it when the next epoch begins.
 * @param name letters, digits, `-`, `_`. Errors: `keys/exists`, `keys/invalid` (the name). */
export function addConsensusKey(
  folder: string,
  name: string,
  entropy: (length: number) => Bytes,
): Result<NewConsensusKey, Failure<"keys/exists" | "keys/invalid">> {
  const file = `consensus-${name}.key`;
  const path = join(folder, KEYS_FOLDER, file);
  if (!FURTHER_KEY_FILE.test(file))
    return fail("keys/invalid", `"${name}" is no name of a key: letters, digits, - and _ make one`);
  if (existsSync(path)) return fail("keys/exists", `${path} is there already: choose another name`);
  const secret = deriveBlsSecretKey(entropy(CONSENSUS_SECRET_BYTES));
  writeSecret(path, `${toHex(secret)}\n`);
  return ok({ path, publicKey: bls().publicKey(secret), proofOfPossession: bls().provePossession(secret) });
}

/** Writes a new file that only its owner can read. */
export function writeSecret(path: string, text: string): void {
  writeFileSync(path, text, { mode: SECRET_MODE, flag: "wx" });
}

/** The keys of a folder as the node uses them. Its consensus keys are read again whenever they are asked for; if that fails, those
 * that were read before stay. */
export function openNodeKeys(folder: string, secrets: NodeSecrets, log: Log): NodeKeys {
  let newest = secrets;
  return {
    peerId: secrets.identity.peerId,
    consensusKeys: () => {
      const read = readSecrets(folder);
      if (read.ok) newest = read.value;
      else
        log("warn", "the keys cannot be read again: those of before are used", {
          reason: read.error.message,
        });
      return [newest.consensusSecret, ...(newest.furtherSecrets ?? [])].map(consensusKey);
    },
  };
}

/** A key from its secret. */
export function consensusKey(secret: Bytes): ConsensusKey {
  return { publicKey: bls().publicKey(secret), sign: (message) => bls().sign(secret, message) };
}

/** Whether others than its owner may read a file. Windows has no such permissions and reports a mode of its own making. */
export function isExposed(path: string): boolean {
  return process.platform !== "win32" && (statSync(path).mode & OTHERS_MASK) !== 0;
}
