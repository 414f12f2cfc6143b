import { hash } from "node:crypto";
import type { Bytes } from "@ostrom/base";

/** A process signs with few keys. */
const MAX_CACHED_SECRETS = 16;

/** Remembers what was made of secret keys, under their hashes, so that no copy of a secret stays in JavaScript's memory: keys themselves lie in OpenSSL's. */
export function createSecretKeyCache<Key>(read: (secretKey: Bytes) => Key): (secretKey: Bytes) => Key {
  const known = new Map<string, Key>();
  return (secretKey) => {
    const name = hash("sha256", secretKey, "hex");
    const found = known.get(name);
    if (found !== undefined) return found;
    const key = read(secretKey);
    if (known.size >= MAX_CACHED_SECRETS) known.clear();
    known.set(name, key);
    return key;
  };
}
