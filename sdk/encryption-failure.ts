import type { Failure } from "@ostrom/base";

/** Why something cannot be encrypted or decrypted. Codes are stable.
 * - `encryption/key`: a recipient's key is none.
 * - `encryption/malformed`: the bytes are no ciphertext of the expected form.
 * - `encryption/unsupported`: of a version, scheme or cipher that is not known here.
 * - `encryption/not-for-this-key`: none of the keys is a recipient's.
 * - `encryption/tampered`: it was changed, or encrypted to another key. */
export type EncryptionErrorCode =
  | "encryption/key"
  | "encryption/malformed"
  | "encryption/unsupported"
  | "encryption/not-for-this-key"
  | "encryption/tampered";

export type EncryptionFailure = Failure<EncryptionErrorCode>;
