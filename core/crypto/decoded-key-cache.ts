import { type Bytes, toHexDigits } from "@ostrom/base";

/** Remembers decoded and validated public keys, because a validator set's keys come again with every certificate and
 * decompressing one with its subgroup check costs a tenth of a pairing. Only valid keys are kept, so a flood of bad ones
 * cannot push the good ones out.
 * @param decode answers undefined for bytes that are no valid key.
 * @param limit how many are kept; the oldest goes first. */
export function createDecodedKeyCache<Key>(
  decode: (bytes: Bytes) => Key | undefined,
  limit: number,
): (bytes: Bytes) => Key | undefined {
  const known = new Map<string, Key>();
  return (bytes) => {
    const digits = toHexDigits(bytes);
    const found = known.get(digits);
    if (found !== undefined) return found;
    const key = decode(bytes);
    if (key === undefined) return undefined;
    if (known.size >= limit) {
      for (const oldest of known.keys()) {
        known.delete(oldest);
        break;
      }
    }
    known.set(digits, key);
    return key;
  };
}
