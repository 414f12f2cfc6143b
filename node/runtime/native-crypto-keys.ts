import { type createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import type { Bytes } from "@ostrom/base";

/** Node 26 takes and gives keys without a frame; its declarations do not say so yet. */
type RawKey = {
  readonly key: Buffer;
  readonly format: "raw-public" | "raw-private" | "raw-seed";
  readonly asymmetricKeyType: string;
};

/** A key from its raw bytes. @param create makes a private key or a public one. @throws if they are none. */
export function readRawKey(
  create: typeof createPublicKey | typeof createPrivateKey,
  bytes: Bytes,
  format: RawKey["format"],
  asymmetricKeyType: string,
): KeyObject {
  const raw: RawKey = { key: Buffer.from(bytes), format, asymmetricKeyType };
  return create(raw as unknown as Parameters<typeof createPublicKey>[0] & Buffer);
}

/** The raw bytes of a private key's public key. */
export function rawPublicKeyOf(secretKey: KeyObject): Bytes {
  const options = { format: "raw-public" } as unknown as { format: "der"; type: "spki" };
  return new Uint8Array(createPublicKey(secretKey).export(options));
}

/** @param encoded a SubjectPublicKeyInfo in a buffer of its own. @returns undefined if it holds no key. */
export function readPublicKeyInfo(encoded: Bytes): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(encoded.buffer), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}
