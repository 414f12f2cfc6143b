import type { Random } from "@ostrom/base";
import { SCHEME_ML_DSA_44, SCHEME_ML_DSA_65 } from "@ostrom/crypto";
import type { SignatureCase, SignedMessage } from "./hostile-signatures.ts";

type Layout = {
  /** Bytes of the challenge's seed, which a signature begins with (FIPS 204, table 1: lambda / 4). */
  readonly challenge: number;
  /** Most hints, and vectors of hints: a signature ends with their positions, then their counts. */
  readonly omega: number;
  readonly k: number;
};

const LAYOUT_44: Layout = { challenge: 32, omega: 80, k: 4 };
const LAYOUT_65: Layout = { challenge: 48, omega: 55, k: 6 };
const LAYOUT_87: Layout = { challenge: 64, omega: 75, k: 8 };

/** Hints out of order, too many, or with something after their end; responses at the limits of their range; keys of zeros and ones. */
export function hostileLattice(schemeId: number, signed: SignedMessage, random: Random): SignatureCase {
  const layout =
    schemeId === SCHEME_ML_DSA_44 ? LAYOUT_44 : schemeId === SCHEME_ML_DSA_65 ? LAYOUT_65 : LAYOUT_87;
  const signature = signed.signature.slice();
  const hints = signature.length - layout.omega - layout.k;
  const counts = signature.length - layout.k;
  const choice = random.below(7);
  if (choice === 0) {
    signature[counts + random.below(layout.k)] = random.below(256);
    return { ...signed, kind: "counts of hints", signature };
  }
  if (choice === 1) {
    const used = signature[signature.length - 1] ?? 0;
    signature[hints + used + random.below(Math.max(1, layout.omega - used))] = 1 + random.below(255);
    return { ...signed, kind: "positions after the last hint", signature };
  }
  if (choice === 2) {
    const first = signature[hints] ?? 0;
    signature[hints] = signature[hints + 1] ?? 0;
    signature[hints + 1] = random.below(2) === 0 ? first : (signature[hints] ?? 0);
    return { ...signed, kind: "hints out of order", signature };
  }
  if (choice === 3) {
    signature.fill(0, hints);
    return { ...signed, kind: "no hints", signature };
  }
  if (choice === 4) {
    const from = layout.challenge + random.below(hints - layout.challenge - 3);
    signature.fill(random.below(2) === 0 ? 0 : 0xff, from, from + 3);
    return { ...signed, kind: "responses at their limits", signature };
  }
  if (choice === 5) {
    const publicKey = signed.publicKey.slice();
    publicKey.fill(random.below(2) === 0 ? 0 : 0xff, random.below(publicKey.length));
    return { ...signed, kind: "a key of zeros or ones", publicKey };
  }
  signature[random.below(layout.challenge)] = random.below(256);
  return { ...signed, kind: "another challenge", signature };
}
