import { type Bytes, type Failure, ok, type Result } from "@ostrom/base";
import { bls } from "@ostrom/crypto";
import type { PeerId } from "@ostrom/network";
import { readSecrets } from "./node-keys.ts";

/** What the others must know of a node's keys before a validator set can name it. */
export type PublicKeys = {
  /** Its identity on the network: the raw transport key in hex digits. */
  readonly peerId: PeerId;
  /** The key of `consensus.key`, then further ones by the names of their files. */
  readonly consensus: readonly [PublicKey, ...PublicKey[]];
};

export type PublicKey = { readonly publicKey: Bytes; readonly proofOfPossession: Bytes };

/** Reads the public side of a node's keys. Errors: `keys/unreadable`, `keys/exposed`, `keys/invalid`. */
export function readPublicKeys(folder: string): Result<PublicKeys, Failure> {
  const secrets = readSecrets(folder);
  if (!secrets.ok) return secrets;
  const { consensusSecret, furtherSecrets = [], identity } = secrets.value;
  const further = furtherSecrets.map(publicKeyOf);
  return ok({ peerId: identity.peerId, consensus: [publicKeyOf(consensusSecret), ...further] });
}

function publicKeyOf(secret: Bytes): PublicKey {
  return { publicKey: bls().publicKey(secret), proofOfPossession: bls().provePossession(secret) };
}
