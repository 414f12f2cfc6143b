import { createPrivateKey, createPublicKey } from "node:crypto";
import { Hash, type Random, toHexDigits } from "@ostrom/base";
import {
  isRecordSigned,
  type PeerAddress,
  type PeerId,
  type SignedRecord,
  signRecord,
} from "@ostrom/network";

export const START_MS = 1_800_000_000_000;
export const GENESIS_HASH: Hash = Hash(new Uint8Array(32).fill(0x15));
const PORT = 30_310;

/** A key, where its node is, and what it says of itself. */
export type Party = {
  readonly peerId: PeerId;
  readonly address: PeerAddress;
  readonly privateKeyPem: string;
  readonly record: SignedRecord;
  readonly isHostile: boolean;
};

/** PKCS #8 of a raw Ed25519 key: RFC 8410. */
const PRIVATE_KEY_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

export function makeParty(random: Random, host: string, isHostile: boolean): Party {
  const der = Buffer.concat([PRIVATE_KEY_PREFIX, random.bytes(32)]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  const peerId = toHexDigits(new Uint8Array(Buffer.from(x, "base64url")));
  const privateKeyPem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  const address = { peerId, host, port: PORT };
  const record = signRecord(
    {
      peerId,
      sequence: START_MS,
      genesisHash: GENESIS_HASH,
      addresses: [{ host, port: PORT }],
      roles: ["follower"],
      timestampMs: START_MS,
    },
    { privateKeyPem },
  );
  return { peerId, address, privateKeyPem, record, isHostile };
}

/** Signatures that were checked once in this process: nodes of one world see the same records. */
const checked = new Map<string, boolean>();

export function isSignedOnce(signed: SignedRecord): boolean {
  const name = toHexDigits(signed.bytes);
  const known = checked.get(name);
  if (known !== undefined) return known;
  const isSigned = isRecordSigned(signed);
  checked.set(name, isSigned);
  return isSigned;
}
