import { type Bytes, createRandom, toHex } from "@ostrom/base";
import {
  type BlsEngine,
  deriveBlsSecretKey,
  guardSignatures,
  nobleBls,
  REFERENCE_SIGNATURE_ENGINES,
  SCHEME_BLS12381,
  type SignatureEngine,
  signatureScheme,
} from "@ostrom/crypto";
import { loadNativeCrypto, loadNativeSignatures } from "../../node/runtime/native-crypto.ts";
import { type SignatureCase, signatureCases } from "./hostile-signatures.ts";

/** Two engines of one scheme. */
export type EnginePair = {
  readonly schemeId: number;
  readonly portable: SignatureEngine;
  readonly native: SignatureEngine;
};

export type Agreement = {
  readonly schemeId: number;
  readonly cases: number;
  /** How many of them both accepted. */
  readonly accepted: number;
  readonly kinds: ReadonlyMap<string, { readonly cases: number; readonly accepted: number }>;
  readonly seconds: number;
};

/** Every scheme that has two engines. */
export function enginePairs(): readonly EnginePair[] {
  const pairs = Object.entries(loadNativeSignatures()).map(([id, native]) => {
    const portable = REFERENCE_SIGNATURE_ENGINES[Number(id)];
    if (portable === undefined) throw new Error(`scheme ${id} has no portable engine`);
    return { schemeId: Number(id), portable, native };
  });
  const bls = { schemeId: SCHEME_BLS12381, portable: ofBls(nobleBls), native: ofBls(loadNativeCrypto().bls) };
  return [bls, ...pairs];
}

/** Asks both engines the same until a count or a time is reached.
 * Throws an Error with the case, if they answer differently or accept what they must not. */
export function compareEngines(
  pair: EnginePair,
  seed: number,
  limits: { readonly count: number; readonly seconds: number },
): Agreement {
  const begun = performance.now();
  const kinds = new Map<string, { cases: number; accepted: number }>();
  let cases = 0;
  let accepted = 0;
  for (const question of signatureCases(pair.schemeId, pair.native, createRandom(seed))) {
    if (cases >= limits.count || performance.now() - begun > 1000 * limits.seconds) break;
    const isGood = ask(pair, question);
    cases++;
    accepted += isGood ? 1 : 0;
    const known = kinds.get(question.kind) ?? { cases: 0, accepted: 0 };
    kinds.set(question.kind, { cases: known.cases + 1, accepted: known.accepted + (isGood ? 1 : 0) });
  }
  return { schemeId: pair.schemeId, cases, accepted, kinds, seconds: (performance.now() - begun) / 1000 };
}

function ask(pair: EnginePair, question: SignatureCase): boolean {
  const { kind, publicKey, message, signature, context } = question;
  const portable = pair.portable.verify(publicKey, message, signature, context);
  const native = pair.native.verify(publicKey, message, signature, context);
  const mustAccept = kind === "valid";
  if (portable === native && (portable || !mustAccept)) return portable;
  const name = signatureScheme(pair.schemeId)?.name;
  throw new Error(
    `${name}: ${pair.portable.name} says ${portable}, ${pair.native.name} says ${native} (${kind}): ` +
      `key ${toHex(publicKey)} message ${toHex(message)} signature ${toHex(signature)} context ${toHex(context)}`,
  );
}

function ofBls(engine: BlsEngine): SignatureEngine {
  const secretKeyOf = (seed: Bytes): Bytes => deriveBlsSecretKey(seed);
  return guardSignatures(SCHEME_BLS12381, {
    name: engine.name,
    publicKey: (seed) => engine.publicKey(secretKeyOf(seed)),
    sign: (seed, message) => engine.sign(secretKeyOf(seed), message),
    verify: (publicKey, message, signature) => engine.verify(publicKey, message, signature),
  });
}
