import { assert, type Bytes, EMPTY_BYTES, must } from "@ostrom/base";
import { REFERENCE_SIGNATURE_ENGINES } from "./reference-signatures.ts";
import { signatureScheme } from "./schemes.ts";

/** One signature scheme as accounts, validators and contracts use it: whole messages in, fixed encodings out. Each engine of a scheme answers
 * alike on every input, hostile ones included. Lengths are those of the scheme's entry in schemes.ts: a key or a signature of another length, or
 * outside its range, makes `verify` false and never throws. A secret key that cannot be one is a bug of the caller and throws InvariantError. */
export type SignatureEngine = {
  readonly name: string;
  /** @param secretKey the seed or scalar: what a keystore keeps. */
  readonly publicKey: (secretKey: Bytes) => Bytes;
  /** Deterministic where the standard has a deterministic form.
   * @param context of ML-DSA and SLH-DSA (FIPS 204, 205: 0 to 255 bytes); must be empty for the others. */
  readonly sign: (secretKey: Bytes, message: Bytes, context: Bytes) => Bytes;
  readonly verify: (publicKey: Bytes, message: Bytes, signature: Bytes, context: Bytes) => boolean;
};

/** By scheme id. */
export type SignatureEngines = Readonly<Record<number, SignatureEngine>>;

let engines: SignatureEngines = REFERENCE_SIGNATURE_ENGINES;

/** Puts faster implementations into the slots of their schemes, once, when a process or worker starts. */
export function installSignatureEngines(replacements: SignatureEngines): void {
  for (const id of Object.keys(replacements))
    assert(signatureScheme(Number(id)) !== undefined, "an engine must be of a known scheme");
  engines = { ...engines, ...replacements };
}

/** Which engine sits in each slot, by the scheme's name. */
export function signatureEngineNames(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(engines).map(([id, engine]) => [
      must(signatureScheme(Number(id)), "an engine is of a known scheme").name,
      engine.name,
    ]),
  );
}

/** @returns undefined for a scheme that signs no accounts' or contracts' messages, or that this version does not know. */
export function signatureEngine(schemeId: number): SignatureEngine | undefined {
  return engines[schemeId];
}

/** Verifies by the scheme's slot. False for schemes that have none. */
export function verifySignature(
  schemeId: number,
  publicKey: Bytes,
  message: Bytes,
  signature: Bytes,
  context: Bytes = EMPTY_BYTES,
): boolean {
  return engines[schemeId]?.verify(publicKey, message, signature, context) ?? false;
}
