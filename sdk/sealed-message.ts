import {
  type Bytes,
  bytesToBigint,
  concatBytes,
  equalBytes,
  fail,
  must,
  ok,
  type Result,
  toHexDigits,
  utf8,
} from "@ostrom/base";
import { decodeRlp, encodeRlp, type RlpItem, rlpUint } from "@ostrom/codec";
import {
  CIPHER_AES_256_GCM,
  CIPHER_NONCE_LENGTH,
  CIPHER_SM4_GCM,
  CIPHER_TAG_LENGTH,
  type CipherEngine,
  cipher,
  sha256,
} from "@ostrom/crypto";
import type { EncryptionFailure } from "./encryption-failure.ts";
import { decryptHybrid, encryptHybrid } from "./hybrid-encryption.ts";
import {
  ENCRYPTION_SCHEMES,
  type Entropy,
  type KeyPair,
  keyLengths,
  type PublicKey,
  wipe,
  X_WING,
} from "./key-pair.ts";
import { decryptSm2, encryptSm2 } from "./sm2-encryption.ts";

// A message for several recipients: README.md has the format.

/** What every sealed message begins with. */
export const SEALED_MAGIC: Bytes = utf8("ostrom-sealed-1\n");
export const MAX_RECIPIENTS = 256;
/** Bytes of the message in each chunk but the last. */
export const SEALED_CHUNK_BYTES = 65_536;

/** Names of the ciphers that messages are sealed with. */
export const SEALED_CIPHERS: Readonly<Record<string, number>> = {
  "aes-256-gcm": CIPHER_AES_256_GCM,
  "sm4-gcm": CIPHER_SM4_GCM,
};

const INFO = utf8("ostrom/sealed/1");
const COMMITMENT = utf8("ostrom/sealed/1/commitment");
const LENGTH_BYTES = 4;
const MAX_HEADER_BYTES = 1_048_576;
const HEADER_ITEMS = 3;
const KEY_NAME_BYTES = 16;
const COUNTER_OFFSET = 7;
const LAST_OFFSET = 11;
const LAST = 1;

/** Who can open a message: a name that follows from the public key, and nothing more. */
export type RecipientName = { readonly scheme: string; readonly name: string };

type Slot = { readonly scheme: string; readonly name: Bytes; readonly wrapped: Bytes };
type Header = { readonly cipherId: number; readonly slots: readonly Slot[]; readonly commitment: Bytes };

/** How a sealed message names a recipient: the first half of SHA-256 of its scheme and public key, in hex digits. */
export function recipientName({ scheme, publicKey }: PublicKey): RecipientName {
  return { scheme, name: toHexDigits(keyName(scheme, publicKey)) };
}

/** Encrypts a message under a fresh key, and that key to each recipient. Who made it is not proved.
 * @param recipients 1 to MAX_RECIPIENTS keys of ENCRYPTION_SCHEMES. @param cipherId one of SEALED_CIPHERS.
 * Errors: `encryption/key`, `encryption/unsupported`. */
export function sealMessage(
  recipients: readonly PublicKey[],
  message: Bytes,
  entropy: Entropy,
  cipherId: number = CIPHER_AES_256_GCM,
): Result<Bytes, EncryptionFailure> {
  const engine = sealingCipher(cipherId);
  if (engine === undefined) return fail("encryption/unsupported", `there is no cipher ${cipherId}`);
  if (recipients.length === 0 || recipients.length > MAX_RECIPIENTS)
    return fail("encryption/unsupported", `a message has 1 to ${MAX_RECIPIENTS} recipients`);
  const key = entropy(engine.keyLength);
  const slots: RlpItem[] = [];
  for (const { scheme, publicKey } of recipients) {
    const wrapped = wrap({ scheme, publicKey }, key, entropy);
    if (!wrapped.ok) {
      wipe(key);
      return wrapped;
    }
    slots.push([utf8(scheme), keyName(scheme, publicKey), wrapped.value]);
  }
  const header = encodeRlp([rlpUint(cipherId), slots, commitmentTo(key)]);
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, header.length);
  const head = concatBytes(SEALED_MAGIC, length, header);
  const bound = sha256(head);
  const count = Math.max(1, Math.ceil(message.length / SEALED_CHUNK_BYTES));
  const chunks = Array.from({ length: count }, (_, index) => {
    const chunk = message.subarray(index * SEALED_CHUNK_BYTES, (index + 1) * SEALED_CHUNK_BYTES);
    return engine.seal(key, chunkNonce(index, index === count - 1), bound, chunk);
  });
  wipe(key);
  return ok(concatBytes(head, ...chunks));
}

