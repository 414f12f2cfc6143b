import { crc32 } from "node:zlib";
import type { Bytes } from "@ostrom/base";
import { StorageError } from "./errors.ts";

/** LevelDB checks neither its tables nor its log against changed bits as it is shipped for Node (its `verify_checksums` and
 * `paranoid_checks` cannot be set), so every value carries a checksum of its own: 4 bytes, big-endian, in front. It covers
 * the key too, so that a value under a wrong key is no less damaged. CRC-32 finds accidents, not attackers. */
export const CHECKSUM_BYTES = 4;

/** The value as it lies on the disk. */
export function sealValue(key: Bytes, value: Bytes): Bytes {
  const sealed = new Uint8Array(CHECKSUM_BYTES + value.length);
  new DataView(sealed.buffer).setUint32(0, checksum(key, value));
  sealed.set(value, CHECKSUM_BYTES);
  return sealed;
}

/** The value without its checksum; shares memory with `sealed`.
 * Throws StorageError `storage/damaged`. */
export function openValue(key: Bytes, sealed: Bytes): Bytes {
  if (sealed.length >= CHECKSUM_BYTES) {
    // A plain Uint8Array also where `sealed` is a Buffer, whose `slice` would share memory where callers expect a copy.
    const value = new Uint8Array(
      sealed.buffer,
      sealed.byteOffset + CHECKSUM_BYTES,
      sealed.length - CHECKSUM_BYTES,
    );
    const stored = new DataView(sealed.buffer, sealed.byteOffset).getUint32(0);
    if (stored === checksum(key, value)) return value;
  }
  throw new StorageError(
    "storage/damaged",
    "the database gave back something else than what was written: the disk or the files are damaged; " +
      "in the data folder, remove chain (never log): the node fetches it from the others",
  );
}

function checksum(key: Bytes, value: Bytes): number {
  return crc32(value, crc32(key));
}
