import { assert, type Failure, Hash, ok, type Result } from "@ostrom/base";

/** Answers to many transactions in few objects, which cross threads cheaply: most are hashes. */
export type PackedResults = {
  /** 32 bytes for each, in order; zeros where it failed. */
  readonly hashes: Uint8Array;
  readonly failures: readonly { readonly index: number; readonly error: Failure }[];
};

const HASH_BYTES = 32;

export function packResults(results: readonly Result<Hash, Failure>[]): PackedResults {
  const hashes = new Uint8Array(results.length * HASH_BYTES);
  const failures: { index: number; error: Failure }[] = [];
  results.forEach((result, index) => {
    if (result.ok) hashes.set(result.value, index * HASH_BYTES);
    else failures.push({ index, error: result.error });
  });
  return { hashes, failures };
}

/** The results again; the hashes share the memory of the packed ones. */
export function unpackResults({ hashes, failures }: PackedResults): readonly Result<Hash, Failure>[] {
  assert(hashes.length % HASH_BYTES === 0, "packed hashes must be whole ones");
  const results: Result<Hash, Failure>[] = [];
  for (let start = 0; start < hashes.length; start += HASH_BYTES) {
    results.push(ok(Hash(hashes.subarray(start, start + HASH_BYTES))));
  }
  for (const { index, error } of failures) results[index] = { ok: false, error };
  return results;
}
