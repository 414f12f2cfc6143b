import { equalBytes } from "@ostrom/base";
import {
  REFERENCE_SIGNATURE_ENGINES,
  SCHEME_ED25519,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_ML_DSA_87,
  type SignatureEngine,
  signatureEngine,
} from "@ostrom/crypto";
import { bytesOf, nameOf, readVectors, type WycheproofCase, type WycheproofFile } from "./vector-files.ts";
import { createVectorRecord, type VectorOutcome } from "./vector-record.ts";

type SignedCase = WycheproofCase & { readonly msg: string; readonly sig: string; readonly ctx?: string };
type EdwardsGroup = { readonly publicKey: { readonly pk: string }; readonly tests: readonly SignedCase[] };
type LatticeGroup = { readonly publicKey: string; readonly tests: readonly SignedCase[] };
type LatticeSeedGroup = LatticeGroup & { readonly privateSeed: string };

const LATTICE_SCHEMES: readonly (readonly [number, string])[] = [
  [SCHEME_ML_DSA_44, "44"],
  [SCHEME_ML_DSA_65, "65"],
  [SCHEME_ML_DSA_87, "87"],
];

export function wycheproofEd25519(): VectorOutcome[] {
  const file = "wycheproof/ed25519_test.json";
  const engine = engineOf(SCHEME_ED25519);
  const record = createVectorRecord(file, engine.name, SCHEME_ED25519);
  for (const group of readVectors<WycheproofFile<EdwardsGroup>>(file).testGroups) {
    for (const vector of group.tests) {
      const isGood = engine.verify(
        bytesOf(group.publicKey.pk),
        bytesOf(vector.msg),
        bytesOf(vector.sig),
        bytesOf(""),
      );
      record.check(nameOf(vector), isGood === (vector.result === "valid"));
    }
  }
  return [record.outcome()];
}

export function wycheproofMlDsaVerify(): VectorOutcome[] {
  return LATTICE_SCHEMES.map(([id, size]) => {
    const file = `wycheproof/mldsa_${size}_verify_test.json`;
    const engine = engineOf(id);
    const record = createVectorRecord(file, engine.name, id);
    for (const group of readVectors<WycheproofFile<LatticeGroup>>(file).testGroups) {
      for (const vector of group.tests) {
        const context = bytesOf(vector.ctx ?? "");
        const isGood = engine.verify(
          bytesOf(group.publicKey),
          bytesOf(vector.msg),
          bytesOf(vector.sig),
          context,
        );
        record.check(nameOf(vector), isGood === (vector.result === "valid"));
      }
    }
    return record.outcome();
  });
}

/** Keys from seeds, and signatures: equal bytes by the portable engine, which signs deterministically (FIPS 204, 3.4), else signatures that both verify. */
export function wycheproofMlDsaSign(): VectorOutcome[] {
  return LATTICE_SCHEMES.map(([id, size]) => {
    const file = `wycheproof/mldsa_${size}_sign_seed_test.json`;
    const engine = engineOf(id);
    const record = createVectorRecord(file, engine.name, id);
    for (const group of readVectors<WycheproofFile<LatticeSeedGroup>>(file).testGroups) {
      for (const vector of group.tests) checkSeedCase(id, group, vector, record);
    }
    return record.outcome();
  });
}

function checkSeedCase(
  schemeId: number,
  group: LatticeSeedGroup,
  vector: SignedCase & { readonly mu?: string },
  record: ReturnType<typeof createVectorRecord>,
): void {
  const engine = engineOf(schemeId);
  const seed = bytesOf(group.privateSeed);
  if (vector.msg === undefined) return record.skip("mu instead of a message: we sign whole messages only");
  const message = bytesOf(vector.msg);
  const context = bytesOf(vector.ctx ?? "");
  if (vector.result !== "valid") {
    record.check(
      nameOf(vector),
      refuses(() => engine.sign(seed, message, context)),
    );
    return;
  }
  const key = engine.publicKey(seed);
  const expected = bytesOf(vector.sig);
  const made = engine.sign(seed, message, context);
  const isSame = equalBytes(made, expected);
  const isDeterministic = REFERENCE_SIGNATURE_ENGINES[schemeId]?.name === engine.name;
  const verifies =
    engine.verify(key, message, expected, context) && (isSame || engine.verify(key, message, made, context));
  // One case's signature was made with randomness, so that no deterministic signer can give it; it verifies all the same.
  const isAsMade = vector.comment.startsWith("randomized") || isSame === isDeterministic;
  record.check(nameOf(vector), equalBytes(key, bytesOf(group.publicKey)) && verifies && isAsMade);
}

function refuses(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch {
    return true;
  }
}

function engineOf(schemeId: number): SignatureEngine {
  const engine = signatureEngine(schemeId);
  if (engine === undefined) throw new Error(`scheme ${schemeId} has no engine`);
  return engine;
}
