import { must } from "@ostrom/base";
import type { PeerId } from "./types.ts";

/** Which signature scheme a chain's nodes are known by on links; the suite in genesis says it (`suite.transport`). Names as in core/crypto's
 * registry. */
export type IdentityKind = "ed25519" | "ml-dsa-44" | "sm2";

export const IDENTITY_KINDS: readonly IdentityKind[] = ["ed25519", "ml-dsa-44", "sm2"];

export type IdentityLengths = {
  /** Raw public key, in bytes: what validator sets hold, and what a peer is named by. No two kinds have the same. */
  readonly publicKey: number;
  readonly signature: number;
};

const LENGTHS: Readonly<Record<IdentityKind, IdentityLengths>> = {
  ed25519: { publicKey: 32, signature: 64 },
  // FIPS 204, table 2.
  "ml-dsa-44": { publicKey: 1_312, signature: 2_420 },
  // x || y, and r || s.
  sm2: { publicKey: 64, signature: 64 },
};

const HEX_DIGITS_PER_BYTE = 2;

export function lengthsOf(kind: IdentityKind): IdentityLengths {
  return LENGTHS[kind];
}

/** Whether text has the form of a peer's name: a raw public key in lower-case hex digits.
 * @param kind of the identities on that chain; any if it is not given. */
export function isPeerId(text: string, kind?: IdentityKind): boolean {
  const found = IDENTITY_KINDS.find((each) => hasLengthOf(text, each));
  return found !== undefined && (kind === undefined || kind === found) && /^[0-9a-f]+$/.test(text);
}

/** The kind of a name that `isPeerId`. */
export function kindOfPeerId(peerId: PeerId): IdentityKind {
  return must(
    IDENTITY_KINDS.find((kind) => hasLengthOf(peerId, kind)),
    "a peer is named by a key of a known kind",
  );
}

/** Digits that tell peers apart in logs. */
const SHORT_DIGITS = 64;

/** A peer's name as logs have it: keys of post-quantum schemes have thousands of digits. */
export function shortPeerId(peerId: PeerId): string {
  return peerId.length <= 2 * SHORT_DIGITS ? peerId : `${peerId.slice(0, SHORT_DIGITS)}...`;
}

function hasLengthOf(text: string, kind: IdentityKind): boolean {
  return text.length === HEX_DIGITS_PER_BYTE * LENGTHS[kind].publicKey;
}
