import { pbkdf2 } from "@noble/hashes/pbkdf2.js";
import { scrypt } from "@noble/hashes/scrypt.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { assert, type Bytes } from "@ostrom/base";

/** Cost of scrypt (RFC 7914): `N` a power of two. It takes 128 * N * r bytes of memory. */
export type ScryptCost = { readonly N: number; readonly r: number; readonly p: number };

/** Memory that one key may take: files from outside name their own costs. */
const MAX_SCRYPT_MEMORY_BYTES = 512 * 1024 * 1024;
/** Work that one key may take, in units of N * r * p: four times that of Ethereum's usual costs. */
const MAX_SCRYPT_WORK = 2 ** 23;
/** Most r * p: before and after its own work, scrypt derives 128 * r * p bytes by PBKDF2, which takes far longer a byte. Usual are 8 to 128. */
const MAX_SCRYPT_WIDTH = 1_024;
/** Iterations that one key may take. */
export const MAX_PBKDF2_ITERATIONS = 2_000_000;

/** Whether these are costs that scrypt has and this machine is willing to pay. */
export function isPayableScryptCost({ N, r, p }: ScryptCost): boolean {
  const areCounts = [N, r, p].every((value) => Number.isSafeInteger(value) && value > 0);
  if (!areCounts || N < 2 || N > 2 ** 30 || (N & (N - 1)) !== 0) return false;
  return r * p <= MAX_SCRYPT_WIDTH && 128 * N * r <= MAX_SCRYPT_MEMORY_BYTES && N * r * p <= MAX_SCRYPT_WORK;
}

/** A key from a password by scrypt (RFC 7914). @param cost one that `isPayableScryptCost` accepts. */
export function scryptKey(password: Bytes, salt: Bytes, cost: ScryptCost, length: number): Bytes {
  assert(isPayableScryptCost(cost), "scrypt's costs are checked before");
  const { N, r, p } = cost;
  return scrypt(password, salt, { N, r, p, dkLen: length, maxmem: MAX_SCRYPT_MEMORY_BYTES * 2 });
}

/** A key from a password by PBKDF2 with HMAC-SHA-256 (RFC 8018). @param iterations 1 to MAX_PBKDF2_ITERATIONS. */
export function pbkdf2Key(password: Bytes, salt: Bytes, iterations: number, length: number): Bytes {
  assert(
    Number.isSafeInteger(iterations) && iterations > 0 && iterations <= MAX_PBKDF2_ITERATIONS,
    "PBKDF2's iterations are checked before",
  );
  return pbkdf2(sha256, password, salt, { c: iterations, dkLen: length });
}