/** Decrypts with the first of the keys that is a recipient's.
 * Errors: `encryption/malformed`, `encryption/unsupported`, `encryption/not-for-this-key`, `encryption/tampered`. */
export function openMessage(sealed: Bytes, keys: readonly KeyPair[]): Result<Bytes, EncryptionFailure> {
  const read = readHeader(sealed);
  if (!read.ok) return read;
  const { header, bodyOffset } = read.value;
  for (const pair of keys) {
    const name = keyName(pair.scheme, pair.publicKey);
    const slot = header.slots.find((one) => one.scheme === pair.scheme && equalBytes(one.name, name));
    if (slot === undefined) continue;
    const key = unwrap(pair, slot.wrapped);
    if (!key.ok) return key;
    const opened = equalBytes(commitmentTo(key.value), header.commitment)
      ? openChunks(sealed, bodyOffset, header.cipherId, key.value)
      : fail("encryption/tampered", "its recipients were given different keys");
    wipe(key.value);
    return opened;
  }
  return fail("encryption/not-for-this-key", "it was encrypted to other keys than these");
}

/** Who can open it. Errors: `encryption/malformed`, `encryption/unsupported`. */
export function recipientsOf(sealed: Bytes): Result<readonly RecipientName[], EncryptionFailure> {
  const read = readHeader(sealed);
  if (!read.ok) return read;
  return ok(read.value.header.slots.map(({ scheme, name }) => ({ scheme, name: toHexDigits(name) })));
}

/** Opens a stored message and encrypts it anew, under a fresh key, to other recipients: whoever has broken an old key, or its wrapping,
 * learns nothing from the new ciphertext. The old one stays as open as it was: delete it.
 * @param cipherId the message's own unless told. Errors: those of `openMessage` and `sealMessage`. */
export function resealMessage(
  sealed: Bytes,
  keys: readonly KeyPair[],
  recipients: readonly PublicKey[],
  entropy: Entropy,
  cipherId?: number,
): Result<Bytes, EncryptionFailure> {
  const message = openMessage(sealed, keys);
  if (!message.ok) return message;
  const present = readHeader(sealed);
  if (!present.ok) return present;
  const anew = sealMessage(recipients, message.value, entropy, cipherId ?? present.value.header.cipherId);
  wipe(message.value);
  return anew;
}

function openChunks(
  sealed: Bytes,
  bodyOffset: number,
  cipherId: number,
  key: Bytes,
): Result<Bytes, EncryptionFailure> {
  const engine = must(sealingCipher(cipherId), "the header's cipher is known");
  if (key.length !== engine.keyLength) return fail("encryption/tampered", "its key has another length");
  const bound = sha256(sealed.subarray(0, bodyOffset));
  const chunkLength = SEALED_CHUNK_BYTES + CIPHER_TAG_LENGTH;
  const chunks: Bytes[] = [];
  for (let offset = bodyOffset, index = 0; offset < sealed.length; offset += chunkLength, index++) {
    const chunk = sealed.subarray(offset, offset + chunkLength);
    const isLast = offset + chunkLength >= sealed.length;
    const opened = engine.open(key, chunkNonce(index, isLast), bound, chunk);
    if (opened === undefined) {
      wipe(...chunks);
      return fail("encryption/tampered", "it was changed or cut off");
    }
    chunks.push(opened);
  }
  if (chunks.length === 0) return fail("encryption/tampered", "it was cut off");
  const message = concatBytes(...chunks);
  wipe(...chunks);
  return ok(message);
}

