import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";

/** Where the vectors that nobody here wrote lie, beside the repository. */
const CRYPTO_VECTORS: string = resolve(import.meta.dirname, "../../../shared/vectors/crypto");

export function hasCryptoVectors(): boolean {
  return existsSync(CRYPTO_VECTORS);
}

/** @param path below CRYPTO_VECTORS; .gz is unpacked. The caller names the shape that the file's format promises. */
export function readVectors<Shape>(path: string): Shape {
  const bytes = readFileSync(join(CRYPTO_VECTORS, path));
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  return JSON.parse(text) as Shape;
}

export type WycheproofFile<Group> = {
  readonly numberOfTests: number;
  readonly testGroups: readonly Group[];
};

export type WycheproofCase = {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: "valid" | "invalid" | "acceptable";
};

export type AcvpFile<Group> = { readonly testGroups: readonly Group[] };

export function bytesOf(digits: string): Uint8Array {
  return Uint8Array.fromHex(digits);
}

export function nameOf(vector: { readonly tcId: number; readonly comment?: string }): string {
  return `#${vector.tcId} ${vector.comment ?? ""}`;
}
