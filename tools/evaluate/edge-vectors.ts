import { type Bytes, concatBytes, EMPTY_BYTES, equalBytes } from "@ostrom/base";
import { bls12381, SCHEME_BLS12381, SCHEME_ED25519, signatureEngine } from "@ostrom/crypto";
import { bytesOf, readVectors } from "./vector-files.ts";
import { createVectorRecord, type VectorOutcome } from "./vector-record.ts";

type SpeccheckCase = { readonly message: string; readonly pub_key: string; readonly signature: string };

/** What our rule says of the twelve cases of "Taming the many EdDSAs" (ePrint 2020/1244, table 5): 0 to 2 have points of small order; 3 mixes orders and
 * holds without the cofactor too; 4 and 5 hold only with it; 6 and 7 have S out of range; 8 to 11 have encodings that are not canonical. */
const ED25519_SPECCHECK_OUTCOMES: readonly boolean[] = [
  ...[false, false, false, true, false, false],
  ...[false, false, false, false, false, false],
];

export function ed25519Speccheck(): VectorOutcome[] {
  const engine = signatureEngine(SCHEME_ED25519);
  if (engine === undefined) throw new Error("Ed25519 has no engine");
  const record = createVectorRecord("ed25519-speccheck/cases.json", engine.name, SCHEME_ED25519);
  const cases = readVectors<readonly SpeccheckCase[]>("ed25519-speccheck/cases.json");
  for (const [index, vector] of cases.entries()) {
    const [key, message, signature] = [vector.pub_key, vector.message, vector.signature].map(bytesOf) as [
      Bytes,
      Bytes,
      Bytes,
    ];
    const isGood = engine.verify(key, message, signature, EMPTY_BYTES);
    record.check(`case ${index}`, isGood === ED25519_SPECCHECK_OUTCOMES[index]);
  }
  return [record.outcome()];
}

type Coordinates = { readonly x: string; readonly y: string };
type HashToCurveFile = {
  readonly vectors: readonly { readonly P: Coordinates; readonly u: readonly string[] }[];
};

const PADDED_FIELD_BYTES = 64;

/** Maps to BLS12-381 with the cofactor cleared, from the vectors' field elements on; of two elements the sum, as the suites for random oracles have it. */
export function rfc9380(): VectorOutcome[] {
  return (["G1", "G2"] as const).flatMap((group) =>
    ["NU", "RO"].map((kind) => {
      const file = `rfc9380/BLS12381${group}_XMD_SHA-256_SSWU_${kind}_.json.gz`;
      const engine = bls12381();
      const record = createVectorRecord(file, engine.name, SCHEME_BLS12381);
      const map = group === "G1" ? engine.mapToG1 : engine.mapToG2;
      const add = group === "G1" ? engine.addG1 : engine.addG2;
      for (const [index, vector] of readVectors<HashToCurveFile>(file).vectors.entries()) {
        const points = vector.u.map((element) => map(readElement(element)) ?? EMPTY_BYTES);
        const [first = EMPTY_BYTES, second] = points;
        const sum = second === undefined ? first : (add(concatBytes(first, second)) ?? EMPTY_BYTES);
        const expected = concatBytes(readElement(vector.P.x), readElement(vector.P.y));
        record.check(`vector ${index}`, equalBytes(sum, expected));
      }
      return record.outcome();
    }),
  );
}

/** "0x..." or, of the extension, "0x...,0x..."; each part in 64 bytes. */
function readElement(text: string): Bytes {
  return concatBytes(
    ...text.split(",").map((part) =>
      bytesOf(
        part
          .trim()
          .replace(/^0x/, "")
          .padStart(2 * PADDED_FIELD_BYTES, "0"),
      ),
    ),
  );
}
