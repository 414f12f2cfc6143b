import { type Failure, must, ok, type Result } from "@ostrom/base";
import type { PeerId } from "@ostrom/network";
import { type PublicKey, publicKeyOfSecret } from "./consensus-secret.ts";
import { readSecrets } from "./node-keys.ts";
import { remotePublicKeys } from "./remote-signer.ts";

/** What the others must know of a node's keys before a validator set can name it. */
export type PublicKeys = {
  /** Its identity on the network: the raw transport key in hex digits. */
  readonly peerId: PeerId;
  /** The key of `consensus.key`, then further ones by the names of their files. */
  readonly consensus: readonly [PublicKey, ...PublicKey[]];
};

/** Reads the public side of a node's keys. Errors: `keys/unreadable`, `keys/exposed`, `keys/invalid`. */
export function readPublicKeys(folder: string): Result<PublicKeys, Failure> {
  const secrets = readSecrets(folder);
  if (!secrets.ok) return secrets;
  const { consensusSecret, furtherSecrets = [], identity, remoteSigner } = secrets.value;
  const own = consensusSecret === undefined ? furtherSecrets : [consensusSecret, ...furtherSecrets];
  const elsewhere = remoteSigner === undefined ? [] : remotePublicKeys(remoteSigner);
  const [first, ...further] = [...own.map(publicKeyOfSecret), ...elsewhere];
  return ok({ peerId: identity.peerId, consensus: [must(first, "a folder has a key"), ...further] });
}
