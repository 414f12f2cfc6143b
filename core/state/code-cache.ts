import { assert, type Bytes, type Hash, toHexDigits } from "@ostrom/base";
import type { StateReader } from "./types.ts";

/** Keeps code that was read, by its hash, which never changes what it names: so that a contract is read once, and whoever
 * prepares code finds the same object each time. What was used least lately goes first. */
export type CodeCache = {
  /** The same state, whose code comes from the cache where it has it. */
  readonly reader: (below: StateReader) => StateReader;
};

/** What the bookkeeping of one code takes, roughly: so that many small ones are bounded as well. */
const ENTRY_BYTES = 256;

/** @param maxBytes of code that it keeps. */
export function createCodeCache(maxBytes: number): CodeCache {
  assert(maxBytes > 0, "a cache must have room");
  // A map iterates in the order of insertion; what is used is inserted anew.
  const codes = new Map<string, Bytes>();
  let size = 0;
  const read = (below: StateReader, codeHash: Hash): Bytes => {
    const key = toHexDigits(codeHash);
    const known = codes.get(key);
    if (known !== undefined) {
      codes.delete(key);
      codes.set(key, known);
      return known;
    }
    const code = below.code(codeHash);
    codes.set(key, code);
    size += code.length + ENTRY_BYTES;
    for (const [oldest, bytes] of codes) {
      if (size <= maxBytes) break;
      codes.delete(oldest);
      size -= bytes.length + ENTRY_BYTES;
    }
    return code;
  };
  return {
    reader: (below) => ({
      account: (address) => below.account(address),
      storage: (address, slot) => below.storage(address, slot),
      code: (codeHash) => read(below, codeHash),
    }),
  };
}
