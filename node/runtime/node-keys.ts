import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bytes, type Failure, fail, ok, type Result, toHex } from "@ostrom/base";
import { SCHEME_BLS12381 } from "@ostrom/crypto";
import { type Identity, type IdentityKind, identityFromPem } from "@ostrom/network";
import { readCheckpointKeys } from "./checkpoint-keys.ts";
import {
  type ConsensusSecret,
  createConsensusSecret,
  formatConsensusSecret,
  type PublicKey,
  parseConsensusSecret,
  publicKeyOfSecret,
  schemeOfSecret,
} from "./consensus-secret.ts";
import type { ConsensusKey, NodeKeys } from "./epoch-sets.ts";
import { CONSENSUS_KEY_FILE, FURTHER_KEY_FILE, KEYS_FOLDER, readSecret, writeSecret } from "./key-files.ts";
import type { Log } from "./ports.ts";
import {
  type RemoteSignerSettings,
  readRemoteSigner,
  remoteCheckpointKeys,
  remoteConsensusKeys,
} from "./remote-signer.ts";

export { CONSENSUS_KEY_FILE, KEYS_FOLDER, writeSecret };

export const TRANSPORT_IDENTITY_FILE = "transport.pem";
/** A certificate over the transport key, issued by the organisation's own authority: shown on links in place of the self-signed one. */
export const ISSUED_CERTIFICATE_FILE = "transport.crt";
/** More keys than a node needs at a time. */
const MAX_CONSENSUS_KEYS = 16;

export type NodeSecrets = {
  /** That of `consensus.key`. */
  readonly consensusSecret: ConsensusSecret;
  /** Those of `consensus-<name>.key`, by name. */
  readonly furtherSecrets?: readonly ConsensusSecret[];
  readonly identity: Identity;
};

/** What a folder holds: with a remote signer, consensus keys need not be there. */
export type StoredSecrets = Omit<NodeSecrets, "consensusSecret"> & {
  readonly consensusSecret: ConsensusSecret | undefined;
  readonly remoteSigner?: RemoteSignerSettings | undefined;
};

type KeysFailure = Failure<"keys/unreadable" | "keys/exposed" | "keys/invalid">;

/** Reads a node's keys.
 * @param transport the kind of identity that genesis asks for; any if it is not given.
 * Errors: `keys/unreadable`, `keys/exposed` (others than their owner may read them), `keys/invalid`. The message never holds key material. */
