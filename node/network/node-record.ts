import { createHash, createPrivateKey } from "node:crypto";
import {
  type Bytes,
  concatBytes,
  equalBytes,
  type Failure,
  fail,
  fromHex,
  type Hash,
  ok,
  type Result,
  toHexDigits,
  unwrap,
  utf8,
} from "@ostrom/base";
import type { Identity } from "./identity.ts";
import { type IdentityKey, signRaw, verifyRaw } from "./identity-keys.ts";
import { type IdentityKind, kindOfPeerId, lengthsOf } from "./identity-kinds.ts";
import { type HostPort, hostFromBytes, hostToBytes } from "./network-group.ts";
import type { PeerId } from "./types.ts";

/** What a node is to others. */
export type NodeRole = "validator" | "follower" | "archive";

/** What a node says of itself, signed with its transport key: who hears it from a third party knows that it was said. That its addresses
 * are the node's only a handshake there proves. */
export type NodeRecord = {
  readonly peerId: PeerId;
  /** A newer record of one node has a greater one. */
  readonly sequence: number;
  readonly genesisHash: Hash;
  /** Where it listens: at most MAX_RECORD_ADDRESSES, none twice; none at all if it cannot be dialed. Addresses of IP, never names: a name
   * belongs to no network group. */
  readonly addresses: readonly HostPort[];
  readonly roles: readonly NodeRole[];
  /** When it was signed, in milliseconds since 1970. */
  readonly timestampMs: number;
};

/** A record with its canonical encoding, which its signature ends. */
export type SignedRecord = { readonly record: NodeRecord; readonly bytes: Bytes };

export const MAX_RECORD_ADDRESSES = 4;
const HASH_BYTES = 32;
/** Format, sequence, genesis hash, roles, timestamp, count, addresses of IPv6: all but key and signature. */
const MAX_PLAIN_BYTES = 1 + 8 + HASH_BYTES + 1 + 8 + 1 + MAX_RECORD_ADDRESSES * (1 + 16 + 2);

/** The longest record of a node with an identity of that kind. */
export function maxRecordBytes(kind: IdentityKind): number {
  const { publicKey, signature } = lengthsOf(kind);
  return MAX_PLAIN_BYTES + publicKey + signature;
}

/** Records of each kind have a format of their own, so that none can be read as one of another kind. */
const RECORD_FORMATS: Readonly<Record<IdentityKind, number>> = { ed25519: 1, sm2: 2, "ml-dsa-44": 3 };
const ROLES: readonly NodeRole[] = ["validator", "follower", "archive"];
const SIGNING_TAG = utf8("ostrom/node-record/1");

export type RecordErrorCode =
  | "record/malformed"
  | "record/not-canonical"
  | "record/wrong-chain"
  | "record/bad-signature";

/** Writes a record and signs it. */
export function signRecord(record: NodeRecord, identity: Pick<Identity, "privateKeyPem">): SignedRecord {
  const body = encodeBody(record);
  const signer = createPrivateKey(identity.privateKeyPem);
  return { record, bytes: concatBytes(body, signRaw(signer, keyOf(record.peerId), signedBytes(body))) };
}

/** Reads a record of this chain, and nothing of whether its signature is good.
 * @param kind of the chain's identities.
 * Errors: `record/malformed` (too short or long, trailing bytes, an unknown format), `record/not-canonical` (unknown roles, an address twice or
 * not in its shortest form, a number that is not safe), `record/wrong-chain`. */