function readHeader(
  sealed: Bytes,
): Result<{ readonly header: Header; readonly bodyOffset: number }, EncryptionFailure> {
  const start = SEALED_MAGIC.length + LENGTH_BYTES;
  if (sealed.length < start || !equalBytes(sealed.subarray(0, SEALED_MAGIC.length), SEALED_MAGIC))
    return fail("encryption/malformed", "it is no sealed message of this format");
  const length = Number(bytesToBigint(sealed.subarray(SEALED_MAGIC.length, start)));
  if (length > MAX_HEADER_BYTES || start + length > sealed.length)
    return fail("encryption/malformed", "its header is cut off or too long");
  const decoded = decodeRlp(sealed.subarray(start, start + length));
  const items: readonly RlpItem[] = decoded.ok && Array.isArray(decoded.value) ? decoded.value : [];
  const [cipherItem, slotItems, commitment] = items;
  if (
    items.length !== HEADER_ITEMS ||
    !(cipherItem instanceof Uint8Array) ||
    !Array.isArray(slotItems) ||
    slotItems.length > MAX_RECIPIENTS ||
    !(commitment instanceof Uint8Array)
  )
    return fail("encryption/malformed", "its header is none");
  const slots = (slotItems as readonly RlpItem[]).map(readSlot);
  if (!slots.every((slot) => slot !== undefined))
    return fail("encryption/malformed", "a recipient in its header is none");
  const cipherId = cipherItem[0] ?? 0;
  if (cipherItem.length !== 1 || sealingCipher(cipherId) === undefined)
    return fail("encryption/unsupported", `there is no cipher ${cipherId}`);
  return ok({ header: { cipherId, slots, commitment }, bodyOffset: start + length });
}

function readSlot(item: RlpItem): Slot | undefined {
  if (!Array.isArray(item) || item.length !== 3) return undefined;
  const [scheme, name, wrapped] = item as readonly RlpItem[];
  if (!(scheme instanceof Uint8Array) || !(name instanceof Uint8Array) || !(wrapped instanceof Uint8Array))
    return undefined;
  return { scheme: new TextDecoder().decode(scheme), name, wrapped };
}

function wrap(
  { scheme, publicKey }: PublicKey,
  key: Bytes,
  entropy: Entropy,
): Result<Bytes, EncryptionFailure> {
  if (!ENCRYPTION_SCHEMES.includes(scheme))
    return fail(
      "encryption/key",
      `nothing can be encrypted to keys of ${scheme}: only to ${ENCRYPTION_SCHEMES.join(", ")}`,
    );
  if (publicKey.length !== keyLengths(scheme)?.publicKeyLength)
    return fail("encryption/key", `this is no public key of ${scheme}`);
  return scheme === X_WING
    ? encryptHybrid(publicKey, key, entropy, INFO)
    : encryptSm2(publicKey, key, entropy);
}

function unwrap({ scheme, secretKey }: KeyPair, wrapped: Bytes): Result<Bytes, EncryptionFailure> {
  return scheme === X_WING ? decryptHybrid(secretKey, wrapped, INFO) : decryptSm2(secretKey, wrapped);
}

/** Only the ciphers of this format: others may come to have ids. */
function sealingCipher(cipherId: number): CipherEngine | undefined {
  return Object.values(SEALED_CIPHERS).includes(cipherId) ? cipher(cipherId) : undefined;
}

/** GCM commits to no key: without this, whoever seals could make chunks that open to one message for one recipient and to another for the next. */
function commitmentTo(key: Bytes): Bytes {
  return sha256(concatBytes(COMMITMENT, key));
}

function keyName(scheme: string, publicKey: Bytes): Bytes {
  return sha256(concatBytes(utf8(`${scheme}:`), publicKey)).slice(0, KEY_NAME_BYTES);
}

/** The key is of one message alone: its chunks are counted, and the last one says so, so that none is left out, moved or cut off. */
function chunkNonce(index: number, isLast: boolean): Bytes {
  const nonce = new Uint8Array(CIPHER_NONCE_LENGTH);
  new DataView(nonce.buffer).setUint32(COUNTER_OFFSET, index);
  if (isLast) nonce[LAST_OFFSET] = LAST;
  return nonce;
}