export function readSecrets(folder: string, transport?: IdentityKind): Result<StoredSecrets, KeysFailure> {
  const keys = join(folder, KEYS_FOLDER);
  const texts = new Map<string, string>();
  const remote = readRemoteSigner(folder);
  if (!remote.ok) return remote;
  const needsNoKey = remote.value !== undefined && !existsSync(join(keys, CONSENSUS_KEY_FILE));
  try {
    const further = existsSync(keys) ? readdirSync(keys).filter((name) => FURTHER_KEY_FILE.test(name)) : [];
    const own = needsNoKey ? [] : [CONSENSUS_KEY_FILE];
    const names = [...own, TRANSPORT_IDENTITY_FILE, ...further.sort()];
    if (further.length >= MAX_CONSENSUS_KEYS)
      return fail("keys/invalid", `${keys} holds ${further.length + 1} consensus keys: remove the old ones`);
    for (const name of names) {
      const text = readSecret(join(keys, name));
      if (!text.ok) return text;
      texts.set(name, text.value);
    }
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    const problem = code === "ENOENT" ? `${path} is not there` : `${keys}: ${message}`;
    return fail("keys/unreadable", `${problem}: put this node's own keys back, from its backup`);
  }
  const restore = "put this node's own key back, from its backup";
  const issued = readIssuedCertificate(keys);
  if (!issued.ok) return issued;
  const identity = identityFromPem(texts.get(TRANSPORT_IDENTITY_FILE) ?? "", issued.value, transport);
  texts.delete(TRANSPORT_IDENTITY_FILE);
  const found: ConsensusSecret[] = [];
  for (const [name, text] of texts) {
    const secret = parseConsensusSecret(text);
    if (!secret.ok) return fail("keys/invalid", `${join(keys, name)}: ${secret.error.message}; ${restore}`);
    found.push(secret.value);
  }
  if (!identity.ok) {
    const isIssued = issued.value !== undefined;
    const path = join(keys, isIssued ? ISSUED_CERTIFICATE_FILE : TRANSPORT_IDENTITY_FILE);
    const advice = isIssued ? "let your authority issue it over the key of transport.pem" : restore;
    return fail("keys/invalid", `${path}: ${identity.error.message}; ${advice}`);
  }
  const elsewhere = remote.value?.keys.map(({ publicKey }) => publicKey) ?? [];
  if (found.some((secret) => elsewhere.includes(toHex(publicKeyOfSecret(secret).publicKey))))
    return fail(
      "keys/invalid",
      `${keys} holds a key that the signer at ${remote.value?.url} has too: delete it here, or both may sign`,
    );
  const consensusSecret = needsNoKey ? undefined : found[0];
  const furtherSecrets = needsNoKey ? found : found.slice(1);
  return ok({ consensusSecret, furtherSecrets, identity: identity.value, remoteSigner: remote.value });
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
export type NewConsensusKey = PublicKey & { readonly path: string };

/** Makes a further consensus key in a node's folder, `keys/consensus-<name>.key`. A running node finds it when the next epoch begins.
 * @param name letters, digits, `-`, `_`. @param schemeId of validators. Errors: `keys/exists`, `keys/invalid` (the name). */
export function addConsensusKey(
  folder: string,
  name: string,
  entropy: (length: number) => Bytes,
  schemeId: number = SCHEME_BLS12381,
): Result<NewConsensusKey, Failure<"keys/exists" | "keys/invalid">> {
  const file = `consensus-${name}.key`;
  const path = join(folder, KEYS_FOLDER, file);
  if (!FURTHER_KEY_FILE.test(file))
    return fail("keys/invalid", `"${name}" is no name of a key: letters, digits, - and _ make one`);
  if (existsSync(path)) return fail("keys/exists", `${path} is there already: choose another name`);
  const secret = createConsensusSecret(schemeId, entropy);
  writeSecret(path, formatConsensusSecret(secret));
  return ok({ path, ...publicKeyOfSecret(secret) });
}

/** The keys of a folder as the node uses them. Its consensus keys are read again whenever they are asked for; if that fails, those
 * that were read before stay. */
export function openNodeKeys(folder: string, secrets: StoredSecrets, log: Log): NodeKeys {
  let newest = secrets;
  const { remoteSigner } = secrets;
  const elsewhere = remoteSigner === undefined ? [] : remoteConsensusKeys(remoteSigner, log);
  const checkpointsElsewhere = remoteSigner === undefined ? [] : remoteCheckpointKeys(remoteSigner, log);
  return {
    peerId: secrets.identity.peerId,
    checkpointKeys: () => [...readCheckpointKeys(folder, log), ...checkpointsElsewhere],
    consensusKeys: () => {
      const read = readSecrets(folder);
      if (read.ok) newest = read.value;
      else
        log("warn", "the keys cannot be read again: those of before are used", {
          reason: read.error.message,
        });
      const { consensusSecret, furtherSecrets = [] } = newest;
      const own = consensusSecret === undefined ? furtherSecrets : [consensusSecret, ...furtherSecrets];
      return [...own.map(consensusKey), ...elsewhere];
    },
  };
}

/** A key from its secret. */
export function consensusKey(key: ConsensusSecret): ConsensusKey {
  const scheme = schemeOfSecret(key);
  const { secret } = key;
  return { publicKey: scheme.publicKey(secret), sign: (message) => scheme.sign(secret, message) };
}