export function decodeRecord(
  bytes: Bytes,
  genesisHash: Hash,
  kind: IdentityKind = "ed25519",
): Result<SignedRecord, Failure<RecordErrorCode>> {
  const lengths = lengthsOf(kind);
  const reader = new RecordReader(bytes);
  const format = reader.take(1)?.[0];
  const sequence = reader.number();
  const key = reader.take(lengths.publicKey);
  const genesis = reader.take(HASH_BYTES);
  const roleBits = reader.take(1)?.[0];
  const timestampMs = reader.number();
  const count = reader.take(1)?.[0];
  if (
    format !== RECORD_FORMATS[kind] ||
    sequence === undefined ||
    key === undefined ||
    genesis === undefined ||
    roleBits === undefined ||
    timestampMs === undefined ||
    count === undefined ||
    count > MAX_RECORD_ADDRESSES
  )
    return fail("record/malformed", "not a record of this format");
  const addresses = readAddresses(reader, count);
  if (addresses === undefined || reader.take(lengths.signature) === undefined || !reader.isAtEnd)
    return fail("record/malformed", "a record is cut off, or goes on after its end");
  if (!equalBytes(genesis, genesisHash)) return fail("record/wrong-chain", "a record of another chain");
  const roles = ROLES.filter((_, index) => (roleBits & (1 << index)) !== 0);
  const record = {
    peerId: toHexDigits(key),
    sequence,
    genesisHash,
    addresses,
    roles,
    timestampMs,
  };
  const isSafe = Number.isSafeInteger(sequence) && Number.isSafeInteger(timestampMs);
  const body = bytes.subarray(0, bytes.length - lengths.signature);
  if (!isSafe || !areDistinct(addresses) || !equalBytes(encodeBody(record), body))
    return fail("record/not-canonical", "a record in another than its only form");
  return ok({ record, bytes: bytes.slice() });
}

/** Whether the node that a record names has signed it. */
export function isRecordSigned({ record, bytes }: SignedRecord): boolean {
  const key = keyOf(record.peerId);
  const body = bytes.subarray(0, bytes.length - lengthsOf(key.kind).signature);
  return verifyRaw(key, signedBytes(body), bytes.subarray(body.length));
}

function keyOf(peerId: PeerId): IdentityKey {
  return { kind: kindOfPeerId(peerId), raw: unwrap(fromHex(peerId)) };
}

function signedBytes(body: Bytes): Bytes {
  return concatBytes(SIGNING_TAG, body);
}

/** A short name of a record's bytes, to know it again without checking its signature. */
export function recordName(bytes: Bytes): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 32);
}

function encodeBody({ peerId, sequence, genesisHash, addresses, roles, timestampMs }: NodeRecord): Bytes {
  const roleBits = roles.reduce((bits, role) => bits | (1 << ROLES.indexOf(role)), 0);
  return concatBytes(
    Uint8Array.of(RECORD_FORMATS[kindOfPeerId(peerId)]),
    uint64(sequence),
    unwrap(fromHex(peerId)),
    genesisHash,
    Uint8Array.of(roleBits),
    uint64(timestampMs),
    Uint8Array.of(addresses.length),
    ...addresses.map(encodeAddress),
  );
}

function encodeAddress({ host, port }: HostPort): Bytes {
  const bytes = hostToBytes(host) ?? new Uint8Array(0);
  return concatBytes(Uint8Array.of(bytes.length), bytes, Uint8Array.of(port >> 8, port & 0xff));
}

function uint64(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

function readAddresses(reader: RecordReader, count: number): readonly HostPort[] | undefined {
  const addresses: HostPort[] = [];
  for (let index = 0; index < count; index++) {
    const length = reader.take(1)?.[0];
    if (length !== 4 && length !== 16) return undefined;
    const host = reader.take(length);
    const port = reader.take(2);
    if (host === undefined || port === undefined) return undefined;
    addresses.push({ host: hostFromBytes(host), port: (port[0]! << 8) | port[1]! });
  }
  return addresses;
}

function areDistinct(addresses: readonly HostPort[]): boolean {
  const names = addresses.map(({ host, port }) => `${host}/${port}`);
  return new Set(names).size === names.length && addresses.every(({ port }) => port > 0);
}

/** Takes a record apart, and never reads beyond its end. */
class RecordReader {
  readonly #bytes: Bytes;
  #offset = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  take(length: number): Bytes | undefined {
    const end = this.#offset + length;
    if (end > this.#bytes.length) return undefined;
    const taken = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }

  /** Eight bytes, big-endian; what is above the safe integers comes out rounded, and is refused later. */
  number(): number | undefined {
    const bytes = this.take(8);
    if (bytes === undefined) return undefined;
    return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0));
  }
}
