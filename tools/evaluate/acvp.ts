import { type Bytes, concatBytes, equalBytes } from "@ostrom/base";
import {
  keyAgreement,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_ML_DSA_87,
  signatureEngine,
} from "@ostrom/crypto";
import { type AcvpFile, bytesOf, nameOf, readVectors } from "./vector-files.ts";
import { createVectorRecord, type VectorOutcome, type VectorRecord } from "./vector-record.ts";

type Case = {
  readonly tcId: number;
  readonly testPassed?: boolean;
} & Readonly<Record<"seed" | "pk" | "message" | "context" | "signature", string>> &
  Readonly<Record<"d" | "z" | "ek" | "dk" | "m" | "c" | "k", string>>;
type Group = {
  readonly parameterSet: string;
  readonly signatureInterface?: string;
  readonly preHash?: string;
  readonly function?: string;
  readonly tests: readonly Case[];
};

const LATTICE_SCHEMES: ReadonlyMap<string, number> = new Map([
  ["ML-DSA-44", SCHEME_ML_DSA_44],
  ["ML-DSA-65", SCHEME_ML_DSA_65],
  ["ML-DSA-87", SCHEME_ML_DSA_87],
]);
const KEM = "ML-KEM-768";

/** One record a parameter set. */
export function acvpMlDsa(): VectorOutcome[] {
  const keyGeneration = "acvp/ML-DSA-keyGen-FIPS204/internalProjection.json.gz";
  const verification = "acvp/ML-DSA-sigVer-FIPS204/internalProjection.json.gz";
  const outcomes: VectorOutcome[] = [];
  for (const [name, schemeId] of LATTICE_SCHEMES) {
    const engine = signatureEngine(schemeId);
    if (engine === undefined) throw new Error(`${name} has no engine`);
    const keys = createVectorRecord(`${keyGeneration}, ${name}`, engine.name, schemeId);
    for (const vector of groupsOf(keyGeneration, name).flatMap((group) => group.tests))
      keys.check(nameOf(vector), equalBytes(engine.publicKey(bytesOf(vector.seed)), bytesOf(vector.pk)));
    const checks = createVectorRecord(`${verification}, ${name}`, engine.name, schemeId);
    for (const group of groupsOf(verification, name)) {
      for (const vector of group.tests) {
        const [key, signature] = [bytesOf(vector.pk), bytesOf(vector.signature)];
        if (group.signatureInterface === "internal")
          checks.skip("internal interface: we verify whole messages");
        else if (group.preHash !== "pure") checks.skip("HashML-DSA: we offer the pure form only");
        else {
          const isGood = engine.verify(key, bytesOf(vector.message), signature, bytesOf(vector.context));
          checks.check(nameOf(vector), isGood === vector.testPassed);
        }
      }
    }
    outcomes.push(keys.outcome(), checks.outcome());
  }
  return outcomes;
}

export function acvpMlKem(): VectorOutcome[] {
  const engine = keyAgreement();
  const keyGeneration = "acvp/ML-KEM-keyGen-FIPS203/internalProjection.json.gz";
  const keys = createVectorRecord(keyGeneration, engine.name);
  const sealed = createVectorRecord("acvp/ML-KEM-encapDecap-FIPS203/internalProjection.json.gz", engine.name);
  for (const group of groupsOf(keyGeneration)) {
    for (const vector of group.tests) {
      const seed = concatBytes(bytesOf(vector.d), bytesOf(vector.z));
      if (group.parameterSet !== KEM) keys.skip("a parameter set that we do not offer");
      else keys.check(nameOf(vector), equalBytes(engine.mlKem768PublicKey(seed), bytesOf(vector.ek)));
    }
  }
  for (const group of groupsOf("acvp/ML-KEM-encapDecap-FIPS203/internalProjection.json.gz")) {
    for (const vector of group.tests) checkKem(group, vector, sealed);
  }
  return [keys.outcome(), sealed.outcome()];
}

function checkKem(group: Group, vector: Case, record: VectorRecord): void {
  if (group.parameterSet !== KEM) return record.skip("a parameter set that we do not offer");
  const encapsulate = (
    randomness: Bytes,
  ): ReturnType<ReturnType<typeof keyAgreement>["mlKem768Encapsulate"]> =>
    keyAgreement().mlKem768Encapsulate(bytesOf(vector.ek), randomness);
  if (group.function === "encapsulation") {
    const made = encapsulate(bytesOf(vector.m));
    const isSame =
      made !== undefined &&
      equalBytes(made.ciphertext, bytesOf(vector.c)) &&
      equalBytes(made.sharedSecret, bytesOf(vector.k));
    return record.check(nameOf(vector), isSame);
  }
  if (group.function === "encapsulationKeyCheck") {
    const isTaken = encapsulate(new Uint8Array(32)) !== undefined;
    return record.check(nameOf(vector), isTaken === vector.testPassed);
  }
  record.skip("expanded decapsulation keys: ours are seeds");
}

function groupsOf(file: string, parameterSet?: string): readonly Group[] {
  const { testGroups } = readVectors<AcvpFile<Group>>(file);
  return testGroups.filter((group) => parameterSet === undefined || group.parameterSet === parameterSet);
}
