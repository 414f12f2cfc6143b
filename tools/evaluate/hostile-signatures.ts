import { type Bytes, concatBytes, EMPTY_BYTES, type Random, utf8 } from "@ostrom/base";
import {
  SCHEME_BLS12381,
  SCHEME_ED25519,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_ML_DSA_87,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SCHEME_SLH_DSA_SHA2_128S,
  SCHEME_SM2,
  type SignatureEngine,
  signatureScheme,
} from "@ostrom/crypto";
import { hostileEdwards } from "./hostile-edwards.ts";
import { hostileLattice } from "./hostile-lattice.ts";
import { hostileWeierstrass } from "./hostile-weierstrass.ts";

/** One question to an engine. */
export type SignatureCase = {
  readonly kind: string;
  readonly publicKey: Bytes;
  readonly message: Bytes;
  readonly signature: Bytes;
  readonly context: Bytes;
};

/** What somebody signed, from which cases are made. */
export type SignedMessage = {
  readonly secretKey: Bytes;
  readonly publicKey: Bytes;
  readonly message: Bytes;
  readonly signature: Bytes;
  readonly context: Bytes;
};

/** First byte of a compressed point at infinity. */
const INFINITY_FLAGS = 0xc0;
const CASES_OF_A_KEY = 40;
const CONTEXTS: readonly Bytes[] = [EMPTY_BYTES, utf8("ostrom/transaction"), new Uint8Array(255).fill(9)];
const SCHEMES_WITH_CONTEXT: readonly number[] = [
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_ML_DSA_87,
  SCHEME_SLH_DSA_SHA2_128S,
];

/** Infinity as a key and as a signature, wrong flags, and coordinates beyond the field. */
function hostilePairing(signed: SignedMessage, random: Random): SignatureCase {
  const ofKey = random.below(2) === 0;
  const bytes = (ofKey ? signed.publicKey : signed.signature).slice();
  const first = bytes[0] ?? 0;
  const which = random.below(4);
  if (which === 0) bytes.fill(0).set([INFINITY_FLAGS]);
  else if (which === 1) bytes[0] = first ^ (0x20 << random.below(3));
  else if (which === 2) bytes.fill(0xff, 1).set([first | 0x1f]);
  else bytes.fill(0, 1).set([first & 0xe0]);
  return ofKey
    ? { ...signed, kind: "edges of the key", publicKey: bytes }
    : { ...signed, kind: "edges of the signature", signature: bytes };
}

const OWN_EDGES: Readonly<Record<number, (signed: SignedMessage, random: Random) => SignatureCase>> = {
  [SCHEME_BLS12381]: hostilePairing,
  [SCHEME_SECP256K1]: (signed, random) => hostileWeierstrass(SCHEME_SECP256K1, signed, random),
  [SCHEME_P256]: (signed, random) => hostileWeierstrass(SCHEME_P256, signed, random),
  [SCHEME_SM2]: (signed, random) => hostileWeierstrass(SCHEME_SM2, signed, random),
  [SCHEME_ED25519]: hostileEdwards,
  [SCHEME_ML_DSA_44]: (signed, random) => hostileLattice(SCHEME_ML_DSA_44, signed, random),
  [SCHEME_ML_DSA_65]: (signed, random) => hostileLattice(SCHEME_ML_DSA_65, signed, random),
  [SCHEME_ML_DSA_87]: (signed, random) => hostileLattice(SCHEME_ML_DSA_87, signed, random),
};

/** Cases without end: a quarter valid, the rest changed, of another length, or made at a scheme's own edges.
 * @param signer makes the signatures that cases begin with. */
export function* signatureCases(
  schemeId: number,
  signer: SignatureEngine,
  random: Random,
): Generator<SignatureCase, never, undefined> {
  const ownEdge = OWN_EDGES[schemeId];
  const keysLast = schemeId === SCHEME_SLH_DSA_SHA2_128S ? 20 * CASES_OF_A_KEY : CASES_OF_A_KEY;
  for (;;) {
    const signed = sign(schemeId, signer, random);
    for (let index = 0; index < keysLast; index++) {
      const choice = random.below(8);
      if (choice < 2) yield { kind: "valid", ...signed };
      else if (choice < 4 || ownEdge === undefined) yield changed(signed, random);
      else if (choice === 4) yield ofOtherLength(signed, random);
      else yield ownEdge(signed, random);
    }
  }
}

function sign(schemeId: number, signer: SignatureEngine, random: Random): SignedMessage {
  const length = signatureScheme(schemeId)?.secretKeyLength ?? 0;
  const secretKey = random.bytes(length);
  // Keeps scalars of every curve below its order.
  secretKey[0] = random.below(0xf0);
  const context = SCHEMES_WITH_CONTEXT.includes(schemeId)
    ? (CONTEXTS[random.below(3)] ?? EMPTY_BYTES)
    : EMPTY_BYTES;
  const message = random.bytes(random.below(200));
  const signature = signer.sign(secretKey, message, context);
  return { secretKey, publicKey: signer.publicKey(secretKey), message, signature, context };
}

function changed(signed: SignedMessage, random: Random): SignatureCase {
  const which = random.below(5);
  if (which === 0) return { ...signed, kind: "another message", message: random.bytes(random.below(100)) };
  if (which === 1)
    return { ...signed, kind: "a bit of the key", publicKey: withBit(signed.publicKey, random) };
  if (which === 2) return { ...signed, kind: "another context", context: random.bytes(random.below(300)) };
  if (which === 3)
    return { ...signed, kind: "a random signature", signature: random.bytes(signed.signature.length) };
  return { ...signed, kind: "a bit of the signature", signature: withBit(signed.signature, random) };
}

function ofOtherLength(signed: SignedMessage, random: Random): SignatureCase {
  const alter = (bytes: Bytes): Bytes => {
    const which = random.below(4);
    if (which === 0) return bytes.subarray(0, random.below(bytes.length));
    if (which === 1) return concatBytes(bytes, random.bytes(1 + random.below(40)));
    return which === 2 ? concatBytes(bytes, Uint8Array.of(0)) : EMPTY_BYTES;
  };
  return random.below(2) === 0
    ? { ...signed, kind: "a key of another length", publicKey: alter(signed.publicKey) }
    : { ...signed, kind: "a signature of another length", signature: alter(signed.signature) };
}

function withBit(bytes: Bytes, random: Random): Bytes {
  const copy = bytes.slice();
  const index = random.below(copy.length);
  copy[index] = (copy[index] ?? 0) ^ (1 << random.below(8));
  return copy;
}
