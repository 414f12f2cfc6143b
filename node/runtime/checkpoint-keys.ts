import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Bytes, type Failure, fail, type Hash, ok, type Result } from "@ostrom/base";
import { checkpointKeyHash } from "@ostrom/consensus";
import { SCHEME_ML_DSA_44 } from "@ostrom/crypto";
import {
  type ConsensusSecret,
  createConsensusSecret,
  formatConsensusSecret,
  parseConsensusSecret,
  schemeOfSecret,
} from "./consensus-secret.ts";
import type { ConsensusKey } from "./epoch-sets.ts";
import { KEYS_FOLDER, readSecret, writeSecret } from "./key-files.ts";
import type { Log } from "./ports.ts";

/** What a validator certifies epoch checkpoints with: an ML-DSA-44 key. */
export const CHECKPOINT_KEY_FILE = "checkpoint.key";
/** A validator that replaces its key holds both for a while: of each epoch's set signs the one that it names. */
const CHECKPOINT_KEY_FILES: RegExp = /^checkpoint(-[A-Za-z0-9_-]{1,64})?\.key$/;
/** As descriptions of first validators name it. */
export const CHECKPOINT_KEY_NAME = "checkpoint";
const MAX_CHECKPOINT_KEYS = 16;

export function createCheckpointSecret(entropy: (length: number) => Bytes): ConsensusSecret {
  return createConsensusSecret(SCHEME_ML_DSA_44, entropy);
}

/** What genesis and the chain's state name a checkpoint key by. */
export function checkpointKeyHashOf(secret: ConsensusSecret): Hash {
  return checkpointKeyHash(schemeOfSecret(secret).publicKey(secret.secret));
}

/** Writes a node's first checkpoint key. */
export function writeCheckpointKey(folder: string, secret: ConsensusSecret): void {
  writeSecret(join(folder, KEYS_FOLDER, CHECKPOINT_KEY_FILE), formatConsensusSecret(secret));
}

/** A checkpoint key's secret and where it lies. */
export type StoredCheckpointKey = { readonly path: string; readonly secret: ConsensusSecret };

/** Makes a checkpoint key in a node's folder: `keys/checkpoint.key`, or `keys/checkpoint-NAME.key`. A running node finds it when it needs it.
 * Errors: `keys/exists`, `keys/invalid` (the name). */
export function addCheckpointKey(
  folder: string,
  name: string | undefined,
  entropy: (length: number) => Bytes,
): Result<StoredCheckpointKey, Failure<"keys/exists" | "keys/invalid">> {
  const file = name === undefined ? CHECKPOINT_KEY_FILE : `checkpoint-${name}.key`;
  if (!CHECKPOINT_KEY_FILES.test(file))
    return fail("keys/invalid", `"${name}" is no name of a key: letters, digits, - and _ make one`);
  const path = join(folder, KEYS_FOLDER, file);
  if (existsSync(path)) return fail("keys/exists", `${path} is there already: choose another name`);
  const secret = createCheckpointSecret(entropy);
  writeSecret(path, formatConsensusSecret(secret));
  return ok({ path, secret });
}

/** The checkpoint keys of a folder, `checkpoint.key` first. Errors: `keys/exposed`, `keys/invalid`; messages never hold key material. */
export function readCheckpointSecrets(
  folder: string,
): Result<readonly StoredCheckpointKey[], Failure<"keys/exposed" | "keys/invalid">> {
  const keys = join(folder, KEYS_FOLDER);
  const names = existsSync(keys) ? readdirSync(keys).filter((name) => CHECKPOINT_KEY_FILES.test(name)) : [];
  if (names.length > MAX_CHECKPOINT_KEYS)
    return fail("keys/invalid", `${keys} holds ${names.length} checkpoint keys: remove the old ones`);
  const found: StoredCheckpointKey[] = [];
  // "checkpoint.key" comes after "checkpoint-...": it is read first.
  for (const name of names.sort((a, b) => a.length - b.length || (a < b ? -1 : 1))) {
    const path = join(keys, name);
    const text = readSecret(path);
    if (!text.ok) return text;
    const secret = parseConsensusSecret(text.value);
    if (!secret.ok) return fail("keys/invalid", `${path}: ${secret.error.message}`);
    found.push({ path, secret: secret.value });
  }
  return ok(found);
}

/** The checkpoint keys of a folder as the node uses them; none, and a warning, where they cannot be read. */
export function readCheckpointKeys(folder: string, log: Log): readonly ConsensusKey[] {
  const read = readCheckpointSecrets(folder);
  if (!read.ok) {
    log("warn", "the checkpoint keys cannot be read: no epoch checkpoint is signed", {
      reason: read.error.message,
    });
    return [];
  }
  return read.value.map(({ secret: key }) => {
    const scheme = schemeOfSecret(key);
    return { publicKey: scheme.publicKey(key.secret), sign: (message) => scheme.sign(key.secret, message) };
  });
}
