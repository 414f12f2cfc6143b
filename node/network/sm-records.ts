import { type CipherGCMTypes, createCipheriv, createDecipheriv } from "node:crypto";
import { type Bytes, type Failure, fail } from "@ostrom/base";
import { nextSmSecret, SM4_GCM_NONCE_BYTES, type SmKeys, smKeysOf } from "./sm-key-schedule.ts";

/** A record: type (1 byte), length of what follows (2 bytes, big-endian), body. Of `proof` and `data` the body is sealed: SM4-GCM (RFC 8998) with
 * the three bytes before it as associated data. */
export const SM_RECORD_TYPES: {
  readonly hello: 1;
  readonly answer: 2;
  readonly proof: 3;
  readonly data: 4;
} = { hello: 1, answer: 2, proof: 3, data: 4 };

const SM_RECORD_HEADER_BYTES = 3;
export const SM4_GCM_TAG_BYTES = 16;
/** As in TLS: what is larger waits longer for its last byte before the first can be used. */
export const MAX_SM_PLAIN_BYTES: number = 16 * 1024;

/** Node's types name no ciphers but AES. */
const CIPHER = "sm4-gcm" as CipherGCMTypes;

/** How much one direction may seal. */
export type SmSealLimits = {
  /** Then both sides go on with the next key: far below what GCM bears, and an old key that leaks opens so much and no more. */
  readonly recordsPerKey: number;
  /** Then the channel ends. */
  readonly maxKeys: number;
};

/** 65,536 records of 16 KiB are 1 GiB a key. SP 800-38D allows 2^32 records with one key; RFC 8446, 5.5, advises 2^24.5 for full records. */
export const DEFAULT_SM_SEAL_LIMITS: SmSealLimits = { recordsPerKey: 65_536, maxKeys: 2 ** 31 };

/** Seals or opens the records of one direction. The nonce is the key's own, XOR the number of the record under that key (RFC 8446, 5.3): no nonce
 * comes twice, and a record that is missing, doubled, moved or of the other direction does not open. */
export class SmRecordCipher {
  readonly #limits: SmSealLimits;
  #secret: Bytes;
  #keys: SmKeys;
  /** Records under the current key. */
  #count = 0;
  #keyCount = 1;

  constructor(secret: Bytes, limits: SmSealLimits = DEFAULT_SM_SEAL_LIMITS) {
    this.#limits = limits;
    this.#secret = secret;
    this.#keys = smKeysOf(secret);
  }

  /** @param parts one after another, at most MAX_SM_PLAIN_BYTES together. @returns a whole record; undefined when no key is left. */
  seal(type: number, ...parts: readonly Bytes[]): Bytes | undefined {
    if (!this.#takeNumber()) return undefined;
    let length = SM4_GCM_TAG_BYTES;
    for (const part of parts) length += part.length;
    const header = Uint8Array.of(type, length >> 8, length & 0xff);
    const cipher = createCipheriv(CIPHER, this.#keys.key, this.#nonce());
    cipher.setAAD(header);
    const sealed = parts.map((part) => cipher.update(part));
    cipher.final();
    return Buffer.concat([header, ...sealed, cipher.getAuthTag()]);
  }

  /** @param header of the record. @param body what follows it. @returns undefined if it is not the next record that the other side sealed. */
  open(header: Bytes, body: Bytes): Bytes | undefined {
    if (body.length < SM4_GCM_TAG_BYTES || !this.#takeNumber()) return undefined;
    const end = body.length - SM4_GCM_TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, this.#keys.key, this.#nonce());
    decipher.setAAD(header);
    decipher.setAuthTag(body.subarray(end));
    const plain = decipher.update(body.subarray(0, end));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return plain;
  }

  #takeNumber(): boolean {
    if (this.#count === this.#limits.recordsPerKey) {
      if (this.#keyCount === this.#limits.maxKeys) return false;
      this.#secret = nextSmSecret(this.#secret);
      this.#keys = smKeysOf(this.#secret);
      this.#keyCount += 1;
      this.#count = 0;
    }
    this.#count += 1;
    return true;
  }

  /** Of the record whose number was taken last. */
  #nonce(): Bytes {
    const nonce = this.#keys.nonce.slice();
    const view = new DataView(nonce.buffer);
    const offset = SM4_GCM_NONCE_BYTES - 4;
    view.setUint32(offset, (view.getUint32(offset) ^ (this.#count - 1)) >>> 0);
    return nonce;
  }
}

export type SmRecord = {
  readonly type: number;
  readonly header: Bytes;
  /** Shares memory with the stream. */
  readonly body: Bytes;
};

export type SmRecordErrorCode = "network/unexpected-record" | "network/record-too-long";

/** Cuts a stream of bytes into records. It holds what was pushed last and less than one record before that, and refuses a record by its header. */
export class SmRecordReader {
  #rest: Bytes = new Uint8Array(0);

  /** The chunk is kept until it has been taken, and must not change. */
  push(chunk: Bytes): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
  }

  /** Bytes that have not been taken. */
  get heldBytes(): number {
    return this.#rest.length;
  }

  /** Takes the next record. @param type the only one that may come. @param maxBytes of its body.
   * @returns undefined if it is not complete. */
  next(type: number, maxBytes: number): SmRecord | Failure<SmRecordErrorCode> | undefined {
    const rest = this.#rest;
    // A wrong first byte is reason enough: nobody waits for the rest of what is no record.
    if (rest.length > 0 && rest[0] !== type)
      return fail("network/unexpected-record", `a record of type ${rest[0]}`).error;
    if (rest.length < SM_RECORD_HEADER_BYTES) return undefined;
    const [, high = 0, low = 0] = rest;
    const length = (high << 8) | low;
    if (length > maxBytes) return fail("network/record-too-long", `a record of ${length} bytes`).error;
    const end = SM_RECORD_HEADER_BYTES + length;
    if (rest.length < end) return undefined;
    this.#rest = rest.subarray(end);
    return {
      type,
      header: rest.subarray(0, SM_RECORD_HEADER_BYTES),
      body: rest.subarray(SM_RECORD_HEADER_BYTES, end),
    };
  }
}

/** A record that is not sealed. */
export function plainSmRecord(type: number, body: Bytes): Bytes {
  return Buffer.concat([Uint8Array.of(type, body.length >> 8, body.length & 0xff), body]);
}
